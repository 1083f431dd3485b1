#include "service/cognitoidp/token_endpoint.h"

#include <algorithm>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/text.h"
#include "wire/form.h"

namespace reef::service::cognito {
namespace {

using wire::Json;

http::Response json_reply(int status, const Json& body) {
  http::Response out;
  out.status = status;
  out.set("Content-Type", "application/json;charset=UTF-8");
  out.set("Cache-Control", "no-store");
  out.body = body.dump();
  return out;
}
http::Response oauth_error(std::string_view code, int status = 400) { return json_reply(status, Json::object({{"error", std::string(code)}})); }

// The client that a request names, by Basic or in its form; nothing when it does not prove to be it.
Client* identify(Cognito& service, const std::string& pool_id, const TokenRequest& request, const wire::Form& form) {
  std::string id(form.value("client_id")), secret(form.value("client_secret"));
  constexpr std::string_view kBasic = "Basic ";
  if (request.authorization.starts_with(kBasic)) {
    const auto pair = base64_decode(std::string_view(request.authorization).substr(kBasic.size()));
    const auto colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) return nullptr;
    const std::string named = percent_decode(pair->substr(0, colon));
    if (!id.empty() && id != named) return nullptr;
    id = named;
    secret = percent_decode(pair->substr(colon + 1));
  }
  const auto at = service.client(pool_id, id);
  if (!at) return nullptr;
  const auto& own = at->client->client_secret;
  return !own || equals_in_constant_time(*own, secret) ? at->client : nullptr;
}

http::Response token_reply(const model::AuthenticationResultType& made) {
  Json out = Json::object();
  if (made.id_token) out.set("id_token", *made.id_token);
  out.set("access_token", made.access_token.value_or(""));
  if (made.refresh_token) out.set("refresh_token", *made.refresh_token);
  out.set("expires_in", made.expires_in.value_or(0));
  out.set("token_type", "Bearer");
  return json_reply(200, out);
}

Task<http::Response> by_code(Cognito& service, std::string client_id, const wire::Form& form, Time now) {
  const auto found = service.grants.find(form.value("code"));
  if (found == service.grants.end()) co_return oauth_error("invalid_grant");
  // Whoever shows it uses it up.
  const Cognito::Grant grant = std::move(found->second);
  service.grants.erase(found);
  if (now >= grant.expires || grant.who.client != client_id || grant.redirect_uri != form.value("redirect_uri")) co_return oauth_error("invalid_grant");
  const std::string verifier(form.value("code_verifier"));
  if (!grant.challenge.empty() ? base64url_encode(sha256(verifier)) != grant.challenge : !verifier.empty()) co_return oauth_error("invalid_grant");
  SignedIn how{.scope = grant.scope, .nonce = grant.nonce, .origin = {}, .at = grant.signed_in, .with_refresh = true, .is_hosted = true, .trigger = "TokenGeneration_HostedAuth"};
  const auto user = service.user(**service.pool(grant.who.pool), grant.who.user);
  if (!user || !(*user)->enabled || grant.signed_in < (*user)->signed_out) co_return oauth_error("invalid_grant");
  const auto made = co_await make_tokens(service, grant.who, std::move(how), {}, now);
  if (!made) co_return oauth_error("invalid_grant");
  co_return token_reply(*made);
}

Task<http::Response> token(Cognito& service, std::string pool_id, TokenRequest request, Time now) {
  const wire::Form form(request.body);
  Client* const client = identify(service, pool_id, request, form);
  if (!client) co_return oauth_error("invalid_client");
  const std::string id = client->client_id.value_or("");
  const auto allows = [&](std::string_view flow) { return client->allowed_o_auth_flows && std::find(client->allowed_o_auth_flows->begin(), client->allowed_o_auth_flows->end(), flow) != client->allowed_o_auth_flows->end(); };
  const std::string_view kind = form.value("grant_type");
  if (kind == "authorization_code") {
    if (!allows("code")) co_return oauth_error("unauthorized_client");
    co_return co_await by_code(service, id, form, now);
  }
  if (kind == "refresh_token") {
    auto known = read_refresh_token(service, **service.pool(pool_id), form.value("refresh_token"), id, now);
    if (!known) co_return oauth_error("invalid_grant");
    const auto made = co_await make_tokens(service, known->who, std::move(known->how), {}, now);
    if (!made) co_return oauth_error("invalid_grant");
    co_return token_reply(*made);
  }
  if (kind != "client_credentials") co_return oauth_error(kind.empty() ? "invalid_request" : "unsupported_grant_type");
  if (!allows("client_credentials") || !client->client_secret) co_return oauth_error("unauthorized_client");
  const auto allowed = client->allowed_o_auth_scopes.value_or(std::vector<std::string>{});
  std::string scope(form.value("scope"));
  if (scope.empty()) scope = join(allowed, " ");
  for (const std::string_view one : split(scope, ' '))
    if (std::find(allowed.begin(), allowed.end(), one) == allowed.end()) co_return oauth_error("invalid_scope");
  const auto made = make_client_token(**service.pool(pool_id), *client, scope, now);
  if (!made) co_return oauth_error("server_error", 500);
  co_return json_reply(200, Json::object({{"access_token", *made}, {"expires_in", std::chrono::duration_cast<std::chrono::seconds>(lifetime(*client, "AccessToken")).count()}, {"token_type", "Bearer"}}));
}

http::Response user_info(Cognito& service, const std::string& pool_id, const TokenRequest& request, Time now) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto refuse = [] {
    http::Response out = json_reply(401, Json::object({{"error", "invalid_token"}, {"error_description", "Access token is expired, disabled, or deleted, or the user has globally signed out."}}));
    out.set("WWW-Authenticate", "error=\"invalid_token\", error_description=\"Access token is expired, disabled, or deleted, or the user has globally signed out.\"");
    return out;
  };
  if (!request.authorization.starts_with(kBearer)) return refuse();
  const auto at = service.bearer(std::string_view(request.authorization).substr(kBearer.size()), now, "openid");
  if (!at || at->pool->id() != pool_id) return refuse();
  const auto scopes = edge::claim_values(at->claims["scope"], true);
  const auto granted = [&](std::string_view one) { return std::find(scopes.begin(), scopes.end(), one) != scopes.end(); };
  Json out = Json::object({{"sub", at->user->subject}});
  const auto client = service.client(pool_id, at->claims.text("client_id"));
  const auto* readable = client && client->client->read_attributes && !client->client->read_attributes->empty() ? &*client->client->read_attributes : nullptr;
  for (const auto& [name, value] : at->user->attributes) {
    if (readable && std::find(readable->begin(), readable->end(), name) == readable->end()) continue;
    const bool is_email = name.starts_with("email"), is_phone = name.starts_with("phone_number");
    if (granted("profile") || granted("aws.cognito.signin.user.admin") || (is_email && granted("email")) || (is_phone && granted("phone"))) out.set(name, value);
  }
  out.set("username", at->user->name);
  return json_reply(200, out);
}

}  // namespace

Task<http::Response> serve_tokens(Cognito& service, std::string pool_id, TokenRequest request, Time now) {
  if (request.path == "/oauth2/userInfo") co_return user_info(service, pool_id, request, now);
  if (request.method != "POST") co_return oauth_error("invalid_request", 405);
  if (request.path == "/oauth2/token") co_return co_await token(service, pool_id, std::move(request), now);
  const wire::Form form(request.body);
  const Client* const client = identify(service, pool_id, request, form);
  if (!client) co_return oauth_error("invalid_client");
  if (form.value("token").empty()) co_return oauth_error("invalid_request");
  const auto done = revoke(service, **service.pool(pool_id), form.value("token"), client->client_id.value_or(""), now);
  if (!done) co_return oauth_error(done.error().code == "UnsupportedTokenTypeException" ? "unsupported_token_type" : "invalid_client");
  co_await service.committed();
  co_return http::Response{};
}

}  // namespace reef::service::cognito
