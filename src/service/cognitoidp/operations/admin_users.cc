// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminCreateUser.html
#include <algorithm>

#include "base/random.h"
#include "service/cognitoidp/operations.h"
#include "wire/json.h"

namespace reef::service::cognito::operations {
namespace {

using wire::Json;

// The pool and one of its users, for the operations that name both.
struct Named {
  Pool* pool;
  User* user;
};
Reply<Named> named(Cognito& service, const Call& call, const std::string& pool_id, const std::string& username) {
  Pool* const pool = TRY(service.pool(call, pool_id));
  return Named{pool, TRY(service.user(*pool, username))};
}

// A filter of ListUsers: `email = "x"` or `email ^= "x"`.
struct Filter {
  std::string attribute, value;
  bool is_prefix = false;
};
Reply<std::optional<Filter>> parse_filter(const std::optional<std::string>& text) {
  if (!text || trim(*text).empty()) return std::optional<Filter>();
  const auto bad = [] { return Err(invalid_parameter("Error while parsing filter.")); };
  std::string_view rest = trim(*text);
  const auto end = rest.find_first_of(" ^=");
  if (end == std::string_view::npos || end == 0) return bad();
  Filter out{.attribute = std::string(rest.substr(0, end))};
  if (out.attribute.size() > 2 && out.attribute.front() == '"' && out.attribute.back() == '"') out.attribute = out.attribute.substr(1, out.attribute.size() - 2);
  rest = trim(rest.substr(end));
  if (rest.starts_with("^=")) out.is_prefix = true, rest.remove_prefix(2);
  else if (rest.starts_with("=")) rest.remove_prefix(1);
  else return bad();
  rest = trim(rest);
  if (rest.size() < 2 || rest.front() != '"' || rest.back() != '"') return bad();
  rest = rest.substr(1, rest.size() - 2);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '"') return bad();
    if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
    out.value += rest[i];
  }
  // https://docs.aws.amazon.com/cognito/latest/developerguide/how-to-manage-user-accounts.html
  constexpr std::string_view kSearchable[] = {"username", "email", "phone_number", "name", "given_name", "family_name", "preferred_username", "cognito:user_status", "status", "sub"};
  if (std::find(std::begin(kSearchable), std::end(kSearchable), out.attribute) == std::end(kSearchable)) return Err(invalid_parameter("Invalid search attribute: " + out.attribute));
  return std::optional(std::move(out));
}
bool passes(const Filter& filter, const User& user) {
  const std::string actual = filter.attribute == "username" ? user.name : filter.attribute == "cognito:user_status" ? std::string(name_of(user.status)) : filter.attribute == "status" ? (user.enabled ? "Enabled" : "Disabled") : user.attribute(filter.attribute);
  return filter.is_prefix ? actual.starts_with(filter.value) : actual == filter.value;
}

// What is sent to a user who is invited.
void invite(Cognito& service, const Pool& pool, const User& user, const std::string& password, const Json& own, Time now) {
  std::string subject = "Your temporary password", text = "Your username is {username} and temporary password is {####}.";
  const auto& config = pool.value.admin_create_user_config;
  const bool is_email = !user.attribute("email").empty();
  if (config && config->invite_message_template) {
    if (config->invite_message_template->email_subject) subject = *config->invite_message_template->email_subject;
    const auto& message = is_email ? config->invite_message_template->email_message : config->invite_message_template->sms_message;
    if (message) text = *message;
  }
  if (!own.text("emailSubject").empty()) subject = own.text("emailSubject");
  if (!own.text(is_email ? "emailMessage" : "smsMessage").empty()) text = own.text(is_email ? "emailMessage" : "smsMessage");
  deliver(service, pool, user, is_email ? "EMAIL" : "SMS", user.attribute(is_email ? "email" : "phone_number"), subject, replace_all(replace_all(text, "{username}", user.name), "{####}", password), now);
}

}  // namespace

Task<Reply<model::AdminCreateUserOutput>> AdminCreateUser(Cognito& service, const model::AdminCreateUserInput& in, const Call& call) {
  std::string name, password;
  const bool resends = in.message_action == "RESEND";
  {
    Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
    password = in.temporary_password.value_or(identity::make_password(policy_of(pool), thread_random()));
    if (const std::string fault = identity::password_fault(policy_of(pool), password); !fault.empty()) co_return Err(aws::Error(errors::kInvalidPasswordException, "Password did not conform with password policy: " + fault));
    if (resends) {
      const User& user = *CO_TRY(service.user(pool, in.username));
      if (user.status != identity::UserStatus::kForceChangePassword) co_return Err(aws::Error(errors::kUnsupportedUserStateException, "Resend not possible. User status is not FORCE_CHANGE_PASSWORD"));
      name = user.name;
    } else {
      User user = CO_TRY(new_user(pool, in.username, CO_TRY(read_attributes(pool, in.user_attributes, nullptr, nullptr)), call.now));
      CO_TRY(check_free(pool, user, true));
      for (const std::string_view attribute : {"email", "phone_number"})
        if (User* const holder = user.is_verified(attribute) ? pool.users.alias_holder(attribute, user.attribute(attribute), nullptr) : nullptr) {
          if (!in.force_alias_creation.value_or(false)) co_return Err(aws::Error(errors::kAliasExistsException, fmt::format("An account with the {} already exists.", attribute)));
          holder->attributes[std::string(attribute) + "_verified"] = "false";
          service.save(pool, *holder);
        }
      Json validation = Json::object(), metadata = Json::object();
      if (in.validation_data)
        for (const auto& one : *in.validation_data) validation.set(one.name, one.value.value_or(""));
      if (in.client_metadata)
        for (const auto& [key, value] : *in.client_metadata) metadata.set(key, value);
      CO_TRY(co_await invoke_trigger(service, {.pool = in.user_pool_id, .client = {}, .user = user.name}, {"PreSignUp", "PreSignUp_AdminCreateUser"},
                                     Json::object({{"userAttributes", attributes_json(user)}, {"validationData", std::move(validation)}, {"clientMetadata", std::move(metadata)}}),
                                     Json::object({{"autoConfirmUser", false}, {"autoVerifyEmail", false}, {"autoVerifyPhone", false}})));
      Pool& now_pool = *CO_TRY(service.pool(call, in.user_pool_id));
      CO_TRY(check_free(now_pool, user, true));
      user.status = identity::UserStatus::kForceChangePassword;
      name = user.name;
      if (User* const kept = now_pool.users.put(std::move(user))) service.save(now_pool, *kept);
      else co_return Err(aws::Error(errors::kUsernameExistsException, "User account already exists"));
    }
  }
  const Who who{.pool = in.user_pool_id, .client = {}, .user = name};
  CO_TRY(co_await set_password(service, who, password, false, call.now));
  Json own = Json::object();
  if (in.message_action != "SUPPRESS") {
    const User& user = *CO_TRY(service.user(*CO_TRY(service.pool(in.user_pool_id)), name));
    own = CO_TRY(co_await invoke_trigger(service, who, {"CustomMessage", resends ? "CustomMessage_ResendCode" : "CustomMessage_AdminCreateUser"},
                                         Json::object({{"userAttributes", attributes_json(user)}, {"codeParameter", "{####}"}, {"usernameParameter", "{username}"}}),
                                         Json::object({{"smsMessage", Json()}, {"emailMessage", Json()}, {"emailSubject", Json()}})));
  }
  Pool& pool = *CO_TRY(service.pool(in.user_pool_id));
  const User& user = *CO_TRY(service.user(pool, name));
  const model::UserType out = shown(user);
  if (in.message_action != "SUPPRESS") invite(service, pool, user, password, own, call.now);
  co_await service.committed();
  co_return model::AdminCreateUserOutput{.user = out};
}

Task<Reply<model::AdminGetUserOutput>> AdminGetUser(Cognito& service, const model::AdminGetUserInput& in, const Call& call) {
  const User& user = *(CO_TRY(named(service, call, in.user_pool_id, in.username))).user;
  model::AdminGetUserOutput out{.username = user.name, .user_attributes = shown_attributes(user), .user_create_date = user.created, .user_last_modified_date = user.modified, .enabled = user.enabled,
                                .user_status = std::string(name_of(user.status))};
  if (!user.totp_secret.empty()) out.user_mfa_setting_list = {"SOFTWARE_TOKEN_MFA"};
  if (user.prefers_totp) out.preferred_mfa_setting = "SOFTWARE_TOKEN_MFA";
  co_return out;
}

Task<Reply<model::AdminDeleteUserOutput>> AdminDeleteUser(Cognito& service, const model::AdminDeleteUserInput& in, const Call& call) {
  const Named at = CO_TRY(named(service, call, in.user_pool_id, in.username));
  service.erase("user", in.user_pool_id + "/" + at.user->subject);
  at.pool->users.erase(std::string(at.user->name));
  co_await service.committed();
  co_return model::AdminDeleteUserOutput{};
}

Task<Reply<model::AdminSetUserPasswordOutput>> AdminSetUserPassword(Cognito& service, const model::AdminSetUserPasswordInput& in, const Call& call) {
  const std::string name = (CO_TRY(named(service, call, in.user_pool_id, in.username))).user->name;
  CO_TRY(co_await set_password(service, {.pool = in.user_pool_id, .client = {}, .user = name}, in.password, in.permanent.value_or(false), call.now));
  co_await service.committed();
  co_return model::AdminSetUserPasswordOutput{};
}

Task<Reply<model::AdminUpdateUserAttributesOutput>> AdminUpdateUserAttributes(Cognito& service, const model::AdminUpdateUserAttributesInput& in, const Call& call) {
  const Named at = CO_TRY(named(service, call, in.user_pool_id, in.username));
  const TextPairs changes = CO_TRY(read_attributes(*at.pool, in.user_attributes, at.user, nullptr));
  for (const std::string_view attribute : {"email", "phone_number"}) {
    const auto found = changes.find(attribute);
    if (found != changes.end() && at.pool->users.alias_holder(attribute, found->second, at.user))
      co_return Err(aws::Error(errors::kAliasExistsException, fmt::format("An account with the given {} already exists.", attribute)));
  }
  for (const auto& [name, value] : changes) {
    // A new address is nobody's until it is verified.
    if ((name == "email" || name == "phone_number") && at.user->attribute(name) != value && !changes.contains(name + "_verified")) at.user->attributes[name + "_verified"] = "false";
    if (value.empty()) at.user->attributes.erase(name);
    else at.user->attributes[name] = value;
  }
  at.user->modified = call.now;
  service.save(*at.pool, *at.user);
  co_await service.committed();
  co_return model::AdminUpdateUserAttributesOutput{};
}

Task<Reply<model::AdminDeleteUserAttributesOutput>> AdminDeleteUserAttributes(Cognito& service, const model::AdminDeleteUserAttributesInput& in, const Call& call) {
  const Named at = CO_TRY(named(service, call, in.user_pool_id, in.username));
  for (const std::string& name : in.user_attribute_names)
    if (name == "sub" || at.pool->is_username_attribute(name)) co_return Err(invalid_parameter(fmt::format("user.{}: Attribute cannot be deleted.", name)));
  for (const std::string& name : in.user_attribute_names) at.user->attributes.erase(name);
  at.user->modified = call.now;
  service.save(*at.pool, *at.user);
  co_await service.committed();
  co_return model::AdminDeleteUserAttributesOutput{};
}

Task<Reply<model::AdminEnableUserOutput>> AdminEnableUser(Cognito& service, const model::AdminEnableUserInput& in, const Call& call) {
  const Named at = CO_TRY(named(service, call, in.user_pool_id, in.username));
  at.user->enabled = true;
  at.user->modified = call.now;
  service.save(*at.pool, *at.user);
  co_await service.committed();
  co_return model::AdminEnableUserOutput{};
}

Task<Reply<model::AdminDisableUserOutput>> AdminDisableUser(Cognito& service, const model::AdminDisableUserInput& in, const Call& call) {
  const Named at = CO_TRY(named(service, call, in.user_pool_id, in.username));
  at.user->enabled = false;
  at.user->signed_out = at.user->modified = call.now;
  service.save(*at.pool, *at.user);
  co_await service.committed();
  co_return model::AdminDisableUserOutput{};
}

Task<Reply<model::AdminConfirmSignUpOutput>> AdminConfirmSignUp(Cognito& service, const model::AdminConfirmSignUpInput& in, const Call& call) {
  const Named at = CO_TRY(named(service, call, in.user_pool_id, in.username));
  if (at.user->status != identity::UserStatus::kUnconfirmed) co_return Err(not_authorized_error(fmt::format("User cannot be confirmed. Current status is {}", name_of(at.user->status))));
  at.user->status = identity::UserStatus::kConfirmed;
  at.user->codes.erase("sign-up");
  at.user->modified = call.now;
  const Who who{.pool = in.user_pool_id, .client = {}, .user = at.user->name};
  Json request = Json::object({{"userAttributes", attributes_json(*at.user)}});
  service.save(*at.pool, *at.user);
  co_await service.committed();
  CO_TRY(co_await invoke_trigger(service, who, {"PostConfirmation", "PostConfirmation_ConfirmSignUp"}, std::move(request), Json::object()));
  co_return model::AdminConfirmSignUpOutput{};
}

Task<Reply<model::AdminResetUserPasswordOutput>> AdminResetUserPassword(Cognito& service, const model::AdminResetUserPasswordInput& in, const Call& call) {
  const Named at = CO_TRY(named(service, call, in.user_pool_id, in.username));
  const std::string attribute = code_attribute(*at.pool, *at.user, true);
  if (attribute.empty()) co_return Err(invalid_parameter("Cannot reset password for the user as there is no registered/verified email or phone_number"));
  if (at.user->status == identity::UserStatus::kForceChangePassword) co_return Err(not_authorized_error("User password cannot be reset in the current state."));
  at.user->status = identity::UserStatus::kResetRequired;
  service.save(*at.pool, *at.user);
  const Who who{.pool = in.user_pool_id, .client = {}, .user = at.user->name};
  CO_TRY(co_await send_code(service, who, "forgot", attribute, "CustomMessage_ForgotPassword", in.client_metadata.value_or(TextPairs{}), call.now));
  co_await service.committed();
  co_return model::AdminResetUserPasswordOutput{};
}

Task<Reply<model::AdminUserGlobalSignOutOutput>> AdminUserGlobalSignOut(Cognito& service, const model::AdminUserGlobalSignOutInput& in, const Call& call) {
  const Named at = CO_TRY(named(service, call, in.user_pool_id, in.username));
  at.user->signed_out = call.now;
  service.save(*at.pool, *at.user);
  co_await service.committed();
  co_return model::AdminUserGlobalSignOutOutput{};
}

Task<Reply<model::ListUsersOutput>> ListUsers(Cognito& service, const model::ListUsersInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  const auto filter = CO_TRY(parse_filter(in.filter));
  std::vector<model::UserType> all;
  for (const auto& [name, user] : pool.users.users()) {
    if (filter && !passes(*filter, user)) continue;
    all.push_back(shown(user));
    if (in.attributes_to_get && !in.attributes_to_get->empty())
      std::erase_if(*all.back().attributes, [&](const auto& one) { return std::find(in.attributes_to_get->begin(), in.attributes_to_get->end(), one.name) == in.attributes_to_get->end(); });
  }
  model::ListUsersOutput out;
  out.pagination_token = CO_TRY(cut_page(all, in.pagination_token, static_cast<std::size_t>(in.limit.value_or(60))));
  out.users = std::move(all);
  co_return out;
}

}  // namespace reef::service::cognito::operations
