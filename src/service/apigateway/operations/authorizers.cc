// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html
#include "service/apigateway/authorize.h"
#include "service/apigateway/operations.h"

namespace reef::service::apigateway::operations {
namespace {

constexpr std::size_t kAuthorizersMax = 10;

Reply<model::Authorizer*> authorizer_of(StoredApi& api, const std::string& id) {
  const auto found = api.authorizers.find(id);
  if (found == api.authorizers.end()) return Err(not_found("Invalid Authorizer identifier specified"));
  return &found->second;
}

}  // namespace

Task<Reply<model::CreateAuthorizerOutput>> CreateAuthorizer(RestApis& apis, const model::CreateAuthorizerInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  if (api->authorizers.size() >= kAuthorizersMax) co_return Err(aws::Error(errors::kLimitExceededException, "Maximum number of authorizers for this API has been reached."));
  model::Authorizer made{.id = apis.new_id(6), .name = in.name, .type = in.type, .provider_arns = in.provider_arns, .auth_type = in.auth_type, .authorizer_uri = in.authorizer_uri,
                         .authorizer_credentials = in.authorizer_credentials, .identity_source = in.identity_source, .identity_validation_expression = in.identity_validation_expression,
                         .authorizer_result_ttl_in_seconds = in.authorizer_result_ttl_in_seconds};
  if (!made.auth_type) made.auth_type = in.type == "COGNITO_USER_POOLS" ? "cognito_user_pools" : "custom";
  CO_TRY(check_authorizer(*api, made));
  api->authorizers.emplace(*made.id, made);
  apis.changed(*api);
  co_await committed();
  co_return made;
}

Task<Reply<model::GetAuthorizerOutput>> GetAuthorizer(RestApis& apis, const model::GetAuthorizerInput& in, const Call& call) {
  co_return *CO_TRY(authorizer_of(*CO_TRY(find_api(apis, call, in.rest_api_id)), in.authorizer_id));
}

Task<Reply<model::GetAuthorizersOutput>> GetAuthorizers(RestApis& apis, const model::GetAuthorizersInput& in, const Call& call) {
  model::GetAuthorizersOutput out;
  auto& items = out.items.emplace();
  for (const auto& [id, authorizer] : (*CO_TRY(find_api(apis, call, in.rest_api_id))).authorizers) items.push_back(authorizer);
  co_return out;
}

Task<Reply<model::UpdateAuthorizerOutput>> UpdateAuthorizer(RestApis& apis, const model::UpdateAuthorizerInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  model::Authorizer* authorizer = CO_TRY(authorizer_of(*api, in.authorizer_id));
  model::Authorizer edited = *authorizer;
  CO_TRY(patch(edited, in.patch_operations));
  CO_TRY(check_authorizer(*api, edited));
  *authorizer = edited;
  apis.changed(*api);
  co_await committed();
  co_return edited;
}

Task<Reply<model::DeleteAuthorizerOutput>> DeleteAuthorizer(RestApis& apis, const model::DeleteAuthorizerInput& in, const Call& call) {
  StoredApi* api = CO_TRY(find_api(apis, call, in.rest_api_id));
  CO_TRY(authorizer_of(*api, in.authorizer_id));
  for (const auto& [id, resource] : api->resources)
    if (resource.resource_methods)
      for (const auto& [verb, method] : *resource.resource_methods)
        if (method.authorizer_id == in.authorizer_id) co_return Err(aws::Error(errors::kConflictException, "Cannot delete authorizer '" + in.authorizer_id + "', is referenced in method: " + verb));
  api->authorizers.erase(in.authorizer_id);
  apis.changed(*api);
  co_await committed();
  co_return model::DeleteAuthorizerOutput{};
}

}  // namespace reef::service::apigateway::operations
