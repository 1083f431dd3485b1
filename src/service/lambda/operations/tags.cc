// https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html
#include <fmt/format.h>

#include "service/lambda/limits.h"
#include "service/lambda/operations.h"
#include "service/lambda/publishing.h"

namespace reef::service::lambda::operations {
namespace {

// Functions and event source mappings carry tags; `edit` changes them, and what it leaves is stored and returned.
Reply<Tags> edit_tags(Lambda& lambda, const std::string& arn, const std::function<Reply<void>(Tags&)>& edit) {
  const auto parts = split(arn, ':');
  if (parts.size() >= 7 && parts[5] == "event-source-mapping") {
    auto mapping = lambda.repository.mapping(std::string(parts[4]), std::string(parts[3]), std::string(parts[6]));
    if (!mapping) return Err(not_found("Event source mapping not found: " + arn));
    if (edit) {
      TRY(edit(mapping->tags));
      lambda.repository.put_mapping(*mapping);
    }
    return mapping->tags;
  }
  if (parts.size() >= 7 && parts[5] == "capacity-provider") return Err(not_found("Capacity provider not found: " + arn));
  const auto name = parse_function_arn(arn);
  if (!name) return Err(invalid_parameter(fmt::format("Tags on resource {} are not supported.", arn)));
  if (!name->qualifier.empty()) return Err(invalid_parameter("Tags on function aliases and versions are not supported. Please specify a function ARN."));
  auto function = lambda.repository.function(*name);
  if (!function) return Err(function_not_found(*name));
  if (edit) {
    TRY(edit(function->tags));
    function->latest.config.revision_id = new_revision();
    lambda.repository.put(*name, *function);
  }
  return function->tags;
}

}  // namespace

Task<Reply<model::ListTagsOutput>> list_tags(Lambda& lambda, const model::ListTagsInput& in, const Call&) {
  co_return model::ListTagsOutput{.tags = CO_TRY(edit_tags(lambda, in.resource, nullptr))};
}

Task<Reply<model::TagResourceOutput>> tag_resource(Lambda& lambda, const model::TagResourceInput& in, const Call&) {
  if (in.tags.empty()) co_return Err(invalid_parameter("An error occurred and the request cannot be processed."));
  CO_TRY(edit_tags(lambda, in.resource, [&](Tags& tags) -> Reply<void> {
    for (const auto& [name, value] : in.tags) tags[name] = value;
    if (tags.size() > limits::kTagsMax) return Err(invalid_parameter("Number of tags exceeds resource tag limit."));
    return {};
  }));
  co_await stored();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> untag_resource(Lambda& lambda, const model::UntagResourceInput& in, const Call&) {
  CO_TRY(edit_tags(lambda, in.resource, [&](Tags& tags) -> Reply<void> {
    for (const std::string& key : in.tag_keys) tags.erase(key);
    return {};
  }));
  co_await stored();
  co_return model::UntagResourceOutput{};
}

}  // namespace reef::service::lambda::operations
