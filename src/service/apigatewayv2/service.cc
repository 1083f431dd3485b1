// What API Gateway's HTTP APIs serve, and nothing else.
#include "aws/resource.h"
#include "service/apigatewayv2/operations.h"
#include "service/apigatewayv2/resources.h"

namespace reef::service {
namespace apigatewayv2 {
namespace {

const aws::ServiceDefinition kApiGatewayV2{
    .model = &aws::apigatewayv2::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define HTTP_API_ROW(Name) aws::serve<operations::Name>(aws::apigatewayv2::ops::k##Name),
            HTTP_API_OPERATIONS(HTTP_API_ROW)
#undef HTTP_API_ROW
        },
    .resources = {&resources::kApi, &resources::kRoute, &resources::kIntegration, &resources::kStage, &resources::kDeployment, &resources::kAuthorizer},
};

}  // namespace
}  // namespace apigatewayv2

std::unique_ptr<aws::Service> make_apigatewayv2(Parts& parts) {
  return std::make_unique<aws::ServiceOf<apigatewayv2::ApiGateway>>(apigatewayv2::kApiGatewayV2, parts);
}

}  // namespace reef::service
