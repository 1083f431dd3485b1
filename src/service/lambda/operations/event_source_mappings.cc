// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
#include <fmt/format.h>

#include "aws/models/sqs.h"
#include "base/random.h"
#include "service/lambda/event_filter.h"
#include "service/lambda/mappings.h"
#include "service/lambda/operations.h"
#include "service/lambda/publishing.h"
#include "wire/json.h"

namespace reef::service::lambda::operations {
namespace {

bool is_fifo_arn(const std::string& arn) { return arn.ends_with(".fifo"); }

Reply<void> check_mapping(const model::EventSourceMappingConfiguration& config) {
  const std::string arn = config.event_source_arn.value_or("");
  const std::int32_t batch = config.batch_size.value_or(10), window = config.maximum_batching_window_in_seconds.value_or(0);
  if (is_fifo_arn(arn) && batch > 10) return Err(invalid_parameter("Maximum batch size for FIFO queues is 10."));
  if (is_fifo_arn(arn) && window > 0) return Err(invalid_parameter("Batching window is not supported for FIFO queues."));
  if (batch > 10 && window < 1) return Err(invalid_parameter("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"));
  if (config.filter_criteria && config.filter_criteria->filters) {
    if (config.filter_criteria->filters->size() > 10) return Err(invalid_parameter("Maximum number of filters (10) exceeded."));
    for (const auto& filter : *config.filter_criteria->filters)
      if (!is_filter_pattern(filter.pattern.value_or(""))) return Err(invalid_parameter("Invalid filter pattern definition."));
  }
  return {};
}

// The queue must be there, and must hide messages for at least as long as the function may take.
Task<Reply<void>> check_queue(Lambda& lambda, const std::string& arn, std::int32_t function_timeout, const Call& call) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6) co_return Err(invalid_parameter(fmt::format("Unrecognized event source, must be sqs: {}", arn)));
  aws::sqs::GetQueueAttributesInput in;
  in.queue_url = fmt::format("{}/{}/{}", call.endpoint, parts[4], parts[5]);
  in.attribute_names = std::vector<std::string>{"VisibilityTimeout"};
  Call from = call;
  from.region = parts[3];
  from.http_request = nullptr;
  from.http_response = nullptr;
  auto out = co_await lambda.caller.call<aws::sqs::GetQueueAttributesOutput>(from, aws::sqs::ops::kGetQueueAttributes, in);
  if (!out)
    co_return Err(invalid_parameter(fmt::format("Error occurred while ReceiveMessage. SQS Error Code: {}. SQS Error Message: {}",
                                                out.error().query_code.empty() ? out.error().code : out.error().query_code, out.error().message)));
  std::int32_t visibility = 30;
  if (out->attributes)
    if (const auto found = out->attributes->find("VisibilityTimeout"); found != out->attributes->end()) visibility = parse_int<std::int32_t>(found->second).value_or(30);
  if (visibility < function_timeout)
    co_return Err(invalid_parameter(fmt::format("Queue visibility timeout: {} seconds is less than Function timeout: {} seconds", visibility, function_timeout)));
  co_return Reply<void>();
}

Reply<StoredMapping> find_mapping(Lambda& lambda, const std::string& uuid, const Call& call) {
  auto mapping = lambda.repository.mapping(call.account, call.region, uuid);
  if (!mapping) return Err(not_found("The resource you requested does not exist."));
  return *std::move(mapping);
}

model::EventSourceMappingConfiguration shown(Lambda& lambda, const StoredMapping& mapping) {
  model::EventSourceMappingConfiguration config = mapping.config;
  const std::string last = lambda.mappings->last_result(config.uuid.value_or(""));
  if (!last.empty()) config.last_processing_result = last;
  return config;
}

}  // namespace

Task<Reply<model::EventSourceMappingConfiguration>> create_event_source_mapping(Lambda& lambda, const model::CreateEventSourceMappingInput& in, const Call& call) {
  const std::string source = in.event_source_arn.value_or("");
  if (!source.starts_with("arn:aws:sqs:"))
    co_return Err(invalid_parameter(fmt::format("The event source '{}' is not supported by this version of Atoll: event source mappings read from SQS queues.", source)));
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  CO_TRY(find_version(lambda, name, function));
  for (const auto& [given, member] : {std::pair{in.starting_position.has_value(), "StartingPosition"}, {in.parallelization_factor.has_value(), "ParallelizationFactor"},
                                      {in.bisect_batch_on_function_error.has_value(), "BisectBatchOnFunctionError"}, {in.tumbling_window_in_seconds.has_value(), "TumblingWindowInSeconds"},
                                      {in.maximum_retry_attempts.has_value(), "MaximumRetryAttempts"}, {in.maximum_record_age_in_seconds.has_value(), "MaximumRecordAgeInSeconds"}})
    if (given) co_return Err(invalid_parameter(fmt::format("Unsupported parameter for event source mapping of type SQS: {}", member)));
  StoredMapping mapping;
  mapping.account = call.account;
  mapping.region = call.region;
  mapping.enabled = in.enabled.value_or(true);
  if (in.tags) mapping.tags = *in.tags;
  model::EventSourceMappingConfiguration& config = mapping.config;
  config.uuid = make_uuid(thread_random());
  config.batch_size = in.batch_size.value_or(10);
  config.maximum_batching_window_in_seconds = in.maximum_batching_window_in_seconds.value_or(0);
  config.event_source_arn = source;
  if (in.filter_criteria && in.filter_criteria->filters && !in.filter_criteria->filters->empty()) config.filter_criteria = in.filter_criteria;
  config.function_arn = name.qualified_arn();
  config.function_response_types = in.function_response_types.value_or(std::vector<std::string>{});
  config.scaling_config = in.scaling_config;
  config.last_modified = call.now;
  config.state = mapping.enabled ? "Enabled" : "Disabled";
  config.state_transition_reason = "USER_INITIATED";
  config.event_source_mapping_arn = fmt::format("arn:aws:lambda:{}:{}:event-source-mapping:{}", call.region, call.account, *config.uuid);
  CO_TRY(check_mapping(config));
  for (const StoredMapping& other : lambda.repository.mappings(call.account + "/" + call.region + "/"))
    if (other.config.event_source_arn == source && other.config.function_arn == config.function_arn)
      co_return Err(conflict(fmt::format("An event source mapping with SQS arn (\" {} \") and function (\" {} \") already exists. Please update or delete the existing mapping with UUID {}",
                                         source, name.name, other.config.uuid.value_or(""))));
  CO_TRY(co_await check_queue(lambda, source, function.latest.config.timeout.value_or(3), call));
  lambda.repository.put_mapping(mapping);
  co_await stored();
  lambda.mappings->refresh(mapping);
  config.state = "Creating";
  co_return config;
}

Task<Reply<model::EventSourceMappingConfiguration>> get_event_source_mapping(Lambda& lambda, const model::GetEventSourceMappingInput& in, const Call& call) {
  const StoredMapping mapping = CO_TRY(find_mapping(lambda, in.uuid, call));
  co_return shown(lambda, mapping);
}

Task<Reply<model::ListEventSourceMappingsOutput>> list_event_source_mappings(Lambda& lambda, const model::ListEventSourceMappingsInput& in, const Call& call) {
  std::optional<FunctionName> function;
  if (in.function_name) function = CO_TRY(parse_function(*in.function_name, std::nullopt, call));
  std::vector<model::EventSourceMappingConfiguration> all;
  for (const StoredMapping& mapping : lambda.repository.mappings(call.account + "/" + call.region + "/")) {
    if (in.event_source_arn && mapping.config.event_source_arn != in.event_source_arn) continue;
    if (function) {
      const auto owner = parse_function_arn(mapping.config.function_arn.value_or(""));
      if (!owner || owner->key() != function->key() || (!function->qualifier.empty() && owner->qualifier != function->qualifier)) continue;
    }
    all.push_back(shown(lambda, mapping));
  }
  model::ListEventSourceMappingsOutput out;
  out.event_source_mappings = page(std::move(all), in.marker, in.max_items, 100, out.next_marker);
  co_return out;
}

Task<Reply<model::EventSourceMappingConfiguration>> update_event_source_mapping(Lambda& lambda, const model::UpdateEventSourceMappingInput& in, const Call& call) {
  StoredMapping mapping = CO_TRY(find_mapping(lambda, in.uuid, call));
  model::EventSourceMappingConfiguration& config = mapping.config;
  if (in.function_name) {
    const auto [name, function] = CO_TRY(find_function(lambda, *in.function_name, std::nullopt, call));
    CO_TRY(find_version(lambda, name, function));
    config.function_arn = name.qualified_arn();
  }
  if (in.enabled) mapping.enabled = *in.enabled;
  if (in.batch_size) config.batch_size = in.batch_size;
  if (in.maximum_batching_window_in_seconds) config.maximum_batching_window_in_seconds = in.maximum_batching_window_in_seconds;
  if (in.filter_criteria) {
    config.filter_criteria.reset();
    if (in.filter_criteria->filters && !in.filter_criteria->filters->empty()) config.filter_criteria = in.filter_criteria;
  }
  if (in.function_response_types) config.function_response_types = in.function_response_types;
  if (in.scaling_config) config.scaling_config = in.scaling_config;
  CO_TRY(check_mapping(config));
  config.last_modified = call.now;
  config.state = mapping.enabled ? "Enabled" : "Disabled";
  lambda.repository.put_mapping(mapping);
  co_await stored();
  lambda.mappings->refresh(mapping);
  config.state = in.enabled ? (mapping.enabled ? "Enabling" : "Disabling") : "Updating";
  co_return config;
}

Task<Reply<model::EventSourceMappingConfiguration>> delete_event_source_mapping(Lambda& lambda, const model::DeleteEventSourceMappingInput& in, const Call& call) {
  StoredMapping mapping = CO_TRY(find_mapping(lambda, in.uuid, call));
  lambda.mappings->remove(in.uuid);
  lambda.repository.erase_mapping(mapping);
  co_await stored();
  mapping.config.state = "Deleting";
  co_return mapping.config;
}

}  // namespace reef::service::lambda::operations
