// The tokens of a pool: signed ones for identity and access, and sealed ones that bring new ones.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/log.h"
#include "base/random.h"
#include "base/seal.h"
#include "base/text.h"
#include "service/cognitoidp/cognitoidp.h"

namespace reef::service::cognito {
namespace {

using wire::Json;

constexpr std::size_t kRevokedMax = 1'000;

Json array_of(const auto& texts) {
  Json out = Json::array();
  for (const std::string& text : texts) out.push_back(text);
  return out;
}

// Attributes as claims: those that the client may read, flags as booleans.
void add_attributes(Json& claims, const User& user, const Client& client, std::string_view scope, bool is_hosted) {
  const auto scopes = split(scope, ' ');
  const auto granted = [&](std::string_view one) { return std::find(scopes.begin(), scopes.end(), one) != scopes.end(); };
  for (const auto& [name, value] : user.attributes) {
    if (client.read_attributes && !client.read_attributes->empty() && std::find(client.read_attributes->begin(), client.read_attributes->end(), name) == client.read_attributes->end()) continue;
    if (is_hosted && !granted("aws.cognito.signin.user.admin") && !granted("profile")) {
      const bool is_email = name.starts_with("email"), is_phone = name.starts_with("phone_number");
      if (!(is_email && granted("email")) && !(is_phone && granted("phone"))) continue;
    }
    if (name == "email_verified" || name == "phone_number_verified") claims.set(name, value == "true");
    else claims.set(name, value);
  }
}

// What the function of PreTokenGeneration changes, of either version.
void apply_overrides(const Json& overrides, Json& claims, std::string_view section) {
  const Json& part = section.empty() ? overrides : overrides[section];
  constexpr std::string_view kKept[] = {"sub", "iss", "aud", "exp", "iat", "auth_time", "token_use", "origin_jti", "event_id", "jti", "cognito:username", "client_id", "username"};
  for (const auto& [name, value] : part["claimsToAddOrOverride"].as_object())
    if (std::find(std::begin(kKept), std::end(kKept), name) == std::end(kKept)) claims.set(name, value);
  for (const Json& name : part["claimsToSuppress"].as_array())
    if (std::find(std::begin(kKept), std::end(kKept), name.as_string()) == std::end(kKept)) claims.erase(name.as_string());
}

Duration unit_of(const Client& client, std::string_view kind, Duration otherwise) {
  if (!client.token_validity_units) return otherwise;
  const auto& units = *client.token_validity_units;
  const std::string unit = (kind == "AccessToken" ? units.access_token : kind == "IdToken" ? units.id_token : units.refresh_token).value_or("");
  return unit == "seconds" ? Duration(1s) : unit == "minutes" ? Duration(std::chrono::minutes(1)) : unit == "hours" ? Duration(std::chrono::hours(1)) : unit == "days" ? Duration(std::chrono::hours(24)) : otherwise;
}

}  // namespace

// A UUID of version 7: it tells when it was made, to the millisecond.
// https://www.rfc-editor.org/rfc/rfc9562#section-5.7
std::string make_origin(Time now) {
  const std::string time = fmt::format("{:012x}", static_cast<std::uint64_t>(to_millis(now)));
  return fmt::format("{}-{}-7{}", time.substr(0, 8), time.substr(8), make_uuid(thread_random()).substr(15));
}
Time origin_time(std::string_view origin) {
  const std::string digits = std::string(origin.substr(0, 8)) + std::string(origin.size() > 13 ? origin.substr(9, 4) : std::string_view());
  std::int64_t millis = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), millis, 16);
  return error == std::errc() && end == digits.data() + digits.size() ? from_millis(millis) : Time{};
}

Duration lifetime(const Client& client, std::string_view kind) {
  if (kind == "RefreshToken") {
    const int count = client.refresh_token_validity.value_or(0);
    return count > 0 ? unit_of(client, kind, std::chrono::hours(24)) * count : Duration(std::chrono::hours(24 * 30));
  }
  const int count = (kind == "AccessToken" ? client.access_token_validity : client.id_token_validity).value_or(0);
  return count > 0 ? unit_of(client, kind, std::chrono::hours(1)) * count : Duration(std::chrono::hours(1));
}

Task<Reply<model::AuthenticationResultType>> make_tokens(Cognito& service, Who who, SignedIn how, TextPairs metadata, Time now) {
  if (how.origin.empty()) how.origin = make_origin(now);
  Json overrides = Json::object();
  bool has_access_overrides = false;
  {
    const auto at = CO_TRY(service.client(who.pool, who.client));
    User& user = *CO_TRY(service.user(*at.pool, who.user));
    if (has_trigger(*at.pool, "PreTokenGeneration")) {
      const auto& config = at.pool->value.lambda_config->pre_token_generation_config;
      has_access_overrides = config && config->lambda_version != "V1_0";
      Json client_metadata = Json::object(), groups = Json::object({{"groupsToOverride", array_of(user.groups)}, {"iamRolesToOverride", Json::array()}, {"preferredRole", Json()}});
      for (const auto& [key, value] : metadata) client_metadata.set(key, value);
      Json request = Json::object({{"userAttributes", attributes_json(user)}, {"groupConfiguration", std::move(groups)}, {"clientMetadata", std::move(client_metadata)}});
      if (has_access_overrides) {
        Json scopes = Json::array();
        for (const std::string_view scope : split(how.scope, ' ')) scopes.push_back(std::string(scope));
        request.set("scopes", std::move(scopes));
      }
      const std::string member = has_access_overrides ? "claimsAndScopeOverrideDetails" : "claimsOverrideDetails";
      const Json said = CO_TRY(co_await invoke_trigger(service, who, {"PreTokenGeneration", how.trigger}, std::move(request), Json::object({{member, Json()}})));
      if (said[member].is_object()) overrides = said[member];
    }
  }
  const auto at = CO_TRY(service.client(who.pool, who.client));
  Pool& pool = *at.pool;
  const Client& client = *at.client;
  const User& user = *CO_TRY(service.user(pool, who.user));
  const std::string event = make_uuid(thread_random());
  const std::int64_t iat = to_seconds(now), signed_in = to_seconds(how.at);
  std::vector<std::string> groups(user.groups.begin(), user.groups.end());
  if (const Json& own = overrides["groupOverrideDetails"]["groupsToOverride"]; own.is_array()) {
    groups.clear();
    for (const Json& group : own.as_array()) groups.push_back(group.as_string());
  }
  Json common = Json::object({{"sub", user.subject}});
  if (!groups.empty()) common.set("cognito:groups", array_of(groups));
  common.set("iss", pool.issuer());
  common.set("origin_jti", how.origin);
  common.set("event_id", event);
  common.set("auth_time", signed_in);
  common.set("iat", iat);
  Json access = common;
  access.set("client_id", who.client);
  access.set("token_use", "access");
  std::string scope = how.scope;
  if (has_access_overrides) {
    const Json& changes = overrides["accessTokenGeneration"];
    auto scopes = edge::claim_values(Json(scope), true);
    for (const Json& one : changes["scopesToSuppress"].as_array()) std::erase(scopes, one.as_string());
    for (const Json& one : changes["scopesToAdd"].as_array())
      if (std::find(scopes.begin(), scopes.end(), one.as_string()) == scopes.end()) scopes.push_back(one.as_string());
    scope = join(scopes, " ");
    apply_overrides(overrides, access, "accessTokenGeneration");
  }
  access.set("scope", scope);
  access.set("exp", to_seconds(now + lifetime(client, "AccessToken")));
  access.set("jti", make_uuid(thread_random()));
  access.set("username", user.name);
  if (how.is_hosted) access.set("version", 2);
  model::AuthenticationResultType out{.expires_in = static_cast<std::int32_t>(std::chrono::duration_cast<std::chrono::seconds>(lifetime(client, "AccessToken")).count()), .token_type = "Bearer"};
  const auto signed_access = edge::make_web_token(pool.signer, access);
  const auto scopes = split(how.scope, ' ');
  const bool wants_id = !how.is_hosted || std::find(scopes.begin(), scopes.end(), "openid") != scopes.end();
  if (wants_id) {
    Json id = common;
    add_attributes(id, user, client, how.scope, how.is_hosted);
    apply_overrides(overrides, id, has_access_overrides ? "idTokenGeneration" : "");
    id.set("cognito:username", user.name);
    id.set("aud", who.client);
    id.set("token_use", "id");
    if (!how.nonce.empty()) id.set("nonce", how.nonce);
    id.set("exp", to_seconds(now + lifetime(client, "IdToken")));
    id.set("jti", make_uuid(thread_random()));
    auto signed_id = edge::make_web_token(pool.signer, id);
    if (signed_id) out.id_token = *std::move(signed_id);
  }
  if (!signed_access || (wants_id && !out.id_token)) co_return Err(aws::Error(errors::kInternalErrorException, "A token cannot be signed."));
  out.access_token = *signed_access;
  if (how.with_refresh) {
    const Json sealed = Json::object({{"u", user.subject}, {"c", who.client}, {"o", how.origin}, {"t", to_micros(how.at)}, {"e", to_seconds(now + lifetime(client, "RefreshToken"))},
                                      {"s", how.scope}, {"h", how.is_hosted}});
    out.refresh_token = base64url_encode(seal(pool.seal_key, "refresh", sealed.dump()));
  }
  co_return out;
}

Reply<RefreshToken> read_refresh_token(Cognito& service, Pool& pool, std::string_view token, std::string_view client_id, Time now) {
  const auto wrong = [](std::string_view text) { return Err(aws::Error(errors::kNotAuthorizedException, std::string(text))); };
  const auto sealed = base64url_decode(token);
  const auto open = sealed ? unseal(pool.seal_key, "refresh", *sealed) : std::nullopt;
  const auto json = open ? Json::parse(*open) : Json::parse("null");
  if (!open || !json || json->text("c") != client_id) return wrong("Invalid Refresh Token");
  if (now >= from_seconds((*json)["e"].as_int().value_or(0))) return wrong("Refresh Token has expired");
  User* const user = pool.users.find_subject(json->text("u"));
  if (!user) return wrong("Invalid Refresh Token");
  if (!user->enabled) return wrong("User is disabled.");
  if (origin_time(json->text("o")) < user->signed_out || user->revoked.contains(json->text("o"))) return wrong("Refresh Token has been revoked");
  RefreshToken out{.who = {.pool = pool.id(), .client = std::string(client_id), .user = user->name}, .how = {}};
  out.how.scope = json->text("s");
  out.how.origin = json->text("o");
  out.how.at = from_micros((*json)["t"].as_int().value_or(0));
  out.how.with_refresh = false;
  out.how.is_hosted = (*json)["h"].as_bool();
  out.how.trigger = "TokenGeneration_RefreshTokens";
  return out;
}

Reply<void> revoke(Cognito& service, Pool& pool, std::string_view token, std::string_view client_id, Time now) {
  const auto sealed = base64url_decode(token);
  const auto open = sealed ? unseal(pool.seal_key, "refresh", *sealed) : std::nullopt;
  const auto json = open ? Json::parse(*open) : Json::parse("null");
  if (!open || !json) return Err(aws::Error(errors::kUnsupportedTokenTypeException, "Unsupported token type"));
  if (json->text("c") != client_id) return Err(aws::Error(errors::kUnauthorizedException, "Invalid refresh token"));
  User* const user = pool.users.find_subject(json->text("u"));
  if (!user) return {};
  std::erase_if(user->revoked, [&](const auto& one) { return now >= one.second; });
  if (user->revoked.size() >= kRevokedMax) user->signed_out = now;   // so many at once: all of them
  user->revoked[json->text("o")] = from_seconds((*json)["e"].as_int().value_or(0)) + std::chrono::hours(24);
  service.save(pool, *user);
  return {};
}

Reply<std::string> make_client_token(Pool& pool, const Client& client, const std::string& scope, Time now) {
  Json claims = Json::object({{"sub", client.client_id.value_or("")}, {"token_use", "access"}, {"scope", scope}, {"auth_time", to_seconds(now)}, {"iss", pool.issuer()},
                              {"exp", to_seconds(now + lifetime(client, "AccessToken"))}, {"iat", to_seconds(now)}, {"version", 2}, {"jti", make_uuid(thread_random())},
                              {"client_id", client.client_id.value_or("")}});
  auto out = edge::make_web_token(pool.signer, claims);
  if (!out) return Err(aws::Error(errors::kInternalErrorException, "A token cannot be signed."));
  return *std::move(out);
}

}  // namespace reef::service::cognito
