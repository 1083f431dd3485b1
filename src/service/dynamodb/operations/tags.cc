// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UntagResource.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html
#include "service/dynamodb/errors.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {
namespace {

constexpr std::size_t kTagsMax = 50;

}  // namespace

Task<Reply<model::TagResourceOutput>> tag_resource(Dynamodb& dynamodb, const model::TagResourceInput& in, const Call& call) {
  if (in.tags.empty()) co_return Err(invalid("Atleast one Tag needs to be provided as Input."));
  const table::TablePtr table = CO_TRY(find_table_by_arn(dynamodb, in.resource_arn));
  auto changed = co_await dynamodb.tables.change(table->account, table->region, table->name,
                                                 [&in](table::TableDefinition& definition) -> std::string {
                                                   for (const model::Tag& tag : in.tags) definition.tags[tag.key] = tag.value;
                                                   return definition.tags.size() > kTagsMax ? "Too many tags" : "";
                                                 });
  if (!changed && changed.error().why == table::Refusal::kInvalid)
    co_return Err(invalid("One or more parameter values were invalid: Too many tags: a table can have 50 of them"));
  if (!changed) co_return Err(to_error(std::move(changed).error()));
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> untag_resource(Dynamodb& dynamodb, const model::UntagResourceInput& in,
                                                       const Call& call) {
  if (in.tag_keys.empty()) co_return Err(invalid("Atleast one Tag Key needs to be provided as Input."));
  auto found = find_table_by_arn(dynamodb, in.resource_arn);
  if (!found && found.error().code == model::errors::kResourceNotFoundException.code)
    found.error().message = "Requested resource not found";
  const table::TablePtr table = CO_TRY(std::move(found));
  auto changed = co_await dynamodb.tables.change(table->account, table->region, table->name,
                                                 [&in](table::TableDefinition& definition) {
                                                   for (const std::string& key : in.tag_keys) definition.tags.erase(key);
                                                   return std::string();
                                                 });
  if (!changed) co_return Err(to_error(std::move(changed).error()));
  co_return model::UntagResourceOutput{};
}

Task<Reply<model::ListTagsOfResourceOutput>> list_tags_of_resource(Dynamodb& dynamodb,
                                                                   const model::ListTagsOfResourceInput& in,
                                                                   const Call& call) {
  const table::TablePtr table = CO_TRY(find_table_by_arn(dynamodb, in.resource_arn));
  model::ListTagsOfResourceOutput out;
  out.tags.emplace();
  for (const auto& [key, value] : table->tags) out.tags->push_back({key, value});
  co_return out;
}

}  // namespace reef::dynamodb::operations
