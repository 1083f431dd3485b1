// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html
#include <algorithm>

#include "service/cognitoidp/operations.h"

namespace reef::service::cognito::operations {
namespace {

constexpr std::size_t kGroupsMax = 10'000, kGroupsOfUserMax = 100;

Reply<model::GroupType*> group_of(Pool& pool, const std::string& name) {
  const auto found = pool.groups.find(name);
  if (found == pool.groups.end()) return Err(aws::Error(errors::kResourceNotFoundException, "Group not found."));
  return &found->second;
}

}  // namespace

Task<Reply<model::CreateGroupOutput>> CreateGroup(Cognito& service, const model::CreateGroupInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  if (pool.groups.contains(in.group_name)) co_return Err(aws::Error(errors::kGroupExistsException, "A group with the name already exists."));
  if (pool.groups.size() >= kGroupsMax) co_return Err(aws::Error(errors::kLimitExceededException, "The limit of groups is exceeded."));
  const model::GroupType made{.group_name = in.group_name, .user_pool_id = in.user_pool_id, .description = in.description, .role_arn = in.role_arn, .precedence = in.precedence,
                              .last_modified_date = call.now, .creation_date = call.now};
  pool.groups.emplace(in.group_name, made);
  service.save(pool, made);
  co_await service.committed();
  co_return model::CreateGroupOutput{.group = made};
}

Task<Reply<model::GetGroupOutput>> GetGroup(Cognito& service, const model::GetGroupInput& in, const Call& call) {
  co_return model::GetGroupOutput{.group = *CO_TRY(group_of(*CO_TRY(service.pool(call, in.user_pool_id)), in.group_name))};
}

Task<Reply<model::UpdateGroupOutput>> UpdateGroup(Cognito& service, const model::UpdateGroupInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  model::GroupType& group = *CO_TRY(group_of(pool, in.group_name));
  if (in.description) group.description = in.description;
  if (in.role_arn) group.role_arn = in.role_arn;
  if (in.precedence) group.precedence = in.precedence;
  group.last_modified_date = call.now;
  const auto after = group;
  service.save(pool, after);
  co_await service.committed();
  co_return model::UpdateGroupOutput{.group = after};
}

Task<Reply<model::DeleteGroupOutput>> DeleteGroup(Cognito& service, const model::DeleteGroupInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  CO_TRY(group_of(pool, in.group_name));
  for (auto& [name, user] : pool.users.users())
    if (user.groups.erase(in.group_name) > 0) service.save(pool, user);
  pool.groups.erase(in.group_name);
  service.erase("group", in.user_pool_id + "/" + in.group_name);
  co_await service.committed();
  co_return model::DeleteGroupOutput{};
}

Task<Reply<model::ListGroupsOutput>> ListGroups(Cognito& service, const model::ListGroupsInput& in, const Call& call) {
  std::vector<model::GroupType> all;
  for (const auto& [name, group] : (*CO_TRY(service.pool(call, in.user_pool_id))).groups) all.push_back(group);
  model::ListGroupsOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.limit.value_or(60))));
  out.groups = std::move(all);
  co_return out;
}

Task<Reply<model::AdminAddUserToGroupOutput>> AdminAddUserToGroup(Cognito& service, const model::AdminAddUserToGroupInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  User& user = *CO_TRY(service.user(pool, in.username));
  CO_TRY(group_of(pool, in.group_name));
  if (user.groups.size() >= kGroupsOfUserMax) co_return Err(aws::Error(errors::kLimitExceededException, "The limit of groups of a user is exceeded."));
  user.groups.insert(in.group_name);
  service.save(pool, user);
  co_await service.committed();
  co_return model::AdminAddUserToGroupOutput{};
}

Task<Reply<model::AdminRemoveUserFromGroupOutput>> AdminRemoveUserFromGroup(Cognito& service, const model::AdminRemoveUserFromGroupInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  User& user = *CO_TRY(service.user(pool, in.username));
  CO_TRY(group_of(pool, in.group_name));
  user.groups.erase(in.group_name);
  service.save(pool, user);
  co_await service.committed();
  co_return model::AdminRemoveUserFromGroupOutput{};
}

Task<Reply<model::AdminListGroupsForUserOutput>> AdminListGroupsForUser(Cognito& service, const model::AdminListGroupsForUserInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  const User& user = *CO_TRY(service.user(pool, in.username));
  std::vector<model::GroupType> all;
  for (const std::string& name : user.groups)
    if (const auto found = pool.groups.find(name); found != pool.groups.end()) all.push_back(found->second);
  model::AdminListGroupsForUserOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.limit.value_or(60))));
  out.groups = std::move(all);
  co_return out;
}

Task<Reply<model::ListUsersInGroupOutput>> ListUsersInGroup(Cognito& service, const model::ListUsersInGroupInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  CO_TRY(group_of(pool, in.group_name));
  std::vector<model::UserType> all;
  for (const auto& [name, user] : pool.users.users())
    if (user.groups.contains(in.group_name)) all.push_back(shown(user));
  model::ListUsersInGroupOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.limit.value_or(60))));
  out.users = std::move(all);
  co_return out;
}

}  // namespace reef::service::cognito::operations
