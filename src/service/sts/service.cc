// STS: who am I, and temporary credentials. What it issues is verified by the gateway until it expires.
// https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
#include <fmt/format.h>

#include "aws/access_keys.h"
#include "aws/models/sts.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "wire/json.h"

namespace reef::service {
namespace sts {

namespace model = aws::sts;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

constexpr std::string_view kSessions = "sts/session/";

struct Sts {
  explicit Sts(Parts& parts) : keys(parts.get<aws::AccessKeys>()) {}
  // Sessions outlive the process as they would on AWS.
  void start();
  void reset() {}
  model::Credentials issue(const aws::Principal& principal, std::int64_t seconds, Time now);
  aws::AccessKeys& keys;
};

void Sts::start() {
  auto& records = store::Shard::control().records();
  const Time now = store::Shard::control().now();
  std::vector<std::string> expired;
  records.scan(kSessions, [&](std::string_view key, const std::string& text) {
    const auto json = wire::Json::parse(text);
    const Time expires = from_seconds(json ? (*json)["expires"].as_int().value_or(0) : 0);
    if (expires < now) {
      expired.emplace_back(key);
      return true;
    }
    keys.put(std::string(key.substr(kSessions.size())),
             {.secret = json->text("secret"), .session_token = json->text("token"),
              .principal = {.arn = json->text("arn"), .user_id = json->text("userId"), .account = json->text("account")}, .expires_at = expires});
    return true;
  });
  for (const std::string& key : expired) records.erase(key);
}

model::Credentials Sts::issue(const aws::Principal& principal, std::int64_t seconds, Time now) {
  Random& random = thread_random();
  model::Credentials out;
  out.access_key_id = "ASIA" + make_token(random, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
  out.secret_access_key = make_token(random, 40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
  out.session_token = "IQoJb3JpZ2luX2Vj" + make_token(random, 200, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
  out.expiration = from_seconds(to_seconds(now) + seconds);
  store::Shard::control().records().put(
      std::string(kSessions) + out.access_key_id,
      wire::Json::object({{"secret", out.secret_access_key}, {"token", out.session_token}, {"arn", principal.arn}, {"userId", principal.user_id},
                          {"account", principal.account}, {"expires", to_seconds(out.expiration)}}).dump());
  keys.put(out.access_key_id, {.secret = out.secret_access_key, .session_token = out.session_token, .principal = principal, .expires_at = out.expiration});
  return out;
}

namespace {

struct RoleName {
  std::string account, name;  // the name without its path
};

Reply<RoleName> parse_role_arn(const std::string& arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "iam" || !parts[5].starts_with("role/"))
    return Err(aws::Error("ValidationError", fmt::format("{} is invalid", arn), 400));
  return RoleName{.account = std::string(parts[4]), .name = std::string(parts[5].substr(parts[5].rfind('/') + 1))};
}

// The role's own id when the role is known here; a stable one otherwise, so that deploy tools that assume roles of
// their bootstrap stack work before it exists.
std::string role_id(const RoleName& role) {
  const std::string* text = store::Shard::control().records().find(fmt::format("iam/{}/role/{}", role.account, role.name));
  if (text)
    if (const auto json = wire::Json::parse(*text)) return json->text("RoleId");
  return "AROA" + to_upper(sha256_hex(role.account + role.name)).substr(0, 17);
}

struct Assumed {
  model::Credentials credentials;
  model::AssumedRoleUser user;
};

Task<Reply<Assumed>> assume(Sts& sts, const std::string& role_arn, const std::string& session, std::optional<std::int32_t> duration, const Call& call) {
  const RoleName role = CO_TRY(parse_role_arn(role_arn));
  aws::Principal principal;
  principal.arn = fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", role.account, role.name, session);
  principal.user_id = role_id(role) + ":" + session;
  principal.account = role.account;
  Assumed out{.credentials = sts.issue(principal, duration.value_or(3600), call.now), .user = {}};
  out.user.arn = principal.arn;
  out.user.assumed_role_id = principal.user_id;
  co_await store::Shard::control().committed();
  co_return out;
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
Task<Reply<model::GetCallerIdentityOutput>> get_caller_identity(Sts&, const model::GetCallerIdentityInput&, const Call& call) {
  co_return model::GetCallerIdentityOutput{.user_id = call.principal.user_id, .account = call.account, .arn = call.principal.arn};
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
Task<Reply<model::AssumeRoleOutput>> assume_role(Sts& sts, const model::AssumeRoleInput& in, const Call& call) {
  Assumed assumed = CO_TRY(co_await assume(sts, in.role_arn, in.role_session_name, in.duration_seconds, call));
  model::AssumeRoleOutput out;
  out.credentials = std::move(assumed.credentials);
  out.assumed_role_user = std::move(assumed.user);
  out.source_identity = in.source_identity;
  if (in.policy) out.packed_policy_size = static_cast<std::int32_t>(in.policy->size() * 100 / 2048);
  co_return out;
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
Task<Reply<model::AssumeRoleWithWebIdentityOutput>> assume_role_with_web_identity(Sts& sts, const model::AssumeRoleWithWebIdentityInput& in, const Call& call) {
  const auto parts = split(in.web_identity_token, '.');
  const auto claims = parts.size() == 3 ? base64url_decode(parts[1]) : std::nullopt;
  const auto json = claims ? wire::Json::parse(*claims) : Err(wire::JsonError{});
  if (!json) co_return Err(aws::Error("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)", 400));
  Assumed assumed = CO_TRY(co_await assume(sts, in.role_arn, in.role_session_name, in.duration_seconds, call));
  model::AssumeRoleWithWebIdentityOutput out;
  out.credentials = std::move(assumed.credentials);
  out.assumed_role_user = std::move(assumed.user);
  out.subject_from_web_identity_token = json->text("sub");
  out.provider = json->text("iss");
  out.audience = (*json)["aud"].scalar_text();
  co_return out;
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
Task<Reply<model::GetSessionTokenOutput>> get_session_token(Sts& sts, const model::GetSessionTokenInput& in, const Call& call) {
  model::GetSessionTokenOutput out;
  out.credentials = sts.issue(call.principal, in.duration_seconds.value_or(43'200), call.now);
  co_await store::Shard::control().committed();
  co_return out;
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
Task<Reply<model::GetFederationTokenOutput>> get_federation_token(Sts& sts, const model::GetFederationTokenInput& in, const Call& call) {
  aws::Principal principal;
  principal.arn = fmt::format("arn:aws:sts::{}:federated-user/{}", call.account, in.name);
  principal.user_id = call.account + ":" + in.name;
  principal.account = call.account;
  model::GetFederationTokenOutput out;
  out.credentials = sts.issue(principal, in.duration_seconds.value_or(43'200), call.now);
  out.federated_user.emplace();
  out.federated_user->arn = principal.arn;
  out.federated_user->federated_user_id = principal.user_id;
  co_await store::Shard::control().committed();
  co_return out;
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
Task<Reply<model::GetAccessKeyInfoOutput>> get_access_key_info(Sts& sts, const model::GetAccessKeyInfoInput& in, const Call& call) {
  const auto key = sts.keys.find(in.access_key_id);
  model::GetAccessKeyInfoOutput out;
  out.account = key ? key->principal.account : call.account;
  co_return out;
}

const aws::ServiceDefinition kSts{
    .model = &aws::sts::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
            aws::serve<assume_role>(aws::sts::ops::kAssumeRole),
            aws::serve<assume_role_with_web_identity>(aws::sts::ops::kAssumeRoleWithWebIdentity),
            aws::serve<get_access_key_info>(aws::sts::ops::kGetAccessKeyInfo),
            aws::serve<get_caller_identity>(aws::sts::ops::kGetCallerIdentity),
            aws::serve<get_federation_token>(aws::sts::ops::kGetFederationToken),
            aws::serve<get_session_token>(aws::sts::ops::kGetSessionToken),
        },
};

}  // namespace
}  // namespace sts

std::unique_ptr<aws::Service> make_sts(Parts& parts) { return std::make_unique<aws::ServiceOf<sts::Sts>>(sts::kSts, parts); }

}  // namespace reef::service
