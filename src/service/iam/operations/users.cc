// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html and the other operations on users, their
// access keys and the account's aliases.
#include <fmt/format.h>

#include "base/random.h"
#include "service/iam/operations.h"

namespace reef::service::iam::operations {
namespace {

constexpr std::size_t kAccessKeysPerUser = 2;

// The user of that name, or the caller when no name was given.
Reply<std::string> user_or_caller(const std::optional<std::string>& name, const Call& call) {
  if (name) return *name;
  const auto at = call.principal.arn.find(":user/");
  if (at == std::string::npos) return std::string("root");
  return call.principal.arn.substr(call.principal.arn.rfind('/') + 1);
}

Reply<model::User> find_user(Iam& iam, const Call& call, std::string_view name) {
  auto user = iam.load<model::User>(holder_key(call, Holder::kUser, name));
  if (!user) return Err(no_such("user", name));
  return *std::move(user);
}

Task<Reply<void>> edit_user(Iam& iam, const Call& call, std::string_view name, std::function<void(model::User&)> edit) {
  model::User user = CO_TRY(find_user(iam, call, name));
  edit(user);
  iam.save(holder_key(call, Holder::kUser, name), user);
  co_await iam.committed();
  co_return Reply<void>();
}

std::vector<model::AccessKey> keys_of(Iam& iam, const Call& call, std::string_view user) {
  auto all = iam.load_all<model::AccessKey>(key_of(call, "access-key", ""));
  std::erase_if(all, [&](const auto& key) { return key.user_name != user; });
  return all;
}

}  // namespace

Task<Reply<model::CreateUserOutput>> CreateUser(Iam& iam, const model::CreateUserInput& in, const Call& call) {
  const std::string key = holder_key(call, Holder::kUser, in.user_name);
  if (iam.records().find(key)) co_return Err(exists_already("User", in.user_name));
  model::User user;
  user.path = in.path.value_or("/");
  user.user_name = in.user_name;
  user.user_id = make_id("AIDA");
  user.arn = make_arn(call, "user", user.path, in.user_name);
  user.create_date = from_seconds(to_seconds(call.now));
  user.tags = in.tags;
  if (in.permissions_boundary)
    user.permissions_boundary = model::AttachedPermissionsBoundary{.permissions_boundary_type = "Policy", .permissions_boundary_arn = in.permissions_boundary};
  iam.save(key, user);
  co_await iam.committed();
  co_return model::CreateUserOutput{.user = std::move(user)};
}

Task<Reply<model::GetUserOutput>> GetUser(Iam& iam, const model::GetUserInput& in, const Call& call) {
  const std::string name = CO_TRY(user_or_caller(in.user_name, call));
  if (!in.user_name && name == "root") {
    model::User root;
    root.path = "/";
    root.user_name = "root";
    root.user_id = call.account;
    root.arn = fmt::format("arn:aws:iam::{}:root", call.account);
    co_return model::GetUserOutput{.user = std::move(root)};
  }
  co_return model::GetUserOutput{.user = CO_TRY(find_user(iam, call, name))};
}

Task<Reply<model::ListUsersOutput>> ListUsers(Iam& iam, const model::ListUsersInput& in, const Call& call) {
  auto all = iam.load_all<model::User>(holder_key(call, Holder::kUser, ""));
  std::erase_if(all, [&](const model::User& user) { return !user.path.starts_with(in.path_prefix.value_or("/")); });
  for (model::User& user : all) user.tags.reset();
  model::ListUsersOutput out;
  CO_TRY(paginate(in, std::move(all), out.users, out));
  co_return out;
}

Task<Reply<model::DeleteUserOutput>> DeleteUser(Iam& iam, const model::DeleteUserInput& in, const Call& call) {
  CO_TRY(find_user(iam, call, in.user_name));
  const auto conflict = [](std::string text) { return aws::Error(errors::kDeleteConflictException, std::move(text)); };
  if (!iam.names_below(attached_key(call, Holder::kUser, in.user_name)).empty()) co_return Err(conflict("Cannot delete entity, must detach all policies first."));
  if (!iam.names_below(inline_key(call, Holder::kUser, in.user_name)).empty()) co_return Err(conflict("Cannot delete entity, must delete policies first."));
  if (!keys_of(iam, call, in.user_name).empty()) co_return Err(conflict("Cannot delete entity, must delete access keys first."));
  for (const std::string& member : iam.names_below(key_of(call, "member", "")))
    if (member.ends_with("/" + in.user_name)) co_return Err(conflict("Cannot delete entity, must remove users from group first."));
  iam.records().erase(holder_key(call, Holder::kUser, in.user_name));
  co_await iam.committed();
  co_return model::DeleteUserOutput{};
}

Task<Reply<model::UpdateUserOutput>> UpdateUser(Iam& iam, const model::UpdateUserInput& in, const Call& call) {
  model::User user = CO_TRY(find_user(iam, call, in.user_name));
  const std::string old_key = holder_key(call, Holder::kUser, in.user_name);
  if (in.new_path) user.path = *in.new_path;
  if (in.new_user_name && *in.new_user_name != in.user_name) {
    if (iam.records().find(holder_key(call, Holder::kUser, *in.new_user_name))) co_return Err(exists_already("User", *in.new_user_name));
    if (!iam.names_below(attached_key(call, Holder::kUser, in.user_name)).empty() || !iam.names_below(inline_key(call, Holder::kUser, in.user_name)).empty() ||
        !keys_of(iam, call, in.user_name).empty())
      co_return Err(aws::Error("NotImplemented", "Renaming a user that has policies or access keys is not supported by this version of Atoll.", 501));
    user.user_name = *in.new_user_name;
    iam.records().erase(old_key);
  }
  user.arn = make_arn(call, "user", user.path, user.user_name);
  iam.save(holder_key(call, Holder::kUser, user.user_name), user);
  for (const model::AccessKey& key : keys_of(iam, call, user.user_name)) iam.publish(call.account, key);   // they tell who the caller is
  co_await iam.committed();
  co_return model::UpdateUserOutput{};
}

Task<Reply<model::TagUserOutput>> TagUser(Iam& iam, const model::TagUserInput& in, const Call& call) {
  CO_TRY(co_await edit_user(iam, call, in.user_name, [&](model::User& user) { merge_tags(user.tags, in.tags); }));
  co_return model::TagUserOutput{};
}

Task<Reply<model::UntagUserOutput>> UntagUser(Iam& iam, const model::UntagUserInput& in, const Call& call) {
  CO_TRY(co_await edit_user(iam, call, in.user_name, [&](model::User& user) { remove_tags(user.tags, in.tag_keys); }));
  co_return model::UntagUserOutput{};
}

Task<Reply<model::ListUserTagsOutput>> ListUserTags(Iam& iam, const model::ListUserTagsInput& in, const Call& call) {
  const model::User user = CO_TRY(find_user(iam, call, in.user_name));
  model::ListUserTagsOutput out;
  CO_TRY(paginate(in, user.tags.value_or(std::vector<model::Tag>{}), out.tags, out));
  co_return out;
}

Task<Reply<model::CreateAccessKeyOutput>> CreateAccessKey(Iam& iam, const model::CreateAccessKeyInput& in, const Call& call) {
  const std::string name = CO_TRY(user_or_caller(in.user_name, call));
  if (name != "root") CO_TRY(find_user(iam, call, name));
  if (keys_of(iam, call, name).size() >= kAccessKeysPerUser)
    co_return Err(aws::Error(errors::kLimitExceededException, fmt::format("Cannot exceed quota for AccessKeysPerUser: {}", kAccessKeysPerUser)));
  model::AccessKey key;
  key.user_name = name;
  key.access_key_id = "AKIA" + make_token(thread_random(), 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
  key.secret_access_key = make_token(thread_random(), 40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
  key.status = "Active";
  key.create_date = from_seconds(to_seconds(call.now));
  iam.save(key_of(call, "access-key", key.access_key_id), key);
  iam.publish(call.account, key);
  co_await iam.committed();
  co_return model::CreateAccessKeyOutput{.access_key = std::move(key)};
}

Task<Reply<model::DeleteAccessKeyOutput>> DeleteAccessKey(Iam& iam, const model::DeleteAccessKeyInput& in, const Call& call) {
  if (!iam.records().erase(key_of(call, "access-key", in.access_key_id)))
    co_return Err(aws::Error(errors::kNoSuchEntityException, fmt::format("The Access Key with id {} cannot be found.", in.access_key_id)));
  iam.keys.erase(in.access_key_id);
  co_await iam.committed();
  co_return model::DeleteAccessKeyOutput{};
}

Task<Reply<model::ListAccessKeysOutput>> ListAccessKeys(Iam& iam, const model::ListAccessKeysInput& in, const Call& call) {
  const std::string name = CO_TRY(user_or_caller(in.user_name, call));
  if (name != "root") CO_TRY(find_user(iam, call, name));
  std::vector<model::AccessKeyMetadata> all;
  for (const model::AccessKey& key : keys_of(iam, call, name))
    all.push_back({.user_name = key.user_name, .access_key_id = key.access_key_id, .status = key.status, .create_date = key.create_date});
  model::ListAccessKeysOutput out;
  CO_TRY(paginate(in, std::move(all), out.access_key_metadata, out));
  co_return out;
}

Task<Reply<model::UpdateAccessKeyOutput>> UpdateAccessKey(Iam& iam, const model::UpdateAccessKeyInput& in, const Call& call) {
  auto key = iam.load<model::AccessKey>(key_of(call, "access-key", in.access_key_id));
  if (!key) co_return Err(aws::Error(errors::kNoSuchEntityException, fmt::format("The Access Key with id {} cannot be found.", in.access_key_id)));
  key->status = in.status;
  iam.save(key_of(call, "access-key", in.access_key_id), *key);
  iam.publish(call.account, *key);
  co_await iam.committed();
  co_return model::UpdateAccessKeyOutput{};
}

Task<Reply<model::GetAccessKeyLastUsedOutput>> GetAccessKeyLastUsed(Iam& iam, const model::GetAccessKeyLastUsedInput& in, const Call& call) {
  const auto key = iam.load<model::AccessKey>(key_of(call, "access-key", in.access_key_id));
  if (!key) co_return Err(aws::Error(errors::kNoSuchEntityException, fmt::format("The Access Key with id {} cannot be found.", in.access_key_id)));
  model::GetAccessKeyLastUsedOutput out;
  out.user_name = key->user_name;
  out.access_key_last_used.emplace();
  out.access_key_last_used->service_name = "N/A";
  out.access_key_last_used->region = "N/A";
  co_return out;
}

Task<Reply<model::CreateAccountAliasOutput>> CreateAccountAlias(Iam& iam, const model::CreateAccountAliasInput& in, const Call& call) {
  for (const std::string& alias : iam.names_below(key_of(call, "alias", ""))) iam.records().erase(key_of(call, "alias", alias));
  iam.records().put(key_of(call, "alias", in.account_alias), "");
  co_await iam.committed();
  co_return model::CreateAccountAliasOutput{};
}

Task<Reply<model::DeleteAccountAliasOutput>> DeleteAccountAlias(Iam& iam, const model::DeleteAccountAliasInput& in, const Call& call) {
  if (!iam.records().erase(key_of(call, "alias", in.account_alias)))
    co_return Err(aws::Error(errors::kNoSuchEntityException, fmt::format("The account alias with name {} cannot be found.", in.account_alias)));
  co_await iam.committed();
  co_return model::DeleteAccountAliasOutput{};
}

Task<Reply<model::ListAccountAliasesOutput>> ListAccountAliases(Iam& iam, const model::ListAccountAliasesInput& in, const Call& call) {
  model::ListAccountAliasesOutput out;
  CO_TRY(paginate(in, iam.names_below(key_of(call, "alias", "")), out.account_aliases, out));
  co_return out;
}

}  // namespace reef::service::iam::operations
