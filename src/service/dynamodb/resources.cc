// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-table.html
#include "service/dynamodb/resources.h"

#include <algorithm>

#include "base/text.h"
#include "wire/json.h"

namespace reef::dynamodb::resources {
namespace {

using aws::Reply;
using wire::Json;

constexpr std::size_t kNameMax = 255;

// CloudFormation's texts as the numbers and booleans that the API wants.
Json as_number(const Json& value) {
  if (value.is_string())
    if (const auto number = parse_int(value.as_string())) return Json(*number);
  return value;
}
bool is_true(const Json& value) { return value.is_bool() ? value.as_bool() : value.as_string() == "true"; }

Json throughput(const Json& properties) {
  Json out = Json::object();
  for (const char* name : {"ReadCapacityUnits", "WriteCapacityUnits"})
    if (properties.contains(name)) out.set(name, as_number(properties[name]));
  return out;
}

Json global_index(const Json& properties) {
  Json out = Json::object();
  for (const char* name : {"IndexName", "KeySchema", "Projection"})
    if (properties.contains(name)) out.set(name, properties[name]);
  if (properties.contains("ProvisionedThroughput")) out.set("ProvisionedThroughput", throughput(properties["ProvisionedThroughput"]));
  return out;
}

Json encryption(const Json& properties) {
  Json out = Json::object({{"Enabled", is_true(properties["SSEEnabled"])}});
  for (const char* name : {"SSEType", "KMSMasterKeyId"})
    if (properties.contains(name)) out.set(name, properties[name]);
  return out;
}

Json on_demand(const Json& properties) {
  Json out = Json::object();
  for (const char* name : {"MaxReadRequestUnits", "MaxWriteRequestUnits"})
    if (properties.contains(name)) out.set(name, as_number(properties[name]));
  return out;
}

// Template tags win over the stack's.
Json all_tags(const aws::ResourceContext& context, const Json& properties) {
  Json tags = Json::array();
  const Json& own = properties["Tags"];
  for (const Json& tag : own.as_array()) tags.push_back(tag);
  for (const Json& tag : context.tags.as_array()) {
    const bool known = std::ranges::any_of(own.as_array(), [&](const Json& mine) { return mine.text("Key") == tag.text("Key"); });
    if (!known) tags.push_back(tag);
  }
  return tags;
}

std::string identify(const aws::ResourceContext& context, const Json& properties) {
  return properties.contains("TableName") ? properties.text("TableName") : context.generated_name(kNameMax);
}

Json create_input(const aws::ResourceContext& context, const Json& properties) {
  Json input = Json::object();
  input.set("TableName", identify(context, properties));
  for (const char* name : {"AttributeDefinitions", "KeySchema", "BillingMode", "LocalSecondaryIndexes", "TableClass"})
    if (properties.contains(name)) input.set(name, properties[name]);
  if (properties.contains("ProvisionedThroughput"))
    input.set("ProvisionedThroughput", throughput(properties["ProvisionedThroughput"]));
  if (properties.contains("GlobalSecondaryIndexes")) {
    Json indexes = Json::array();
    for (const Json& index : properties["GlobalSecondaryIndexes"].as_array()) indexes.push_back(global_index(index));
    if (indexes.size()) input.set("GlobalSecondaryIndexes", std::move(indexes));
  }
  if (properties.contains("SSESpecification")) input.set("SSESpecification", encryption(properties["SSESpecification"]));
  if (properties.contains("OnDemandThroughput")) input.set("OnDemandThroughput", on_demand(properties["OnDemandThroughput"]));
  if (properties.contains("DeletionProtectionEnabled"))
    input.set("DeletionProtectionEnabled", is_true(properties["DeletionProtectionEnabled"]));
  if (properties.contains("StreamSpecification"))
    input.set("StreamSpecification", Json::object({{"StreamEnabled", true},
                                                   {"StreamViewType", properties["StreamSpecification"]["StreamViewType"]}}));
  if (Json tags = all_tags(context, properties); tags.size()) input.set("Tags", std::move(tags));
  return input;
}

std::string check(const Json& properties) {
  if (is_true(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]))
    return "PointInTimeRecoverySpecification is not supported by this version of Atoll.";
  if (properties.contains("StreamSpecification"))
    return "StreamSpecification is not supported by this version of Atoll.";
  return {};
}

aws::ResourceState state_of(const Json& description) {
  aws::ResourceState state;
  state.physical_id = description.text("TableName");
  state.attributes = Json::object({{"Arn", description["TableArn"]}});
  return state;
}

Task<Reply<Json>> call(const aws::ResourceContext& context, std::string_view operation, const Json& input) {
  co_return co_await context.caller.invoke_json(context.call, "dynamodb", operation, input);
}

Task<Reply<void>> set_expiry(const aws::ResourceContext& context, const std::string& table, const Json& specification,
                             bool enabled) {
  const Json wanted =
      Json::object({{"Enabled", enabled}, {"AttributeName", specification["AttributeName"]}});
  CO_TRY(co_await call(context, "UpdateTimeToLive",
                       Json::object({{"TableName", table}, {"TimeToLiveSpecification", wanted}})));
  co_return Reply<void>{};
}

Task<Reply<aws::ResourceState>> create(const aws::ResourceContext& context, const Json& properties) {
  const Json input = create_input(context, properties);
  const Json created = CO_TRY(co_await call(context, "CreateTable", input));
  const Json& expiry = properties["TimeToLiveSpecification"];
  if (expiry.is_object() && is_true(expiry["Enabled"]))
    CO_TRY(co_await set_expiry(context, input.text("TableName"), expiry, true));
  co_return state_of(created["TableDescription"]);
}

const Json* find_index(const Json& indexes, const std::string& name) {
  for (const Json& index : indexes.as_array())
    if (index.text("IndexName") == name) return &index;
  return nullptr;
}

// What changed between two lists of global indexes, as UpdateTable wants it. A changed schema or projection means a
// new index.
Json index_updates(const Json& before, const Json& after) {
  Json updates = Json::array();
  for (const Json& index : before.as_array()) {
    const Json* kept = find_index(after, index.text("IndexName"));
    if (!kept || !((*kept)["KeySchema"] == index["KeySchema"]) || !((*kept)["Projection"] == index["Projection"]))
      updates.push_back(Json::object({{"Delete", Json::object({{"IndexName", index["IndexName"]}})}}));
  }
  for (const Json& index : after.as_array()) {
    const Json* old = find_index(before, index.text("IndexName"));
    if (!old || !((*old)["KeySchema"] == index["KeySchema"]) || !((*old)["Projection"] == index["Projection"]))
      updates.push_back(Json::object({{"Create", global_index(index)}}));
    else if (!((*old)["ProvisionedThroughput"] == index["ProvisionedThroughput"]))
      updates.push_back(Json::object({{"Update", Json::object({{"IndexName", index["IndexName"]},
                                                               {"ProvisionedThroughput", throughput(index["ProvisionedThroughput"])}})}}));
  }
  return updates;
}

Task<Reply<void>> update_tags(const aws::ResourceContext& context, const Json& arn, const Json& before, const Json& after) {
  Json gone = Json::array();
  for (const Json& tag : before["Tags"].as_array())
    if (std::ranges::none_of(after["Tags"].as_array(), [&](const Json& kept) { return kept.text("Key") == tag.text("Key"); }))
      gone.push_back(tag["Key"]);
  if (gone.size()) CO_TRY(co_await call(context, "UntagResource", Json::object({{"ResourceArn", arn}, {"TagKeys", gone}})));
  if (after["Tags"].size())
    CO_TRY(co_await call(context, "TagResource", Json::object({{"ResourceArn", arn}, {"Tags", after["Tags"]}})));
  co_return Reply<void>{};
}

Task<Reply<void>> update_expiry(const aws::ResourceContext& context, const std::string& table, const Json& before,
                                const Json& after) {
  if (is_true(before["Enabled"])) CO_TRY(co_await set_expiry(context, table, before, false));
  if (is_true(after["Enabled"])) CO_TRY(co_await set_expiry(context, table, after, true));
  co_return Reply<void>{};
}

Task<Reply<aws::ResourceState>> update(const aws::ResourceContext& context, const aws::ResourceState& current,
                                       const Json& before, const Json& after) {
  const auto changed = [&](const char* name) { return !(before[name] == after[name]); };
  const Json table = Json::object({{"TableName", current.physical_id}});
  Json input = table;
  if (changed("BillingMode")) input.set("BillingMode", after.contains("BillingMode") ? after["BillingMode"] : Json("PROVISIONED"));
  if ((changed("ProvisionedThroughput") || changed("BillingMode")) && after.contains("ProvisionedThroughput"))
    input.set("ProvisionedThroughput", throughput(after["ProvisionedThroughput"]));
  if (changed("TableClass") && after.contains("TableClass")) input.set("TableClass", after["TableClass"]);
  if (changed("DeletionProtectionEnabled")) input.set("DeletionProtectionEnabled", is_true(after["DeletionProtectionEnabled"]));
  if (changed("SSESpecification")) input.set("SSESpecification", encryption(after["SSESpecification"]));
  if (changed("OnDemandThroughput")) input.set("OnDemandThroughput", on_demand(after["OnDemandThroughput"]));
  if (input.size() > 1) CO_TRY(co_await call(context, "UpdateTable", input));
  if (changed("GlobalSecondaryIndexes")) {
    for (const Json& one : index_updates(before["GlobalSecondaryIndexes"], after["GlobalSecondaryIndexes"]).as_array()) {
      Json step = table;
      step.set("AttributeDefinitions", after["AttributeDefinitions"]);
      step.set("GlobalSecondaryIndexUpdates", Json::array({one}));
      CO_TRY(co_await call(context, "UpdateTable", step));
    }
  }
  if (changed("TimeToLiveSpecification"))
    CO_TRY(co_await update_expiry(context, current.physical_id, before["TimeToLiveSpecification"], after["TimeToLiveSpecification"]));
  if (changed("Tags")) CO_TRY(co_await update_tags(context, current.attributes["Arn"], before, after));
  co_return current;
}

Task<Reply<void>> remove(const aws::ResourceContext& context, const aws::ResourceState& current, const Json& properties) {
  auto removed = co_await call(context, "DeleteTable", Json::object({{"TableName", current.physical_id}}));
  if (!removed && removed.error().code != "ResourceNotFoundException") co_return Err(std::move(removed).error());
  co_return Reply<void>{};
}

}  // namespace

const aws::ResourceType kTable{
    .name = "AWS::DynamoDB::Table",
    .properties = {{"TableName", aws::OnChange::kReplace},
                   {"KeySchema", aws::OnChange::kReplace, true},
                   {"AttributeDefinitions", aws::OnChange::kUpdate},
                   {"BillingMode", aws::OnChange::kUpdate},
                   {"ProvisionedThroughput", aws::OnChange::kUpdate},
                   {"LocalSecondaryIndexes", aws::OnChange::kReplace},
                   {"GlobalSecondaryIndexes", aws::OnChange::kUpdate},
                   {"SSESpecification", aws::OnChange::kUpdate},
                   {"OnDemandThroughput", aws::OnChange::kUpdate},
                   {"TableClass", aws::OnChange::kUpdate},
                   {"DeletionProtectionEnabled", aws::OnChange::kUpdate},
                   {"TimeToLiveSpecification", aws::OnChange::kUpdate},
                   {"PointInTimeRecoverySpecification", aws::OnChange::kUpdate},
                   {"StreamSpecification", aws::OnChange::kUpdate},
                   {"Tags", aws::OnChange::kUpdate}},
    .check = check,
    .create = create,
    .identify = identify,
    .update = update,
    .remove = remove,
};

}  // namespace reef::dynamodb::resources
