// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TagResource.html, API_UntagResource, API_ListTagsForResource
#include <functional>

#include "aws/unmodelled_errors.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/eventbridge/eventbridge.h"
#include "service/eventbridge/targets.h"

namespace reef::service::eventbridge::operations {
namespace {

constexpr std::size_t kTagsMax = 50;

// Changes the tags of a rule or a bus, or only looks at them.
Reply<void> with_tags(EventBridge& service, const std::string& arn, const std::function<Reply<bool>(Tags&)>& change) {
  const auto missing = [&] { return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("{} does not exist.", arn))); };
  if (const auto name = parse_bus_arn(arn)) {
    Bus* bus = service.book.find(*name);
    if (!bus) return missing();
    if (TRY(change(bus->tags))) service.book.save(*bus);
    return {};
  }
  const std::string_view resource = arn_part(arn, 5);
  if (arn_part(arn, 2) != "events" || !resource.starts_with("rule/")) return Err(invalid("ResourceARN", "Provided Arn is not in correct format."));
  const auto parts = split(resource, '/');
  const BusName name{std::string(arn_part(arn, 4)), std::string(arn_part(arn, 3)), parts.size() > 2 ? std::string(parts[1]) : kDefaultBus};
  Bus* bus = service.book.find(name);
  const auto found = bus ? bus->rules.find(parts.back()) : decltype(bus->rules.end())();
  if (!bus || found == bus->rules.end()) return missing();
  const auto rule = found->second;
  if (TRY(change(rule->tags))) service.book.put(*bus, rule);
  return {};
}

}  // namespace

Task<Reply<model::TagResourceOutput>> TagResource(EventBridge& service, const model::TagResourceInput& in, const Call&) {
  CO_TRY(with_tags(service, in.resource_arn, [&](Tags& tags) -> Reply<bool> {
    Tags after = tags;
    for (const model::Tag& tag : in.tags) after[tag.key] = tag.value;
    if (after.size() > kTagsMax) return Err(aws::Error(errors::kLimitExceededException, "The requested resource exceeds the maximum number allowed."));
    tags = std::move(after);
    return true;
  }));
  co_await store::Shard::control().committed();
  co_return model::TagResourceOutput();
}

Task<Reply<model::UntagResourceOutput>> UntagResource(EventBridge& service, const model::UntagResourceInput& in, const Call&) {
  CO_TRY(with_tags(service, in.resource_arn, [&](Tags& tags) -> Reply<bool> {
    for (const std::string& key : in.tag_keys) tags.erase(key);
    return true;
  }));
  co_await store::Shard::control().committed();
  co_return model::UntagResourceOutput();
}

Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(EventBridge& service, const model::ListTagsForResourceInput& in, const Call&) {
  model::ListTagsForResourceOutput out;
  auto& list = out.tags.emplace();
  CO_TRY(with_tags(service, in.resource_arn, [&](Tags& tags) -> Reply<bool> {
    for (const auto& [key, value] : tags) list.push_back({.key = key, .value = value});
    return false;
  }));
  co_return out;
}

}  // namespace reef::service::eventbridge::operations
