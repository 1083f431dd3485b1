// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RespondToAuthChallenge.html
#include <algorithm>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/seal.h"
#include "engine/identity/totp.h"
#include "service/cognitoidp/operations.h"
#include "service/cognitoidp/session.h"
#include "wire/json.h"

namespace reef::service::cognito::operations {
namespace {

using wire::Json;

constexpr std::size_t kSrpSecretBytes = 128;

// What the operations for users and for administrators have in common.
struct Asked {
  std::string pool_id, client_id, name;   // `name`: of the flow or the challenge
  TextPairs parameters, metadata;
  std::string session;
  bool is_admin = false;
  Time now{};
  std::string get(std::string_view key) const {
    const auto found = parameters.find(key);
    return found == parameters.end() ? std::string() : found->second;
  }
  std::optional<std::string> secret_hash() const {
    const auto found = parameters.find("SECRET_HASH");
    return found == parameters.end() ? std::nullopt : std::optional(found->second);
  }
};
struct Answer {
  std::optional<std::string> challenge, session;
  std::optional<TextPairs> parameters;
  std::optional<model::AuthenticationResultType> result;
};

// Without a list, clients may refresh and use SRP.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
bool allows(const Client& client, std::string_view flow) {
  const std::vector<std::string> none;
  const auto& flows = client.explicit_auth_flows ? *client.explicit_auth_flows : none;
  const auto has = [&](std::string_view one) { return std::find(flows.begin(), flows.end(), one) != flows.end(); };
  const bool is_legacy = !flows.empty() && !flows[0].starts_with("ALLOW_");
  if (flow == "USER_PASSWORD_AUTH") return has("ALLOW_USER_PASSWORD_AUTH") || has("USER_PASSWORD_AUTH");
  if (flow == "ADMIN_USER_PASSWORD_AUTH" || flow == "ADMIN_NO_SRP_AUTH") return has("ALLOW_ADMIN_USER_PASSWORD_AUTH") || has("ADMIN_NO_SRP_AUTH");
  if (flow == "USER_SRP_AUTH") return flows.empty() || is_legacy || has("ALLOW_USER_SRP_AUTH");
  if (flow == "REFRESH_TOKEN_AUTH" || flow == "REFRESH_TOKEN") return flows.empty() || is_legacy || has("ALLOW_REFRESH_TOKEN_AUTH");
  return false;
}

Json metadata_of(const Asked& asked) {
  Json out = Json::object();
  for (const auto& [key, value] : asked.metadata) out.set(key, value);
  return out;
}

Task<Reply<void>> before(Cognito& service, const Asked& asked, std::string name) {
  Who who{.pool = asked.pool_id, .client = asked.client_id, .user = name};
  Json request = Json::object({{"validationData", metadata_of(asked)}});
  {
    const auto at = CO_TRY(service.client(asked.pool_id, asked.client_id));
    User* const user = at.pool->users.find(name);
    request.set("userNotFound", user == nullptr);
    request.set("userAttributes", user ? attributes_json(*user) : Json::object());
    if (user) who.user = user->name;
  }
  CO_TRY(co_await invoke_trigger(service, who, {"PreAuthentication", "PreAuthentication_Authentication"}, std::move(request), Json::object()));
  co_return Reply<void>();
}

Task<Reply<Answer>> finish(Cognito& service, const Asked& asked, Who who, std::string trigger) {
  {
    const User& user = *CO_TRY(service.user(*CO_TRY(service.pool(who.pool)), who.user));
    Json request = Json::object({{"userAttributes", attributes_json(user)}, {"newDeviceUsed", false}, {"clientMetadata", metadata_of(asked)}});
    CO_TRY(co_await invoke_trigger(service, who, {"PostAuthentication", "PostAuthentication_Authentication"}, std::move(request), Json::object()));
  }
  SignedIn how{.at = asked.now};
  how.trigger = trigger;
  Answer out;
  out.result = CO_TRY(co_await make_tokens(service, who, std::move(how), asked.metadata, asked.now));
  out.parameters.emplace();
  co_return out;
}

Answer challenge(const Pool& pool, Session session, TextPairs parameters, Time now) {
  Answer out{.challenge = session.challenge, .session = make_session(pool, session, now), .parameters = std::move(parameters), .result = std::nullopt};
  return out;
}

// What is still between a user with the right password and the tokens.
Task<Reply<Answer>> go_on(Cognito& service, Asked asked, Who who) {
  Pool& pool = *CO_TRY(service.pool(who.pool));
  const User& user = *CO_TRY(service.user(pool, who.user));
  if (user.status == identity::UserStatus::kForceChangePassword) {
    Json required = Json::array(), attributes = Json::object();
    for (const auto& [name, value] : user.attributes) attributes.set(name, value);
    if (pool.value.schema_attributes)
      for (const auto& schema : *pool.value.schema_attributes)
        if (schema.required.value_or(false) && schema.name != "sub" && user.attribute(*schema.name).empty()) required.push_back("userAttributes." + *schema.name);
    co_return challenge(pool, {.challenge = "NEW_PASSWORD_REQUIRED", .who = who}, {{"USER_ID_FOR_SRP", user.name}, {"requiredAttributes", required.dump()}, {"userAttributes", attributes.dump()}}, asked.now);
  }
  const std::string mfa = pool.value.mfa_configuration.value_or("OFF");
  if (pool.totp_enabled && mfa != "OFF") {
    if (!user.totp_secret.empty() && (user.prefers_totp || mfa == "ON"))
      co_return challenge(pool, {.challenge = "SOFTWARE_TOKEN_MFA", .who = who}, {{"USER_ID_FOR_SRP", user.name}, {"FRIENDLY_DEVICE_NAME", ""}}, asked.now);
    if (user.totp_secret.empty() && mfa == "ON") co_return challenge(pool, {.challenge = "MFA_SETUP", .who = who}, {{"USER_ID_FOR_SRP", user.name}, {"MFAS_CAN_SETUP", "[\"SOFTWARE_TOKEN_MFA\"]"}}, asked.now);
  }
  co_return co_await finish(service, asked, who, "TokenGeneration_Authentication");
}

Task<Reply<Answer>> start_srp(Cognito& service, Asked asked) {
  const std::string name = asked.get("USERNAME"), client_value = asked.get("SRP_A");
  if (name.empty()) co_return Err(invalid_parameter("Missing required parameter USERNAME"));
  if (client_value.empty()) co_return Err(invalid_parameter("Missing required parameter SRP_A"));
  CO_TRY(co_await before(service, asked, name));
  const auto at = CO_TRY(service.client(asked.pool_id, asked.client_id));
  User* const user = at.pool->users.find(name);
  if (!user && at.client->prevent_user_existence_errors != "ENABLED") co_return Err(aws::Error(errors::kUserNotFoundException, "User does not exist."));
  // Users that do not exist are challenged, too: with a verifier that stays the same and that no password fits.
  std::string id = user ? user->name : name;
  identity::SrpVerifier verifier = user ? user->srp : identity::SrpVerifier{};
  if (verifier.verifier.empty()) {
    const std::string made = hmac_sha256(at.pool->seal_key, "nobody\n" + to_lower(name));
    verifier = identity::make_srp_verifier(at.pool->short_id(), id, hex_encode(made), made.substr(0, 16));
  }
  const std::string secret = secret_bytes(kSrpSecretBytes);
  const auto server_value = identity::srp_server_value(verifier, client_value, secret);
  if (!server_value) co_return Err(invalid_parameter("Invalid SRP_A parameter."));
  Session session{.challenge = "PASSWORD_VERIFIER", .who = {.pool = at.pool->id(), .client = asked.client_id, .user = id}};
  session.extra = Json::object({{"A", client_value}, {"B", *server_value}, {"b", base64url_encode(secret)}, {"s", verifier.salt}, {"v", verifier.verifier}}).dump();
  Answer out{.challenge = session.challenge};
  out.parameters = TextPairs{{"USERNAME", id}, {"USER_ID_FOR_SRP", id}, {"SALT", verifier.salt}, {"SRP_B", *server_value}, {"SECRET_BLOCK", base64_encode(make_session(*at.pool, session, asked.now))}};
  co_return out;
}

Task<Reply<Answer>> finish_srp(Cognito& service, Asked asked) {
  const auto block = base64_decode(asked.get("PASSWORD_CLAIM_SECRET_BLOCK")), signature = base64_decode(asked.get("PASSWORD_CLAIM_SIGNATURE"));
  const std::string timestamp = asked.get("TIMESTAMP");
  if (!block || !signature || timestamp.empty()) co_return Err(invalid_parameter("Missing required parameter"));
  const Session session = CO_TRY(read_session(service, *block, "PASSWORD_VERIFIER", asked.client_id, asked.now));
  const auto at = CO_TRY(service.client(session.who.pool, asked.client_id));
  const auto extra = Json::parse(session.extra);
  if (!extra) co_return Err(not_authorized_error("Invalid session for the user."));
  User* const user = at.pool->users.find(session.who.user);
  if (user && identity::is_locked(*user, asked.now)) co_return Err(not_authorized_error("Password attempts exceeded"));
  const identity::SrpVerifier verifier{extra->text("s"), extra->text("v")};
  const auto key = identity::srp_key(verifier, extra->text("A"), extra->text("B"), base64url_decode(extra->text("b")).value_or(""));
  const bool fits = key && equals_in_constant_time(identity::srp_claim(*key, at.pool->short_id(), session.who.user, *block, timestamp), *signature);
  if (!user || !fits || user->srp.verifier != verifier.verifier) {
    if (user) identity::note_failure(*user, asked.now);
    co_return Err(not_authorized_error("Incorrect username or password."));
  }
  user->failures = 0;
  if (!user->enabled) co_return Err(not_authorized_error("User is disabled."));
  if (user->status == identity::UserStatus::kUnconfirmed) co_return Err(aws::Error(errors::kUserNotConfirmedException, "User is not confirmed."));
  if (user->status == identity::UserStatus::kResetRequired) co_return Err(aws::Error(errors::kPasswordResetRequiredException, "Password reset required for the user"));
  if (user->password_until && asked.now >= *user->password_until) co_return Err(not_authorized_error("Temporary password has expired and must be reset by an administrator."));
  co_return co_await go_on(service, asked, session.who);
}

Task<Reply<Answer>> start(Cognito& service, Asked asked) {
  {
    const auto at = asked.pool_id.empty() ? CO_TRY(service.client(asked.client_id)) : CO_TRY(service.client(asked.pool_id, asked.client_id));
    asked.pool_id = at.pool->id();
    const bool for_admins = asked.name.starts_with("ADMIN_");
    if (asked.name == "CUSTOM_AUTH" || asked.name == "USER_AUTH") co_return Err(aws::not_implemented(fmt::format("Authentication flow '{}'", asked.name)));
    if (for_admins && !asked.is_admin) co_return Err(invalid_parameter("Initiate Auth method not supported."));
    if (asked.is_admin && asked.name == "USER_PASSWORD_AUTH") co_return Err(invalid_parameter("Initiate Auth method not supported."));
    if (!allows(*at.client, asked.name)) co_return Err(invalid_parameter(asked.is_admin ? "Auth flow not enabled for this client" : fmt::format("{} flow not enabled for this client", asked.name)));
    if (asked.name == "REFRESH_TOKEN_AUTH" || asked.name == "REFRESH_TOKEN") {
      RefreshToken token = CO_TRY(read_refresh_token(service, *at.pool, asked.get("REFRESH_TOKEN"), asked.client_id, asked.now));
      // Made with the name or the subject, whichever the client knows.
      if (at.client->client_secret && !check_secret_hash(*at.client, token.who.user, asked.secret_hash()))
        CO_TRY(check_secret_hash(*at.client, (*CO_TRY(service.user(*at.pool, token.who.user))).subject, asked.secret_hash()));
      Answer out;
      out.result = CO_TRY(co_await make_tokens(service, token.who, std::move(token.how), asked.metadata, asked.now));
      out.parameters.emplace();
      co_return out;
    }
    if (asked.get("USERNAME").empty()) co_return Err(invalid_parameter("Missing required parameter USERNAME"));
    CO_TRY(check_secret_hash(*at.client, asked.get("USERNAME"), asked.secret_hash()));
  }
  if (asked.name == "USER_SRP_AUTH") co_return co_await start_srp(service, asked);
  if (!asked.parameters.contains("PASSWORD")) co_return Err(invalid_parameter("Missing required parameter PASSWORD"));
  CO_TRY(co_await before(service, asked, asked.get("USERNAME")));
  const Who who = CO_TRY(co_await check_password(service, asked.pool_id, asked.client_id, asked.get("USERNAME"), asked.get("PASSWORD"), asked.now));
  co_return co_await go_on(service, asked, who);
}

Task<Reply<Answer>> answer_new_password(Cognito& service, Asked asked, Session session) {
  const std::string password = asked.get("NEW_PASSWORD");
  if (password.empty()) co_return Err(invalid_parameter("Missing required parameter NEW_PASSWORD"));
  {
    Pool& pool = *CO_TRY(service.pool(session.who.pool));
    User& user = *CO_TRY(service.user(pool, session.who.user));
    if (user.status != identity::UserStatus::kForceChangePassword) co_return Err(not_authorized_error("Invalid session for the user."));
    std::vector<model::AttributeType> given;
    constexpr std::string_view kPrefix = "userAttributes.";
    for (const auto& [name, value] : asked.parameters)
      if (name.starts_with(kPrefix)) given.push_back({.name = name.substr(kPrefix.size()), .value = value});
    const auto client = CO_TRY(service.client(session.who.pool, asked.client_id));
    const TextPairs changes = CO_TRY(read_attributes(pool, given, &user, client.client));
    TextPairs after = user.attributes;
    for (const auto& [name, value] : changes) after[name] = value;
    CO_TRY(check_required(pool, after));
    user.attributes = std::move(after);
    service.save(pool, user);
  }
  CO_TRY(co_await set_password(service, session.who, password, true, asked.now));
  co_await service.committed();
  co_return co_await go_on(service, asked, session.who);
}

Task<Reply<Answer>> answer(Cognito& service, Asked asked) {
  {
    const auto at = asked.pool_id.empty() ? CO_TRY(service.client(asked.client_id)) : CO_TRY(service.client(asked.pool_id, asked.client_id));
    asked.pool_id = at.pool->id();
    const std::string name = asked.get("USERNAME");
    if (name.empty()) co_return Err(invalid_parameter("Missing required parameter USERNAME"));
    CO_TRY(check_secret_hash(*at.client, name, asked.secret_hash()));
  }
  if (asked.name == "PASSWORD_VERIFIER") co_return co_await finish_srp(service, asked);
  if (asked.name != "NEW_PASSWORD_REQUIRED" && asked.name != "SOFTWARE_TOKEN_MFA" && asked.name != "MFA_SETUP") co_return Err(aws::not_implemented(fmt::format("Challenge '{}'", asked.name)));
  Session session = CO_TRY(read_session(service, asked.session, asked.name, asked.client_id, asked.now));
  if (session.who.pool != asked.pool_id) co_return Err(not_authorized_error("Invalid session for the user."));
  {
    Pool& pool = *CO_TRY(service.pool(session.who.pool));
    User& user = *CO_TRY(service.user(pool, session.who.user));
    if (!user.enabled) co_return Err(not_authorized_error("User is disabled."));
    if (asked.name == "SOFTWARE_TOKEN_MFA") {
      if (identity::is_locked(user, asked.now)) co_return Err(not_authorized_error("Password attempts exceeded"));
      if (!identity::is_totp(user.totp_secret, asked.get("SOFTWARE_TOKEN_MFA_CODE"), asked.now)) {
        identity::note_failure(user, asked.now);
        co_return Err(aws::Error(errors::kCodeMismatchException, "Invalid code received for user"));
      }
      user.failures = 0;
    }
    if (asked.name == "MFA_SETUP" && !session.is_verified) co_return Err(not_authorized_error("Invalid session for the user."));
  }
  if (asked.name == "NEW_PASSWORD_REQUIRED") co_return co_await answer_new_password(service, asked, session);
  co_return co_await finish(service, asked, session.who, "TokenGeneration_Authentication");
}

template <class Out>
Reply<Out> reply_of(Reply<Answer> answer) {
  if (!answer) return std::unexpected(std::move(answer).error());
  Out out;
  out.challenge_name = std::move(answer->challenge);
  out.session = std::move(answer->session);
  out.challenge_parameters = std::move(answer->parameters);
  out.authentication_result = std::move(answer->result);
  return out;
}

}  // namespace

Task<Reply<model::InitiateAuthOutput>> InitiateAuth(Cognito& service, const model::InitiateAuthInput& in, const Call& call) {
  co_return reply_of<model::InitiateAuthOutput>(co_await start(service, {.pool_id = {}, .client_id = in.client_id, .name = in.auth_flow, .parameters = in.auth_parameters.value_or(TextPairs{}),
                                                                         .metadata = in.client_metadata.value_or(TextPairs{}), .session = {}, .is_admin = false, .now = call.now}));
}

Task<Reply<model::AdminInitiateAuthOutput>> AdminInitiateAuth(Cognito& service, const model::AdminInitiateAuthInput& in, const Call& call) {
  CO_TRY(service.pool(call, in.user_pool_id));
  co_return reply_of<model::AdminInitiateAuthOutput>(co_await start(service, {.pool_id = in.user_pool_id, .client_id = in.client_id, .name = in.auth_flow, .parameters = in.auth_parameters.value_or(TextPairs{}),
                                                                              .metadata = in.client_metadata.value_or(TextPairs{}), .session = {}, .is_admin = true, .now = call.now}));
}

Task<Reply<model::RespondToAuthChallengeOutput>> RespondToAuthChallenge(Cognito& service, const model::RespondToAuthChallengeInput& in, const Call& call) {
  co_return reply_of<model::RespondToAuthChallengeOutput>(co_await answer(service, {.pool_id = {}, .client_id = in.client_id, .name = in.challenge_name, .parameters = in.challenge_responses.value_or(TextPairs{}),
                                                                                    .metadata = in.client_metadata.value_or(TextPairs{}), .session = in.session.value_or(""), .is_admin = false, .now = call.now}));
}

Task<Reply<model::AdminRespondToAuthChallengeOutput>> AdminRespondToAuthChallenge(Cognito& service, const model::AdminRespondToAuthChallengeInput& in, const Call& call) {
  CO_TRY(service.pool(call, in.user_pool_id));
  co_return reply_of<model::AdminRespondToAuthChallengeOutput>(co_await answer(service, {.pool_id = in.user_pool_id, .client_id = in.client_id, .name = in.challenge_name, .parameters = in.challenge_responses.value_or(TextPairs{}),
                                                                                         .metadata = in.client_metadata.value_or(TextPairs{}), .session = in.session.value_or(""), .is_admin = true, .now = call.now}));
}

}  // namespace reef::service::cognito::operations
