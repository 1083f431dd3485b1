#include "service/cognitoidp/cognitoidp.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/store/reset_hooks.h"
#include "service/cognitoidp/hosted.h"

namespace reef::service::cognito {
namespace {

using wire::Json;

constexpr std::string_view kPrefix = "cognito/";

std::string key(std::string_view kind, std::string_view id) { return fmt::format("{}{}/{}", kPrefix, kind, id); }
void put(std::string_view kind, std::string_view id, const Json& json) { store::Shard::control().records().put(key(kind, id), json.dump()); }

template <class T>
void read_all(std::string_view kind, const T& visit) {
  const std::string prefix = key(kind, "");
  store::Shard::control().records().scan(prefix, [&](std::string_view name, const std::string& text) {
    if (const auto json = Json::parse(text)) visit(name.substr(prefix.size()), *json);
    return true;
  });
}

template <class T>
T value_of(const Json& json) {
  auto out = aws::from_json<T>(json);
  return out ? *std::move(out) : T{};
}

std::string_view first_part(std::string_view id) { return id.substr(0, id.find('/')); }

}  // namespace

std::string Pool::account() const {
  const auto parts = split(*value.arn, ':');
  return parts.size() > 4 ? std::string(parts[4]) : std::string();
}
std::string Pool::issuer() const { return fmt::format("https://cognito-idp.{}.amazonaws.com/{}", region(), id()); }
bool Pool::is_username_attribute(std::string_view attribute) const {
  return value.username_attributes && std::find(value.username_attributes->begin(), value.username_attributes->end(), attribute) != value.username_attributes->end();
}

std::string make_pool_id(std::string_view region) {
  return fmt::format("{}_{}", region, make_token(thread_random(), 9, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"));
}

identity::PasswordPolicy policy_of(const Pool& pool) {
  identity::PasswordPolicy out;
  if (!pool.value.policies || !pool.value.policies->password_policy) return out;
  const auto& policy = *pool.value.policies->password_policy;
  out.length_min = policy.minimum_length.value_or(out.length_min);
  out.needs_upper = policy.require_uppercase.value_or(false);
  out.needs_lower = policy.require_lowercase.value_or(false);
  out.needs_number = policy.require_numbers.value_or(false);
  out.needs_symbol = policy.require_symbols.value_or(false);
  return out;
}

identity::DirectoryRules rules_of(const model::UserPoolType& value) {
  identity::DirectoryRules out;
  // Pools tell "Ann" from "ann" only when they say so.
  out.ignores_case = !value.username_configuration || !value.username_configuration->case_sensitive;
  if (value.username_attributes && !value.username_attributes->empty()) {
    out.sign_in_with = *value.username_attributes;
    out.needs_verified = false;
  } else if (value.alias_attributes) {
    out.sign_in_with = *value.alias_attributes;
  }
  return out;
}

Cognito::Cognito(Parts& parts) : caller(parts.get<aws::Caller>()), sites(parts.get<edge::Sites>()), identity_clients(parts.get<edge::IdentityClients>()), logs(parts.get<telemetry::Logs>()) {}

void Cognito::start() {
  read_all("pool", [&](std::string_view id, const Json& json) {
    auto pool = std::make_unique<Pool>();
    pool->value = value_of<model::UserPoolType>(json["Value"]);
    pool->signer = {.key_id = json.text("KeyId"), .private_pem = json.text("PrivateKey")};
    pool->public_pem = json.text("PublicKey");
    pool->seal_key = base64_decode(json.text("SealKey")).value_or("");
    pool->totp_enabled = json["Totp"].as_bool();
    pool->users.set_rules(rules_of(pool->value));
    pools.emplace(id, std::move(pool));
  });
  const auto pool_of = [&](std::string_view id) {
    const auto found = pools.find(first_part(id));
    return found == pools.end() ? nullptr : found->second.get();
  };
  read_all("client", [&](std::string_view id, const Json& json) {
    Pool* const pool = pool_of(id);
    if (!pool) return;
    Client value = value_of<Client>(json);
    client_pools[value.client_id.value_or("")] = pool->id();
    identity_clients.put(*pool->value.arn, value.client_id.value_or(""), value.client_secret.value_or(""));
    pool->clients.emplace(value.client_id.value_or(""), std::move(value));
  });
  read_all("group", [&](std::string_view id, const Json& json) {
    if (Pool* const pool = pool_of(id)) pool->groups.emplace(json.text("GroupName"), value_of<model::GroupType>(json));
  });
  read_all("server", [&](std::string_view id, const Json& json) {
    if (Pool* const pool = pool_of(id)) pool->servers.emplace(json.text("Identifier"), value_of<model::ResourceServerType>(json));
  });
  read_all("user", [&](std::string_view id, const Json& json) {
    Pool* const pool = pool_of(id);
    if (auto user = identity::read_user(json); pool && user) pool->users.put(*std::move(user));
  });
  read_all("domain", [&](std::string_view domain, const Json& json) {
    if (pools.contains(json.text("Pool"))) domains.emplace(domain, json.text("Pool"));
  });
  for (const auto& [id, pool] : pools) publish(*pool);
  for (const auto& [domain, id] : domains) publish_domain(domain);
}

void Cognito::reset() {
  for (const auto& [id, pool] : pools) withdraw(*pool);
  identity_clients.clear();
  pools.clear(), client_pools.clear(), domains.clear(), grants.clear();
}

// --- lookups ---------------------------------------------------------------------------------------------------------

Reply<Pool*> Cognito::pool(std::string_view id) {
  const auto found = pools.find(id);
  if (found == pools.end()) return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("User pool {} does not exist.", id)));
  return found->second.get();
}

Reply<Pool*> Cognito::pool(const Call& call, std::string_view id) {
  Pool* const found = TRY(pool(id));
  if (found->account() != call.account || found->region() != call.region) return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("User pool {} does not exist.", id)));
  return found;
}

Reply<Cognito::ClientOf> Cognito::client(std::string_view client_id) {
  const auto found = client_pools.find(client_id);
  if (found == client_pools.end()) return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("User pool client {} does not exist.", client_id)));
  return client(found->second, client_id);
}

Reply<Cognito::ClientOf> Cognito::client(std::string_view pool_id, std::string_view client_id) {
  Pool* const of = TRY(pool(pool_id));
  const auto found = of->clients.find(client_id);
  if (found == of->clients.end()) return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("User pool client {} does not exist.", client_id)));
  return ClientOf{of, &found->second};
}

Reply<User*> Cognito::user(Pool& pool, std::string_view name) {
  if (User* const found = pool.users.find(name)) return found;
  return Err(aws::Error(errors::kUserNotFoundException, "User does not exist."));
}

Reply<Cognito::Bearer> Cognito::bearer(std::string_view access_token, Time now, std::string_view wanted_scope) {
  const auto wrong = [](std::string_view text) { return Err(aws::Error(errors::kNotAuthorizedException, std::string(text))); };
  auto token = edge::parse_web_token(access_token);
  if (!token) return wrong("Invalid Access Token");
  const std::string issuer = token->claims.text("iss");
  const auto found = pools.find(issuer.substr(issuer.rfind('/') + 1));
  if (found == pools.end()) return wrong("Invalid Access Token");
  Pool* const pool = found->second.get();
  if (issuer != pool->issuer() || token->claims.text("token_use") != "access" || !edge::is_signed(*token, {{pool->signer.key_id, pool->public_pem}})) return wrong("Invalid Access Token");
  const auto expires = edge::claim_time(token->claims, "exp");
  if (!expires || now >= *expires) return wrong("Access Token has expired");
  const std::string scope = token->claims.text("scope");
  const auto scopes = split(scope, ' ');
  if (std::find(scopes.begin(), scopes.end(), wanted_scope) == scopes.end()) return wrong("Access Token does not have required scopes");
  User* const user = pool->users.find_subject(token->claims.text("sub"));
  if (!user) return Err(aws::Error(errors::kUserNotFoundException, "User does not exist."));
  if (!user->enabled) return wrong("User is disabled.");
  if (origin_time(token->claims.text("origin_jti")) < user->signed_out || user->revoked.contains(token->claims.text("origin_jti"))) return wrong("Access Token has been revoked");
  return Bearer{pool, user, std::move(token->claims)};
}

// --- durable state ---------------------------------------------------------------------------------------------------

void Cognito::save(const Pool& pool) {
  put("pool", pool.id(), Json::object({{"Value", aws::to_json(pool.value)}, {"KeyId", pool.signer.key_id}, {"PrivateKey", pool.signer.private_pem}, {"PublicKey", pool.public_pem},
                                       {"SealKey", base64_encode(pool.seal_key)}, {"Totp", pool.totp_enabled}}));
}
void Cognito::save(const Pool& pool, const Client& client) {
  identity_clients.put(*pool.value.arn, client.client_id.value_or(""), client.client_secret.value_or(""));
  put("client", fmt::format("{}/{}", pool.id(), client.client_id.value_or("")), aws::to_json(client));
}
void Cognito::save(const Pool& pool, const model::GroupType& group) { put("group", fmt::format("{}/{}", pool.id(), group.group_name.value_or("")), aws::to_json(group)); }
void Cognito::save(const Pool& pool, const model::ResourceServerType& server) { put("server", fmt::format("{}/{}", pool.id(), server.identifier.value_or("")), aws::to_json(server)); }
void Cognito::save(const Pool& pool, User& user) {
  pools.find(pool.id())->second->users.index(user);
  put("user", fmt::format("{}/{}", pool.id(), user.subject), identity::to_json(user));
}
void Cognito::save_domain(const std::string& domain, const std::string& pool_id) { put("domain", domain, Json::object({{"Pool", pool_id}})); }
void Cognito::erase(const std::string& kind, const std::string& id) { store::Shard::control().records().erase(key(kind, id)); }

void Cognito::publish(const Pool& pool) {
  std::string domain;
  for (const auto& [name, id] : domains)
    if (id == pool.id()) domain = name;
  if (auto site = make_issuer_site(pool, domain)) sites.put("user-pool", pool.id(), std::move(site));
}
void Cognito::publish_domain(const std::string& domain) { sites.put("user-pool-domain", domain, make_domain_site(*this, domain)); }
void Cognito::withdraw(const Pool& pool) {
  sites.erase("user-pool", pool.id());
  for (const auto& [domain, id] : domains)
    if (id == pool.id()) sites.erase("user-pool-domain", domain);
}

}  // namespace reef::service::cognito
