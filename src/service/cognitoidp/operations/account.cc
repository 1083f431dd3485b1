// What users do with an access token of their own.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GetUser.html
#include <algorithm>

#include "base/seal.h"
#include "engine/identity/totp.h"
#include "service/cognitoidp/operations.h"
#include "service/cognitoidp/session.h"

namespace reef::service::cognito::operations {
namespace {

constexpr std::size_t kTotpSecretBytes = 20;

Who who_of(const Cognito::Bearer& bearer) { return {.pool = bearer.pool->id(), .client = bearer.claims.text("client_id"), .user = bearer.user->name}; }

// The preference for authenticator apps, which is the one that there is.
template <class In>
Reply<void> set_preference(Cognito& service, Pool& pool, User& user, const In& in) {
  if (in.sms_mfa_settings && in.sms_mfa_settings->enabled.value_or(false)) return Err(aws::not_implemented("SMS MFA of a user"));
  if (in.email_mfa_settings && in.email_mfa_settings->enabled.value_or(false)) return Err(aws::not_implemented("Email MFA of a user"));
  if (!in.software_token_mfa_settings) return {};
  const bool enabled = in.software_token_mfa_settings->enabled.value_or(false);
  if (enabled && user.totp_secret.empty()) return Err(invalid_parameter("User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA"));
  user.prefers_totp = enabled && in.software_token_mfa_settings->preferred_mfa.value_or(true);
  service.save(pool, user);
  return {};
}

// Whose authenticator app it is about: who has an access token, or is signing in and must set one up first.
struct AppOwner {
  Cognito::Bearer at{};
  std::optional<Session> session;
};
template <class In>
Reply<AppOwner> app_owner(Cognito& service, const In& in, const Call& call) {
  AppOwner out;
  if (in.access_token) {
    out.at = TRY(service.bearer(*in.access_token, call.now));
    return out;
  }
  out.session = TRY(read_session(service, in.session.value_or(""), "MFA_SETUP", {}, call.now));
  out.at.pool = TRY(service.pool(out.session->who.pool));
  out.at.user = TRY(service.user(*out.at.pool, out.session->who.user));
  return out;
}

}  // namespace

Task<Reply<model::GetUserOutput>> GetUser(Cognito& service, const model::GetUserInput& in, const Call& call) {
  const auto at = CO_TRY(service.bearer(in.access_token, call.now));
  model::GetUserOutput out{.username = at.user->name, .user_attributes = shown_attributes(*at.user)};
  if (!at.user->totp_secret.empty()) out.user_mfa_setting_list = {"SOFTWARE_TOKEN_MFA"};
  if (at.user->prefers_totp) out.preferred_mfa_setting = "SOFTWARE_TOKEN_MFA";
  co_return out;
}

Task<Reply<model::UpdateUserAttributesOutput>> UpdateUserAttributes(Cognito& service, const model::UpdateUserAttributesInput& in, const Call& call) {
  model::UpdateUserAttributesOutput out{.code_delivery_details_list = std::vector<model::CodeDeliveryDetailsType>{}};
  Who who;
  std::vector<std::string> unverified;
  {
    const auto at = CO_TRY(service.bearer(in.access_token, call.now));
    who = who_of(at);
    const auto client = service.client(who.pool, who.client);
    const TextPairs changes = CO_TRY(read_attributes(*at.pool, in.user_attributes, at.user, client ? client->client : nullptr));
    const auto& automatic = at.pool->value.auto_verified_attributes;
    for (const std::string_view attribute : {"email", "phone_number"}) {
      const auto found = changes.find(attribute);
      if (found == changes.end() || found->second == at.user->attribute(attribute)) continue;
      if (at.pool->users.alias_holder(attribute, found->second, at.user)) co_return Err(aws::Error(errors::kAliasExistsException, fmt::format("An account with the given {} already exists.", attribute)));
      at.user->attributes[std::string(attribute) + "_verified"] = "false";
      if (automatic && std::find(automatic->begin(), automatic->end(), attribute) != automatic->end()) unverified.emplace_back(attribute);
    }
    for (const auto& [name, value] : changes) {
      if (value.empty()) at.user->attributes.erase(name);
      else at.user->attributes[name] = value;
    }
    at.user->modified = call.now;
    service.save(*at.pool, *at.user);
  }
  for (const std::string& attribute : unverified)
    out.code_delivery_details_list->push_back(CO_TRY(co_await send_code(service, who, attribute, attribute, "CustomMessage_UpdateUserAttribute", in.client_metadata.value_or(TextPairs{}), call.now)));
  co_await service.committed();
  co_return out;
}

Task<Reply<model::DeleteUserAttributesOutput>> DeleteUserAttributes(Cognito& service, const model::DeleteUserAttributesInput& in, const Call& call) {
  const auto at = CO_TRY(service.bearer(in.access_token, call.now));
  for (const std::string& name : in.user_attribute_names)
    if (name == "sub" || name.ends_with("_verified") || at.pool->is_username_attribute(name)) co_return Err(invalid_parameter(fmt::format("user.{}: Attribute cannot be deleted.", name)));
  for (const std::string& name : in.user_attribute_names) at.user->attributes.erase(name);
  at.user->modified = call.now;
  service.save(*at.pool, *at.user);
  co_await service.committed();
  co_return model::DeleteUserAttributesOutput{};
}

Task<Reply<model::DeleteUserOutput>> DeleteUser(Cognito& service, const model::DeleteUserInput& in, const Call& call) {
  const auto at = CO_TRY(service.bearer(in.access_token, call.now));
  service.erase("user", at.pool->id() + "/" + at.user->subject);
  at.pool->users.erase(std::string(at.user->name));
  co_await service.committed();
  co_return model::DeleteUserOutput{};
}

Task<Reply<model::GetUserAttributeVerificationCodeOutput>> GetUserAttributeVerificationCode(Cognito& service, const model::GetUserAttributeVerificationCodeInput& in, const Call& call) {
  const auto at = CO_TRY(service.bearer(in.access_token, call.now));
  if (in.attribute_name != "email" && in.attribute_name != "phone_number") co_return Err(invalid_parameter("Invalid attribute name provided."));
  if (at.user->attribute(in.attribute_name).empty()) co_return Err(invalid_parameter(fmt::format("User has no {} attribute.", in.attribute_name)));
  model::GetUserAttributeVerificationCodeOutput out;
  out.code_delivery_details = CO_TRY(co_await send_code(service, who_of(at), in.attribute_name, in.attribute_name, "CustomMessage_VerifyUserAttribute", in.client_metadata.value_or(TextPairs{}), call.now));
  co_await service.committed();
  co_return out;
}

Task<Reply<model::VerifyUserAttributeOutput>> VerifyUserAttribute(Cognito& service, const model::VerifyUserAttributeInput& in, const Call& call) {
  const auto at = CO_TRY(service.bearer(in.access_token, call.now));
  if (in.attribute_name != "email" && in.attribute_name != "phone_number") co_return Err(invalid_parameter("Invalid attribute name provided."));
  const auto fault = identity::take_code(*at.user, in.attribute_name, in.code, call.now);
  if (fault == identity::CodeFault::kNone) at.user->attributes[in.attribute_name + "_verified"] = "true";
  service.save(*at.pool, *at.user);
  co_await service.committed();
  if (fault != identity::CodeFault::kNone) co_return Err(code_error(fault));
  co_return model::VerifyUserAttributeOutput{};
}

Task<Reply<model::ChangePasswordOutput>> ChangePassword(Cognito& service, const model::ChangePasswordInput& in, const Call& call) {
  const Who who = who_of(CO_TRY(service.bearer(in.access_token, call.now)));
  CO_TRY(co_await check_password(service, who.pool, who.client, who.user, in.previous_password.value_or(""), call.now));
  CO_TRY(co_await set_password(service, who, in.proposed_password, true, call.now));
  co_await service.committed();
  co_return model::ChangePasswordOutput{};
}

Task<Reply<model::GlobalSignOutOutput>> GlobalSignOut(Cognito& service, const model::GlobalSignOutInput& in, const Call& call) {
  const auto at = CO_TRY(service.bearer(in.access_token, call.now));
  at.user->signed_out = call.now;
  service.save(*at.pool, *at.user);
  co_await service.committed();
  co_return model::GlobalSignOutOutput{};
}

Task<Reply<model::RevokeTokenOutput>> RevokeToken(Cognito& service, const model::RevokeTokenInput& in, const Call& call) {
  const auto at = CO_TRY(service.client(in.client_id));
  if (at.client->client_secret.value_or("") != in.client_secret.value_or("")) co_return Err(aws::Error(errors::kUnauthorizedException, "Invalid client secret"));
  if (!at.client->enable_token_revocation.value_or(true)) co_return Err(aws::Error(errors::kUnsupportedOperationException, "Token revocation is not enabled for the client"));
  CO_TRY(revoke(service, *at.pool, in.token, in.client_id, call.now));
  co_await service.committed();
  co_return model::RevokeTokenOutput{};
}

Task<Reply<model::AssociateSoftwareTokenOutput>> AssociateSoftwareToken(Cognito& service, const model::AssociateSoftwareTokenInput& in, const Call& call) {
  auto [at, session] = CO_TRY(app_owner(service, in, call));
  if (!at.pool->totp_enabled) co_return Err(aws::Error(errors::kSoftwareTokenMFANotFoundException, "Software Token MFA is not enabled by the userPool."));
  model::AssociateSoftwareTokenOutput out{.secret_code = identity::base32_encode(secret_bytes(kTotpSecretBytes))};
  // It counts once the app has shown that it has it.
  at.user->codes["totp"] = {.purpose = "totp", .value = *out.secret_code, .expires = call.now + std::chrono::hours(1)};
  service.save(*at.pool, *at.user);
  if (session) out.session = make_session(*at.pool, *session, call.now);
  co_await service.committed();
  co_return out;
}

Task<Reply<model::VerifySoftwareTokenOutput>> VerifySoftwareToken(Cognito& service, const model::VerifySoftwareTokenInput& in, const Call& call) {
  auto [at, session] = CO_TRY(app_owner(service, in, call));
  const auto found = at.user->codes.find("totp");
  if (found == at.user->codes.end() || call.now >= found->second.expires) co_return Err(invalid_parameter("Software token is not associated."));
  constexpr int kGuessesMax = 5;
  if (found->second.attempts >= kGuessesMax) co_return Err(aws::Error(errors::kLimitExceededException, "Attempt limit exceeded, please try after some time."));
  if (!identity::is_totp(found->second.value, in.user_code, call.now)) {
    ++found->second.attempts;
    service.save(*at.pool, *at.user);
    co_await service.committed();
    co_return Err(aws::Error(errors::kEnableSoftwareTokenMFAException, "Code mismatch"));
  }
  at.user->totp_secret = found->second.value;
  at.user->codes.erase(found);
  service.save(*at.pool, *at.user);
  model::VerifySoftwareTokenOutput out{.status = "SUCCESS"};
  if (session) {
    session->is_verified = true;
    out.session = make_session(*at.pool, *session, call.now);
  }
  co_await service.committed();
  co_return out;
}

Task<Reply<model::SetUserMFAPreferenceOutput>> SetUserMFAPreference(Cognito& service, const model::SetUserMFAPreferenceInput& in, const Call& call) {
  const auto at = CO_TRY(service.bearer(in.access_token, call.now));
  CO_TRY(set_preference(service, *at.pool, *at.user, in));
  co_await service.committed();
  co_return model::SetUserMFAPreferenceOutput{};
}

Task<Reply<model::AdminSetUserMFAPreferenceOutput>> AdminSetUserMFAPreference(Cognito& service, const model::AdminSetUserMFAPreferenceInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  CO_TRY(set_preference(service, pool, *CO_TRY(service.user(pool, in.username)), in));
  co_await service.committed();
  co_return model::AdminSetUserMFAPreferenceOutput{};
}

}  // namespace reef::service::cognito::operations
