// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers.html
#include <fmt/format.h>

#include "engine/edge/web.h"
#include "service/apigatewayv2/operations.h"

namespace reef::service::apigatewayv2::operations {
namespace {

constexpr std::size_t kAuthorizersMax = 10;

Reply<StoredApi*> api_of(ApiGateway& gateway, const Call& call, const std::string& id) {
  StoredApi* api = gateway.find(call, id);
  if (!api) return Err(not_found("API", id));
  return api;
}

Reply<model::Authorizer*> authorizer_of(StoredApi& api, const std::string& id) {
  const auto found = api.current.authorizers.find(id);
  if (found == api.current.authorizers.end()) return Err(not_found("Authorizer", id));
  return &found->second;
}

Reply<void> check_authorizer(const StoredApi& api, const model::Authorizer& authorizer) {
  for (const auto& [id, other] : api.current.authorizers)
    if (other.name == authorizer.name && id != authorizer.authorizer_id) return Err(bad_request(fmt::format("Authorizer name must be unique. Authorizer {} already exists in this Api.", authorizer.name)));
  const auto sources = authorizer.identity_source.value_or(std::vector<std::string>{});
  for (const std::string& source : sources)
    if (!source.starts_with("$request.header.") && !source.starts_with("$request.querystring.") && !source.starts_with("$context.") && !source.starts_with("$stageVariables."))
      return Err(bad_request(fmt::format("Identity source {} is not valid", source)));
  if (authorizer.authorizer_type == "JWT") {
    const auto& config = authorizer.jwt_configuration;
    if (!config || config->issuer.value_or("").empty() || !edge::parse_provider_url(*config->issuer)) return Err(bad_request("Invalid issuer: it must be an HTTPS URL. Issuer must have a valid discovery endpoint ended with '/.well-known/openid-configuration'"));
    if (!config->audience || config->audience->empty()) return Err(bad_request("Audience is required for JWT authorizers"));
    if (sources.size() != 1) return Err(bad_request("JWT authorizers take exactly one identity source"));
    return {};
  }
  if (authorizer.authorizer_uri.value_or("").empty()) return Err(bad_request("AuthorizerUri is required for REQUEST authorizers"));
  const std::string version = authorizer.authorizer_payload_format_version.value_or("");
  if (version != "1.0" && version != "2.0") return Err(bad_request("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"));
  if (version == "1.0" && authorizer.enable_simple_responses.value_or(false)) return Err(bad_request("EnableSimpleResponses can only be set to true for payload format version 2.0"));
  if (sources.empty() && authorizer.authorizer_result_ttl_in_seconds.value_or(0) > 0) return Err(bad_request("Identity source is required when caching is enabled"));
  return {};
}

}  // namespace

Task<Reply<model::CreateAuthorizerOutput>> CreateAuthorizer(ApiGateway& gateway, const model::CreateAuthorizerInput& in, const Call& call) {
  StoredApi* api = CO_TRY(api_of(gateway, call, in.api_id));
  if (api->current.authorizers.size() >= kAuthorizersMax) co_return Err(aws::Error(errors::kTooManyRequestsException, fmt::format("The limit of {} authorizers is exceeded", kAuthorizersMax)));
  model::Authorizer authorizer;
  merge_into(authorizer, in, {"ApiId"});
  authorizer.authorizer_id = gateway.new_id().substr(0, 6);
  CO_TRY(check_authorizer(*api, authorizer));
  api->current.authorizers.emplace(*authorizer.authorizer_id, authorizer);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return output_of<model::CreateAuthorizerOutput>(authorizer);
}

Task<Reply<model::GetAuthorizerOutput>> GetAuthorizer(ApiGateway& gateway, const model::GetAuthorizerInput& in, const Call& call) {
  co_return output_of<model::GetAuthorizerOutput>(*CO_TRY(authorizer_of(*CO_TRY(api_of(gateway, call, in.api_id)), in.authorizer_id)));
}

Task<Reply<model::GetAuthorizersOutput>> GetAuthorizers(ApiGateway& gateway, const model::GetAuthorizersInput& in, const Call& call) {
  model::GetAuthorizersOutput out;
  auto& items = out.items.emplace();
  for (const auto& [id, authorizer] : (*CO_TRY(api_of(gateway, call, in.api_id))).current.authorizers) items.push_back(authorizer);
  co_return out;
}

Task<Reply<model::UpdateAuthorizerOutput>> UpdateAuthorizer(ApiGateway& gateway, const model::UpdateAuthorizerInput& in, const Call& call) {
  StoredApi* api = CO_TRY(api_of(gateway, call, in.api_id));
  model::Authorizer* authorizer = CO_TRY(authorizer_of(*api, in.authorizer_id));
  model::Authorizer after = *authorizer;
  merge_into(after, in, {"ApiId", "AuthorizerId"});
  CO_TRY(check_authorizer(*api, after));
  *authorizer = after;
  gateway.changed(*api, call.now);
  co_await committed();
  co_return output_of<model::UpdateAuthorizerOutput>(after);
}

Task<Reply<model::DeleteAuthorizerOutput>> DeleteAuthorizer(ApiGateway& gateway, const model::DeleteAuthorizerInput& in, const Call& call) {
  StoredApi* api = CO_TRY(api_of(gateway, call, in.api_id));
  CO_TRY(authorizer_of(*api, in.authorizer_id));
  for (const auto& [id, route] : api->current.routes)
    if (route.authorizer_id == in.authorizer_id && route.authorization_type.value_or("NONE") != "NONE")
      co_return Err(aws::Error(errors::kConflictException, fmt::format("Cannot delete Authorizer '{}'. It is referenced by route '{}'.", in.authorizer_id, route.route_key)));
  api->current.authorizers.erase(in.authorizer_id);
  gateway.changed(*api, call.now);
  co_await committed();
  co_return model::DeleteAuthorizerOutput{};
}

}  // namespace reef::service::apigatewayv2::operations
