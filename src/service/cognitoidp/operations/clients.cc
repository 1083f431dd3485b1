// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
#include <algorithm>
#include <set>

#include "base/random.h"
#include "base/seal.h"
#include "service/cognitoidp/operations.h"

namespace reef::service::cognito::operations {
namespace {

constexpr std::size_t kClientsMax = 1000;
constexpr std::string_view kSecretAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

// From the kernel: it is a secret.
std::string make_secret(std::size_t size) {
  std::string out;
  while (out.size() < size)
    for (const char c : secret_bytes(size))
      if (const auto at = static_cast<unsigned char>(c); at < 252 && out.size() < size) out += kSecretAlphabet[at % kSecretAlphabet.size()];
  return out;
}

bool holds(const std::optional<std::vector<std::string>>& all, std::string_view one) { return all && std::find(all->begin(), all->end(), one) != all->end(); }

Reply<void> check_url(std::string_view url, std::string_view member) {
  const bool fits = url.find('#') == std::string_view::npos && url.find("://") != std::string_view::npos &&
                    (!url.starts_with("http://") || url.starts_with("http://localhost") || url.starts_with("http://127.0.0.1") || url.starts_with("http://[::1]"));
  if (fits) return {};
  return Err(invalid_parameter(fmt::format("{} is not a valid URL: '{}'. URLs must use HTTPS, http://localhost or a custom scheme and have no fragment.", member, url)));
}

Reply<void> check_client(const Pool& pool, const Client& client) {
  if (client.callback_urls)
    for (const std::string& url : *client.callback_urls) TRY(check_url(url, "CallbackURL"));
  if (client.logout_urls)
    for (const std::string& url : *client.logout_urls) TRY(check_url(url, "LogoutURL"));
  if (client.default_redirect_uri && !holds(client.callback_urls, *client.default_redirect_uri)) return Err(invalid_parameter("DefaultRedirectURI must be in the list of CallbackURLs."));
  if (client.allowed_o_auth_flows && holds(client.allowed_o_auth_flows, "client_credentials") && client.allowed_o_auth_flows->size() > 1)
    return Err(aws::Error(errors::kInvalidOAuthFlowException, "client_credentials flow can not be selected along with code flow or implicit flow."));
  if (holds(client.allowed_o_auth_flows, "client_credentials") && !client.client_secret)
    return Err(aws::Error(errors::kInvalidOAuthFlowException, "client_credentials flow can not be selected if client does not have a client secret."));
  if (holds(client.allowed_o_auth_flows, "implicit")) return Err(aws::not_implemented("OAuth flow 'implicit' of a user pool client"));
  if (client.allowed_o_auth_scopes) {
    static const std::set<std::string, std::less<>> kOwn = {"phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"};
    for (const std::string& scope : *client.allowed_o_auth_scopes) {
      bool is_known = kOwn.contains(scope);
      for (const auto& [identifier, server] : pool.servers)
        if (server.scopes)
          for (const auto& own : *server.scopes) is_known = is_known || scope == identifier + "/" + own.scope_name;
      if (!is_known) return Err(aws::Error(errors::kScopeDoesNotExistException, fmt::format("Invalid scope requested: {}", scope)));
    }
  }
  const auto& flows = client.explicit_auth_flows;
  if (flows) {
    const bool has_new = std::any_of(flows->begin(), flows->end(), [](const std::string& flow) { return flow.starts_with("ALLOW_"); });
    const bool has_old = std::any_of(flows->begin(), flows->end(), [](const std::string& flow) { return !flow.starts_with("ALLOW_"); });
    if (has_new && has_old) return Err(invalid_parameter("Legacy values and ALLOW_ values cannot be used together in ExplicitAuthFlows."));
    for (const std::string_view flow : {"ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "ALLOW_USER_AUTH"})
      if (holds(flows, flow)) return Err(aws::not_implemented(fmt::format("Authentication flow '{}' of a user pool client", flow)));
  }
  if (client.supported_identity_providers)
    for (const std::string& provider : *client.supported_identity_providers)
      if (provider != "COGNITO") return Err(invalid_parameter(fmt::format("The provider {} does not exist for User Pool {}.", provider, pool.id())));
  for (const std::string_view kind : {"AccessToken", "IdToken"}) {
    const Duration lasts = lifetime(client, kind);
    if (lasts < Duration(std::chrono::minutes(5)) || lasts > Duration(std::chrono::hours(24))) return Err(invalid_parameter(fmt::format("Invalid range for token validity: {} must be between 5 minutes and 1 day.", kind)));
  }
  const Duration refresh = lifetime(client, "RefreshToken");
  if (refresh < Duration(std::chrono::minutes(60)) || refresh > Duration(std::chrono::hours(24 * 3650))) return Err(invalid_parameter("Invalid range for token validity: RefreshToken must be between 60 minutes and 10 years."));
  if (refresh < lifetime(client, "AccessToken") || refresh < lifetime(client, "IdToken")) return Err(invalid_parameter("Refresh token validity must be longer than that of the other tokens."));
  return {};
}

template <class In>
void take_settings(Client& client, const In& in) {
  client.refresh_token_validity = in.refresh_token_validity.value_or(30);
  client.access_token_validity = in.access_token_validity;
  client.id_token_validity = in.id_token_validity;
  client.token_validity_units = in.token_validity_units ? in.token_validity_units : model::TokenValidityUnitsType{};
  client.read_attributes = in.read_attributes;
  client.write_attributes = in.write_attributes;
  client.explicit_auth_flows = in.explicit_auth_flows;
  client.supported_identity_providers = in.supported_identity_providers;
  client.callback_urls = in.callback_urls;
  client.logout_urls = in.logout_urls;
  client.default_redirect_uri = in.default_redirect_uri;
  client.allowed_o_auth_flows = in.allowed_o_auth_flows;
  client.allowed_o_auth_scopes = in.allowed_o_auth_scopes;
  client.allowed_o_auth_flows_user_pool_client = in.allowed_o_auth_flows_user_pool_client.value_or(false);
  client.analytics_configuration = in.analytics_configuration;
  client.prevent_user_existence_errors = in.prevent_user_existence_errors;
  client.enable_token_revocation = in.enable_token_revocation.value_or(true);
  client.enable_propagate_additional_user_context_data = in.enable_propagate_additional_user_context_data.value_or(false);
  client.auth_session_validity = in.auth_session_validity.value_or(3);
  client.refresh_token_rotation = in.refresh_token_rotation;
}

}  // namespace

Task<Reply<model::CreateUserPoolClientOutput>> CreateUserPoolClient(Cognito& service, const model::CreateUserPoolClientInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  if (pool.clients.size() >= kClientsMax) co_return Err(aws::Error(errors::kLimitExceededException, "The limit of user pool clients is exceeded."));
  Client client{.user_pool_id = in.user_pool_id, .client_name = in.client_name};
  take_settings(client, in);
  client.client_id = make_token(thread_random(), 26);
  client.creation_date = client.last_modified_date = call.now;
  if (in.generate_secret.value_or(false) && in.client_secret) co_return Err(invalid_parameter("GenerateSecret and ClientSecret cannot be used together."));
  if (in.generate_secret.value_or(false)) client.client_secret = make_secret(51);
  else if (in.client_secret) client.client_secret = in.client_secret;
  CO_TRY(check_client(pool, client));
  pool.clients.emplace(*client.client_id, client);
  service.client_pools[*client.client_id] = pool.id();
  service.save(pool, client);
  co_await service.committed();
  co_return model::CreateUserPoolClientOutput{.user_pool_client = client};
}

Task<Reply<model::DescribeUserPoolClientOutput>> DescribeUserPoolClient(Cognito& service, const model::DescribeUserPoolClientInput& in, const Call& call) {
  CO_TRY(service.pool(call, in.user_pool_id));
  co_return model::DescribeUserPoolClientOutput{.user_pool_client = *(CO_TRY(service.client(in.user_pool_id, in.client_id))).client};
}

Task<Reply<model::UpdateUserPoolClientOutput>> UpdateUserPoolClient(Cognito& service, const model::UpdateUserPoolClientInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  Client& client = *(CO_TRY(service.client(in.user_pool_id, in.client_id))).client;
  Client after = client;
  if (in.client_name) after.client_name = in.client_name;
  take_settings(after, in);
  after.last_modified_date = call.now;
  CO_TRY(check_client(pool, after));
  client = after;
  service.save(pool, after);
  co_await service.committed();
  co_return model::UpdateUserPoolClientOutput{.user_pool_client = after};
}

Task<Reply<model::DeleteUserPoolClientOutput>> DeleteUserPoolClient(Cognito& service, const model::DeleteUserPoolClientInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  CO_TRY(service.client(in.user_pool_id, in.client_id));
  pool.clients.erase(in.client_id);
  service.client_pools.erase(in.client_id);
  service.identity_clients.erase(*pool.value.arn, in.client_id);
  service.erase("client", in.user_pool_id + "/" + in.client_id);
  co_await service.committed();
  co_return model::DeleteUserPoolClientOutput{};
}

Task<Reply<model::ListUserPoolClientsOutput>> ListUserPoolClients(Cognito& service, const model::ListUserPoolClientsInput& in, const Call& call) {
  std::vector<model::UserPoolClientDescription> all;
  for (const auto& [id, client] : (*CO_TRY(service.pool(call, in.user_pool_id))).clients) all.push_back({.client_id = id, .user_pool_id = in.user_pool_id, .client_name = client.client_name});
  model::ListUserPoolClientsOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.max_results.value_or(60))));
  out.user_pool_clients = std::move(all);
  co_return out;
}

}  // namespace reef::service::cognito::operations
