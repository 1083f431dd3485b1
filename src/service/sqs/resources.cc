#include "service/sqs/resources.h"

#include "aws/models/sqs.h"
#include "service/sqs/naming.h"

namespace reef::service::sqs::resources {
namespace {

namespace ops = aws::sqs::ops;
using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

constexpr std::string_view kAttributes[] = {
    "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout"};

std::map<std::string, std::string, std::less<>> attributes_of(const Json& properties) {
  std::map<std::string, std::string, std::less<>> out;
  for (const std::string_view name : kAttributes) {
    const Json* value = properties.find(name);
    if (!value) continue;
    if (value->is_object()) out.emplace(name, value->dump());
    else if (const auto text = value->scalar_text(); text && !(name == "FifoQueue" && *text == "false")) out.emplace(name, *text);
  }
  return out;
}

ResourceState state_of(const std::string& url, const ResourceContext& context) {
  const auto name = parse_url(url, context.call);
  return {.physical_id = url,
          .attributes = Json::object({{"Arn", name ? name->arn() : std::string()}, {"QueueName", name ? name->name : std::string()}, {"QueueUrl", url}})};
}

// A queue of that name and these attributes would be given as if it were new.
Task<aws::Reply<void>> refuse_others(const ResourceContext& context, const std::string& name) {
  const auto found = co_await context.caller.call<aws::sqs::GetQueueUrlOutput>(context.call, ops::kGetQueueUrl, aws::sqs::GetQueueUrlInput{.queue_name = name});
  if (!found) co_return aws::Reply<void>();
  const auto listed = CO_TRY(co_await context.caller.call<aws::sqs::ListQueueTagsOutput>(
      context.call, ops::kListQueueTags, aws::sqs::ListQueueTagsInput{.queue_url = found->queue_url.value_or("")}));
  Json tags = Json::array();
  if (listed.tags)
    for (const auto& [key, value] : *listed.tags) tags.push_back(Json::object({{"Key", key}, {"Value", value}}));
  if (!aws::is_made_for(context, tags)) co_return std::unexpected(aws::already_exists("AWS::SQS::Queue", name));
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> create_queue(const ResourceContext& context, const Json& properties) {
  aws::sqs::CreateQueueInput in;
  in.queue_name = properties.text("QueueName");
  const bool is_fifo = properties["FifoQueue"].scalar_text() == "true";
  if (!in.queue_name.empty()) CO_TRY(co_await refuse_others(context, in.queue_name));
  else in.queue_name = context.generated_name(is_fifo ? 75 : 80) + (is_fifo ? ".fifo" : "");
  in.attributes.emplace();
  for (auto& [name, value] : attributes_of(properties)) in.attributes->emplace(name, value);
  if (in.attributes->empty()) in.attributes.reset();
  for (const Json* tags : {&context.tags, properties.find("Tags")})
    if (tags)
      for (const Json& tag : tags->as_array()) {
        if (!in.tags) in.tags.emplace();
        in.tags->insert_or_assign(tag.text("Key"), tag["Value"].scalar_text().value_or(""));
      }
  const auto out = CO_TRY(co_await context.caller.call<aws::sqs::CreateQueueOutput>(context.call, ops::kCreateQueue, in));
  co_return state_of(out.queue_url.value_or(""), context);
}

Task<aws::Reply<ResourceState>> update_queue(const ResourceContext& context, const ResourceState& current, const Json& before,
                                             const Json& after) {
  aws::sqs::SetQueueAttributesInput in{.queue_url = current.physical_id, .attributes = {}};
  const auto wanted = attributes_of(after);
  for (const auto& [name, value] : wanted)
    if (name != "FifoQueue") in.attributes.emplace(name, value);
  // What is no longer said goes back to its default.
  static constexpr std::pair<std::string_view, std::string_view> kDefaults[] = {
      {"DelaySeconds", "0"}, {"MaximumMessageSize", "1048576"}, {"MessageRetentionPeriod", "345600"},
      {"ReceiveMessageWaitTimeSeconds", "0"}, {"VisibilityTimeout", "30"}, {"RedrivePolicy", ""}, {"RedriveAllowPolicy", ""}};
  for (const auto& [name, value] : kDefaults)
    if (before.contains(name) && !wanted.contains(name)) in.attributes.emplace(name, value);
  if (!in.attributes.empty())
    CO_TRY(co_await context.caller.call<aws::sqs::SetQueueAttributesOutput>(context.call, ops::kSetQueueAttributes, in));
  if (after.contains("Tags")) {
    aws::sqs::TagQueueInput tag{.queue_url = current.physical_id, .tags = {}};
    for (const Json& one : after["Tags"].as_array()) tag.tags.insert_or_assign(one.text("Key"), one["Value"].scalar_text().value_or(""));
    CO_TRY(co_await context.caller.call<aws::sqs::TagQueueOutput>(context.call, ops::kTagQueue, tag));
  }
  co_return state_of(current.physical_id, context);
}

Task<aws::Reply<void>> remove_queue(const ResourceContext& context, const ResourceState& current, const Json&) {
  const aws::sqs::DeleteQueueInput in{.queue_url = current.physical_id};
  const auto out = co_await context.caller.call<aws::sqs::DeleteQueueOutput>(context.call, ops::kDeleteQueue, in);
  if (!out && out.error().code != aws::sqs::errors::kQueueDoesNotExist.code) co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

Task<aws::Reply<void>> set_policy(const ResourceContext& context, const Json& queues, std::string policy) {
  for (const Json& url : queues.as_array()) {
    aws::sqs::SetQueueAttributesInput in{.queue_url = url.as_string(), .attributes = {}};
    in.attributes.emplace("Policy", policy);
    const auto out = co_await context.caller.call<aws::sqs::SetQueueAttributesOutput>(context.call, ops::kSetQueueAttributes, in);
    if (!out && !(policy.empty() && out.error().code == aws::sqs::errors::kQueueDoesNotExist.code)) co_return std::unexpected(out.error());
  }
  co_return aws::Reply<void>();
}

std::string policy_text(const Json& properties) {
  const Json& document = properties["PolicyDocument"];
  return document.is_string() ? document.as_string() : document.dump();
}

Task<aws::Reply<ResourceState>> create_policy(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await set_policy(context, properties["Queues"], policy_text(properties)));
  const std::string id = context.generated_name(80);
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}

Task<aws::Reply<ResourceState>> update_policy(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json gone = Json::array();
  for (const Json& url : before["Queues"].as_array()) {
    bool kept = false;
    for (const Json& other : after["Queues"].as_array()) kept = kept || url == other;
    if (!kept) gone.push_back(url);
  }
  CO_TRY(co_await set_policy(context, gone, ""));
  CO_TRY(co_await set_policy(context, after["Queues"], policy_text(after)));
  co_return current;
}

Task<aws::Reply<void>> remove_policy(const ResourceContext& context, const ResourceState&, const Json& properties) {
  co_return co_await set_policy(context, properties["Queues"], "");
}

}  // namespace

const aws::ResourceType kQueue{
    .name = "AWS::SQS::Queue",
    .properties = {{"ContentBasedDeduplication"}, {"DeduplicationScope"}, {"DelaySeconds"}, {"FifoQueue", OnChange::kReplace},
                   {"FifoThroughputLimit"}, {"KmsDataKeyReusePeriodSeconds"}, {"KmsMasterKeyId"}, {"MaximumMessageSize"},
                   {"MessageRetentionPeriod"}, {"QueueName", OnChange::kReplace}, {"ReceiveMessageWaitTimeSeconds"},
                   {"RedriveAllowPolicy"}, {"RedrivePolicy"}, {"SqsManagedSseEnabled"}, {"Tags"}, {"VisibilityTimeout"}},
    .create = create_queue,
    .update = update_queue,
    .remove = remove_queue,
};

const aws::ResourceType kQueuePolicy{
    .name = "AWS::SQS::QueuePolicy",
    .properties = {{"PolicyDocument", OnChange::kUpdate, true}, {"Queues", OnChange::kUpdate, true}},
    .create = create_policy,
    .update = update_policy,
    .remove = remove_policy,
};

}  // namespace reef::service::sqs::resources
