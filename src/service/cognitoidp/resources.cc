// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Cognito.html
#include "service/cognitoidp/resources.h"

#include "base/text.h"

namespace reef::service::cognito::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;
constexpr OnChange kReplace = OnChange::kReplace;

Task<aws::Reply<Json>> call(const ResourceContext& context, std::string_view operation, Json input) { return aws::call_operation(context, "cognitoidp", operation, std::move(input)); }

// Every property but those named, as the operation takes it.
Json input_but(const Json& properties, std::initializer_list<std::string_view> left_out) {
  Json out = Json::object();
  for (const auto& [name, value] : properties.as_object())
    if (std::find(left_out.begin(), left_out.end(), name) == left_out.end()) out.set(name, value);
  return out;
}

// --- UserPool --------------------------------------------------------------------------------------------------------

Json pool_input(const ResourceContext& context, const Json& properties) {
  Json out = input_but(properties, {"UserPoolName", "UserPoolTags", "EnabledMfas"});
  Json tags = Json::object();
  for (const Json& tag : context.tags.as_array()) tags.set(tag.text("Key"), tag["Value"]);
  for (const auto& [key, value] : properties["UserPoolTags"].as_object()) tags.set(key, value);
  if (tags.size() > 0) out.set("UserPoolTags", std::move(tags));
  return out;
}

// Authenticator apps are switched on by another operation than the rest.
Task<aws::Reply<void>> set_mfa(const ResourceContext& context, const std::string& id, const Json& properties) {
  bool totp = false;
  for (const Json& kind : properties["EnabledMfas"].as_array()) totp = totp || kind.as_string() == "SOFTWARE_TOKEN_MFA";
  if (!totp) co_return aws::Reply<void>();
  Json input = Json::object({{"UserPoolId", id}, {"SoftwareTokenMfaConfiguration", Json::object({{"Enabled", true}})}});
  if (properties.contains("MfaConfiguration")) input.set("MfaConfiguration", properties["MfaConfiguration"]);
  CO_TRY(co_await call(context, "SetUserPoolMfaConfig", std::move(input)));
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> create_pool(const ResourceContext& context, const Json& properties) {
  Json input = pool_input(context, properties);
  const std::string& given = properties.text("UserPoolName");
  input.set("PoolName", given.empty() ? context.generated_name(128) : given);
  // Required MFA needs a method first.
  const bool has_mfa = properties["EnabledMfas"].size() > 0;
  if (has_mfa) input.set("MfaConfiguration", "OFF");
  const Json out = CO_TRY(co_await call(context, "CreateUserPool", std::move(input)));
  const Json& made = out["UserPool"];
  const std::string id = made.text("Id"), host = "cognito-idp." + id.substr(0, id.find('_')) + ".amazonaws.com/" + id;
  if (has_mfa) CO_TRY(co_await set_mfa(context, id, properties));
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Arn", made["Arn"]}, {"UserPoolId", id}, {"ProviderName", host}, {"ProviderURL", "https://" + host}})};
}
Task<aws::Reply<ResourceState>> update_pool(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json added = Json::array();
  const auto& old = before["Schema"].as_array();
  for (const Json& attribute : after["Schema"].as_array()) {
    bool is_known = false;
    for (const Json& other : old) is_known = is_known || other.text("Name") == attribute.text("Name");
    if (!is_known) added.push_back(attribute);
  }
  Json input = pool_input(context, after);
  for (const std::string_view fixed : {"Schema", "AliasAttributes", "UsernameAttributes", "UsernameConfiguration"}) input.erase(fixed);
  input.set("UserPoolId", current.physical_id);
  CO_TRY(co_await call(context, "UpdateUserPool", std::move(input)));
  if (added.size() > 0) CO_TRY(co_await call(context, "AddCustomAttributes", Json::object({{"UserPoolId", current.physical_id}, {"CustomAttributes", std::move(added)}})));
  CO_TRY(co_await set_mfa(context, current.physical_id, after));
  co_return current;
}
Task<aws::Reply<void>> remove_pool(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "cognitoidp", "DeleteUserPool", Json::object({{"UserPoolId", current.physical_id}}), "ResourceNotFoundException");
}

// --- UserPoolClient --------------------------------------------------------------------------------------------------

ResourceState client_state(const Json& made) {
  Json attributes = Json::object({{"ClientId", made["ClientId"]}, {"Name", made["ClientName"]}});
  if (made.contains("ClientSecret")) attributes.set("ClientSecret", made["ClientSecret"]);
  return {.physical_id = made.text("ClientId"), .attributes = std::move(attributes)};
}
Task<aws::Reply<ResourceState>> create_client(const ResourceContext& context, const Json& properties) {
  Json input = input_but(properties, {});
  if (!input.contains("ClientName")) input.set("ClientName", context.generated_name(128));
  const Json out = CO_TRY(co_await call(context, "CreateUserPoolClient", std::move(input)));
  co_return client_state(out["UserPoolClient"]);
}
Task<aws::Reply<ResourceState>> update_client(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json input = input_but(after, {"GenerateSecret"});
  input.set("ClientId", current.physical_id);
  const Json out = CO_TRY(co_await call(context, "UpdateUserPoolClient", std::move(input)));
  co_return client_state(out["UserPoolClient"]);
}
Task<aws::Reply<void>> remove_client(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  return aws::call_unless_gone(context, "cognitoidp", "DeleteUserPoolClient", Json::object({{"UserPoolId", properties["UserPoolId"]}, {"ClientId", current.physical_id}}), "ResourceNotFoundException");
}

// --- UserPoolDomain --------------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_domain(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await call(context, "CreateUserPoolDomain", input_but(properties, {})));
  co_return ResourceState{.physical_id = properties.text("Domain"), .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_domain(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  CO_TRY(co_await call(context, "UpdateUserPoolDomain", input_but(after, {})));
  co_return current;
}
Task<aws::Reply<void>> remove_domain(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const auto out = co_await call(context, "DeleteUserPoolDomain", Json::object({{"Domain", current.physical_id}, {"UserPoolId", properties["UserPoolId"]}}));
  if (!out && out.error().code != "ResourceNotFoundException" && out.error().message != "No such domain or user pool exists.") co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

// --- Groups, resource servers ----------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_group(const ResourceContext& context, const Json& properties) {
  Json input = input_but(properties, {});
  if (!input.contains("GroupName")) input.set("GroupName", context.generated_name(128));
  const std::string name = input.text("GroupName");
  CO_TRY(co_await call(context, "CreateGroup", std::move(input)));
  co_return ResourceState{.physical_id = name, .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_group(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json input = input_but(after, {});
  input.set("GroupName", current.physical_id);
  CO_TRY(co_await call(context, "UpdateGroup", std::move(input)));
  co_return current;
}
Task<aws::Reply<void>> remove_group(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  return aws::call_unless_gone(context, "cognitoidp", "DeleteGroup", Json::object({{"UserPoolId", properties["UserPoolId"]}, {"GroupName", current.physical_id}}), "ResourceNotFoundException");
}

Task<aws::Reply<ResourceState>> create_server(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await call(context, "CreateResourceServer", input_but(properties, {})));
  co_return ResourceState{.physical_id = properties.text("Identifier"), .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_server(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  CO_TRY(co_await call(context, "UpdateResourceServer", input_but(after, {})));
  co_return current;
}
Task<aws::Reply<void>> remove_server(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  return aws::call_unless_gone(context, "cognitoidp", "DeleteResourceServer", Json::object({{"UserPoolId", properties["UserPoolId"]}, {"Identifier", current.physical_id}}), "ResourceNotFoundException");
}

// --- Users -----------------------------------------------------------------------------------------------------------

Json client_metadata(const Json& properties) { return properties.contains("ClientMetadata") ? properties["ClientMetadata"] : Json::object(); }

Task<aws::Reply<ResourceState>> create_user(const ResourceContext& context, const Json& properties) {
  Json input = input_but(properties, {"ClientMetadata"});
  if (!input.contains("Username")) input.set("Username", context.generated_name(128));
  if (properties.contains("ClientMetadata")) input.set("ClientMetadata", client_metadata(properties));
  const Json out = CO_TRY(co_await call(context, "AdminCreateUser", std::move(input)));
  co_return ResourceState{.physical_id = out["User"].text("Username"), .attributes = Json::object()};
}
Task<aws::Reply<void>> remove_user(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const auto out = co_await call(context, "AdminDeleteUser", Json::object({{"UserPoolId", properties["UserPoolId"]}, {"Username", current.physical_id}}));
  if (!out && out.error().code != "ResourceNotFoundException" && out.error().code != "UserNotFoundException") co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> create_attachment(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await call(context, "AdminAddUserToGroup", input_but(properties, {})));
  co_return ResourceState{.physical_id = properties.text("UserPoolId") + "|" + properties.text("GroupName") + "|" + properties.text("Username"), .attributes = Json::object()};
}
Task<aws::Reply<void>> remove_attachment(const ResourceContext& context, const ResourceState&, const Json& properties) {
  const auto out = co_await call(context, "AdminRemoveUserFromGroup", input_but(properties, {}));
  if (!out && out.error().code != "ResourceNotFoundException" && out.error().code != "UserNotFoundException") co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

}  // namespace

const aws::ResourceType kUserPool{
    .name = "AWS::Cognito::UserPool",
    .properties = {{"AccountRecoverySetting"}, {"AdminCreateUserConfig"}, {"AliasAttributes", kReplace}, {"AutoVerifiedAttributes"}, {"DeletionProtection"}, {"DeviceConfiguration"},
                   {"EmailConfiguration"}, {"EmailVerificationMessage"}, {"EmailVerificationSubject"}, {"EnabledMfas"}, {"LambdaConfig"}, {"MfaConfiguration"}, {"Policies"}, {"Schema"},
                   {"SmsAuthenticationMessage"}, {"SmsConfiguration"}, {"SmsVerificationMessage"}, {"UserAttributeUpdateSettings"}, {"UsernameAttributes", kReplace},
                   {"UsernameConfiguration", kReplace}, {"UserPoolAddOns"}, {"UserPoolName", kReplace}, {"UserPoolTags"}, {"UserPoolTier"}, {"VerificationMessageTemplate"}},
    .create = create_pool, .update = update_pool, .remove = remove_pool};
const aws::ResourceType kUserPoolClient{
    .name = "AWS::Cognito::UserPoolClient",
    .properties = {{"AccessTokenValidity"}, {"AllowedOAuthFlows"}, {"AllowedOAuthFlowsUserPoolClient"}, {"AllowedOAuthScopes"}, {"AuthSessionValidity"}, {"CallbackURLs"}, {"ClientName"},
                   {"DefaultRedirectURI"}, {"EnablePropagateAdditionalUserContextData"}, {"EnableTokenRevocation"}, {"ExplicitAuthFlows"}, {"GenerateSecret", kReplace}, {"IdTokenValidity"},
                   {"LogoutURLs"}, {"PreventUserExistenceErrors"}, {"ReadAttributes"}, {"RefreshTokenValidity"}, {"SupportedIdentityProviders"}, {"TokenValidityUnits"},
                   {"UserPoolId", kReplace, true}, {"WriteAttributes"}},
    .create = create_client, .update = update_client, .remove = remove_client};
const aws::ResourceType kUserPoolDomain{
    .name = "AWS::Cognito::UserPoolDomain",
    .properties = {{"CustomDomainConfig"}, {"Domain", kReplace, true}, {"ManagedLoginVersion"}, {"UserPoolId", kReplace, true}},
    .create = create_domain, .update = update_domain, .remove = remove_domain};
const aws::ResourceType kUserPoolGroup{
    .name = "AWS::Cognito::UserPoolGroup",
    .properties = {{"Description"}, {"GroupName", kReplace}, {"Precedence"}, {"RoleArn"}, {"UserPoolId", kReplace, true}},
    .create = create_group, .update = update_group, .remove = remove_group};
const aws::ResourceType kUserPoolResourceServer{
    .name = "AWS::Cognito::UserPoolResourceServer",
    .properties = {{"Identifier", kReplace, true}, {"Name", OnChange::kUpdate, true}, {"Scopes"}, {"UserPoolId", kReplace, true}},
    .create = create_server, .update = update_server, .remove = remove_server};
const aws::ResourceType kUserPoolUser{
    .name = "AWS::Cognito::UserPoolUser",
    .properties = {{"ClientMetadata", kReplace}, {"DesiredDeliveryMediums", kReplace}, {"ForceAliasCreation", kReplace}, {"MessageAction", kReplace}, {"UserAttributes", kReplace},
                   {"Username", kReplace}, {"UserPoolId", kReplace, true}, {"ValidationData", kReplace}},
    .create = create_user, .remove = remove_user};
const aws::ResourceType kUserPoolUserToGroupAttachment{
    .name = "AWS::Cognito::UserPoolUserToGroupAttachment",
    .properties = {{"GroupName", kReplace, true}, {"Username", kReplace, true}, {"UserPoolId", kReplace, true}},
    .create = create_attachment, .remove = remove_attachment};

}  // namespace reef::service::cognito::resources
