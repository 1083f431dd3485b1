#include "service/lambda/async_invocations.h"

#include <fmt/format.h>

#include "aws/models/sqs.h"
#include "base/bytes.h"
#include "base/log.h"
#include "engine/store/shard.h"
#include "service/lambda/invocation.h"
#include "service/lambda/limits.h"
#include "wire/json.h"

namespace reef::service::lambda {
namespace {

constexpr const char* kInvocations = "lambda-invoke";
constexpr const char* kDestinations = "lambda-destination";
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
constexpr Duration kRetryDelays[] = {1min, 2min};
constexpr Duration kThrottledFirst = 1s, kThrottledMost = 5min;
constexpr std::uint32_t kDestinationAttempts = 8;

wire::Json payload_json(const std::string& payload) {
  auto json = wire::Json::parse(payload);
  return json ? *std::move(json) : wire::Json(payload);
}

}  // namespace

struct AsyncInvocations::Event {
  FunctionName name;
  std::string payload, request_id, trace_id, client_context;

  std::string encode() const {
    std::string bytes;
    ByteWriter out(bytes);
    out.bytes(name.qualified_arn());
    for (const std::string* text : {&payload, &request_id, &trace_id, &client_context}) out.bytes(*text);
    return bytes;
  }
  static std::optional<Event> decode(std::string_view bytes) {
    ByteReader in(bytes);
    const auto name = parse_function_arn(in.text());
    if (!name) return std::nullopt;
    Event event{*name, in.text(), in.text(), in.text(), in.text()};
    if (!in.ok()) return std::nullopt;
    return event;
  }
};

struct AsyncInvocations::Settings {
  std::uint32_t retries_max = limits::kRetriesMax;
  Duration age_max = limits::kEventAgeMax;
  std::string on_success, on_failure, dead_letters;
};

void AsyncInvocations::start() {
  lambda_.deliveries.open(kInvocations, {.in_flight_per_lane = 50, .in_flight_max = 500}, [this](const delivery::Entry& entry) { return attempt(entry); });
  lambda_.deliveries.open(kDestinations, {.in_flight_per_lane = 10, .in_flight_max = 100}, [this](const delivery::Entry& entry) { return deliver(entry); });
}

Task<void> AsyncInvocations::add(FunctionName name, std::string payload, std::string request_id, std::string trace_id, std::string client_context) {
  const Event event{name, payload.empty() ? "{}" : std::move(payload), std::move(request_id), std::move(trace_id), std::move(client_context)};
  lambda_.counters.add({name.account, name.region, "AWS/Lambda", {{"FunctionName", name.name}}}, {{"AsyncEventsReceived", 1}});
  co_await lambda_.deliveries.add(kInvocations, name.key(), event.encode());
}

AsyncInvocations::Settings AsyncInvocations::settings_of(const FunctionName& name) const {
  Settings settings;
  FunctionName qualified = name;
  if (qualified.qualifier.empty()) qualified.qualifier = "$LATEST";
  if (const auto config = lambda_.repository.event_config(qualified)) {
    if (config->maximum_retry_attempts) settings.retries_max = static_cast<std::uint32_t>(*config->maximum_retry_attempts);
    if (config->maximum_event_age_in_seconds) settings.age_max = std::chrono::seconds(*config->maximum_event_age_in_seconds);
    if (config->destination_config) {
      const auto& destinations = *config->destination_config;
      if (destinations.on_success) settings.on_success = destinations.on_success->destination.value_or("");
      if (destinations.on_failure) settings.on_failure = destinations.on_failure->destination.value_or("");
    }
  }
  if (const auto function = lambda_.repository.function(name); function && function->latest.config.dead_letter_config)
    settings.dead_letters = function->latest.config.dead_letter_config->target_arn.value_or("");
  return settings;
}

Task<delivery::Verdict> AsyncInvocations::attempt(const delivery::Entry& entry) {
  const auto event = Event::decode(entry.payload);
  if (!event || !lambda_.repository.function(event->name)) co_return delivery::Verdict::done();  // the function is gone
  const Settings settings = settings_of(event->name);
  const Time now = store::Shard::control().now();
  if (now - entry.created > settings.age_max) {
    co_await settle(*event, settings, "EventAgeExceeded", entry.attempts, "", true, "null");
    co_return delivery::Verdict::done();
  }
  function::Invocation invocation{.request_id = event->request_id, .payload = event->payload, .client_context = event->client_context, .trace_id = event->trace_id};
  auto answer = co_await invoke_function(lambda_, event->name, std::move(invocation));
  if (!answer) {
    if (answer.error().code == errors::kResourceNotFoundException.code) co_return delivery::Verdict::done();
    // Throttled: tried again until the event is too old, which is not counted as an attempt of the function.
    co_return delivery::Verdict::retry(delivery::backoff(entry.failures_in_row, kThrottledFirst, kThrottledMost), false);
  }
  const std::uint32_t attempts = entry.attempts + 1;
  if (!answer->outcome.failed) {
    co_await settle(*event, settings, "Success", attempts, answer->executed_version, false, answer->outcome.payload);
    co_return delivery::Verdict::done();
  }
  if (attempts <= settings.retries_max) co_return delivery::Verdict::retry(kRetryDelays[std::min<std::uint32_t>(attempts, 2) - 1]);
  co_await settle(*event, settings, "RetriesExhausted", attempts, answer->executed_version, true, answer->outcome.payload);
  co_return delivery::Verdict::done();
}

Task<void> AsyncInvocations::settle(const Event& event, const Settings& settings, std::string condition, std::uint32_t attempts,
                                    std::string executed_version, bool failed, std::string response) {
  using wire::Json;
  const auto queue = [&](const std::string& arn, const std::string& body, Json attributes) -> Task<void> {
    std::string bytes;
    ByteWriter out(bytes);
    out.bytes(arn);
    out.bytes(body);
    out.bytes(attributes.dump());
    co_await lambda_.deliveries.add(kDestinations, arn, bytes);
  };
  if (failed && !settings.dead_letters.empty()) {
    const auto attribute = [](const char* type, std::string value) { return Json::object({{"DataType", type}, {"StringValue", std::move(value)}}); };
    const Json error = payload_json(response);
    Json attributes = Json::object({{"RequestID", attribute("String", event.request_id)}, {"ErrorCode", attribute("Number", "200")},
                                    {"ErrorMessage", attribute("String", error.text("errorMessage").empty() ? condition : error.text("errorMessage").substr(0, 1024))}});
    co_await queue(settings.dead_letters, event.payload, std::move(attributes));
  }
  const std::string& destination = failed ? settings.on_failure : settings.on_success;
  if (destination.empty()) co_return;
  FunctionName qualified = event.name;
  if (qualified.qualifier.empty()) qualified.qualifier = "$LATEST";
  Json record = Json::object({{"version", "1.0"}, {"timestamp", format_iso8601(store::Shard::control().now(), true)},
      {"requestContext", Json::object({{"requestId", event.request_id}, {"functionArn", qualified.qualified_arn()}, {"condition", condition}, {"approximateInvokeCount", attempts}})},
      {"requestPayload", payload_json(event.payload)}});
  if (!executed_version.empty()) {
    Json context = Json::object({{"statusCode", 200}, {"executedVersion", executed_version}});
    if (failed) context.set("functionError", "Unhandled");
    record.set("responseContext", std::move(context));
    record.set("responsePayload", payload_json(response));
  }
  co_await queue(destination, record.dump(), Json::object());
}

Task<delivery::Verdict> AsyncInvocations::deliver(const delivery::Entry& entry) {
  ByteReader in(entry.payload);
  const std::string arn = in.text(), body = in.text();
  const auto attributes = wire::Json::parse(in.bytes());
  const Reply<void> sent = co_await send(arn, body, attributes ? *attributes : wire::Json::object());
  if (sent) co_return delivery::Verdict::done();
  log::warn("destination not reached", {{"target", arn}, {"code", sent.error().code}, {"message", sent.error().message}});
  if (entry.attempts + 1 >= kDestinationAttempts) co_return delivery::Verdict::done();
  co_return delivery::Verdict::retry(delivery::backoff(entry.failures_in_row, 1s, 2min));
}

Task<Reply<void>> AsyncInvocations::send(const std::string& arn, const std::string& body, const wire::Json& attributes) {
  using wire::Json;
  const auto parts = split(arn, ':');
  if (parts.size() < 6) co_return Err(invalid_parameter("not an ARN: " + arn));
  const Call call = lambda_.caller.internal_call(std::string(parts[4]), std::string(parts[3]));
  if (parts[2] == "sqs") {
    Json input = Json::object({{"QueueUrl", fmt::format("{}/{}/{}", call.endpoint, parts[4], parts[5])}, {"MessageBody", body}});
    if (attributes.size() > 0) input.set("MessageAttributes", attributes);
    if (parts[5].ends_with(".fifo")) input.set("MessageGroupId", "lambda");
    CO_TRY(co_await lambda_.caller.invoke_json(call, "sqs", "SendMessage", input));
  } else if (parts[2] == "sns") {
    Json input = Json::object({{"TopicArn", arn}, {"Message", body}});
    if (attributes.size() > 0) input.set("MessageAttributes", attributes);
    CO_TRY(co_await lambda_.caller.invoke_json(call, "sns", "Publish", input));
  } else if (parts[2] == "lambda") {
    const auto name = parse_function_arn(arn);
    if (!name) co_return Err(invalid_parameter("not a function: " + arn));
    co_await add(*name, body, call.request_id, "", "");
  } else if (parts[2] == "events") {
    const auto record = Json::parse(body);
    const Json context = record ? (*record)["requestContext"] : Json();
    const Json entry = Json::object({{"Source", "lambda"}, {"DetailType", context.text("condition") == "Success" ? "Lambda Function Invocation Result - Success" : "Lambda Function Invocation Result - Failure"},
                                     {"Detail", body}, {"EventBusName", arn}, {"Resources", Json::array({arn, context.text("functionArn")})}});
    const Json out = CO_TRY(co_await lambda_.caller.invoke_json(call, "eventbridge", "PutEvents", Json::object({{"Entries", Json::array({entry})}})));
    if (out["FailedEntryCount"].as_int().value_or(0) > 0) co_return Err(invalid_parameter(out["Entries"].at(0).text("ErrorMessage")));
  } else {
    co_return Err(invalid_parameter("destination not supported: " + arn));
  }
  co_return Reply<void>();
}

}  // namespace reef::service::lambda
