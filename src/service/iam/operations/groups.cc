// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html and the other operations on groups.
#include "service/iam/operations.h"

namespace reef::service::iam::operations {
namespace {

Reply<model::Group> find_group(Iam& iam, const Call& call, std::string_view name) {
  auto group = iam.load<model::Group>(holder_key(call, Holder::kGroup, name));
  if (!group) return Err(no_such("group", name));
  return *std::move(group);
}

}  // namespace

Task<Reply<model::CreateGroupOutput>> CreateGroup(Iam& iam, const model::CreateGroupInput& in, const Call& call) {
  const std::string key = holder_key(call, Holder::kGroup, in.group_name);
  if (iam.records().find(key)) co_return Err(exists_already("Group", in.group_name));
  model::Group group;
  group.path = in.path.value_or("/");
  group.group_name = in.group_name;
  group.group_id = make_id("AGPA");
  group.arn = make_arn(call, "group", group.path, in.group_name);
  group.create_date = from_seconds(to_seconds(call.now));
  iam.save(key, group);
  co_await iam.committed();
  co_return model::CreateGroupOutput{.group = std::move(group)};
}

Task<Reply<model::GetGroupOutput>> GetGroup(Iam& iam, const model::GetGroupInput& in, const Call& call) {
  model::GetGroupOutput out;
  out.group = CO_TRY(find_group(iam, call, in.group_name));
  std::vector<model::User> users;
  for (const std::string& name : iam.names_below(key_of(call, "member", in.group_name + "/")))
    if (auto user = iam.load<model::User>(holder_key(call, Holder::kUser, name))) users.push_back(*std::move(user));
  CO_TRY(paginate(in, std::move(users), out.users, out));
  co_return out;
}

Task<Reply<model::ListGroupsOutput>> ListGroups(Iam& iam, const model::ListGroupsInput& in, const Call& call) {
  auto all = iam.load_all<model::Group>(holder_key(call, Holder::kGroup, ""));
  std::erase_if(all, [&](const model::Group& group) { return !group.path.starts_with(in.path_prefix.value_or("/")); });
  model::ListGroupsOutput out;
  CO_TRY(paginate(in, std::move(all), out.groups, out));
  co_return out;
}

Task<Reply<model::DeleteGroupOutput>> DeleteGroup(Iam& iam, const model::DeleteGroupInput& in, const Call& call) {
  CO_TRY(find_group(iam, call, in.group_name));
  if (!iam.names_below(key_of(call, "member", in.group_name + "/")).empty() || !iam.names_below(attached_key(call, Holder::kGroup, in.group_name)).empty() ||
      !iam.names_below(inline_key(call, Holder::kGroup, in.group_name)).empty())
    co_return Err(aws::Error(errors::kDeleteConflictException, "Cannot delete entity, must remove users from group first."));
  iam.records().erase(holder_key(call, Holder::kGroup, in.group_name));
  co_await iam.committed();
  co_return model::DeleteGroupOutput{};
}

Task<Reply<model::AddUserToGroupOutput>> AddUserToGroup(Iam& iam, const model::AddUserToGroupInput& in, const Call& call) {
  CO_TRY(find_group(iam, call, in.group_name));
  CO_TRY(check_holder(iam, call, Holder::kUser, in.user_name));
  iam.records().put(key_of(call, "member", in.group_name + "/" + in.user_name), "");
  co_await iam.committed();
  co_return model::AddUserToGroupOutput{};
}

Task<Reply<model::RemoveUserFromGroupOutput>> RemoveUserFromGroup(Iam& iam, const model::RemoveUserFromGroupInput& in, const Call& call) {
  CO_TRY(find_group(iam, call, in.group_name));
  CO_TRY(check_holder(iam, call, Holder::kUser, in.user_name));
  iam.records().erase(key_of(call, "member", in.group_name + "/" + in.user_name));
  co_await iam.committed();
  co_return model::RemoveUserFromGroupOutput{};
}

Task<Reply<model::ListGroupsForUserOutput>> ListGroupsForUser(Iam& iam, const model::ListGroupsForUserInput& in, const Call& call) {
  CO_TRY(check_holder(iam, call, Holder::kUser, in.user_name));
  std::vector<model::Group> groups;
  for (const std::string& member : iam.names_below(key_of(call, "member", ""))) {
    const auto slash = member.find('/');
    if (member.substr(slash + 1) != in.user_name) continue;
    if (auto group = iam.load<model::Group>(holder_key(call, Holder::kGroup, member.substr(0, slash)))) groups.push_back(*std::move(group));
  }
  model::ListGroupsForUserOutput out;
  CO_TRY(paginate(in, std::move(groups), out.groups, out));
  co_return out;
}

}  // namespace reef::service::iam::operations
