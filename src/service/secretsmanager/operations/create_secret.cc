// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html, PutSecretValue, UpdateSecret
#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "service/secretsmanager/operations.h"

namespace reef::service::secretsmanager::operations {
namespace {

Reply<void> check_name(std::string_view name) {
  if (!name.empty() && name.size() <= 512 &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/_+=.@!") == std::string_view::npos)
    return {};
  return Err(aws::Error("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!", 400));
}

Reply<void> check_value(const std::optional<std::string>& text, const std::optional<std::string>& binary) {
  if (text && binary) return Err(invalid_parameter("You can't specify both a binary secret value and a string secret value in the same secret."));
  if ((text ? text->size() : 0) + (binary ? binary->size() : 0) > kValueBytesMax)
    return Err(invalid_parameter(fmt::format("You can't use a secret value that is longer than {} bytes.", kValueBytesMax)));
  return {};
}

aws::Error token_in_use(const std::string& token, const Secret& secret) {
  return {errors::kResourceExistsException, fmt::format("You can't use ClientRequestToken {} because that value is already in use for a version of secret {}.", token, secret.arn)};
}

bool is_same(const Version& version, const std::optional<std::string>& text, const std::optional<std::string>& binary) { return version.text == text && version.binary == binary; }

Reply<void> add_tags(Secret& secret, const std::vector<model::Tag>& tags) {
  for (const model::Tag& tag : tags) {
    if (tag.key.value_or("").empty()) return Err(invalid_parameter("Tag keys can't be empty."));
    if (tag.key->starts_with("aws:")) return Err(invalid_parameter("Tag keys can't begin with aws:, which is reserved for AWS use."));
    secret.tags.insert_or_assign(*tag.key, tag.value.value_or(""));
  }
  if (secret.tags.size() > kTagsMax) return Err(invalid_parameter(fmt::format("You can't add more than {} tags to a secret.", kTagsMax)));
  return {};
}

// A version with that content and those stages; one that a rotation began is filled.
Reply<Version*> add_version(Secret& secret, const std::string& token, const std::optional<std::string>& text, const std::optional<std::string>& binary,
                            const std::vector<std::string>& stages, Time now) {
  Version* version = secret.version(token);
  if (version && version->has_value()) {
    if (!is_same(*version, text, binary)) return Err(token_in_use(token, secret));
    return version;
  }
  if (!version) {
    const bool is_first = secret.versions.empty();
    secret.versions.emplace_back().id = token;
    version = &secret.versions.back();
    if (is_first && std::find(stages.begin(), stages.end(), kCurrent) == stages.end()) version->stages.emplace_back(kCurrent);
  }
  version->created = now;
  version->text = text;
  version->binary = binary;
  for (const std::string& stage : stages) {
    if (stage == kCurrent) secret.make_current(*version);
    else secret.move_stage(stage, version);
  }
  secret.changed = now;
  const std::string id = version->id;
  secret.prune();
  return secret.version(id);
}

}  // namespace

Task<Reply<model::CreateSecretOutput>> CreateSecret(SecretsManager&, const model::CreateSecretInput& in, const Call& call) {
  CO_TRY(check_name(in.name));
  CO_TRY(check_value(in.secret_string, in.secret_binary));
  if (in.add_replica_regions && !in.add_replica_regions->empty()) co_return Err(aws::not_implemented("AddReplicaRegions of CreateSecret"));
  if (in.type) co_return Err(aws::not_implemented("Type of CreateSecret (managed external secrets)"));
  const std::string token = in.client_request_token.value_or(make_uuid(thread_random()));
  model::CreateSecretOutput out;
  out.name = in.name;
  if (auto before = find_secret(call, in.name)) {
    if (before->deleted) co_return Err(invalid_request("You can't create this secret because a secret with this name is already scheduled for deletion."));
    // The same request again.
    const Version* version = before->version(token);
    if (!version || !is_same(*version, in.secret_string, in.secret_binary))
      co_return Err(aws::Error(errors::kResourceExistsException, fmt::format("The operation failed because the secret {} already exists.", in.name)));
    out.arn = before->arn;
    out.version_id = token;
    co_return out;
  }
  Secret secret{.account = call.account, .region = call.region, .name = in.name, .description = in.description.value_or(""), .kms_key = in.kms_key_id.value_or("")};
  secret.arn = call.arn("secretsmanager", fmt::format("secret:{}-{}", in.name, make_token(thread_random(), 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")));
  secret.created = secret.changed = call.now;
  if (in.tags) CO_TRY(add_tags(secret, *in.tags));
  if (in.secret_string || in.secret_binary) {
    CO_TRY(add_version(secret, token, in.secret_string, in.secret_binary, {std::string(kCurrent)}, call.now));
    out.version_id = token;
  }
  save(secret);
  co_await committed();
  out.arn = secret.arn;
  co_return out;
}

Task<Reply<model::PutSecretValueOutput>> PutSecretValue(SecretsManager&, const model::PutSecretValueInput& in, const Call& call) {
  Secret secret = CO_TRY(need_secret(call, in.secret_id));
  CO_TRY(check_value(in.secret_string, in.secret_binary));
  if (!in.secret_string && !in.secret_binary) co_return Err(invalid_request("You must provide either SecretString or SecretBinary."));
  const std::string token = in.client_request_token.value_or(make_uuid(thread_random()));
  const std::vector<std::string> stages = in.version_stages.value_or(std::vector<std::string>{std::string(kCurrent)});
  if (stages.size() > kStagesMax) co_return Err(aws::Error(errors::kLimitExceededException, fmt::format("A version can have at most {} staging labels.", kStagesMax)));
  const Version* version = CO_TRY(add_version(secret, token, in.secret_string, in.secret_binary, stages, call.now));
  model::PutSecretValueOutput out;
  out.arn = secret.arn;
  out.name = secret.name;
  out.version_id = token;
  out.version_stages = version->stages;
  save(secret);
  co_await committed();
  co_return out;
}

Task<Reply<model::UpdateSecretOutput>> UpdateSecret(SecretsManager&, const model::UpdateSecretInput& in, const Call& call) {
  Secret secret = CO_TRY(need_secret(call, in.secret_id));
  CO_TRY(check_value(in.secret_string, in.secret_binary));
  if (in.type) co_return Err(aws::not_implemented("Type of UpdateSecret (managed external secrets)"));
  model::UpdateSecretOutput out;
  if (in.description) secret.description = *in.description;
  if (in.kms_key_id) secret.kms_key = *in.kms_key_id;
  if (in.secret_string || in.secret_binary) {
    const std::string token = in.client_request_token.value_or(make_uuid(thread_random()));
    CO_TRY(add_version(secret, token, in.secret_string, in.secret_binary, {std::string(kCurrent)}, call.now));
    out.version_id = token;
  }
  secret.changed = call.now;
  save(secret);
  co_await committed();
  out.arn = secret.arn;
  out.name = secret.name;
  co_return out;
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html
Task<Reply<model::TagResourceOutput>> TagResource(SecretsManager&, const model::TagResourceInput& in, const Call& call) {
  Secret secret = CO_TRY(need_secret(call, in.secret_id));
  CO_TRY(add_tags(secret, in.tags));
  save(secret);
  co_await committed();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> UntagResource(SecretsManager&, const model::UntagResourceInput& in, const Call& call) {
  Secret secret = CO_TRY(need_secret(call, in.secret_id));
  for (const std::string& key : in.tag_keys) secret.tags.erase(key);
  save(secret);
  co_await committed();
  co_return model::UntagResourceOutput{};
}

}  // namespace reef::service::secretsmanager::operations
