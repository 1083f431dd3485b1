// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html
#include "service/elasticloadbalancingv2/operations.h"

namespace reef::service::elb::operations {
namespace {

constexpr std::size_t kTagsMax = 50;

// Calls `change(tags)` for the resource and saves it when that gives true.
template <class F>
Reply<void> with_tags(Elb& elb, const std::string& arn, const F& change) {
  const auto apply = [&](auto* resource) -> Reply<void> {
    if (TRY(change(resource->tags))) elb.save(*resource);
    return {};
  };
  if (arn.find(":loadbalancer/") != std::string::npos) return apply(TRY(elb.balancer(arn)));
  if (arn.find(":targetgroup/") != std::string::npos) return apply(TRY(elb.group(arn)));
  if (arn.find(":listener-rule/") != std::string::npos) return apply(TRY(elb.rule(arn)));
  if (arn.find(":listener/") != std::string::npos) return apply(TRY(elb.listener(arn)));
  if (arn.find(":truststore/") != std::string::npos) return apply(TRY(elb.trust_store(arn)));
  return Err(aws::validation_error(fmt::format("'{}' is not a valid ARN", arn)));
}

}  // namespace

Reply<Tags> read_tags(const std::optional<std::vector<model::Tag>>& tags) {
  Tags out;
  if (!tags) return out;
  for (const auto& tag : *tags)
    if (!out.emplace(tag.key, tag.value.value_or("")).second) return Err(aws::Error(errors::kDuplicateTagKeysException, "A tag key was specified more than once"));
  if (out.size() > kTagsMax) return Err(aws::Error(errors::kTooManyTagsException, "The maximum number of tags per resource is '50'"));
  return out;
}

Task<Reply<model::AddTagsOutput>> AddTags(Elb& elb, const model::AddTagsInput& in, const Call&) {
  const Tags added = CO_TRY(read_tags(in.tags));
  for (const std::string& arn : in.resource_arns)
    CO_TRY(with_tags(elb, arn, [&](Tags& tags) -> Reply<bool> {
      Tags merged = added;
      merged.insert(tags.begin(), tags.end());
      if (merged.size() > kTagsMax) return Err(aws::Error(errors::kTooManyTagsException, "The maximum number of tags per resource is '50'"));
      tags = std::move(merged);
      return true;
    }));
  co_await elb.committed();
  co_return model::AddTagsOutput{};
}

Task<Reply<model::RemoveTagsOutput>> RemoveTags(Elb& elb, const model::RemoveTagsInput& in, const Call&) {
  for (const std::string& arn : in.resource_arns)
    CO_TRY(with_tags(elb, arn, [&](Tags& tags) -> Reply<bool> {
      for (const std::string& key : in.tag_keys) tags.erase(key);
      return true;
    }));
  co_await elb.committed();
  co_return model::RemoveTagsOutput{};
}

Task<Reply<model::DescribeTagsOutput>> DescribeTags(Elb& elb, const model::DescribeTagsInput& in, const Call&) {
  model::DescribeTagsOutput out{.tag_descriptions = std::vector<model::TagDescription>{}};
  for (const std::string& arn : in.resource_arns) {
    auto& description = out.tag_descriptions->emplace_back(model::TagDescription{.resource_arn = arn, .tags = std::vector<model::Tag>{}});
    CO_TRY(with_tags(elb, arn, [&](Tags& tags) -> Reply<bool> {
      for (const auto& [key, value] : tags) description.tags->push_back({.key = key, .value = value});
      return false;
    }));
  }
  co_return out;
}

}  // namespace reef::service::elb::operations
