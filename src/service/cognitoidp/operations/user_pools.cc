// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html
#include <algorithm>

#include "base/random.h"
#include "base/seal.h"
#include "service/cognitoidp/operations.h"

namespace reef::service::cognito::operations {
namespace {

constexpr std::size_t kPoolsMax = 1000, kCustomMax = 50;

struct Standard {
  const char* name;
  const char* type;
};
// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html#cognito-user-pools-standard-attributes
constexpr Standard kStandard[] = {{"profile", "String"}, {"address", "String"}, {"birthdate", "String"}, {"gender", "String"}, {"preferred_username", "String"}, {"updated_at", "Number"},
                                  {"website", "String"}, {"picture", "String"}, {"identities", "String"}, {"sub", "String"}, {"phone_number", "String"}, {"phone_number_verified", "Boolean"},
                                  {"zoneinfo", "String"}, {"locale", "String"}, {"email", "String"}, {"email_verified", "Boolean"}, {"given_name", "String"}, {"family_name", "String"},
                                  {"middle_name", "String"}, {"name", "String"}, {"nickname", "String"}};

model::SchemaAttributeType standard(const Standard& one) {
  const std::string_view name = one.name, type = one.type;
  model::SchemaAttributeType out{.name = one.name, .attribute_data_type = one.type, .developer_only_attribute = false, .mutable_ = name != "sub", .required = name == "sub"};
  if (name == "sub") out.string_attribute_constraints = {{.min_length = "1", .max_length = "2048"}};
  else if (name == "birthdate") out.string_attribute_constraints = {{.min_length = "10", .max_length = "10"}};
  else if (name == "identities") out.string_attribute_constraints.emplace();
  else if (type == "String") out.string_attribute_constraints = {{.min_length = "0", .max_length = "2048"}};
  else if (type == "Number") out.number_attribute_constraints = {{.min_value = "0", .max_value = std::nullopt}};
  return out;
}

Reply<void> add_custom(std::vector<model::SchemaAttributeType>& schema, const model::SchemaAttributeType& asked) {
  model::SchemaAttributeType own = asked;
  if (!own.name || own.name->empty()) return Err(invalid_parameter("The name of a schema attribute is required."));
  const std::string prefix = own.developer_only_attribute.value_or(false) ? "dev:custom:" : "custom:";
  if (!own.name->starts_with(prefix)) own.name = prefix + *own.name;
  own.attribute_data_type = own.attribute_data_type.value_or("String");
  own.developer_only_attribute = own.developer_only_attribute.value_or(false);
  own.mutable_ = own.mutable_.value_or(true);
  if (own.required.value_or(false)) return Err(invalid_parameter("Required custom attributes are not supported currently."));
  own.required = false;
  if (own.attribute_data_type == "String" && !own.string_attribute_constraints) own.string_attribute_constraints.emplace();
  if (own.attribute_data_type == "Number" && !own.number_attribute_constraints) own.number_attribute_constraints.emplace();
  if (std::any_of(schema.begin(), schema.end(), [&](const auto& other) { return other.name == own.name; }))
    return Err(invalid_parameter(fmt::format("{}: Existing attribute already has name {}.", *own.name, *own.name)));
  schema.push_back(std::move(own));
  return {};
}

Reply<std::vector<model::SchemaAttributeType>> make_schema(const std::optional<std::vector<model::SchemaAttributeType>>& asked) {
  std::vector<model::SchemaAttributeType> out;
  for (const Standard& one : kStandard) out.push_back(standard(one));
  if (!asked) return out;
  for (const auto& attribute : *asked) {
    const auto found = std::find_if(out.begin(), out.end(), [&](const auto& other) { return other.name == attribute.name; });
    if (found == out.end()) {
      TRY(add_custom(out, attribute));
      continue;
    }
    if (attribute.mutable_) found->mutable_ = attribute.mutable_;
    if (attribute.required) found->required = attribute.required;
    if (attribute.string_attribute_constraints) found->string_attribute_constraints = attribute.string_attribute_constraints;
    if (attribute.number_attribute_constraints) found->number_attribute_constraints = attribute.number_attribute_constraints;
  }
  return out;
}

Reply<void> check_pool(const model::UserPoolType& pool) {
  if (pool.alias_attributes && !pool.alias_attributes->empty() && pool.username_attributes && !pool.username_attributes->empty())
    return Err(invalid_parameter("Only one of the aliasAttributes or usernameAttributes can be set in a user pool."));
  if (pool.policies && pool.policies->password_policy)
    if (const auto least = pool.policies->password_policy->minimum_length; least && (*least < 6 || *least > 99))
      return Err(invalid_parameter(fmt::format("1 validation error detected: Value '{}' at 'policies.passwordPolicy.minimumLength' failed to satisfy constraint: Member must have value between 6 and 99", *least)));
  if (!pool.lambda_config) return {};
  const auto& functions = *pool.lambda_config;
  for (const auto& [name, function] : {std::pair("DefineAuthChallenge", &functions.define_auth_challenge), std::pair("CreateAuthChallenge", &functions.create_auth_challenge),
                                       std::pair("VerifyAuthChallengeResponse", &functions.verify_auth_challenge_response), std::pair("UserMigration", &functions.user_migration)})
    if (function->has_value()) return Err(aws::not_implemented(fmt::format("Lambda trigger '{}' of a user pool", name)));
  if (functions.custom_sms_sender || functions.custom_email_sender) return Err(aws::not_implemented("Custom sender Lambda triggers of a user pool"));
  return {};
}

// What both creating and updating take.
template <class In>
void take(model::UserPoolType& pool, const In& in) {
  pool.policies = in.policies;
  if (in.deletion_protection) pool.deletion_protection = in.deletion_protection;
  pool.lambda_config = in.lambda_config ? in.lambda_config : model::LambdaConfigType{};
  pool.auto_verified_attributes = in.auto_verified_attributes;
  pool.sms_verification_message = in.sms_verification_message;
  pool.email_verification_message = in.email_verification_message;
  pool.email_verification_subject = in.email_verification_subject;
  pool.verification_message_template = in.verification_message_template ? in.verification_message_template : model::VerificationMessageTemplateType{};
  if (!pool.verification_message_template->default_email_option) pool.verification_message_template->default_email_option = "CONFIRM_WITH_CODE";
  pool.sms_authentication_message = in.sms_authentication_message;
  pool.user_attribute_update_settings = in.user_attribute_update_settings;
  pool.mfa_configuration = in.mfa_configuration.value_or(pool.mfa_configuration.value_or("OFF"));
  pool.device_configuration = in.device_configuration;
  pool.email_configuration = in.email_configuration ? in.email_configuration : model::EmailConfigurationType{};
  if (!pool.email_configuration->email_sending_account) pool.email_configuration->email_sending_account = "COGNITO_DEFAULT";
  pool.sms_configuration = in.sms_configuration;
  if (in.user_pool_tags) pool.user_pool_tags = in.user_pool_tags;
  if (!pool.user_pool_tags) pool.user_pool_tags.emplace();
  pool.admin_create_user_config = in.admin_create_user_config ? in.admin_create_user_config : model::AdminCreateUserConfigType{};
  if (!pool.admin_create_user_config->allow_admin_create_user_only) pool.admin_create_user_config->allow_admin_create_user_only = false;
  pool.user_pool_add_ons = in.user_pool_add_ons;
  pool.account_recovery_setting = in.account_recovery_setting;
  pool.user_pool_tier = in.user_pool_tier.value_or(pool.user_pool_tier.value_or("ESSENTIALS"));
  if (!pool.policies) pool.policies.emplace();
  if (!pool.policies->password_policy) pool.policies->password_policy = {.minimum_length = 8, .require_uppercase = true, .require_lowercase = true, .require_numbers = true, .require_symbols = true};
  auto& policy = *pool.policies->password_policy;
  policy.minimum_length = policy.minimum_length.value_or(8);
  for (auto* flag : {&policy.require_uppercase, &policy.require_lowercase, &policy.require_numbers, &policy.require_symbols}) *flag = flag->value_or(false);
  policy.temporary_password_validity_days = policy.temporary_password_validity_days.value_or(7);
}

model::UserPoolType shown_pool(const Cognito& service, const Pool& pool) {
  model::UserPoolType out = pool.value;
  out.estimated_number_of_users = static_cast<std::int32_t>(pool.users.users().size());
  for (const auto& [domain, id] : service.domains)
    if (id == pool.id()) out.domain = domain;
  return out;
}

Reply<Pool*> pool_of_arn(Cognito& service, const Call& call, std::string_view arn) {
  const auto slash = arn.rfind('/');
  if (!arn.starts_with("arn:") || slash == std::string_view::npos) return Err(invalid_parameter("Invalid ARN"));
  return service.pool(call, arn.substr(slash + 1));
}

}  // namespace

Task<Reply<model::CreateUserPoolOutput>> CreateUserPool(Cognito& service, const model::CreateUserPoolInput& in, const Call& call) {
  if (service.pools.size() >= kPoolsMax) co_return Err(aws::Error(errors::kLimitExceededException, "The limit of user pools is exceeded."));
  auto pool = std::make_unique<Pool>();
  model::UserPoolType& value = pool->value;
  take(value, in);
  value.name = in.pool_name;
  value.alias_attributes = in.alias_attributes;
  value.username_attributes = in.username_attributes;
  value.username_configuration = in.username_configuration;
  value.schema_attributes = CO_TRY(make_schema(in.schema));
  value.deletion_protection = value.deletion_protection.value_or("INACTIVE");
  CO_TRY(check_pool(value));
  auto keys = co_await service.workers.make_keys();
  if (!keys) co_return Err(aws::Error(errors::kInternalErrorException, keys.error().message));
  value.id = make_pool_id(call.region);
  value.arn = call.arn("cognito-idp", "userpool/" + *value.id);
  value.creation_date = value.last_modified_date = call.now;
  pool->signer = {.key_id = make_token(thread_random(), 43, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") + "=", .private_pem = std::move(keys->private_pem)};
  pool->public_pem = std::move(keys->public_pem);
  pool->seal_key = secret_bytes(kSealKeyBytes);
  pool->users.set_rules(rules_of(value));
  const std::string id = *value.id;
  const model::UserPoolType made = value;
  service.save(*pool);
  service.publish(*pool);
  service.pools.emplace(id, std::move(pool));
  co_await service.committed();
  co_return model::CreateUserPoolOutput{.user_pool = made};
}

Task<Reply<model::DescribeUserPoolOutput>> DescribeUserPool(Cognito& service, const model::DescribeUserPoolInput& in, const Call& call) {
  co_return model::DescribeUserPoolOutput{.user_pool = shown_pool(service, *CO_TRY(service.pool(call, in.user_pool_id)))};
}

Task<Reply<model::UpdateUserPoolOutput>> UpdateUserPool(Cognito& service, const model::UpdateUserPoolInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  model::UserPoolType after = pool.value;
  take(after, in);
  if (in.pool_name) after.name = in.pool_name;
  CO_TRY(check_pool(after));
  after.last_modified_date = call.now;
  pool.value = std::move(after);
  service.save(pool);
  co_await service.committed();
  co_return model::UpdateUserPoolOutput{};
}

Task<Reply<model::DeleteUserPoolOutput>> DeleteUserPool(Cognito& service, const model::DeleteUserPoolInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  if (pool.value.deletion_protection == "ACTIVE") co_return Err(invalid_parameter("The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first."));
  for (const auto& [domain, id] : service.domains)
    if (id == in.user_pool_id) co_return Err(invalid_parameter("User pool cannot be deleted. It has a domain configured that should be deleted first."));
  service.withdraw(pool);
  for (const auto& [id, client] : pool.clients) {
    service.client_pools.erase(id);
    service.identity_clients.erase(*pool.value.arn, id);
    service.erase("client", in.user_pool_id + "/" + id);
  }
  for (const auto& [name, group] : pool.groups) service.erase("group", in.user_pool_id + "/" + name);
  for (const auto& [name, server] : pool.servers) service.erase("server", in.user_pool_id + "/" + name);
  for (const auto& [name, user] : pool.users.users()) service.erase("user", in.user_pool_id + "/" + user.subject);
  service.erase("pool", in.user_pool_id);
  service.pools.erase(in.user_pool_id);
  co_await service.committed();
  co_return model::DeleteUserPoolOutput{};
}

Task<Reply<model::ListUserPoolsOutput>> ListUserPools(Cognito& service, const model::ListUserPoolsInput& in, const Call& call) {
  std::vector<model::UserPoolDescriptionType> all;
  for (const auto& [id, pool] : service.pools)
    if (pool->account() == call.account && pool->region() == call.region)
      all.push_back({.id = id, .name = pool->value.name, .lambda_config = pool->value.lambda_config, .last_modified_date = pool->value.last_modified_date, .creation_date = pool->value.creation_date});
  model::ListUserPoolsOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.max_results)));
  out.user_pools = std::move(all);
  co_return out;
}

Task<Reply<model::AddCustomAttributesOutput>> AddCustomAttributes(Cognito& service, const model::AddCustomAttributesInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  auto schema = *pool.value.schema_attributes;
  for (const auto& attribute : in.custom_attributes) CO_TRY(add_custom(schema, attribute));
  if (schema.size() > std::size(kStandard) + kCustomMax) co_return Err(aws::Error(errors::kLimitExceededException, "The limit of custom attributes is exceeded."));
  pool.value.schema_attributes = std::move(schema);
  service.save(pool);
  co_await service.committed();
  co_return model::AddCustomAttributesOutput{};
}

Task<Reply<model::GetUserPoolMfaConfigOutput>> GetUserPoolMfaConfig(Cognito& service, const model::GetUserPoolMfaConfigInput& in, const Call& call) {
  const Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  model::GetUserPoolMfaConfigOutput out{.mfa_configuration = pool.value.mfa_configuration.value_or("OFF")};
  if (pool.totp_enabled) out.software_token_mfa_configuration = {.enabled = true};
  co_return out;
}

Task<Reply<model::SetUserPoolMfaConfigOutput>> SetUserPoolMfaConfig(Cognito& service, const model::SetUserPoolMfaConfigInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  if (in.sms_mfa_configuration) co_return Err(aws::not_implemented("SMS MFA of a user pool"));
  if (in.email_mfa_configuration) co_return Err(aws::not_implemented("Email MFA of a user pool"));
  const bool totp = in.software_token_mfa_configuration && in.software_token_mfa_configuration->enabled.value_or(false);
  if (in.mfa_configuration && in.mfa_configuration != "OFF" && !totp) co_return Err(invalid_parameter("Invalid MFA configuration given, can't turn on MFA without any MFA types enabled."));
  if (in.mfa_configuration) pool.value.mfa_configuration = in.mfa_configuration;
  pool.totp_enabled = totp;
  service.save(pool);
  co_await service.committed();
  co_return model::SetUserPoolMfaConfigOutput{.software_token_mfa_configuration = in.software_token_mfa_configuration, .mfa_configuration = pool.value.mfa_configuration};
}

Task<Reply<model::TagResourceOutput>> TagResource(Cognito& service, const model::TagResourceInput& in, const Call& call) {
  Pool& pool = *CO_TRY(pool_of_arn(service, call, in.resource_arn));
  for (const auto& [key, value] : in.tags) (*pool.value.user_pool_tags)[key] = value;
  service.save(pool);
  co_await service.committed();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> UntagResource(Cognito& service, const model::UntagResourceInput& in, const Call& call) {
  Pool& pool = *CO_TRY(pool_of_arn(service, call, in.resource_arn));
  for (const std::string& key : in.tag_keys) pool.value.user_pool_tags->erase(key);
  service.save(pool);
  co_await service.committed();
  co_return model::UntagResourceOutput{};
}

Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(Cognito& service, const model::ListTagsForResourceInput& in, const Call& call) {
  co_return model::ListTagsForResourceOutput{.tags = (*CO_TRY(pool_of_arn(service, call, in.resource_arn))).value.user_pool_tags};
}

}  // namespace reef::service::cognito::operations
