// A function's network interfaces, from its VpcConfig: one in each of its subnets, shared by all its versions.
#pragma once

#include "service/lambda/configuration.h"
#include "service/lambda/lambda.h"

namespace reef::service::lambda {

// Gives the function interfaces as the configuration wants them, instead of those it had, and fills in the VPC's id.
Reply<void> attach_to_vpc(Lambda& lambda, const FunctionName& name, model::FunctionConfiguration& config);
void detach_from_vpc(Lambda& lambda, const FunctionName& name);

}  // namespace reef::service::lambda
