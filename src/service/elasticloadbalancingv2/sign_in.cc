#include "service/elasticloadbalancingv2/sign_in.h"

#include <fmt/format.h>

#include "aws/unmodelled_errors.h"
#include "base/encoding.h"
#include "base/random.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "wire/json.h"

namespace reef::service::elb {
namespace {

namespace model = aws::elasticloadbalancingv2;
using wire::Json;

constexpr const char* kRecord = "elbv2-sign-in";
constexpr std::string_view kPath = "/_aws/elb/public-keys/", kHost = "public-keys.auth.elb.";
constexpr std::string_view kOfferPath = "/_aws/elb/trust-store-content/";
constexpr std::size_t kOffersMax = 20;
constexpr std::int64_t kSessionMax = 604'800;
constexpr std::size_t kExtraParametersMax = 10;

// What both kinds of action say of the session.
template <class Config>
aws::Reply<void> read_session_settings(const Config& config, edge::SignIn& out) {
  const auto is_token = [](std::string_view text) {
    for (const char c : text)
      if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F || std::string_view("()<>@,;:\\\"/[]?={}").find(c) != std::string_view::npos) return false;
    return !text.empty();
  };
  if (!is_token(out.cookie)) return Err(aws::validation_error(fmt::format("The session cookie name '{}' is not valid", out.cookie)));
  const std::int64_t timeout = config.session_timeout.value_or(kSessionMax);
  if (timeout < 1 || timeout > kSessionMax) return Err(aws::validation_error(fmt::format("The session timeout '{}' must be between 1 and {} seconds", timeout, kSessionMax)));
  out.session_timeout = std::chrono::seconds(timeout);
  if (config.authentication_request_extra_params) out.extra_parameters = *config.authentication_request_extra_params;
  if (out.extra_parameters.size() > kExtraParametersMax) return Err(aws::validation_error(fmt::format("An authenticate action can have at most {} extra parameters", kExtraParametersMax)));
  return {};
}

}  // namespace

void SignInKeyring::load() {
  const std::string* const text = store::Shard::control().records().find(kRecord);
  const auto json = text ? Json::parse(*text) : Json::parse("null");
  if (!text || !json) return;
  auto own = std::make_shared<const edge::SignInKeys>(edge::SignInKeys{
      .seal = base64_decode(json->text("Seal")).value_or(""), .id = json->text("Id"), .private_pem = json->text("PrivateKey")});
  keys_.write([&](Keys& keys) { keys = {.own = std::move(own), .public_pem = json->text("PublicKey"), .offered = {}}; });
}

aws::Reply<std::shared_ptr<const edge::SignInKeys>> SignInKeyring::keys() {
  if (auto own = keys_.read([](const Keys& keys) { return keys.own; })) return own;
  auto made = edge::make_sign_in_keys();
  if (!made) return Err(aws::Error("InternalFailure", made.error().message, 500));
  auto own = std::make_shared<const edge::SignInKeys>(std::move(made->first));
  store::Shard::control().records().put(kRecord, Json::object({{"Seal", base64_encode(own->seal)}, {"Id", own->id}, {"PrivateKey", own->private_pem}, {"PublicKey", made->second}}).dump());
  keys_.write([&](Keys& keys) { keys.own = own, keys.public_pem = made->second; });
  return own;
}

std::string SignInKeyring::public_pem(std::string_view id) const {
  return keys_.read([&](const Keys& keys) { return keys.own && keys.own->id == id ? keys.public_pem : std::string(); });
}

std::string SignInKeyring::offer(std::string text) {
  std::string secret = make_token(thread_random(), 40);
  std::string path = std::string(kOfferPath) + secret;
  keys_.write([&](Keys& keys) {
    if (keys.offered.size() >= kOffersMax) keys.offered.erase(keys.offered.begin());
    keys.offered.emplace_back(std::move(secret), std::move(text));
  });
  return path;
}

bool SignInKeyring::wants(const http::Request& request) { return request.path.starts_with(kPath) || request.path.starts_with(kOfferPath) || request.host.starts_with(kHost); }

http::Response SignInKeyring::serve(const http::Request& request) const {
  http::Response out;
  if (request.path.starts_with(kOfferPath)) {
    const std::string_view secret = request.path.substr(kOfferPath.size());
    out.body = keys_.read([&](const Keys& keys) {
      for (const auto& [id, text] : keys.offered)
        if (id == secret) return text;
      return std::string();
    });
  } else out.body = public_pem(request.path.starts_with(kPath) ? request.path.substr(kPath.size()) : request.path.substr(1));
  out.set("Content-Type", "text/plain");
  if (out.body.empty()) out.status = 404;
  return out;
}

// What both kinds of action have.
template <class Config>
static aws::Reply<std::shared_ptr<const edge::SignIn>> finish(SignInKeyring& keyring, const Config& config, std::shared_ptr<edge::SignIn> out, std::string_view balancer_arn, std::string_view rule) {
  out->scope = config.scope.value_or(out->scope);
  out->cookie = config.session_cookie_name.value_or(out->cookie);
  TRY(read_session_settings(config, *out));
  const std::string otherwise = config.on_unauthenticated_request.value_or("authenticate");
  out->otherwise = otherwise == "deny" ? edge::Unauthenticated::kDeny : otherwise == "allow" ? edge::Unauthenticated::kAllow : edge::Unauthenticated::kAuthenticate;
  out->signer = balancer_arn;
  out->rule = rule;
  out->keys = TRY(keyring.keys());
  return std::shared_ptr<const edge::SignIn>(std::move(out));
}

aws::Reply<std::shared_ptr<const edge::SignIn>> read_sign_in(SignInKeyring& keyring, const model::AuthenticateOidcActionConfig& config, std::string_view balancer_arn, std::string_view rule) {
  auto out = std::make_shared<edge::SignIn>();
  out->issuer = config.issuer;
  out->authorization_endpoint = config.authorization_endpoint;
  out->token_endpoint = config.token_endpoint;
  out->user_info_endpoint = config.user_info_endpoint;
  out->client_id = config.client_id;
  out->client_secret = config.client_secret.value_or("");
  for (const auto& [name, url] : {std::pair("Issuer", &out->issuer), std::pair("AuthorizationEndpoint", &out->authorization_endpoint), std::pair("TokenEndpoint", &out->token_endpoint),
                                  std::pair("UserInfoEndpoint", &out->user_info_endpoint)})
    if (!edge::parse_provider_url(*url)) return Err(aws::validation_error(fmt::format("The {} '{}' of an authenticate-oidc action must be an HTTPS URL with a valid host, port and path", name, *url)));
  if (out->client_id.empty()) return Err(aws::validation_error("An authenticate-oidc action must have a client ID"));
  if (out->client_secret.empty()) return Err(aws::validation_error("An authenticate-oidc action must have a client secret"));
  return finish(keyring, config, std::move(out), balancer_arn, rule);
}

aws::Reply<std::shared_ptr<const edge::SignIn>> read_cognito_sign_in(SignInKeyring& keyring, const edge::IdentityClients& clients, const model::AuthenticateCognitoActionConfig& config,
                                                                    std::string_view endpoint, std::string_view balancer_arn, std::string_view rule) {
  auto out = std::make_shared<edge::SignIn>();
  const auto parts = split(config.user_pool_arn, ':');
  constexpr std::string_view kPool = "userpool/";
  if (parts.size() != 6 || parts[2] != "cognito-idp" || !parts[5].starts_with(kPool)) return Err(aws::validation_error(fmt::format("'{}' is not a valid user pool ARN", config.user_pool_arn)));
  if (config.user_pool_client_id.empty()) return Err(aws::validation_error("An authenticate-cognito action must have a user pool client ID"));
  const std::string region(parts[3]), pool(parts[5].substr(kPool.size()));
  // The whole name of a domain, or what stands before ".auth".
  const std::string domain = config.user_pool_domain.substr(0, config.user_pool_domain.find('.'));
  if (domain.empty()) return Err(aws::validation_error("An authenticate-cognito action must have a user pool domain"));
  const std::string base = fmt::format("https://{}.auth.{}.amazoncognito.com", domain, region);
  out->issuer = fmt::format("https://cognito-idp.{}.amazonaws.com/{}", region, pool);
  out->authorization_endpoint = fmt::format("{}/_aws/cognito-domain/{}/oauth2/authorize", endpoint, domain);
  out->token_endpoint = base + "/oauth2/token";
  out->user_info_endpoint = base + "/oauth2/userInfo";
  out->client_id = config.user_pool_client_id;
  // A new rule is checked; one that is kept says at sign-in that its client has gone.
  const auto secret = clients.find(config.user_pool_arn, config.user_pool_client_id);
  if (rule.empty() && !secret) return Err(aws::Error("InvalidLoadBalancerAction", fmt::format("The user pool client '{}' does not exist in user pool '{}'", config.user_pool_client_id, config.user_pool_arn), 400));
  if (rule.empty() && secret->empty()) return Err(aws::Error("InvalidLoadBalancerAction", "The user pool client must have a client secret", 400));
  out->find_secret = [&clients, pool = config.user_pool_arn, client = config.user_pool_client_id] { return clients.find(pool, client).value_or(""); };
  return finish(keyring, config, std::move(out), balancer_arn, rule);
}

void keep_client_secret(const std::vector<model::Action>& before, std::vector<model::Action>& after) {
  for (model::Action& action : after) {
    if (!action.authenticate_oidc_config || action.authenticate_oidc_config->client_secret || !action.authenticate_oidc_config->use_existing_client_secret.value_or(false)) continue;
    for (const model::Action& old : before)
      if (old.authenticate_oidc_config) action.authenticate_oidc_config->client_secret = old.authenticate_oidc_config->client_secret;
  }
}

}  // namespace reef::service::elb
