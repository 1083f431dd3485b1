// What API Gateway's REST APIs serve, and nothing else.
#include "aws/resource.h"
#include "service/apigateway/operations.h"
#include "service/apigateway/resources.h"

namespace reef::service {
namespace apigateway {
namespace {

const aws::ServiceDefinition kApiGateway{
    .model = &aws::apigateway::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define REST_API_ROW(Name) aws::serve<operations::Name>(aws::apigateway::ops::k##Name),
            REST_API_OPERATIONS(REST_API_ROW)
#undef REST_API_ROW
        },
    .resources = {&resources::kRestApi, &resources::kResource, &resources::kMethod, &resources::kDeployment, &resources::kStage, &resources::kAccount, &resources::kAuthorizer,
                  &resources::kApiKey, &resources::kUsagePlan, &resources::kUsagePlanKey, &resources::kGatewayResponse, &resources::kModel, &resources::kRequestValidator,
                  &resources::kDomainName, &resources::kBasePathMapping},
};

}  // namespace
}  // namespace apigateway

std::unique_ptr<aws::Service> make_apigateway(Parts& parts) {
  return std::make_unique<aws::ServiceOf<apigateway::RestApis>>(apigateway::kApiGateway, parts);
}

}  // namespace reef::service
