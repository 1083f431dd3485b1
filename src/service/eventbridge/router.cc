#include "service/eventbridge/router.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"
#include "engine/store/shard.h"
#include "service/eventbridge/archives.h"
#include "service/eventbridge/connections.h"
#include "service/eventbridge/targets.h"

namespace reef::service::eventbridge {
namespace {

using wire::Json;

constexpr const char* kDeliveryChannel = "eventbridge";
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
constexpr std::uint32_t kRetriesMax = 185;
constexpr std::int64_t kAgeMaxSeconds = 86'400;
constexpr Duration kRetryFirst = 1s, kRetryMost = 10min;
// A rule that passes events on to its own bus would never end.
constexpr int kHopsMax = 5;

bool can_be_retried(const aws::Error& error) {
  return error.status >= 500 || error.status == 429 || error.code.find("Throttl") != std::string::npos || error.code.find("TooManyRequests") != std::string::npos ||
         error.code.find("LimitExceeded") != std::string::npos;
}

// The words of ERROR_CODE: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
std::string_view failure_word(const aws::Error& error) {
  const std::string& code = error.code;
  if (code.find("NotFound") != std::string::npos || code.find("NonExistent") != std::string::npos || code.find("NotExist") != std::string::npos) return "NO_RESOURCE";
  if (code.find("AccessDenied") != std::string::npos) return "NO_PERMISSIONS";
  if (code.find("Throttl") != std::string::npos || error.status == 429) return "THROTTLING";
  if (code.find("Timeout") != std::string::npos) return "TIMEOUT";
  return error.status >= 500 ? "SDK_CLIENT_ERROR" : "INVALID_PARAMETER";
}

}  // namespace

struct Router::Delivery {
  std::string bus, rule, target, event;
  Time taken{};
  std::uint32_t hops = 0;

  std::string encode() const {
    std::string bytes;
    ByteWriter out(bytes);
    for (const std::string* text : {&bus, &rule, &target, &event}) out.bytes(*text);
    out.fixed<std::int64_t>(to_micros(taken));
    out.varint(hops);
    return bytes;
  }
  static std::optional<Delivery> decode(std::string_view bytes) {
    ByteReader in(bytes);
    Delivery out;
    for (std::string* text : {&out.bus, &out.rule, &out.target, &out.event}) *text = in.text();
    out.taken = from_micros(in.fixed<std::int64_t>());
    out.hops = static_cast<std::uint32_t>(in.varint());
    if (!in.ok()) return std::nullopt;
    return out;
  }
};

Router::Router(Parts& parts, Book& book, Archives& archives, Connections& connections)
    : caller_(parts.get<aws::Caller>()), deliveries_(parts.get<delivery::Deliveries>()), counters_(parts.get<metrics::Counters>()), book_(book), archives_(archives), connections_(connections) {}

void Router::start() {
  deliveries_.open(kDeliveryChannel, {.in_flight_per_lane = 50, .in_flight_max = 500}, [this](const delivery::Entry& entry) { return attempt(entry); });
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
void Router::count(const Rule& rule, const char* metric) {
  if (rule.bus.name == kDefaultBus) counters_.add({rule.bus.account, rule.bus.region, "AWS/Events", {{"RuleName", rule.name}}}, {{metric, 1}});
  else counters_.add({rule.bus.account, rule.bus.region, "AWS/Events", {{"EventBusName", rule.bus.name}, {"RuleName", rule.name}}}, {{metric, 1}});
}

Task<void> Router::route(BusName name, events::Event event, int hops, std::vector<std::string> only) {
  store::Shard& control = store::Shard::control();
  Bus* bus = book_.find(name);
  if (!bus || (bus->index.size() == 0 && !archives_.any())) co_return;
  const std::string json = events::to_json(event);
  if (event.replay_name.empty()) archives_.record(name, event, json);
  std::vector<Task<void>> triggered;
  for (const auto& rule : book_.match(*bus, json)) {
    if (!only.empty() && std::find(only.begin(), only.end(), rule->arn()) == only.end()) continue;
    count(*rule, "MatchedEvents");
    triggered.push_back(trigger(rule, json, hops));
  }
  for (Task<void>& one : triggered) co_await one;
  co_await control.committed();
}

Task<void> Router::trigger(std::shared_ptr<Rule> rule, std::string event, int hops) {
  count(*rule, "TriggeredRules");
  std::vector<Task<void>> stored;
  for (const model::Target& target : rule->targets) {
    const Delivery delivery{.bus = rule->bus.key(), .rule = rule->name, .target = target.id, .event = event, .taken = store::Shard::control().now(),
                            .hops = static_cast<std::uint32_t>(hops)};
    stored.push_back(deliveries_.add(kDeliveryChannel, target.arn, delivery.encode()));
  }
  for (Task<void>& one : stored) co_await one;
}

Task<delivery::Verdict> Router::attempt(const delivery::Entry& entry) {
  const auto delivery = Delivery::decode(entry.payload);
  if (!delivery) co_return delivery::Verdict::done();
  const Rule* found = book_.find_rule(BusName::from_key(delivery->bus), delivery->rule);
  const model::Target* wanted = found ? found->target(delivery->target) : nullptr;
  if (!wanted) co_return delivery::Verdict::done();  // removed meanwhile
  const Rule rule = *found;
  const model::Target target = *wanted;
  count(rule, entry.attempts == 0 ? "Invocations" : "RetryInvocationAttempts");
  const Reply<void> outcome = co_await invoke(rule, target, *delivery);
  if (outcome) {
    if (entry.attempts == 0) count(rule, "SuccessfulInvocationAttempts");
    co_return delivery::Verdict::done();
  }
  std::uint32_t retries_max = kRetriesMax;
  std::int64_t age_max = kAgeMaxSeconds;
  if (target.retry_policy) {
    retries_max = static_cast<std::uint32_t>(target.retry_policy->maximum_retry_attempts.value_or(kRetriesMax));
    age_max = target.retry_policy->maximum_event_age_in_seconds.value_or(kAgeMaxSeconds);
  }
  const Time now = store::Shard::control().now();
  std::string_view exhausted;
  if (can_be_retried(outcome.error())) {
    const Duration wait = delivery::backoff(entry.failures_in_row, kRetryFirst, kRetryMost);
    if (entry.attempts >= retries_max) exhausted = "MaximumRetryAttempts";
    else if (now + wait - entry.created > std::chrono::seconds(age_max)) exhausted = "MaximumEventAgeInSeconds";
    else co_return delivery::Verdict::retry(wait);
  }
  log::warn("event not delivered", {{"rule", rule.arn()}, {"target", target.arn}, {"code", outcome.error().code}, {"message", outcome.error().message}});
  count(rule, "FailedInvocations");
  co_await give_up(rule, target, *delivery, outcome.error(), entry.attempts, exhausted);
  co_return delivery::Verdict::done();
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html#eb-dlq-message-attributes
Task<void> Router::give_up(const Rule& rule, const model::Target& target, const Delivery& delivery, const aws::Error& error, std::uint32_t retries,
                           std::string_view exhausted) {
  if (!target.dead_letter_config || !target.dead_letter_config->arn) co_return;
  const auto text = [](std::string_view value) { return Json::object({{"DataType", "String"}, {"StringValue", value.empty() ? "-" : value}}); };
  Json attributes = Json::object({{"RULE_ARN", text(rule.arn())}, {"TARGET_ARN", text(target.arn)}, {"ERROR_CODE", text(failure_word(error))},
                                  {"ERROR_MESSAGE", text(error.message.substr(0, 1024))}});
  if (!exhausted.empty()) {
    attributes.set("EXHAUSTED_RETRY_CONDITION", text(exhausted));
    attributes.set("RETRY_ATTEMPTS", text(std::to_string(retries)));
  }
  const std::string& queue = *target.dead_letter_config->arn;
  const Call call = caller_.internal_call(rule.bus.account, std::string(arn_part(queue, 3)));
  const auto sent = co_await caller_.invoke_json(call, "sqs", "SendMessage",
                                                 Json::object({{"QueueUrl", queue_url(call, queue)}, {"MessageBody", delivery.event}, {"MessageAttributes", std::move(attributes)}}));
  count(rule, sent ? "InvocationsSentToDlq" : "InvocationsFailedToBeSentToDlq");
  if (!sent) log::warn("dead letter not sent", {{"queue", queue}, {"code", sent.error().code}, {"message", sent.error().message}});
}

Task<Reply<void>> Router::invoke(const Rule& rule, const model::Target& target, const Delivery& delivery) {
  const std::string input = target_input(rule, target, delivery.event, delivery.taken);
  const std::string_view service = arn_part(target.arn, 2);
  const std::string region(arn_part(target.arn, 3)), account(arn_part(target.arn, 4));
  const Call call = caller_.internal_call(account.empty() ? rule.bus.account : account, region.empty() ? rule.bus.region : region);
  if (service == "sqs") {
    Json message = Json::object({{"QueueUrl", queue_url(call, target.arn)}, {"MessageBody", input}});
    if (target.sqs_parameters && target.sqs_parameters->message_group_id) message.set("MessageGroupId", *target.sqs_parameters->message_group_id);
    CO_TRY(co_await caller_.invoke_json(call, "sqs", "SendMessage", std::move(message)));
  } else if (service == "lambda") {
    CO_TRY(co_await caller_.invoke_json(call, "lambda", "Invoke", function_invocation(target, input)));
  } else if (service == "logs") {
    co_return co_await log(call, target, delivery, input);
  } else if (service == "ecs") {
    co_return co_await run_task(call, target, input);
  } else if (service == "events" && arn_part(target.arn, 5).starts_with("api-destination/")) {
    co_return co_await connections_.send(target, delivery.event, input);
  } else if (service == "events") {
    const auto bus = parse_bus_arn(target.arn);
    auto event = events::parse_event(delivery.event);
    if (!bus || !book_.find(*bus)) co_return Err(no_bus(target.arn));
    if (!event || delivery.hops + 1 >= kHopsMax) co_return Err(aws::Error("InvalidParameter", "The event was passed on by too many event buses.", 400));
    co_await route(*bus, *std::move(event), static_cast<int>(delivery.hops) + 1);
  } else {
    co_return Err(aws::Error("NotImplemented", fmt::format("Targets of {} are not supported by this version of Atoll.", service), 400));
  }
  co_return Reply<void>();
}

// Each event in a stream of its own. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
Task<Reply<void>> Router::log(const Call& call, const model::Target& target, const Delivery& delivery, const std::string& input) {
  std::string group = target.arn.substr(target.arn.find(":log-group:") + 11);
  if (group.ends_with(":*")) group.resize(group.size() - 2);
  const auto event = events::parse_event(delivery.event);
  std::string message = input;
  std::int64_t timestamp = to_millis(event ? event->time : delivery.taken);
  // Transformed input names both itself.
  if (target.input_transformer)
    if (const auto json = Json::parse(input); json && json->contains("timestamp") && json->contains("message")) {
      message = (*json)["message"].scalar_text().value_or((*json)["message"].dump());
      const auto given = (*json)["timestamp"].scalar_text().value_or("");
      if (const auto millis = parse_int<std::int64_t>(given)) timestamp = *millis;
      else if (const auto time = parse_iso8601(given)) timestamp = to_millis(*time);
    }
  const std::string stream = make_uuid(thread_random());
  const Json names = Json::object({{"logGroupName", group}, {"logStreamName", stream}});
  CO_TRY(co_await caller_.invoke_json(call, "logs", "CreateLogStream", names));
  Json put = names;
  put.set("logEvents", Json::array({Json::object({{"timestamp", timestamp}, {"message", message}})}));
  CO_TRY(co_await caller_.invoke_json(call, "logs", "PutLogEvents", std::move(put)));
  co_return Reply<void>();
}

Task<Reply<void>> Router::run_task(const Call& call, const model::Target& target, const std::string& input) {
  const Json out = CO_TRY(co_await caller_.invoke_json(call, "ecs", "RunTask", CO_TRY(task_request(target, input))));
  if (out["failures"].size() > 0 && out["tasks"].size() == 0)
    co_return Err(aws::Error("RunTaskFailure", out["failures"].at(0).text("reason"), 500));
  co_return Reply<void>();
}

}  // namespace reef::service::eventbridge
