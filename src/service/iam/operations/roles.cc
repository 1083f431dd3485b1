// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html and the other operations on roles.
#include <fmt/format.h>

#include "service/iam/operations.h"

namespace reef::service::iam::operations {
namespace {

Reply<model::Role> find_role(Iam& iam, const Call& call, std::string_view name) {
  auto role = iam.load<model::Role>(holder_key(call, Holder::kRole, name));
  if (!role) return Err(no_such("role", name));
  return *std::move(role);
}

// As replies show it.
model::Role shown(model::Role role) {
  if (role.assume_role_policy_document) role.assume_role_policy_document = encode_document(*role.assume_role_policy_document);
  return role;
}

Task<Reply<model::Role>> edit_role(Iam& iam, const Call& call, std::string_view name, std::function<void(model::Role&)> edit) {
  model::Role role = CO_TRY(find_role(iam, call, name));
  edit(role);
  iam.save(holder_key(call, Holder::kRole, name), role);
  co_await iam.committed();
  co_return role;
}

}  // namespace

Task<Reply<model::CreateRoleOutput>> CreateRole(Iam& iam, const model::CreateRoleInput& in, const Call& call) {
  const std::string key = holder_key(call, Holder::kRole, in.role_name);
  if (iam.records().find(key)) co_return Err(exists_already("Role", in.role_name));
  CO_TRY(check_trust_document(in.assume_role_policy_document));
  model::Role role;
  role.path = in.path.value_or("/");
  role.role_name = in.role_name;
  role.role_id = make_id("AROA");
  role.arn = make_arn(call, "role", role.path, in.role_name);
  role.create_date = from_seconds(to_seconds(call.now));
  role.assume_role_policy_document = in.assume_role_policy_document;
  role.description = in.description;
  role.max_session_duration = in.max_session_duration.value_or(3600);
  if (in.permissions_boundary)
    role.permissions_boundary = model::AttachedPermissionsBoundary{.permissions_boundary_type = "Policy", .permissions_boundary_arn = in.permissions_boundary};
  role.tags = in.tags;
  iam.save(key, role);
  co_await iam.committed();
  co_return model::CreateRoleOutput{.role = shown(std::move(role))};
}

Task<Reply<model::GetRoleOutput>> GetRole(Iam& iam, const model::GetRoleInput& in, const Call& call) {
  model::Role role = CO_TRY(find_role(iam, call, in.role_name));
  role.role_last_used.emplace();
  co_return model::GetRoleOutput{.role = shown(std::move(role))};
}

Task<Reply<model::ListRolesOutput>> ListRoles(Iam& iam, const model::ListRolesInput& in, const Call& call) {
  std::vector<model::Role> all = iam.load_all<model::Role>(holder_key(call, Holder::kRole, ""));
  std::erase_if(all, [&](const model::Role& role) { return !role.path.starts_with(in.path_prefix.value_or("/")); });
  for (model::Role& role : all) {
    role = shown(std::move(role));
    role.tags.reset();
    role.permissions_boundary.reset();
  }
  model::ListRolesOutput out;
  CO_TRY(paginate(in, std::move(all), out.roles, out));
  co_return out;
}

Task<Reply<model::DeleteRoleOutput>> DeleteRole(Iam& iam, const model::DeleteRoleInput& in, const Call& call) {
  CO_TRY(find_role(iam, call, in.role_name));
  const auto conflict = [](std::string text) { return aws::Error(errors::kDeleteConflictException, std::move(text)); };
  if (!iam.names_below(attached_key(call, Holder::kRole, in.role_name)).empty())
    co_return Err(conflict("Cannot delete entity, must detach all policies first."));
  if (!iam.names_below(inline_key(call, Holder::kRole, in.role_name)).empty())
    co_return Err(conflict("Cannot delete entity, must delete policies first."));
  for (const auto& profile : iam.load_all<model::InstanceProfile>(key_of(call, "instance-profile", "")))
    for (const model::Role& role : profile.roles)
      if (role.role_name == in.role_name) co_return Err(conflict("Cannot delete entity, must remove roles from instance profile first."));
  iam.records().erase(holder_key(call, Holder::kRole, in.role_name));
  co_await iam.committed();
  co_return model::DeleteRoleOutput{};
}

Task<Reply<model::UpdateRoleOutput>> UpdateRole(Iam& iam, const model::UpdateRoleInput& in, const Call& call) {
  CO_TRY(co_await edit_role(iam, call, in.role_name, [&](model::Role& role) {
    if (in.description) role.description = in.description;
    if (in.max_session_duration) role.max_session_duration = in.max_session_duration;
  }));
  co_return model::UpdateRoleOutput{};
}

Task<Reply<model::UpdateRoleDescriptionOutput>> UpdateRoleDescription(Iam& iam, const model::UpdateRoleDescriptionInput& in, const Call& call) {
  model::Role role = CO_TRY(co_await edit_role(iam, call, in.role_name, [&](model::Role& r) { r.description = in.description; }));
  model::UpdateRoleDescriptionOutput out;
  out.role = shown(std::move(role));
  co_return out;
}

Task<Reply<model::UpdateAssumeRolePolicyOutput>> UpdateAssumeRolePolicy(Iam& iam, const model::UpdateAssumeRolePolicyInput& in, const Call& call) {
  CO_TRY(check_trust_document(in.policy_document));
  CO_TRY(co_await edit_role(iam, call, in.role_name, [&](model::Role& role) { role.assume_role_policy_document = in.policy_document; }));
  co_return model::UpdateAssumeRolePolicyOutput{};
}

Task<Reply<model::TagRoleOutput>> TagRole(Iam& iam, const model::TagRoleInput& in, const Call& call) {
  CO_TRY(co_await edit_role(iam, call, in.role_name, [&](model::Role& role) { merge_tags(role.tags, in.tags); }));
  co_return model::TagRoleOutput{};
}

Task<Reply<model::UntagRoleOutput>> UntagRole(Iam& iam, const model::UntagRoleInput& in, const Call& call) {
  CO_TRY(co_await edit_role(iam, call, in.role_name, [&](model::Role& role) { remove_tags(role.tags, in.tag_keys); }));
  co_return model::UntagRoleOutput{};
}

Task<Reply<model::ListRoleTagsOutput>> ListRoleTags(Iam& iam, const model::ListRoleTagsInput& in, const Call& call) {
  model::Role role = CO_TRY(find_role(iam, call, in.role_name));
  model::ListRoleTagsOutput out;
  CO_TRY(paginate(in, role.tags.value_or(std::vector<model::Tag>{}), out.tags, out));
  co_return out;
}

Task<Reply<model::PutRolePermissionsBoundaryOutput>> PutRolePermissionsBoundary(Iam& iam, const model::PutRolePermissionsBoundaryInput& in, const Call& call) {
  CO_TRY(co_await edit_role(iam, call, in.role_name, [&](model::Role& role) {
    role.permissions_boundary.emplace();
    role.permissions_boundary->permissions_boundary_type = "Policy";
    role.permissions_boundary->permissions_boundary_arn = in.permissions_boundary;
  }));
  co_return model::PutRolePermissionsBoundaryOutput{};
}

Task<Reply<model::DeleteRolePermissionsBoundaryOutput>> DeleteRolePermissionsBoundary(Iam& iam, const model::DeleteRolePermissionsBoundaryInput& in,
                                                                                      const Call& call) {
  CO_TRY(co_await edit_role(iam, call, in.role_name, [](model::Role& role) { role.permissions_boundary.reset(); }));
  co_return model::DeleteRolePermissionsBoundaryOutput{};
}

// The role that a service makes for itself; its name follows from the service's.
Task<Reply<model::CreateServiceLinkedRoleOutput>> CreateServiceLinkedRole(Iam& iam, const model::CreateServiceLinkedRoleInput& in, const Call& call) {
  std::string stem = in.aws_service_name.substr(0, in.aws_service_name.find('.'));
  if (!stem.empty()) stem[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(stem[0])));
  const std::string name = "AWSServiceRoleFor" + stem + (in.custom_suffix ? "_" + *in.custom_suffix : "");
  const std::string key = holder_key(call, Holder::kRole, name);
  if (iam.records().find(key))
    co_return Err(aws::Error(errors::kInvalidInputException,
                             fmt::format("Service role name {} has been taken in this account, please try a different suffix.", name)));
  model::Role role;
  role.path = "/aws-service-role/" + in.aws_service_name + "/";
  role.role_name = name;
  role.role_id = make_id("AROA");
  role.arn = make_arn(call, "role", role.path, name);
  role.create_date = from_seconds(to_seconds(call.now));
  role.description = in.description;
  role.max_session_duration = 3600;
  role.assume_role_policy_document = fmt::format(
      R"({{"Version":"2012-10-17","Statement":[{{"Action":["sts:AssumeRole"],"Effect":"Allow","Principal":{{"Service":["{}"]}}}}]}})", in.aws_service_name);
  iam.save(key, role);
  co_await iam.committed();
  model::CreateServiceLinkedRoleOutput out;
  out.role = shown(std::move(role));
  co_return out;
}

}  // namespace reef::service::iam::operations
