// The CloudFormation types of HTTP APIs.
#pragma once

#include "aws/resource.h"

namespace reef::service::apigatewayv2::resources {
extern const aws::ResourceType kApi, kRoute, kIntegration, kStage, kDeployment, kAuthorizer;
}
