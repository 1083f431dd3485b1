// The CloudFormation types of REST APIs.
#pragma once

#include "aws/resource.h"

namespace reef::service::apigateway::resources {
extern const aws::ResourceType kRestApi, kResource, kMethod, kDeployment, kStage, kAccount, kAuthorizer;
extern const aws::ResourceType kApiKey, kUsagePlan, kUsagePlanKey, kGatewayResponse, kModel, kRequestValidator, kDomainName, kBasePathMapping;
}
