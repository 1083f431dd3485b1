// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html
#include "service/cloudwatch/tags.h"

#include <fmt/format.h>

#include "service/cloudwatch/operations.h"
#include "wire/json.h"

namespace reef::service::cloudwatch {
namespace {

std::string tags_key(std::string_view arn) { return fmt::format("cloudwatch/tags/{}", arn); }

}  // namespace

Tags load_tags(std::string_view arn) {
  Tags tags;
  const std::string* text = store::Shard::control().records().find(tags_key(arn));
  const auto json = text ? wire::Json::parse(*text) : Err(wire::JsonError{});
  if (json)
    for (const auto& [key, value] : json->as_object()) tags.emplace(key, value.as_string());
  return tags;
}

void save_tags(std::string_view arn, const Tags& tags) {
  if (tags.empty()) return erase_tags(arn);
  wire::Json json = wire::Json::object();
  for (const auto& [key, value] : tags) json.set(key, value);
  store::Shard::control().records().put(tags_key(arn), json.dump());
}

void erase_tags(std::string_view arn) { store::Shard::control().records().erase(tags_key(arn)); }

void add_tags(Tags& tags, const std::vector<model::Tag>& more) {
  for (const model::Tag& tag : more) tags.insert_or_assign(tag.key, tag.value);
}

namespace operations {
namespace {

// Alarms and dashboards can be tagged; they must be there.
Reply<void> check_taggable(Cloudwatch& service, const Call& call, const std::string& arn) {
  const auto alarm_at = arn.find(":alarm:");
  if (alarm_at != std::string::npos && service.alarms.find(scope_of(call), std::string_view(arn).substr(alarm_at + 7))) return {};
  const auto dashboard_at = arn.find(":dashboard/");
  if (dashboard_at != std::string::npos && find_dashboard(call, std::string_view(arn).substr(dashboard_at + 11))) return {};
  aws::Error error(errors::kResourceNotFoundException, fmt::format("Unknown resource: {}", arn));
  return Err(std::move(error));
}

}  // namespace

Task<Reply<model::TagResourceOutput>> TagResource(Cloudwatch& service, const model::TagResourceInput& in, const Call& call) {
  CO_TRY(check_taggable(service, call, in.resource_arn));
  Tags tags = load_tags(in.resource_arn);
  add_tags(tags, in.tags);
  if (tags.size() > kTagsMax) co_return Err(invalid_value(fmt::format("A resource can have at most {} tags.", kTagsMax)));
  save_tags(in.resource_arn, tags);
  co_await committed();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> UntagResource(Cloudwatch& service, const model::UntagResourceInput& in, const Call& call) {
  CO_TRY(check_taggable(service, call, in.resource_arn));
  Tags tags = load_tags(in.resource_arn);
  for (const std::string& key : in.tag_keys) tags.erase(key);
  save_tags(in.resource_arn, tags);
  co_await committed();
  co_return model::UntagResourceOutput{};
}

Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(Cloudwatch& service, const model::ListTagsForResourceInput& in, const Call& call) {
  CO_TRY(check_taggable(service, call, in.resource_arn));
  model::ListTagsForResourceOutput out;
  auto& tags = out.tags.emplace();
  for (const auto& [key, value] : load_tags(in.resource_arn)) tags.push_back({.key = key, .value = value});
  co_return out;
}

}  // namespace operations
}  // namespace reef::service::cloudwatch
