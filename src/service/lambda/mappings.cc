#include "service/lambda/mappings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/log.h"
#include "engine/store/shard.h"
#include "service/lambda/invocation.h"

namespace reef::service::lambda {
namespace {

using wire::Json;
namespace sqs = aws::sqs;

constexpr std::uint32_t kReceiveMax = 10;      // of one ReceiveMessage
constexpr std::int32_t kWaitSeconds = 20;
constexpr std::size_t kBatchBytesMax = 6 << 20;
constexpr std::uint32_t kConcurrencyStart = 2, kConcurrencyStep = 2, kConcurrencyMax = 50;
constexpr int kThrottleRetries = 10;
// Messages that come within moments of each other are taken together: a batch of ten costs a function little more than one
// of one, and on a busy machine the others need the processor. What comes after a pause is taken at once.
constexpr Duration kPace = 10ms;

std::string queue_url(const std::string& arn, const Call& call) {
  const auto parts = split(arn, ':');
  return parts.size() < 6 ? std::string() : fmt::format("{}/{}/{}", call.endpoint, parts[4], parts[5]);
}

bool wants_partial(const StoredMapping& mapping) {
  const auto& types = mapping.config.function_response_types;
  return types && std::find(types->begin(), types->end(), "ReportBatchItemFailures") != types->end();
}

Json attribute_json(const sqs::MessageAttributeValue& value) {
  Json json = Json::object();
  if (value.string_value) json.set("stringValue", *value.string_value);
  if (value.binary_value) json.set("binaryValue", base64_encode(*value.binary_value));
  json.set("stringListValues", Json::array());
  json.set("binaryListValues", Json::array());
  json.set("dataType", value.data_type);
  return json;
}

// What filters see: the body as JSON where it is JSON, so that patterns can look into it.
Json filter_view(const sqs::Message& message) {
  Json view = Json::object({{"messageId", message.message_id.value_or("")}});
  const std::string body = message.body.value_or("");
  auto parsed = Json::parse(body);
  view.set("body", parsed ? *std::move(parsed) : Json(body));
  Json attributes = Json::object(), custom = Json::object();
  if (message.attributes)
    for (const auto& [name, value] : *message.attributes) attributes.set(name, value);
  if (message.message_attributes)
    for (const auto& [name, value] : *message.message_attributes) custom.set(name, attribute_json(value));
  view.set("attributes", std::move(attributes));
  view.set("messageAttributes", std::move(custom));
  return view;
}

}  // namespace

std::string sqs_event(const std::vector<sqs::Message>& batch, const std::string& queue_arn, const std::string& region) {
  std::string text;
  wire::JsonWriter out(text);
  out.begin_object();
  out.key("Records");
  out.begin_array();
  for (const sqs::Message& message : batch) {
    out.begin_object();
    out.key("messageId");
    out.string(message.message_id.value_or(""));
    out.key("receiptHandle");
    out.string(message.receipt_handle.value_or(""));
    out.key("body");
    out.string(message.body.value_or(""));
    out.key("attributes");
    out.begin_object();
    if (message.attributes)
      for (const auto& [name, value] : *message.attributes) {
        out.key(name);
        out.string(value);
      }
    out.end_object();
    out.key("messageAttributes");
    out.begin_object();
    if (message.message_attributes)
      for (const auto& [name, value] : *message.message_attributes) {
        out.key(name);
        out.raw(attribute_json(value).dump());
      }
    out.end_object();
    if (message.md5_of_message_attributes) {
      out.key("md5OfMessageAttributes");
      out.string(*message.md5_of_message_attributes);
    }
    out.key("md5OfBody");
    out.string(message.md5_of_body.value_or(""));
    out.key("eventSource");
    out.string("aws:sqs");
    out.key("eventSourceARN");
    out.string(queue_arn);
    out.key("awsRegion");
    out.string(region);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return text;
}

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
std::vector<bool> failed_items(const std::string& answer, const std::vector<sqs::Message>& batch) {
  std::vector<bool> failed(batch.size(), false);
  const std::vector<bool> all(batch.size(), true);
  if (answer.empty() || answer == "null") return failed;
  const auto json = Json::parse(answer);
  if (!json) return all;
  const Json* items = json->find("batchItemFailures");
  if (!items || items->is_null()) return failed;
  if (!items->is_array()) return all;
  for (const Json& item : items->as_array()) {
    const std::string& id = item.text("itemIdentifier");
    const auto found = std::find_if(batch.begin(), batch.end(), [&](const sqs::Message& message) { return message.message_id == id; });
    if (id.empty() || found == batch.end()) return all;
    failed[static_cast<std::size_t>(found - batch.begin())] = true;
  }
  return failed;
}

void Mappings::start() {
  for (const StoredMapping& mapping : lambda_.repository.mappings("")) refresh(mapping);
}

void Mappings::stop() {
  stopping_ = true;
  for (auto& [uuid, poller] : pollers_) {
    poller->stopping = true;
    if (poller->slot) std::exchange(poller->slot, nullptr)->set(true);
  }
}

void Mappings::remove(const std::string& uuid) {
  const auto found = pollers_.find(uuid);
  if (found == pollers_.end()) return;
  found->second->stopping = true;
  if (found->second->slot) std::exchange(found->second->slot, nullptr)->set(true);
  pollers_.erase(found);
}

void Mappings::refresh(const StoredMapping& mapping) {
  const std::string uuid = mapping.config.uuid.value_or("");
  remove(uuid);
  if (!mapping.enabled || stopping_) return;
  const auto function = parse_function_arn(mapping.config.function_arn.value_or(""));
  if (!function) return;
  auto poller = std::make_shared<Poller>();
  poller->mapping = mapping;
  poller->function = *function;
  if (mapping.config.filter_criteria && mapping.config.filter_criteria->filters)
    for (const auto& filter : *mapping.config.filter_criteria->filters)
      poller->filters.add(filter.pattern.value_or("{}"));
  pollers_[uuid] = poller;
  poll(poller).detach();
}

std::string Mappings::last_result(const std::string& uuid) const {
  const auto found = pollers_.find(uuid);
  return found == pollers_.end() ? std::string() : found->second->last_result;
}

Task<Reply<Mappings::Batch>> Mappings::receive(Poller& poller, const Call& call, std::uint32_t count, std::int32_t wait_seconds) {
  sqs::ReceiveMessageInput in;
  in.queue_url = queue_url(poller.mapping.config.event_source_arn.value_or(""), call);
  in.max_number_of_messages = static_cast<std::int32_t>(count);
  in.wait_time_seconds = wait_seconds;
  in.message_attribute_names = std::vector<std::string>{"All"};
  in.message_system_attribute_names = std::vector<std::string>{"All"};
  auto out = CO_TRY(co_await lambda_.caller.call<sqs::ReceiveMessageOutput>(call, sqs::ops::kReceiveMessage, in));
  co_return out.messages ? *std::move(out.messages) : Batch();
}

// One batch: full, or what came within the batching window after its first message.
Task<Reply<Mappings::Batch>> Mappings::gather(Poller& poller, const Call& call) {
  const auto size_max = static_cast<std::uint32_t>(poller.mapping.config.batch_size.value_or(10));
  const std::int32_t window = poller.mapping.config.maximum_batching_window_in_seconds.value_or(0);
  Batch batch = CO_TRY(co_await receive(poller, call, std::min(size_max, kReceiveMax), kWaitSeconds));
  const Time end = store::Shard::control().now() + std::chrono::seconds(window);
  std::size_t bytes = 0;
  for (const auto& message : batch) bytes += message.body ? message.body->size() : 0;
  while (!batch.empty() && batch.size() < size_max && bytes < kBatchBytesMax / 2 && !poller.stopping) {
    const Duration left = end - store::Shard::control().now();
    const auto wait = static_cast<std::int32_t>(std::clamp<std::int64_t>((left.count() + 999'999) / 1'000'000, 0, kWaitSeconds));
    if (window > 0 && left.count() <= 0) break;
    if (window == 0 && size_max <= kReceiveMax) break;
    auto more = co_await receive(poller, call, std::min(size_max - static_cast<std::uint32_t>(batch.size()), kReceiveMax), wait);
    if (!more || (more->empty() && wait == 0)) break;
    for (auto& message : *more) {
      bytes += message.body ? message.body->size() : 0;
      batch.push_back(std::move(message));
    }
  }
  co_return batch;
}

Task<void> Mappings::poll(std::shared_ptr<Poller> poller) {
  io::Reactor& reactor = store::Shard::control().reactor();
  const std::int32_t configured = poller->mapping.config.scaling_config ? poller->mapping.config.scaling_config->maximum_concurrency.value_or(0) : 0;
  const std::uint32_t most = configured > 0 ? static_cast<std::uint32_t>(configured) : kConcurrencyMax;
  poller->allowed = std::min(kConcurrencyStart, most);
  std::uint32_t problems = 0;
  const bool is_paced = poller->mapping.config.batch_size.value_or(10) > 1;
  std::int64_t taken = 0;   // when the last batch that was not full was, in microseconds
  while (!poller->stopping) {
    if (poller->in_flight >= poller->allowed) {
      Later<bool> free;
      poller->slot = &free;
      co_await free;
      continue;
    }
    const Call call = lambda_.caller.internal_call(poller->mapping.account, poller->mapping.region);
    if (const auto pause = kPace - std::chrono::microseconds(io::monotonic_micros() - taken); is_paced && pause > 0ms) co_await reactor.sleep(pause);
    auto batch = co_await gather(*poller, call);
    if (!batch) {
      poller->last_result = "PROBLEM: " + batch.error().message;
      ++problems;
      co_await reactor.sleep(delivery::backoff(problems, 500ms, 30s));
      continue;
    }
    problems = 0;
    if (batch->empty()) {
      poller->allowed = std::min(kConcurrencyStart, most);
      // A queue that answers an empty long poll at once must not make a busy loop.
      co_await reactor.sleep(10ms);
      continue;
    }
    if (poller->stopping) {
      co_await give_back(*poller, *batch);
      break;
    }
    ++poller->in_flight;
    // A full batch says that more is waiting. Otherwise fewer, fuller batches serve better than many small ones.
    const bool is_full = batch->size() >= static_cast<std::size_t>(poller->mapping.config.batch_size.value_or(10));
    taken = is_full ? 0 : io::monotonic_micros();
    if (is_full && poller->in_flight == poller->allowed) poller->allowed = std::min(poller->allowed + kConcurrencyStep, most);
    process(poller, *std::move(batch)).detach();
  }
}

Task<void> Mappings::process(std::shared_ptr<Poller> poller, Batch batch) {
  const StoredMapping& mapping = poller->mapping;
  Batch wanted, unwanted;
  for (auto& message : batch) {
    const bool match = poller->filters.is_empty() || poller->filters.want(filter_view(message));
    (match ? wanted : unwanted).push_back(std::move(message));
  }
  if (!unwanted.empty()) co_await remove_messages(*poller, unwanted, std::vector<bool>(unwanted.size(), false));
  if (!wanted.empty()) {
    const std::string event = sqs_event(wanted, mapping.config.event_source_arn.value_or(""), mapping.region);
    std::string trace;
    if (wanted[0].attributes)
      if (const auto found = wanted[0].attributes->find("AWSTraceHeader"); found != wanted[0].attributes->end()) trace = found->second;
    for (int attempt = 0;; ++attempt) {
      function::Invocation invocation{.request_id = make_uuid(thread_random()), .payload = event, .trace_id = trace};
      auto answer = co_await invoke_function(lambda_, poller->function, std::move(invocation));
      const bool is_throttled = !answer && answer.error().code == errors::kTooManyRequestsException.code;
      if (is_throttled && attempt < kThrottleRetries && !poller->stopping) {
        co_await store::Shard::control().reactor().sleep(delivery::backoff(static_cast<std::uint32_t>(attempt), 100ms, 5s));
        continue;
      }
      if (!answer || answer->outcome.failed) {
        // The messages show up again when their visibility timeout ends.
        poller->last_result = answer ? "PROBLEM: Function call failed" : "PROBLEM: " + answer.error().message;
        break;
      }
      const std::vector<bool> keep = wants_partial(mapping) ? failed_items(answer->outcome.payload, wanted) : std::vector<bool>(wanted.size(), false);
      poller->last_result = std::find(keep.begin(), keep.end(), true) == keep.end() ? "OK" : "PROBLEM: Function call failed";
      co_await remove_messages(*poller, wanted, keep);
      break;
    }
  }
  --poller->in_flight;
  if (poller->slot) std::exchange(poller->slot, nullptr)->set(true);
}

Task<void> Mappings::remove_messages(const Poller& poller, const Batch& batch, const std::vector<bool>& keep) {
  const Call call = lambda_.caller.internal_call(poller.mapping.account, poller.mapping.region);
  sqs::DeleteMessageBatchInput in;
  in.queue_url = queue_url(poller.mapping.config.event_source_arn.value_or(""), call);
  const auto flush = [&]() -> Task<void> {
    if (in.entries.empty()) co_return;
    auto out = co_await lambda_.caller.call<sqs::DeleteMessageBatchOutput>(call, sqs::ops::kDeleteMessageBatch, in);
    if (!out) log::warn("messages not deleted", {{"queue", in.queue_url}, {"code", out.error().code}});
    in.entries.clear();
  };
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (keep[i]) continue;
    in.entries.push_back({.id = std::to_string(i), .receipt_handle = batch[i].receipt_handle.value_or("")});
    if (in.entries.size() == kReceiveMax) co_await flush();
  }
  co_await flush();
}

// Received for a mapping that is no more: visible again at once.
Task<void> Mappings::give_back(const Poller& poller, const Batch& batch) {
  const Call call = lambda_.caller.internal_call(poller.mapping.account, poller.mapping.region);
  for (const auto& message : batch) {
    sqs::ChangeMessageVisibilityInput in;
    in.queue_url = queue_url(poller.mapping.config.event_source_arn.value_or(""), call);
    in.receipt_handle = message.receipt_handle.value_or("");
    in.visibility_timeout = 0;
    auto out = co_await lambda_.caller.call<sqs::ChangeMessageVisibilityOutput>(call, sqs::ops::kChangeMessageVisibility, in);
    if (!out) co_return;
  }
}

}  // namespace reef::service::lambda
