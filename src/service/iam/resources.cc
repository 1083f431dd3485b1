// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
#include "service/iam/resources.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/models/iam.h"

namespace reef::service::iam::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Task<aws::Reply<Json>> call(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_operation(context, "iam", operation, std::move(input));
}
Task<aws::Reply<void>> call_gone(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_unless_gone(context, "iam", operation, std::move(input), "NoSuchEntity");
}

std::string document_text(const Json& document) { return document.is_string() ? document.as_string() : document.dump(); }

void copy(const Json& from, Json& to, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const Json* value = from.find(name)) to.set(name, *value);
}

std::string name_or_generated(const ResourceContext& context, const Json& properties, std::string_view property) {
  const std::string& given = properties.text(property);
  return given.empty() ? context.generated_name(64) : given;
}

Json all_tags(const ResourceContext& context, const Json& properties) {
  Json tags = context.tags;
  for (const Json& tag : properties["Tags"].as_array()) tags.push_back(tag);
  return tags;
}

bool contains(const Json& list, const Json& wanted) {
  return std::any_of(list.as_array().begin(), list.as_array().end(), [&](const Json& one) { return one == wanted; });
}

// --- policies of a role, user or group, from its ManagedPolicyArns (or Policies) and inline Policies ---------------

struct HolderKind {
  std::string_view kind;         // "Role"
  std::string_view name_member;  // "RoleName"
};

Task<aws::Reply<void>> sync_policies(const ResourceContext& context, HolderKind holder, std::string name, Json before, Json after) {
  const auto operation = [&](std::string_view verb) { return fmt::format("{}{}Policy", verb, holder.kind); };
  for (const Json& arn : after["ManagedPolicyArns"].as_array())
    if (!contains(before["ManagedPolicyArns"], arn))
      CO_TRY(co_await call(context, operation("Attach"), Json::object({{std::string(holder.name_member), name}, {"PolicyArn", arn}})));
  for (const Json& arn : before["ManagedPolicyArns"].as_array())
    if (!contains(after["ManagedPolicyArns"], arn))
      CO_TRY(co_await call_gone(context, operation("Detach"), Json::object({{std::string(holder.name_member), name}, {"PolicyArn", arn}})));
  for (const Json& policy : after["Policies"].as_array())
    CO_TRY(co_await call(context, operation("Put"), Json::object({{std::string(holder.name_member), name}, {"PolicyName", policy["PolicyName"]},
                                                                  {"PolicyDocument", document_text(policy["PolicyDocument"])}})));
  for (const Json& policy : before["Policies"].as_array()) {
    const auto& kept = after["Policies"].as_array();
    if (std::any_of(kept.begin(), kept.end(), [&](const Json& p) { return p["PolicyName"] == policy["PolicyName"]; })) continue;
    CO_TRY(co_await call_gone(context, operation("Delete"), Json::object({{std::string(holder.name_member), name}, {"PolicyName", policy["PolicyName"]}})));
  }
  co_return aws::Reply<void>();
}

// --- AWS::IAM::Role ------------------------------------------------------------------------------------------------

constexpr HolderKind kRoleHolder{"Role", "RoleName"};

std::string identify_role(const ResourceContext& context, const Json& properties) { return name_or_generated(context, properties, "RoleName"); }
std::string identify_user(const ResourceContext& context, const Json& properties) { return name_or_generated(context, properties, "UserName"); }
std::string identify_group(const ResourceContext& context, const Json& properties) { return name_or_generated(context, properties, "GroupName"); }
std::string identify_managed_policy(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text("ManagedPolicyName");
  const std::string path = properties.contains("Path") ? properties.text("Path") : "/";
  return "arn:aws:iam::" + context.call.account + ":policy" + path + (given.empty() ? context.generated_name(128) : given);
}
std::string identify_profile(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text("InstanceProfileName");
  return given.empty() ? context.generated_name(128) : given;
}

Task<aws::Reply<ResourceState>> create_role(const ResourceContext& context, const Json& properties) {
  const std::string name = name_or_generated(context, properties, "RoleName");
  Json input = Json::object({{"RoleName", name}, {"AssumeRolePolicyDocument", document_text(properties["AssumeRolePolicyDocument"])}});
  copy(properties, input, {"Path", "Description", "MaxSessionDuration", "PermissionsBoundary"});
  if (Json tags = all_tags(context, properties); tags.size()) input.set("Tags", std::move(tags));
  const Json out = CO_TRY(co_await call(context, "CreateRole", std::move(input)));
  if (auto synced = co_await sync_policies(context, kRoleHolder, name, Json(), properties); !synced) {
    static_cast<void>(co_await sync_policies(context, kRoleHolder, name, properties, Json()));
    static_cast<void>(co_await call(context, "DeleteRole", Json::object({{"RoleName", name}})));
    co_return std::unexpected(std::move(synced).error());
  }
  co_return ResourceState{.physical_id = name,
                          .attributes = Json::object({{"Arn", out["Role"].text("Arn")}, {"RoleId", out["Role"].text("RoleId")}})};
}

Task<aws::Reply<ResourceState>> update_role(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const std::string& name = current.physical_id;
  CO_TRY(co_await call(context, "UpdateAssumeRolePolicy", Json::object({{"RoleName", name}, {"PolicyDocument", document_text(after["AssumeRolePolicyDocument"])}})));
  Json input = Json::object({{"RoleName", name}});
  copy(after, input, {"Description", "MaxSessionDuration"});
  CO_TRY(co_await call(context, "UpdateRole", std::move(input)));
  if (Json tags = all_tags(context, after); tags.size()) CO_TRY(co_await call(context, "TagRole", Json::object({{"RoleName", name}, {"Tags", tags}})));
  CO_TRY(co_await sync_policies(context, kRoleHolder, name, before, after));
  co_return current;
}

Task<aws::Reply<void>> remove_role(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const Json name = Json::object({{"RoleName", current.physical_id}});
  // What other resources put on it goes too, as it does on AWS when they are deleted in the same stack.
  const auto attached = co_await call(context, "ListAttachedRolePolicies", name);
  if (!attached) co_return attached.error().code == "NoSuchEntity" ? aws::Reply<void>() : aws::Reply<void>(std::unexpected(attached.error()));
  CO_TRY(co_await sync_policies(context, kRoleHolder, current.physical_id, properties, Json()));
  co_return co_await call_gone(context, "DeleteRole", name);
}

// --- AWS::IAM::Policy: one inline document in several holders --------------------------------------------------------

constexpr std::pair<std::string_view, HolderKind> kHolderLists[] = {{"Roles", {"Role", "RoleName"}}, {"Users", {"User", "UserName"}}, {"Groups", {"Group", "GroupName"}}};

Task<aws::Reply<void>> put_policy(const ResourceContext& context, const Json& properties) {
  for (const auto& [list, holder] : kHolderLists)
    for (const Json& name : properties[list].as_array())
      CO_TRY(co_await call(context, fmt::format("Put{}Policy", holder.kind),
                           Json::object({{std::string(holder.name_member), name}, {"PolicyName", properties["PolicyName"]},
                                         {"PolicyDocument", document_text(properties["PolicyDocument"])}})));
  co_return aws::Reply<void>();
}

Task<aws::Reply<void>> delete_policy_from(const ResourceContext& context, const Json& properties, const Json& kept) {
  for (const auto& [list, holder] : kHolderLists)
    for (const Json& name : properties[list].as_array())
      if (!contains(kept[list], name) || kept["PolicyName"] != properties["PolicyName"])
        CO_TRY(co_await call_gone(context, fmt::format("Delete{}Policy", holder.kind),
                                  Json::object({{std::string(holder.name_member), name}, {"PolicyName", properties["PolicyName"]}})));
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> create_policy(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await put_policy(context, properties));
  const std::string id = context.generated_name(64);
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<ResourceState>> update_policy(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  CO_TRY(co_await put_policy(context, after));
  CO_TRY(co_await delete_policy_from(context, before, after));
  co_return current;
}
Task<aws::Reply<void>> remove_policy(const ResourceContext& context, const ResourceState&, const Json& properties) {
  co_return co_await delete_policy_from(context, properties, Json());
}

Task<aws::Reply<ResourceState>> create_role_policy(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await call(context, "PutRolePolicy", Json::object({{"RoleName", properties["RoleName"]}, {"PolicyName", properties["PolicyName"]},
                                                               {"PolicyDocument", document_text(properties["PolicyDocument"])}})));
  co_return ResourceState{.physical_id = properties.text("PolicyName") + "|" + properties.text("RoleName"), .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_role_policy(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) {
  co_return co_await create_role_policy(context, after);
}
Task<aws::Reply<void>> remove_role_policy(const ResourceContext& context, const ResourceState&, const Json& properties) {
  co_return co_await call_gone(context, "DeleteRolePolicy", Json::object({{"RoleName", properties["RoleName"]}, {"PolicyName", properties["PolicyName"]}}));
}

// --- AWS::IAM::ManagedPolicy -----------------------------------------------------------------------------------------

Task<aws::Reply<void>> attach_everywhere(const ResourceContext& context, std::string arn, Json before, Json after) {
  for (const auto& [list, holder] : kHolderLists) {
    for (const Json& name : after[list].as_array())
      if (!contains(before[list], name))
        CO_TRY(co_await call(context, fmt::format("Attach{}Policy", holder.kind), Json::object({{std::string(holder.name_member), name}, {"PolicyArn", arn}})));
    for (const Json& name : before[list].as_array())
      if (!contains(after[list], name))
        CO_TRY(co_await call_gone(context, fmt::format("Detach{}Policy", holder.kind), Json::object({{std::string(holder.name_member), name}, {"PolicyArn", arn}})));
  }
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> create_managed_policy(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text("ManagedPolicyName");
  Json input = Json::object({{"PolicyName", given.empty() ? context.generated_name(128) : given}, {"PolicyDocument", document_text(properties["PolicyDocument"])}});
  copy(properties, input, {"Path", "Description"});
  const Json out = CO_TRY(co_await call(context, "CreatePolicy", std::move(input)));
  const std::string arn = out["Policy"].text("Arn");
  CO_TRY(co_await attach_everywhere(context, arn, Json(), properties));
  co_return ResourceState{.physical_id = arn, .attributes = Json::object({{"PolicyArn", arn}, {"PolicyId", out["Policy"].text("PolicyId")}})};
}
Task<aws::Reply<ResourceState>> update_managed_policy(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  if (before["PolicyDocument"] != after["PolicyDocument"]) {
    const Json versions = CO_TRY(co_await call(context, "ListPolicyVersions", Json::object({{"PolicyArn", current.physical_id}})));
    // CloudFormation makes room by deleting the oldest version that is not the default.
    if (versions["Versions"].size() >= 5)
      CO_TRY(co_await call(context, "DeletePolicyVersion", Json::object({{"PolicyArn", current.physical_id}, {"VersionId", versions["Versions"].as_array().back()["VersionId"]}})));
    CO_TRY(co_await call(context, "CreatePolicyVersion", Json::object({{"PolicyArn", current.physical_id}, {"PolicyDocument", document_text(after["PolicyDocument"])}, {"SetAsDefault", true}})));
  }
  CO_TRY(co_await attach_everywhere(context, current.physical_id, before, after));
  co_return current;
}
Task<aws::Reply<void>> remove_managed_policy(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  CO_TRY(co_await attach_everywhere(context, current.physical_id, properties, Json()));
  const auto versions = co_await call(context, "ListPolicyVersions", Json::object({{"PolicyArn", current.physical_id}}));
  if (versions)
    for (const Json& version : (*versions)["Versions"].as_array())
      if (!version["IsDefaultVersion"].as_bool())
        CO_TRY(co_await call_gone(context, "DeletePolicyVersion", Json::object({{"PolicyArn", current.physical_id}, {"VersionId", version["VersionId"]}})));
  co_return co_await call_gone(context, "DeletePolicy", Json::object({{"PolicyArn", current.physical_id}}));
}

// --- AWS::IAM::User, Group, AccessKey, InstanceProfile ---------------------------------------------------------------

constexpr HolderKind kUserHolder{"User", "UserName"};
constexpr HolderKind kGroupHolder{"Group", "GroupName"};

Task<aws::Reply<void>> sync_groups(const ResourceContext& context, std::string user, Json before, Json after) {
  for (const Json& group : after["Groups"].as_array())
    if (!contains(before["Groups"], group)) CO_TRY(co_await call(context, "AddUserToGroup", Json::object({{"UserName", user}, {"GroupName", group}})));
  for (const Json& group : before["Groups"].as_array())
    if (!contains(after["Groups"], group)) CO_TRY(co_await call_gone(context, "RemoveUserFromGroup", Json::object({{"UserName", user}, {"GroupName", group}})));
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> create_user(const ResourceContext& context, const Json& properties) {
  const std::string name = name_or_generated(context, properties, "UserName");
  Json input = Json::object({{"UserName", name}});
  copy(properties, input, {"Path", "PermissionsBoundary"});
  if (Json tags = all_tags(context, properties); tags.size()) input.set("Tags", std::move(tags));
  const Json out = CO_TRY(co_await call(context, "CreateUser", std::move(input)));
  CO_TRY(co_await sync_policies(context, kUserHolder, name, Json(), properties));
  CO_TRY(co_await sync_groups(context, name, Json(), properties));
  co_return ResourceState{.physical_id = name, .attributes = Json::object({{"Arn", out["User"].text("Arn")}})};
}
Task<aws::Reply<ResourceState>> update_user(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  CO_TRY(co_await sync_policies(context, kUserHolder, current.physical_id, before, after));
  CO_TRY(co_await sync_groups(context, current.physical_id, before, after));
  co_return current;
}
Task<aws::Reply<void>> remove_user(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  CO_TRY(co_await sync_policies(context, kUserHolder, current.physical_id, properties, Json()));
  CO_TRY(co_await sync_groups(context, current.physical_id, properties, Json()));
  co_return co_await call_gone(context, "DeleteUser", Json::object({{"UserName", current.physical_id}}));
}

Task<aws::Reply<ResourceState>> create_group(const ResourceContext& context, const Json& properties) {
  const std::string name = name_or_generated(context, properties, "GroupName");
  Json input = Json::object({{"GroupName", name}});
  copy(properties, input, {"Path"});
  const Json out = CO_TRY(co_await call(context, "CreateGroup", std::move(input)));
  CO_TRY(co_await sync_policies(context, kGroupHolder, name, Json(), properties));
  co_return ResourceState{.physical_id = name, .attributes = Json::object({{"Arn", out["Group"].text("Arn")}})};
}
Task<aws::Reply<ResourceState>> update_group(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  CO_TRY(co_await sync_policies(context, kGroupHolder, current.physical_id, before, after));
  co_return current;
}
Task<aws::Reply<void>> remove_group(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  CO_TRY(co_await sync_policies(context, kGroupHolder, current.physical_id, properties, Json()));
  co_return co_await call_gone(context, "DeleteGroup", Json::object({{"GroupName", current.physical_id}}));
}

Task<aws::Reply<ResourceState>> create_access_key(const ResourceContext& context, const Json& properties) {
  const Json out = CO_TRY(co_await call(context, "CreateAccessKey", Json::object({{"UserName", properties["UserName"]}})));
  const Json& key = out["AccessKey"];
  if (properties.text("Status") == "Inactive")
    CO_TRY(co_await call(context, "UpdateAccessKey", Json::object({{"AccessKeyId", key["AccessKeyId"]}, {"Status", "Inactive"}})));
  co_return ResourceState{.physical_id = key.text("AccessKeyId"), .attributes = Json::object({{"SecretAccessKey", key["SecretAccessKey"]}})};
}
Task<aws::Reply<ResourceState>> update_access_key(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  const std::string& status = after.text("Status");
  CO_TRY(co_await call(context, "UpdateAccessKey", Json::object({{"AccessKeyId", current.physical_id}, {"Status", status.empty() ? "Active" : status}})));
  co_return current;
}
Task<aws::Reply<void>> remove_access_key(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await call_gone(context, "DeleteAccessKey", Json::object({{"AccessKeyId", current.physical_id}}));
}

Task<aws::Reply<ResourceState>> create_profile(const ResourceContext& context, const Json& properties) {
  const std::string name = identify_profile(context, properties);
  Json input = Json::object({{"InstanceProfileName", name}});
  copy(properties, input, {"Path"});
  const Json out = CO_TRY(co_await call(context, "CreateInstanceProfile", std::move(input)));
  for (const Json& role : properties["Roles"].as_array())
    CO_TRY(co_await call(context, "AddRoleToInstanceProfile", Json::object({{"InstanceProfileName", name}, {"RoleName", role}})));
  co_return ResourceState{.physical_id = name, .attributes = Json::object({{"Arn", out["InstanceProfile"].text("Arn")}})};
}
Task<aws::Reply<ResourceState>> update_profile(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  for (const Json& role : before["Roles"].as_array())
    CO_TRY(co_await call_gone(context, "RemoveRoleFromInstanceProfile", Json::object({{"InstanceProfileName", current.physical_id}, {"RoleName", role}})));
  for (const Json& role : after["Roles"].as_array())
    CO_TRY(co_await call(context, "AddRoleToInstanceProfile", Json::object({{"InstanceProfileName", current.physical_id}, {"RoleName", role}})));
  co_return current;
}
Task<aws::Reply<void>> remove_profile(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  for (const Json& role : properties["Roles"].as_array())
    CO_TRY(co_await call_gone(context, "RemoveRoleFromInstanceProfile", Json::object({{"InstanceProfileName", current.physical_id}, {"RoleName", role}})));
  co_return co_await call_gone(context, "DeleteInstanceProfile", Json::object({{"InstanceProfileName", current.physical_id}}));
}

constexpr OnChange kReplace = OnChange::kReplace;

}  // namespace

const aws::ResourceType kRole{
    .name = "AWS::IAM::Role",
    .properties = {{"AssumeRolePolicyDocument", OnChange::kUpdate, true}, {"Description"}, {"ManagedPolicyArns"}, {"MaxSessionDuration"},
                   {"Path", kReplace}, {"PermissionsBoundary"}, {"Policies"}, {"RoleName", kReplace}, {"Tags"}},
    .create = create_role, .identify = identify_role, .update = update_role, .remove = remove_role};
const aws::ResourceType kPolicy{
    .name = "AWS::IAM::Policy",
    .properties = {{"Groups"}, {"PolicyDocument", OnChange::kUpdate, true}, {"PolicyName", OnChange::kUpdate, true}, {"Roles"}, {"Users"}},
    .create = create_policy, .update = update_policy, .remove = remove_policy};
const aws::ResourceType kRolePolicy{
    .name = "AWS::IAM::RolePolicy",
    .properties = {{"PolicyDocument"}, {"PolicyName", kReplace, true}, {"RoleName", kReplace, true}},
    .create = create_role_policy, .update = update_role_policy, .remove = remove_role_policy};
const aws::ResourceType kManagedPolicy{
    .name = "AWS::IAM::ManagedPolicy",
    .properties = {{"Description", kReplace}, {"Groups"}, {"ManagedPolicyName", kReplace}, {"Path", kReplace},
                   {"PolicyDocument", OnChange::kUpdate, true}, {"Roles"}, {"Users"}},
    .create = create_managed_policy, .identify = identify_managed_policy, .update = update_managed_policy, .remove = remove_managed_policy};
const aws::ResourceType kUser{
    .name = "AWS::IAM::User",
    .properties = {{"Groups"}, {"ManagedPolicyArns"}, {"Path", kReplace}, {"PermissionsBoundary"}, {"Policies"}, {"Tags"}, {"UserName", kReplace}},
    .create = create_user, .identify = identify_user, .update = update_user, .remove = remove_user};
const aws::ResourceType kGroup{
    .name = "AWS::IAM::Group",
    .properties = {{"GroupName", kReplace}, {"ManagedPolicyArns"}, {"Path", kReplace}, {"Policies"}},
    .create = create_group, .identify = identify_group, .update = update_group, .remove = remove_group};
const aws::ResourceType kAccessKey{
    .name = "AWS::IAM::AccessKey",
    .properties = {{"Serial", kReplace}, {"Status"}, {"UserName", kReplace, true}},
    .create = create_access_key, .update = update_access_key, .remove = remove_access_key};
const aws::ResourceType kInstanceProfile{
    .name = "AWS::IAM::InstanceProfile",
    .properties = {{"InstanceProfileName", kReplace}, {"Path", kReplace}, {"Roles", OnChange::kUpdate, true}},
    .create = create_profile, .identify = identify_profile, .update = update_profile, .remove = remove_profile};

}  // namespace reef::service::iam::resources
