// The handlers of REST APIs.
#pragma once

#include "service/apigateway/api_store.h"

namespace reef::service::apigateway::operations {

#define REST_API_OPERATIONS(V)                                                                                         \
  V(CreateRestApi) V(GetRestApi) V(GetRestApis) V(UpdateRestApi) V(DeleteRestApi) V(ImportRestApi) V(PutRestApi)       \
  V(CreateResource) V(GetResource) V(GetResources) V(UpdateResource) V(DeleteResource)                                 \
  V(PutMethod) V(GetMethod) V(UpdateMethod) V(DeleteMethod)                                                            \
  V(PutMethodResponse) V(GetMethodResponse) V(UpdateMethodResponse) V(DeleteMethodResponse)                            \
  V(PutIntegration) V(GetIntegration) V(UpdateIntegration) V(DeleteIntegration)                                        \
  V(PutIntegrationResponse) V(GetIntegrationResponse) V(UpdateIntegrationResponse) V(DeleteIntegrationResponse)        \
  V(CreateDeployment) V(GetDeployment) V(GetDeployments) V(UpdateDeployment) V(DeleteDeployment)                       \
  V(CreateStage) V(GetStage) V(GetStages) V(UpdateStage) V(DeleteStage)                                                \
  V(TagResource) V(UntagResource) V(GetTags) V(GetAccount) V(UpdateAccount)                                           \
  V(CreateAuthorizer) V(GetAuthorizer) V(GetAuthorizers) V(UpdateAuthorizer) V(DeleteAuthorizer)                       \
  V(PutGatewayResponse) V(GetGatewayResponse) V(GetGatewayResponses) V(UpdateGatewayResponse) V(DeleteGatewayResponse) \
  V(CreateModel) V(GetModel) V(GetModels) V(UpdateModel) V(DeleteModel)                                                \
  V(CreateRequestValidator) V(GetRequestValidator) V(GetRequestValidators) V(UpdateRequestValidator) V(DeleteRequestValidator) \
  V(CreateApiKey) V(GetApiKey) V(GetApiKeys) V(UpdateApiKey) V(DeleteApiKey)                                           \
  V(CreateUsagePlan) V(GetUsagePlan) V(GetUsagePlans) V(UpdateUsagePlan) V(DeleteUsagePlan)                            \
  V(CreateUsagePlanKey) V(GetUsagePlanKey) V(GetUsagePlanKeys) V(DeleteUsagePlanKey) V(GetUsage) V(UpdateUsage) \
  V(CreateDomainName) V(GetDomainName) V(GetDomainNames) V(UpdateDomainName) V(DeleteDomainName)                       \
  V(CreateBasePathMapping) V(GetBasePathMapping) V(GetBasePathMappings) V(UpdateBasePathMapping) V(DeleteBasePathMapping)
#define REST_API_OPERATION(Name) Task<Reply<model::Name##Output>> Name(RestApis& apis, const model::Name##Input& in, const Call& call);
REST_API_OPERATIONS(REST_API_OPERATION)
#undef REST_API_OPERATION

// What PutGatewayResponse and imported definitions must hold to.
Reply<void> check_gateway_response(const model::GatewayResponse& response);

inline auto committed() { return store::Shard::control().committed(); }

inline Reply<StoredApi*> find_api(RestApis& apis, const Call& call, const std::string& id) {
  StoredApi* api = apis.find(call, id);
  if (!api) return Err(not_found("Invalid API identifier specified " + call.account + ":" + id));
  return api;
}

}  // namespace reef::service::apigateway::operations
