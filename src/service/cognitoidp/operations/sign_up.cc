// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SignUp.html
#include <algorithm>

#include "service/cognitoidp/operations.h"
#include "wire/json.h"

namespace reef::service::cognito::operations {
namespace {

using wire::Json;

Json metadata_json(const std::optional<TextPairs>& metadata) {
  Json out = Json::object();
  if (metadata)
    for (const auto& [key, value] : *metadata) out.set(key, value);
  return out;
}

// The user of an operation that names a client: users that do not exist are told or not, as the client says.
Reply<User*> user_of(const Cognito::ClientOf& at, const std::string& name) {
  if (User* const found = at.pool->users.find(name)) return found;
  if (at.client->prevent_user_existence_errors == "ENABLED") return Err(aws::Error(errors::kCodeMismatchException, "Invalid verification code provided, please try again."));
  return Err(aws::Error(errors::kUserNotFoundException, "Username/client id combination not found."));
}

}  // namespace

Task<Reply<model::SignUpOutput>> SignUp(Cognito& service, const model::SignUpInput& in, const Call& call) {
  Who who{.pool = {}, .client = in.client_id, .user = {}};
  std::string password = in.password.value_or("");
  User user;
  {
    const auto at = CO_TRY(service.client(in.client_id));
    CO_TRY(check_secret_hash(*at.client, in.username, in.secret_hash));
    if (at.pool->value.admin_create_user_config && at.pool->value.admin_create_user_config->allow_admin_create_user_only.value_or(false))
      co_return Err(not_authorized_error("SignUp is not permitted for this user pool"));
    if (password.empty()) co_return Err(aws::not_implemented("Sign-up without a password"));
    if (const std::string fault = identity::password_fault(policy_of(*at.pool), password); !fault.empty()) co_return Err(aws::Error(errors::kInvalidPasswordException, "Password did not conform with policy: " + fault));
    user = CO_TRY(new_user(*at.pool, in.username, CO_TRY(read_attributes(*at.pool, in.user_attributes, nullptr, at.client)), call.now));
    CO_TRY(check_free(*at.pool, user, false));
    who.pool = at.pool->id();
    who.user = user.name;
  }
  Json validation = Json::object();
  if (in.validation_data)
    for (const auto& one : *in.validation_data) validation.set(one.name, one.value.value_or(""));
  const Json said = CO_TRY(co_await invoke_trigger(service, who, {"PreSignUp", "PreSignUp_SignUp"},
                                                   Json::object({{"userAttributes", attributes_json(user)}, {"validationData", std::move(validation)}, {"clientMetadata", metadata_json(in.client_metadata)}}),
                                                   Json::object({{"autoConfirmUser", false}, {"autoVerifyEmail", false}, {"autoVerifyPhone", false}})));
  const auto kept = co_await service.workers.keep(who.pool.substr(who.pool.find('_') + 1), user.name, std::move(password));
  if (!kept) co_return Err(aws::Error(errors::kTooManyRequestsException, "Rate exceeded"));
  model::SignUpOutput out{.user_confirmed = said["autoConfirmUser"].as_bool(), .user_sub = user.subject};
  std::string attribute;
  {
    Pool& pool = *CO_TRY(service.pool(who.pool));
    CO_TRY(check_free(pool, user, false));
    user.password_hash = kept->hash;
    user.srp = kept->srp;
    for (const auto& [flag, name] : {std::pair("autoVerifyEmail", "email"), std::pair("autoVerifyPhone", "phone_number")})
      if (!user.attribute(name).empty()) user.attributes[std::string(name) + "_verified"] = said[flag].as_bool() ? "true" : "false";
    if (out.user_confirmed) user.status = identity::UserStatus::kConfirmed;
    User* const put = pool.users.put(std::move(user));
    if (!put) co_return Err(aws::Error(errors::kUsernameExistsException, "User already exists"));
    service.save(pool, *put);
    attribute = out.user_confirmed ? std::string() : code_attribute(pool, *put, false);
    user = *put;
  }
  if (!attribute.empty()) out.code_delivery_details = CO_TRY(co_await send_code(service, who, "sign-up", attribute, "CustomMessage_SignUp", in.client_metadata.value_or(TextPairs{}), call.now));
  co_await service.committed();
  if (out.user_confirmed)
    CO_TRY(co_await invoke_trigger(service, who, {"PostConfirmation", "PostConfirmation_ConfirmSignUp"},
                                   Json::object({{"userAttributes", attributes_json(user)}, {"clientMetadata", metadata_json(in.client_metadata)}}), Json::object()));
  co_return out;
}

Task<Reply<model::ConfirmSignUpOutput>> ConfirmSignUp(Cognito& service, const model::ConfirmSignUpInput& in, const Call& call) {
  const auto at = CO_TRY(service.client(in.client_id));
  CO_TRY(check_secret_hash(*at.client, in.username, in.secret_hash));
  User& user = *CO_TRY(user_of(at, in.username));
  if (user.status != identity::UserStatus::kUnconfirmed) co_return Err(not_authorized_error(fmt::format("User cannot be confirmed. Current status is {}", name_of(user.status))));
  const auto fault = identity::take_code(user, "sign-up", in.confirmation_code, call.now);
  if (fault != identity::CodeFault::kNone) {
    service.save(*at.pool, user);   // the guess counts, whatever happens to the daemon
    co_await service.committed();
    co_return Err(code_error(fault));
  }
  const std::string attribute = code_attribute(*at.pool, user, false);
  if (!attribute.empty()) {
    if (User* const holder = at.pool->users.alias_holder(attribute, user.attribute(attribute), &user)) {
      if (!in.force_alias_creation.value_or(false)) co_return Err(aws::Error(errors::kAliasExistsException, fmt::format("An account with the {} already exists.", attribute)));
      holder->attributes[attribute + "_verified"] = "false";
      service.save(*at.pool, *holder);
    }
    user.attributes[attribute + "_verified"] = "true";
  }
  user.status = identity::UserStatus::kConfirmed;
  user.modified = call.now;
  service.save(*at.pool, user);
  const Who who{.pool = at.pool->id(), .client = in.client_id, .user = user.name};
  Json request = Json::object({{"userAttributes", attributes_json(user)}, {"clientMetadata", metadata_json(in.client_metadata)}});
  co_await service.committed();
  CO_TRY(co_await invoke_trigger(service, who, {"PostConfirmation", "PostConfirmation_ConfirmSignUp"}, std::move(request), Json::object()));
  co_return model::ConfirmSignUpOutput{};
}

Task<Reply<model::ResendConfirmationCodeOutput>> ResendConfirmationCode(Cognito& service, const model::ResendConfirmationCodeInput& in, const Call& call) {
  const auto at = CO_TRY(service.client(in.client_id));
  CO_TRY(check_secret_hash(*at.client, in.username, in.secret_hash));
  User& user = *CO_TRY(user_of(at, in.username));
  if (user.status != identity::UserStatus::kUnconfirmed) co_return Err(invalid_parameter("User is already confirmed."));
  const std::string attribute = code_attribute(*at.pool, user, false);
  if (attribute.empty()) co_return Err(invalid_parameter("Auto verification not turned on."));
  const Who who{.pool = at.pool->id(), .client = in.client_id, .user = user.name};
  model::ResendConfirmationCodeOutput out;
  out.code_delivery_details = CO_TRY(co_await send_code(service, who, "sign-up", attribute, "CustomMessage_ResendCode", in.client_metadata.value_or(TextPairs{}), call.now));
  co_await service.committed();
  co_return out;
}

Task<Reply<model::ForgotPasswordOutput>> ForgotPassword(Cognito& service, const model::ForgotPasswordInput& in, const Call& call) {
  const auto at = CO_TRY(service.client(in.client_id));
  CO_TRY(check_secret_hash(*at.client, in.username, in.secret_hash));
  User* const user = at.pool->users.find(in.username);
  if (!user) {
    if (at.client->prevent_user_existence_errors != "ENABLED") co_return Err(aws::Error(errors::kUserNotFoundException, "Username/client id combination not found."));
    // An answer as if there were such a user.
    co_return model::ForgotPasswordOutput{.code_delivery_details = model::CodeDeliveryDetailsType{.destination = in.username.substr(0, 1) + "***@e***", .delivery_medium = "EMAIL", .attribute_name = "email"}};
  }
  if (!user->enabled) co_return Err(not_authorized_error("User is disabled."));
  if (user->status == identity::UserStatus::kForceChangePassword) co_return Err(not_authorized_error("User password cannot be reset in the current state."));
  const std::string attribute = code_attribute(*at.pool, *user, true);
  if (attribute.empty()) co_return Err(invalid_parameter("Cannot reset password for the user as there is no registered/verified email or phone_number"));
  const Who who{.pool = at.pool->id(), .client = in.client_id, .user = user->name};
  model::ForgotPasswordOutput out;
  out.code_delivery_details = CO_TRY(co_await send_code(service, who, "forgot", attribute, "CustomMessage_ForgotPassword", in.client_metadata.value_or(TextPairs{}), call.now));
  co_await service.committed();
  co_return out;
}

Task<Reply<model::ConfirmForgotPasswordOutput>> ConfirmForgotPassword(Cognito& service, const model::ConfirmForgotPasswordInput& in, const Call& call) {
  Who who{.pool = {}, .client = in.client_id, .user = {}};
  {
    const auto at = CO_TRY(service.client(in.client_id));
    CO_TRY(check_secret_hash(*at.client, in.username, in.secret_hash));
    User& user = *CO_TRY(user_of(at, in.username));
    if (const std::string fault = identity::password_fault(policy_of(*at.pool), in.password); !fault.empty()) co_return Err(aws::Error(errors::kInvalidPasswordException, "Password did not conform with policy: " + fault));
    const auto fault = identity::take_code(user, "forgot", in.confirmation_code, call.now);
    service.save(*at.pool, user);
    if (fault != identity::CodeFault::kNone) {
      co_await service.committed();
      co_return Err(code_error(fault));
    }
    who.pool = at.pool->id();
    who.user = user.name;
  }
  CO_TRY(co_await set_password(service, who, in.password, true, call.now));
  User& user = *CO_TRY(service.user(*CO_TRY(service.pool(who.pool)), who.user));
  user.signed_out = call.now;
  service.save(*CO_TRY(service.pool(who.pool)), user);
  Json request = Json::object({{"userAttributes", attributes_json(user)}, {"clientMetadata", metadata_json(in.client_metadata)}});
  co_await service.committed();
  CO_TRY(co_await invoke_trigger(service, who, {"PostConfirmation", "PostConfirmation_ConfirmForgotPassword"}, std::move(request), Json::object()));
  co_return model::ConfirmForgotPasswordOutput{};
}

}  // namespace reef::service::cognito::operations
