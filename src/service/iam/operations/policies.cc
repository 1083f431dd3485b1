// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html and the other operations on managed
// policies and their versions.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/iam/operations.h"

namespace reef::service::iam::operations {
namespace {

constexpr std::size_t kVersionsMax = 5;

// "<arn>|v3"; the bar is in no ARN.
std::string version_key(const Call& call, const std::string& arn, const std::string& version) { return key_of(call, "policy-version", arn + "|" + version); }

aws::Error no_policy(const std::string& arn) {
  return {errors::kNoSuchEntityException, fmt::format("Policy {} was not found.", arn)};
}

std::int32_t count_attachments(Iam& iam, const Call& call, const std::string& arn) {
  std::int32_t count = 0;
  for (const std::string& key : iam.names_below(fmt::format("iam/{}/attached/", call.account))) count += key.ends_with("/" + arn);
  return count;
}

// A policy that AWS manages is not stored: it allows what its name says, and its document is not ours to invent.
model::Policy aws_managed(const std::string& arn) {
  model::Policy policy;
  policy.policy_name = arn.substr(arn.rfind('/') + 1);
  policy.policy_id = "ANPA" + to_upper(policy.policy_name->substr(0, 17));
  policy.arn = arn;
  policy.path = arn.substr(arn.find(":policy") + 7, arn.rfind('/') - arn.find(":policy") - 6);
  policy.default_version_id = "v1";
  policy.is_attachable = true;
  return policy;
}

Reply<model::Policy> find_policy(Iam& iam, const Call& call, const std::string& arn) {
  model::Policy policy;
  if (is_managed_by_aws(arn)) {
    policy = aws_managed(arn);
  } else {
    auto stored = iam.load<model::Policy>(key_of(call, "policy", arn));
    if (!stored) return Err(no_policy(arn));
    policy = *std::move(stored);
  }
  policy.attachment_count = count_attachments(iam, call, arn);
  policy.permissions_boundary_usage_count = 0;
  return policy;
}

std::vector<model::PolicyVersion> versions_of(Iam& iam, const Call& call, const std::string& arn) {
  auto versions = iam.load_all<model::PolicyVersion>(version_key(call, arn, ""));
  std::sort(versions.begin(), versions.end(), [](const auto& a, const auto& b) {
    return parse_int(std::string_view(*a.version_id).substr(1)).value_or(0) > parse_int(std::string_view(*b.version_id).substr(1)).value_or(0);
  });
  return versions;
}

void set_default(Iam& iam, const Call& call, const std::string& arn, const std::string& version) {
  for (model::PolicyVersion& one : versions_of(iam, call, arn)) {
    one.is_default_version = one.version_id == version;
    iam.save(version_key(call, arn, *one.version_id), one);
  }
  if (auto policy = iam.load<model::Policy>(key_of(call, "policy", arn))) {
    policy->default_version_id = version;
    policy->update_date = from_seconds(to_seconds(call.now));
    iam.save(key_of(call, "policy", arn), *policy);
  }
}

}  // namespace

Task<Reply<model::CreatePolicyOutput>> CreatePolicy(Iam& iam, const model::CreatePolicyInput& in, const Call& call) {
  CO_TRY(check_identity_document(in.policy_document));
  model::Policy policy;
  policy.policy_name = in.policy_name;
  policy.policy_id = make_id("ANPA");
  policy.path = in.path.value_or("/");
  policy.arn = make_arn(call, "policy", *policy.path, in.policy_name);
  if (iam.records().find(key_of(call, "policy", *policy.arn)))
    co_return Err(aws::Error(errors::kEntityAlreadyExistsException,
                             fmt::format("A policy called {} already exists. Duplicate names are not allowed.", in.policy_name)));
  policy.default_version_id = "v1";
  policy.is_attachable = true;
  policy.description = in.description;
  policy.create_date = policy.update_date = from_seconds(to_seconds(call.now));
  policy.tags = in.tags;
  iam.save(key_of(call, "policy", *policy.arn), policy);
  iam.save(version_key(call, *policy.arn, "v1"),
           model::PolicyVersion{.document = in.policy_document, .version_id = "v1", .is_default_version = true, .create_date = policy.create_date});
  co_await iam.committed();
  policy.description.reset();
  policy.attachment_count = 0;
  policy.permissions_boundary_usage_count = 0;
  model::CreatePolicyOutput out;
  out.policy = std::move(policy);
  co_return out;
}

Task<Reply<model::GetPolicyOutput>> GetPolicy(Iam& iam, const model::GetPolicyInput& in, const Call& call) {
  model::GetPolicyOutput out;
  out.policy = CO_TRY(find_policy(iam, call, in.policy_arn));
  co_return out;
}

Task<Reply<model::ListPoliciesOutput>> ListPolicies(Iam& iam, const model::ListPoliciesInput& in, const Call& call) {
  std::vector<model::Policy> all;
  if (in.scope.value_or("All") != "AWS") all = iam.load_all<model::Policy>(key_of(call, "policy", ""));
  std::erase_if(all, [&](const model::Policy& policy) { return !policy.path.value_or("/").starts_with(in.path_prefix.value_or("/")); });
  for (model::Policy& policy : all) {
    policy.attachment_count = count_attachments(iam, call, *policy.arn);
    policy.permissions_boundary_usage_count = 0;
    policy.description.reset();
    policy.tags.reset();
  }
  if (in.only_attached.value_or(false)) std::erase_if(all, [](const model::Policy& policy) { return *policy.attachment_count == 0; });
  model::ListPoliciesOutput out;
  CO_TRY(paginate(in, std::move(all), out.policies.emplace(), out));
  co_return out;
}

Task<Reply<model::DeletePolicyOutput>> DeletePolicy(Iam& iam, const model::DeletePolicyInput& in, const Call& call) {
  const model::Policy policy = CO_TRY(find_policy(iam, call, in.policy_arn));
  const auto conflict = [](std::string text) { return aws::Error(errors::kDeleteConflictException, std::move(text)); };
  if (*policy.attachment_count > 0) co_return Err(conflict("Cannot delete a policy attached to entities."));
  if (versions_of(iam, call, in.policy_arn).size() > 1) co_return Err(conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."));
  iam.records().erase(key_of(call, "policy", in.policy_arn));
  iam.records().erase(version_key(call, in.policy_arn, *policy.default_version_id));
  co_await iam.committed();
  co_return model::DeletePolicyOutput{};
}

Task<Reply<model::CreatePolicyVersionOutput>> CreatePolicyVersion(Iam& iam, const model::CreatePolicyVersionInput& in, const Call& call) {
  CO_TRY(find_policy(iam, call, in.policy_arn));
  CO_TRY(check_identity_document(in.policy_document));
  const auto versions = versions_of(iam, call, in.policy_arn);
  if (versions.size() >= kVersionsMax)
    co_return Err(aws::Error(errors::kLimitExceededException,
                             "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."));
  // Numbers are never used again.
  const std::string counter_key = key_of(call, "policy-version-count", in.policy_arn);
  const std::string* last = iam.records().find(counter_key);
  const std::int64_t number = (last ? parse_int(*last).value_or(1) : 1) + 1;
  iam.records().put(counter_key, std::to_string(number));
  model::PolicyVersion version{.document = in.policy_document, .version_id = fmt::format("v{}", number),
                               .is_default_version = in.set_as_default.value_or(false), .create_date = from_seconds(to_seconds(call.now))};
  iam.save(version_key(call, in.policy_arn, *version.version_id), version);
  if (*version.is_default_version) set_default(iam, call, in.policy_arn, *version.version_id);
  co_await iam.committed();
  version.document.reset();
  model::CreatePolicyVersionOutput out;
  out.policy_version = std::move(version);
  co_return out;
}

Task<Reply<model::GetPolicyVersionOutput>> GetPolicyVersion(Iam& iam, const model::GetPolicyVersionInput& in, const Call& call) {
  auto version = iam.load<model::PolicyVersion>(version_key(call, in.policy_arn, in.version_id));
  if (!version)
    co_return Err(aws::Error(errors::kNoSuchEntityException, fmt::format("Policy {} version {} does not exist or is not attachable.", in.policy_arn, in.version_id)));
  version->document = encode_document(*version->document);
  model::GetPolicyVersionOutput out;
  out.policy_version = *std::move(version);
  co_return out;
}

Task<Reply<model::ListPolicyVersionsOutput>> ListPolicyVersions(Iam& iam, const model::ListPolicyVersionsInput& in, const Call& call) {
  CO_TRY(find_policy(iam, call, in.policy_arn));
  auto versions = versions_of(iam, call, in.policy_arn);
  for (auto& version : versions) version.document.reset();
  model::ListPolicyVersionsOutput out;
  CO_TRY(paginate(in, std::move(versions), out.versions.emplace(), out));
  co_return out;
}

Task<Reply<model::DeletePolicyVersionOutput>> DeletePolicyVersion(Iam& iam, const model::DeletePolicyVersionInput& in, const Call& call) {
  const auto version = iam.load<model::PolicyVersion>(version_key(call, in.policy_arn, in.version_id));
  if (!version) co_return Err(aws::Error(errors::kNoSuchEntityException, fmt::format("Policy {} version {} does not exist.", in.policy_arn, in.version_id)));
  if (version->is_default_version.value_or(false))
    co_return Err(aws::Error(errors::kDeleteConflictException, "Cannot delete the default version of a policy."));
  iam.records().erase(version_key(call, in.policy_arn, in.version_id));
  co_await iam.committed();
  co_return model::DeletePolicyVersionOutput{};
}

Task<Reply<model::SetDefaultPolicyVersionOutput>> SetDefaultPolicyVersion(Iam& iam, const model::SetDefaultPolicyVersionInput& in, const Call& call) {
  if (!iam.records().find(version_key(call, in.policy_arn, in.version_id)))
    co_return Err(aws::Error(errors::kNoSuchEntityException, fmt::format("Policy {} version {} does not exist.", in.policy_arn, in.version_id)));
  set_default(iam, call, in.policy_arn, in.version_id);
  co_await iam.committed();
  co_return model::SetDefaultPolicyVersionOutput{};
}

Task<Reply<model::ListEntitiesForPolicyOutput>> ListEntitiesForPolicy(Iam& iam, const model::ListEntitiesForPolicyInput& in, const Call& call) {
  CO_TRY(find_policy(iam, call, in.policy_arn));
  model::ListEntitiesForPolicyOutput out;
  auto& roles = out.policy_roles.emplace();
  auto& users = out.policy_users.emplace();
  auto& groups = out.policy_groups.emplace();
  for (const std::string& key : iam.names_below(fmt::format("iam/{}/attached/", call.account))) {
    if (!key.ends_with("/" + in.policy_arn)) continue;
    const auto parts = split(key, '/');
    const std::string name(parts[1]);
    if (parts[0] == "role" && in.entity_filter.value_or("Role") == "Role") {
      const auto role = iam.load<model::Role>(holder_key(call, Holder::kRole, name));
      auto& entry = roles.emplace_back();
      entry.role_name = name;
      if (role) entry.role_id = role->role_id;
    } else if (parts[0] == "user" && in.entity_filter.value_or("User") == "User") {
      const auto user = iam.load<model::User>(holder_key(call, Holder::kUser, name));
      auto& entry = users.emplace_back();
      entry.user_name = name;
      if (user) entry.user_id = user->user_id;
    } else if (parts[0] == "group" && in.entity_filter.value_or("Group") == "Group") {
      const auto group = iam.load<model::Group>(holder_key(call, Holder::kGroup, name));
      auto& entry = groups.emplace_back();
      entry.group_name = name;
      if (group) entry.group_id = group->group_id;
    }
  }
  out.is_truncated = false;
  co_return out;
}

Task<Reply<model::TagPolicyOutput>> TagPolicy(Iam& iam, const model::TagPolicyInput& in, const Call& call) {
  auto policy = iam.load<model::Policy>(key_of(call, "policy", in.policy_arn));
  if (!policy) co_return Err(no_policy(in.policy_arn));
  merge_tags(policy->tags, in.tags);
  iam.save(key_of(call, "policy", in.policy_arn), *policy);
  co_await iam.committed();
  co_return model::TagPolicyOutput{};
}

Task<Reply<model::UntagPolicyOutput>> UntagPolicy(Iam& iam, const model::UntagPolicyInput& in, const Call& call) {
  auto policy = iam.load<model::Policy>(key_of(call, "policy", in.policy_arn));
  if (!policy) co_return Err(no_policy(in.policy_arn));
  remove_tags(policy->tags, in.tag_keys);
  iam.save(key_of(call, "policy", in.policy_arn), *policy);
  co_await iam.committed();
  co_return model::UntagPolicyOutput{};
}

Task<Reply<model::ListPolicyTagsOutput>> ListPolicyTags(Iam& iam, const model::ListPolicyTagsInput& in, const Call& call) {
  const model::Policy policy = CO_TRY(find_policy(iam, call, in.policy_arn));
  model::ListPolicyTagsOutput out;
  CO_TRY(paginate(in, policy.tags.value_or(std::vector<model::Tag>{}), out.tags, out));
  co_return out;
}

}  // namespace reef::service::iam::operations
