// What verifiers fetch from a pool's issuer.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
#include <fmt/format.h>

#include "base/log.h"
#include "service/cognitoidp/cognitoidp.h"
#include "service/cognitoidp/hosted.h"

namespace reef::service::cognito {
namespace {

using wire::Json;

// Texts that never change while the pool lives; where its domain is, is asked of the domains themselves.
class IssuerSite final : public edge::Site {
 public:
  IssuerSite(std::string id, std::string keys, std::string configuration) : id_(std::move(id)), keys_(std::move(keys)), configuration_(std::move(configuration)) {}
  Task<http::Response> serve(edge::SiteRequest request) const override {
    http::Response out;
    out.set("Content-Type", "application/json");
    out.set("Access-Control-Allow-Origin", "*");
    if (request.id == id_ && request.path == "/.well-known/jwks.json") out.body = keys_;
    else if (request.id == id_ && request.path == "/.well-known/openid-configuration") out.body = configuration_;
    else out.status = 404, out.body = R"({"message":"Not Found"})";
    if (out.status == 200) out.set("Cache-Control", "public, max-age=86400, immutable");
    co_return out;
  }

 private:
  std::string id_, keys_, configuration_;
};

}  // namespace

std::shared_ptr<const edge::Site> make_issuer_site(const Pool& pool, const std::string& domain) {
  const auto key = edge::key_json(pool.signer.key_id, pool.public_pem);
  if (!key) {
    log::error("a user pool's key cannot be read", {{"pool", pool.id()}, {"reason", key.error().message}});
    return nullptr;
  }
  const auto list = [](std::initializer_list<const char*> texts) {
    Json out = Json::array();
    for (const char* text : texts) out.push_back(text);
    return out;
  };
  Json configuration = Json::object({{"id_token_signing_alg_values_supported", list({"RS256"})}, {"issuer", pool.issuer()}, {"jwks_uri", pool.issuer() + "/.well-known/jwks.json"},
                                     {"response_types_supported", list({"code"})}, {"scopes_supported", list({"openid", "email", "phone", "profile"})}, {"subject_types_supported", list({"public"})},
                                     {"token_endpoint_auth_methods_supported", list({"client_secret_basic", "client_secret_post"})}});
  if (!domain.empty()) {
    const std::string base = fmt::format("https://{}.auth.{}.amazoncognito.com", domain, pool.region());
    configuration.set("authorization_endpoint", base + "/oauth2/authorize");
    configuration.set("end_session_endpoint", base + "/logout");
    configuration.set("revocation_endpoint", base + "/oauth2/revoke");
    configuration.set("token_endpoint", base + "/oauth2/token");
    configuration.set("userinfo_endpoint", base + "/oauth2/userInfo");
  }
  return std::make_shared<IssuerSite>(pool.id(), Json::object({{"keys", Json::array({*key})}}).dump(), configuration.dump());
}

}  // namespace reef::service::cognito
