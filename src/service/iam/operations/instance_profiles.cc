// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html and its kin. A profile's record
// holds its roles by name only; replies show the roles as they are now.
#include <fmt/format.h>

#include "service/iam/operations.h"

namespace reef::service::iam::operations {
namespace {

std::string profile_key(const Call& call, std::string_view name) { return key_of(call, "instance-profile", name); }

Reply<model::InstanceProfile> find_profile(Iam& iam, const Call& call, const std::string& name) {
  auto profile = iam.load<model::InstanceProfile>(profile_key(call, name));
  if (!profile) return Err(aws::Error(errors::kNoSuchEntityException, fmt::format("Instance Profile {} cannot be found.", name)));
  return *std::move(profile);
}

model::InstanceProfile shown(Iam& iam, const Call& call, model::InstanceProfile profile) {
  for (model::Role& role : profile.roles)
    if (auto current = iam.load<model::Role>(holder_key(call, Holder::kRole, role.role_name))) {
      role = *std::move(current);
      if (role.assume_role_policy_document) role.assume_role_policy_document = encode_document(*role.assume_role_policy_document);
    }
  return profile;
}

}  // namespace

Task<Reply<model::CreateInstanceProfileOutput>> CreateInstanceProfile(Iam& iam, const model::CreateInstanceProfileInput& in, const Call& call) {
  if (iam.records().find(profile_key(call, in.instance_profile_name)))
    co_return Err(aws::Error(errors::kEntityAlreadyExistsException, fmt::format("Instance Profile {} already exists.", in.instance_profile_name)));
  model::InstanceProfile profile;
  profile.path = in.path.value_or("/");
  profile.instance_profile_name = in.instance_profile_name;
  profile.instance_profile_id = make_id("AIPA");
  profile.arn = make_arn(call, "instance-profile", profile.path, in.instance_profile_name);
  profile.create_date = from_seconds(to_seconds(call.now));
  profile.tags = in.tags;
  iam.save(profile_key(call, in.instance_profile_name), profile);
  co_await iam.committed();
  co_return model::CreateInstanceProfileOutput{.instance_profile = std::move(profile)};
}

Task<Reply<model::GetInstanceProfileOutput>> GetInstanceProfile(Iam& iam, const model::GetInstanceProfileInput& in, const Call& call) {
  model::InstanceProfile profile = CO_TRY(find_profile(iam, call, in.instance_profile_name));
  co_return model::GetInstanceProfileOutput{.instance_profile = shown(iam, call, std::move(profile))};
}

Task<Reply<model::ListInstanceProfilesOutput>> ListInstanceProfiles(Iam& iam, const model::ListInstanceProfilesInput& in, const Call& call) {
  auto all = iam.load_all<model::InstanceProfile>(profile_key(call, ""));
  std::erase_if(all, [&](const auto& profile) { return !profile.path.starts_with(in.path_prefix.value_or("/")); });
  for (auto& profile : all) profile = shown(iam, call, std::move(profile));
  model::ListInstanceProfilesOutput out;
  CO_TRY(paginate(in, std::move(all), out.instance_profiles, out));
  co_return out;
}

Task<Reply<model::DeleteInstanceProfileOutput>> DeleteInstanceProfile(Iam& iam, const model::DeleteInstanceProfileInput& in, const Call& call) {
  const auto profile = CO_TRY(find_profile(iam, call, in.instance_profile_name));
  if (!profile.roles.empty())
    co_return Err(aws::Error(errors::kDeleteConflictException, "Cannot delete entity, must remove roles from instance profile first."));
  iam.records().erase(profile_key(call, in.instance_profile_name));
  co_await iam.committed();
  co_return model::DeleteInstanceProfileOutput{};
}

Task<Reply<model::AddRoleToInstanceProfileOutput>> AddRoleToInstanceProfile(Iam& iam, const model::AddRoleToInstanceProfileInput& in, const Call& call) {
  auto profile = CO_TRY(find_profile(iam, call, in.instance_profile_name));
  CO_TRY(check_holder(iam, call, Holder::kRole, in.role_name));
  if (!profile.roles.empty())
    co_return Err(aws::Error(errors::kLimitExceededException, "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
  profile.roles.emplace_back().role_name = in.role_name;
  iam.save(profile_key(call, in.instance_profile_name), profile);
  co_await iam.committed();
  co_return model::AddRoleToInstanceProfileOutput{};
}

Task<Reply<model::RemoveRoleFromInstanceProfileOutput>> RemoveRoleFromInstanceProfile(Iam& iam, const model::RemoveRoleFromInstanceProfileInput& in,
                                                                                      const Call& call) {
  auto profile = CO_TRY(find_profile(iam, call, in.instance_profile_name));
  if (std::erase_if(profile.roles, [&](const model::Role& role) { return role.role_name == in.role_name; }) == 0)
    co_return Err(no_such("role", in.role_name));
  iam.save(profile_key(call, in.instance_profile_name), profile);
  co_await iam.committed();
  co_return model::RemoveRoleFromInstanceProfileOutput{};
}

Task<Reply<model::ListInstanceProfilesForRoleOutput>> ListInstanceProfilesForRole(Iam& iam, const model::ListInstanceProfilesForRoleInput& in, const Call& call) {
  CO_TRY(check_holder(iam, call, Holder::kRole, in.role_name));
  auto all = iam.load_all<model::InstanceProfile>(profile_key(call, ""));
  std::erase_if(all, [&](const auto& profile) { return profile.roles.empty() || profile.roles.front().role_name != in.role_name; });
  for (auto& profile : all) profile = shown(iam, call, std::move(profile));
  model::ListInstanceProfilesForRoleOutput out;
  CO_TRY(paginate(in, std::move(all), out.instance_profiles, out));
  co_return out;
}

}  // namespace reef::service::iam::operations
