// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html, BatchGetSecretValue, DescribeSecret,
// ListSecrets, ListSecretVersionIds
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "service/secretsmanager/operations.h"

namespace reef::service::secretsmanager::operations {
namespace {

constexpr std::size_t kSecretsPage = 100, kBatchMax = 20;

// AWS notes the day of the last reading, not its time.
std::optional<Time> day_of(const std::optional<Time>& time) { return time ? std::optional(Time(std::chrono::floor<std::chrono::days>(*time))) : std::nullopt; }

Reply<Version*> choose_version(Secret& secret, const std::optional<std::string>& id, const std::optional<std::string>& stage) {
  if (id) {
    Version* version = secret.version(*id);
    if (version && stage && !version->has(*stage))
      return Err(invalid_request("You provided a VersionStage that is not associated to the provided VersionId."));
    if (version && version->has_value()) return version;
    return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("Secrets Manager can't find the specified secret value for VersionId: {}", *id)));
  }
  const std::string wanted = stage.value_or(std::string(kCurrent));
  Version* version = secret.staged(wanted);
  if (version && version->has_value()) return version;
  return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("Secrets Manager can't find the specified secret value for staging label: {}", wanted)));
}

// Fills what GetSecretValue and an entry of BatchGetSecretValue have in common.
template <class Output>
void fill(Output& out, Secret& secret, Version& version, Time now) {
  out.arn = secret.arn;
  out.name = secret.name;
  out.version_id = version.id;
  out.secret_string = version.text;
  out.secret_binary = version.binary;
  out.version_stages = version.stages;
  out.created_date = version.created;
  const auto today = day_of(now);
  if (day_of(secret.accessed) == today && day_of(version.accessed) == today) return;
  secret.accessed = version.accessed = now;
  save(secret);
}

bool starts_ignoring_case(std::string_view text, std::string_view prefix) { return text.size() >= prefix.size() && equals_ignoring_case(text.substr(0, prefix.size()), prefix); }

// Descriptions match by the beginnings of their words.
bool has_word(std::string_view text, std::string_view prefix) {
  for (const std::string_view word : split(text, ' '))
    if (starts_ignoring_case(word, prefix)) return true;
  return starts_ignoring_case(text, prefix);
}

bool passes(const Secret& secret, std::string_view key, std::string_view value) {
  const auto any_tag = [&](bool by_value) {
    return std::any_of(secret.tags.begin(), secret.tags.end(), [&](const auto& tag) { return (by_value ? tag.second : tag.first).starts_with(value); });
  };
  if (key == "name") return secret.name.starts_with(value);
  if (key == "description") return has_word(secret.description, value);
  if (key == "tag-key") return any_tag(false);
  if (key == "tag-value") return any_tag(true);
  if (key == "primary-region") return secret.region.starts_with(value);
  if (key == "owning-service") return false;
  return starts_ignoring_case(secret.name, value) || has_word(secret.name, value) || has_word(secret.description, value) ||
         std::any_of(secret.tags.begin(), secret.tags.end(), [&](const auto& tag) { return starts_ignoring_case(tag.first, value) || starts_ignoring_case(tag.second, value); });
}

bool passes_all(const Secret& secret, const std::optional<std::vector<model::Filter>>& filters) {
  if (!filters) return true;
  return std::all_of(filters->begin(), filters->end(), [&](const model::Filter& filter) {
    if (!filter.values) return true;
    // "!x" is anything but x.
    return std::any_of(filter.values->begin(), filter.values->end(), [&](const std::string& value) {
      const bool is_negated = value.starts_with('!');
      return passes(secret, filter.key.value_or("all"), std::string_view(value).substr(is_negated ? 1 : 0)) != is_negated;
    });
  });
}

// The number of entries that earlier pages had.
Reply<std::size_t> read_token(const std::optional<std::string>& token) {
  if (!token) return std::size_t{0};
  const auto decoded = base64url_decode(*token);
  const auto number = decoded ? parse_int<std::size_t>(*decoded) : std::nullopt;
  if (!number) return Err(aws::Error(errors::kInvalidNextTokenException, "Invalid next token"));
  return *number;
}

model::SecretListEntry to_entry(const Secret& secret) {
  model::SecretListEntry out;
  out.arn = secret.arn;
  out.name = secret.name;
  if (!secret.description.empty()) out.description = secret.description;
  if (!secret.kms_key.empty()) out.kms_key_id = secret.kms_key;
  if (secret.rotates) out.rotation_enabled = true;
  if (!secret.rotation_function.empty()) out.rotation_lambda_arn = secret.rotation_function;
  out.rotation_rules = secret.rules;
  out.last_rotated_date = secret.rotated;
  out.last_changed_date = secret.changed;
  out.last_accessed_date = day_of(secret.accessed);
  out.deleted_date = secret.deleted;
  out.next_rotation_date = secret.next_rotation;
  if (!secret.tags.empty()) out.tags = to_tags(secret);
  if (!secret.versions.empty()) out.secret_versions_to_stages = versions_to_stages(secret);
  out.created_date = secret.created;
  return out;
}

}  // namespace

Task<Reply<model::GetSecretValueOutput>> GetSecretValue(SecretsManager&, const model::GetSecretValueInput& in, const Call& call) {
  Secret secret = CO_TRY(need_secret(call, in.secret_id));
  Version* version = CO_TRY(choose_version(secret, in.version_id, in.version_stage));
  model::GetSecretValueOutput out;
  fill(out, secret, *version, call.now);
  co_return out;
}

Task<Reply<model::BatchGetSecretValueOutput>> BatchGetSecretValue(SecretsManager&, const model::BatchGetSecretValueInput& in, const Call& call) {
  const bool by_id = in.secret_id_list && !in.secret_id_list->empty(), by_filter = in.filters && !in.filters->empty();
  if (by_id == by_filter) co_return Err(invalid_parameter("Either 'SecretIdList' or 'Filters' must be provided, but not both."));
  if (by_id && in.max_results) co_return Err(invalid_parameter("'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."));
  model::BatchGetSecretValueOutput out;
  auto& values = out.secret_values.emplace();
  auto& faults = out.errors.emplace();
  const auto add = [&](const std::string& id) {
    auto secret = need_secret(call, id);
    auto version = secret ? choose_version(*secret, std::nullopt, std::nullopt) : Reply<Version*>(std::unexpected(secret.error()));
    if (!version) faults.push_back({.secret_id = id, .error_code = version.error().code, .message = version.error().message});
    else fill(values.emplace_back(), *secret, **version, call.now);
  };
  if (by_id) {
    for (const std::string& id : *in.secret_id_list) add(id);
    co_return out;
  }
  const std::size_t skip = CO_TRY(read_token(in.next_token));
  const auto limit = static_cast<std::size_t>(in.max_results.value_or(static_cast<std::int32_t>(kBatchMax)));
  std::size_t seen = 0;
  for (const Secret& secret : all_secrets(call.account, call.region)) {
    if (secret.deleted || !passes_all(secret, in.filters) || seen++ < skip) continue;
    if (seen > skip + limit) {
      out.next_token = base64url_encode(std::to_string(skip + limit));
      break;
    }
    add(secret.arn);
  }
  co_return out;
}

Task<Reply<model::DescribeSecretOutput>> DescribeSecret(SecretsManager&, const model::DescribeSecretInput& in, const Call& call) {
  const Secret secret = CO_TRY(need_secret(call, in.secret_id, true));
  model::DescribeSecretOutput out;
  out.arn = secret.arn;
  out.name = secret.name;
  if (!secret.description.empty()) out.description = secret.description;
  if (!secret.kms_key.empty()) out.kms_key_id = secret.kms_key;
  if (!secret.rotation_function.empty()) {
    out.rotation_enabled = secret.rotates;
    out.rotation_lambda_arn = secret.rotation_function;
  }
  out.rotation_rules = secret.rules;
  out.last_rotated_date = secret.rotated;
  out.last_changed_date = secret.changed;
  out.last_accessed_date = day_of(secret.accessed);
  out.deleted_date = secret.deleted;
  if (secret.rotates) out.next_rotation_date = secret.next_rotation;
  if (!secret.tags.empty()) out.tags = to_tags(secret);
  if (!secret.versions.empty()) out.version_ids_to_stages = versions_to_stages(secret);
  out.created_date = secret.created;
  co_return out;
}

Task<Reply<model::ListSecretsOutput>> ListSecrets(SecretsManager&, const model::ListSecretsInput& in, const Call& call) {
  const std::size_t skip = CO_TRY(read_token(in.next_token));
  std::vector<Secret> found = all_secrets(call.account, call.region);
  std::erase_if(found, [&](const Secret& secret) { return (secret.deleted && !in.include_planned_deletion.value_or(false)) || !passes_all(secret, in.filters); });
  const std::string by = in.sort_by.value_or("created-date");
  const auto key = [&](const Secret& secret) {
    if (by == "last-accessed-date") return to_micros(secret.accessed.value_or(Time{}));
    if (by == "last-changed-date") return to_micros(secret.changed);
    return to_micros(secret.created);
  };
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < found.size(); ++i) order.push_back(i);
  const bool descending = in.sort_order == "desc";
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (descending) std::swap(a, b);
    if (by == "name") return found[a].name < found[b].name;
    return std::pair(key(found[a]), a) < std::pair(key(found[b]), b);
  });
  const auto limit = static_cast<std::size_t>(in.max_results.value_or(static_cast<std::int32_t>(kSecretsPage)));
  model::ListSecretsOutput out;
  auto& entries = out.secret_list.emplace();
  for (std::size_t i = skip; i < order.size() && entries.size() < limit; ++i) entries.push_back(to_entry(found[order[i]]));
  if (skip + entries.size() < order.size()) out.next_token = base64url_encode(std::to_string(skip + entries.size()));
  co_return out;
}

Task<Reply<model::ListSecretVersionIdsOutput>> ListSecretVersionIds(SecretsManager&, const model::ListSecretVersionIdsInput& in, const Call& call) {
  const Secret secret = CO_TRY(need_secret(call, in.secret_id, true));
  const std::size_t skip = CO_TRY(read_token(in.next_token));
  const auto limit = static_cast<std::size_t>(in.max_results.value_or(static_cast<std::int32_t>(kSecretsPage)));
  model::ListSecretVersionIdsOutput out;
  out.arn = secret.arn;
  out.name = secret.name;
  auto& versions = out.versions.emplace();
  std::size_t seen = 0;
  for (const Version& version : secret.versions) {
    if ((version.stages.empty() && !in.include_deprecated.value_or(false)) || seen++ < skip) continue;
    if (versions.size() == limit) {
      out.next_token = base64url_encode(std::to_string(skip + limit));
      break;
    }
    auto& one = versions.emplace_back();
    one.version_id = version.id;
    if (!version.stages.empty()) one.version_stages = version.stages;
    one.last_accessed_date = day_of(version.accessed);
    one.created_date = version.created;
  }
  co_return out;
}

}  // namespace reef::service::secretsmanager::operations
