// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html and the other operations
// on groups and streams.
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "service/logs/logs.h"
#include "wire/json.h"

namespace reef::service::logs {

using wire::Json;

aws::Error no_group() { return {errors::kResourceNotFoundException, "The specified log group does not exist."}; }
aws::Error no_stream() { return {errors::kResourceNotFoundException, "The specified log stream does not exist."}; }

GroupExtra read_extra(const telemetry::LogGroup& group) {
  GroupExtra out;
  const auto json = Json::parse(group.extra);
  if (!json) return out;
  for (const auto& [key, value] : (*json)["tags"].as_object()) out.tags.emplace(key, value.as_string());
  out.kms_key_id = json->text("kms");
  if (json->contains("class")) out.log_class = json->text("class");
  return out;
}

std::string write_extra(const GroupExtra& extra) {
  Json tags = Json::object();
  for (const auto& [key, value] : extra.tags) tags.set(key, value);
  return Json::object({{"tags", tags}, {"kms", extra.kms_key_id}, {"class", extra.log_class}}).dump();
}

Reply<std::string> group_name(const std::optional<std::string>& name, const std::optional<std::string>& identifier) {
  if (name) return *name;
  if (!identifier) return Err(aws::Error(errors::kInvalidParameterException, "Either logGroupName or logGroupIdentifier must be given."));
  const auto at = identifier->find(":log-group:");
  std::string out = at == std::string::npos ? *identifier : identifier->substr(at + 11);
  if (out.ends_with(":*")) out.resize(out.size() - 2);
  return out;
}

namespace operations {
namespace {

constexpr std::int32_t kRetentions[] = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};

model::LogGroup to_model(const Call& call, std::string_view name, const telemetry::LogGroup& group) {
  const GroupExtra extra = read_extra(group);
  model::LogGroup out;
  out.log_group_name = name;
  out.creation_time = to_millis(group.created);
  if (group.retention_days) out.retention_in_days = group.retention_days;
  out.metric_filter_count = 0;
  out.arn = call.arn("logs", fmt::format("log-group:{}:*", name));
  out.log_group_arn = call.arn("logs", fmt::format("log-group:{}", name));
  out.stored_bytes = group.stored_bytes;
  if (!extra.kms_key_id.empty()) out.kms_key_id = extra.kms_key_id;
  out.log_group_class = extra.log_class;
  return out;
}

// The page after `token`, the base64 of the last name of the page before.
template <class T>
Reply<std::optional<std::string>> cut_page(std::vector<T>& all, const std::optional<std::string>& token, std::size_t limit,
                                           std::optional<std::string> T::* name) {
  if (token) {
    const auto after = base64url_decode(*token);
    if (!after) return Err(aws::Error(errors::kInvalidParameterException, "The specified nextToken is invalid."));
    const auto found = std::find_if(all.begin(), all.end(), [&](const T& one) { return *(one.*name) == *after; });
    if (found != all.end()) all.erase(all.begin(), found + 1);
  }
  if (all.size() <= limit) return std::optional<std::string>();
  all.resize(limit);
  return std::optional<std::string>(base64url_encode(*(all.back().*name)));
}

Task<Reply<void>> edit_tags(LogsService& service, const Call& call, std::string name, std::function<void(GroupExtra&)> edit) {
  const std::string key = group_key(call, name);
  telemetry::LogGroup* group = service.logs.find_group(key);
  if (!group) co_return Err(no_group());
  GroupExtra extra = read_extra(*group);
  edit(extra);
  if (extra.tags.size() > 50) co_return Err(aws::Error(errors::kTooManyTagsException, "A resource can have no more than 50 tags."));
  group->extra = write_extra(extra);
  service.logs.save_group(key);
  co_await store::Shard::control().committed();
  co_return Reply<void>();
}

}  // namespace

Task<Reply<model::CreateLogGroupOutput>> CreateLogGroup(LogsService& service, const model::CreateLogGroupInput& in, const Call& call) {
  GroupExtra extra;
  if (in.tags) extra.tags = *in.tags;
  extra.kms_key_id = in.kms_key_id.value_or("");
  extra.log_class = in.log_group_class.value_or("STANDARD");
  if (!service.logs.create_group(group_key(call, in.log_group_name), write_extra(extra), call.now))
    co_return Err(aws::Error(errors::kResourceAlreadyExistsException, "The specified log group already exists"));
  co_await store::Shard::control().committed();
  co_return model::CreateLogGroupOutput{};
}

Task<Reply<model::DeleteLogGroupOutput>> DeleteLogGroup(LogsService& service, const model::DeleteLogGroupInput& in, const Call& call) {
  if (!service.logs.remove_group(group_key(call, in.log_group_name))) co_return Err(no_group());
  co_await store::Shard::control().committed();
  co_return model::DeleteLogGroupOutput{};
}

Task<Reply<model::DescribeLogGroupsOutput>> DescribeLogGroups(LogsService& service, const model::DescribeLogGroupsInput& in, const Call& call) {
  if (in.log_group_name_pattern && in.log_group_name_prefix)
    co_return Err(aws::Error(errors::kInvalidParameterException, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
  std::vector<model::LogGroup> all;
  const std::string account = group_key(call, "");
  service.logs.each_group(account + in.log_group_name_prefix.value_or(""), [&](std::string_view key, const telemetry::LogGroup& group) {
    const std::string_view name = key.substr(account.size());
    const bool listed = !in.log_group_identifiers || std::any_of(in.log_group_identifiers->begin(), in.log_group_identifiers->end(), [&](const std::string& id) {
      return group_name(std::nullopt, id).value_or("") == name;
    });
    if (listed && (!in.log_group_name_pattern || to_lower(name).find(to_lower(*in.log_group_name_pattern)) != std::string::npos))
      all.push_back(to_model(call, name, group));
    return true;
  });
  model::DescribeLogGroupsOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.limit.value_or(50)), &model::LogGroup::log_group_name));
  out.log_groups = std::move(all);
  co_return out;
}

Task<Reply<model::ListLogGroupsOutput>> ListLogGroups(LogsService& service, const model::ListLogGroupsInput& in, const Call& call) {
  std::vector<model::LogGroupSummary> all;
  const std::string account = group_key(call, "");
  service.logs.each_group(account, [&](std::string_view key, const telemetry::LogGroup& group) {
    const std::string_view name = key.substr(account.size());
    if (in.log_group_name_pattern && name.find(*in.log_group_name_pattern) == std::string_view::npos) return true;
    auto& summary = all.emplace_back();
    summary.log_group_name = name;
    summary.log_group_arn = call.arn("logs", fmt::format("log-group:{}", name));
    summary.log_group_class = read_extra(group).log_class;
    return true;
  });
  model::ListLogGroupsOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.limit.value_or(50)), &model::LogGroupSummary::log_group_name));
  out.log_groups = std::move(all);
  co_return out;
}

Task<Reply<model::CreateLogStreamOutput>> CreateLogStream(LogsService& service, const model::CreateLogStreamInput& in, const Call& call) {
  const std::string key = group_key(call, in.log_group_name);
  if (!service.logs.find_group(key)) co_return Err(no_group());
  if (!service.logs.create_stream(key, in.log_stream_name, call.now))
    co_return Err(aws::Error(errors::kResourceAlreadyExistsException, "The specified log stream already exists"));
  co_await store::Shard::control().committed();
  co_return model::CreateLogStreamOutput{};
}

Task<Reply<model::DeleteLogStreamOutput>> DeleteLogStream(LogsService& service, const model::DeleteLogStreamInput& in, const Call& call) {
  const std::string key = group_key(call, in.log_group_name);
  if (!service.logs.find_group(key)) co_return Err(no_group());
  if (!service.logs.remove_stream(key, in.log_stream_name)) co_return Err(no_stream());
  co_await store::Shard::control().committed();
  co_return model::DeleteLogStreamOutput{};
}

Task<Reply<model::DescribeLogStreamsOutput>> DescribeLogStreams(LogsService& service, const model::DescribeLogStreamsInput& in, const Call& call) {
  const std::string name = CO_TRY(group_name(in.log_group_name, in.log_group_identifier));
  const std::string key = group_key(call, name);
  if (!service.logs.find_group(key)) co_return Err(no_group());
  const bool by_time = in.order_by.value_or("LogStreamName") == "LastEventTime";
  if (by_time && in.log_stream_name_prefix)
    co_return Err(aws::Error(errors::kInvalidParameterException, "Cannot order by LastEventTime with a logStreamNamePrefix."));
  std::vector<model::LogStream> all;
  service.logs.each_stream(key, in.log_stream_name_prefix.value_or(""), [&](std::string_view stream_name, const telemetry::LogStream& stream) {
    auto& one = all.emplace_back();
    one.log_stream_name = stream_name;
    one.creation_time = to_millis(stream.created);
    one.first_event_timestamp = stream.first_millis;
    one.last_event_timestamp = stream.last_millis;
    if (stream.last_ingested) one.last_ingestion_time = to_millis(*stream.last_ingested);
    if (stream.last_ingested) one.upload_sequence_token = std::to_string(stream.id);
    one.arn = call.arn("logs", fmt::format("log-group:{}:log-stream:{}", name, stream_name));
    one.stored_bytes = 0;  // AWS gives no other number since 2019
    return true;
  });
  if (by_time)
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.last_event_timestamp.value_or(0) < b.last_event_timestamp.value_or(0); });
  if (in.descending.value_or(false)) std::reverse(all.begin(), all.end());
  model::DescribeLogStreamsOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.limit.value_or(50)), &model::LogStream::log_stream_name));
  out.log_streams = std::move(all);
  co_return out;
}

Task<Reply<model::PutRetentionPolicyOutput>> PutRetentionPolicy(LogsService& service, const model::PutRetentionPolicyInput& in, const Call& call) {
  if (std::find(std::begin(kRetentions), std::end(kRetentions), in.retention_in_days) == std::end(kRetentions))
    co_return Err(aws::Error(errors::kInvalidParameterException,
                             fmt::format("1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum "
                                         "value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]",
                                         in.retention_in_days)));
  const std::string key = group_key(call, in.log_group_name);
  telemetry::LogGroup* group = service.logs.find_group(key);
  if (!group) co_return Err(no_group());
  group->retention_days = in.retention_in_days;
  service.logs.save_group(key);
  co_await store::Shard::control().committed();
  co_return model::PutRetentionPolicyOutput{};
}

Task<Reply<model::DeleteRetentionPolicyOutput>> DeleteRetentionPolicy(LogsService& service, const model::DeleteRetentionPolicyInput& in, const Call& call) {
  const std::string key = group_key(call, in.log_group_name);
  telemetry::LogGroup* group = service.logs.find_group(key);
  if (!group) co_return Err(no_group());
  group->retention_days = 0;
  service.logs.save_group(key);
  co_await store::Shard::control().committed();
  co_return model::DeleteRetentionPolicyOutput{};
}

Task<Reply<model::TagResourceOutput>> TagResource(LogsService& service, const model::TagResourceInput& in, const Call& call) {
  const std::string name = CO_TRY(group_name(std::nullopt, in.resource_arn));
  CO_TRY(co_await edit_tags(service, call, name, [&](GroupExtra& extra) { for (const auto& [k, v] : in.tags) extra.tags.insert_or_assign(k, v); }));
  co_return model::TagResourceOutput{};
}
Task<Reply<model::UntagResourceOutput>> UntagResource(LogsService& service, const model::UntagResourceInput& in, const Call& call) {
  const std::string name = CO_TRY(group_name(std::nullopt, in.resource_arn));
  CO_TRY(co_await edit_tags(service, call, name, [&](GroupExtra& extra) { for (const auto& k : in.tag_keys) extra.tags.erase(k); }));
  co_return model::UntagResourceOutput{};
}
Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(LogsService& service, const model::ListTagsForResourceInput& in, const Call& call) {
  const std::string name = CO_TRY(group_name(std::nullopt, in.resource_arn));
  const telemetry::LogGroup* group = service.logs.find_group(group_key(call, name));
  if (!group) co_return Err(no_group());
  model::ListTagsForResourceOutput out;
  out.tags = read_extra(*group).tags;
  co_return out;
}
Task<Reply<model::TagLogGroupOutput>> TagLogGroup(LogsService& service, const model::TagLogGroupInput& in, const Call& call) {
  CO_TRY(co_await edit_tags(service, call, in.log_group_name, [&](GroupExtra& extra) { for (const auto& [k, v] : in.tags) extra.tags.insert_or_assign(k, v); }));
  co_return model::TagLogGroupOutput{};
}
Task<Reply<model::UntagLogGroupOutput>> UntagLogGroup(LogsService& service, const model::UntagLogGroupInput& in, const Call& call) {
  CO_TRY(co_await edit_tags(service, call, in.log_group_name, [&](GroupExtra& extra) { for (const auto& k : in.tags) extra.tags.erase(k); }));
  co_return model::UntagLogGroupOutput{};
}
Task<Reply<model::ListTagsLogGroupOutput>> ListTagsLogGroup(LogsService& service, const model::ListTagsLogGroupInput& in, const Call& call) {
  const telemetry::LogGroup* group = service.logs.find_group(group_key(call, in.log_group_name));
  if (!group) co_return Err(no_group());
  model::ListTagsLogGroupOutput out;
  out.tags = read_extra(*group).tags;
  co_return out;
}

}  // namespace operations
}  // namespace reef::service::logs
