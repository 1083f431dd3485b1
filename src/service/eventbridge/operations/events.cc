// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html, API_TestEventPattern
#include "aws/unmodelled_errors.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/eventbridge/eventbridge.h"

namespace reef::service::eventbridge::operations {
namespace {

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
constexpr std::size_t kRequestBytesMax = 1'048'576;

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
std::size_t entry_bytes(const model::PutEventsRequestEntry& entry) {
  std::size_t bytes = entry.time ? 14 : 0;
  for (const auto* text : {&entry.source, &entry.detail_type, &entry.detail}) bytes += *text ? (*text)->size() : 0;
  if (entry.resources)
    for (const std::string& resource : *entry.resources) bytes += resource.size();
  return bytes;
}

std::optional<std::pair<std::string, std::string>> problem_of(const model::PutEventsRequestEntry& entry) {
  const auto missing = [](const char* name) { return std::pair{std::string("InvalidArgument"), fmt::format("Parameter {0} is not valid. Reason: {0} is a required argument.", name)}; };
  if (!entry.source || entry.source->empty()) return missing("Source");
  if (!entry.detail_type || entry.detail_type->empty()) return missing("DetailType");
  if (!entry.detail || entry.detail->empty()) return missing("Detail");
  if (entry.source->starts_with("aws.")) return std::pair{std::string("NotAuthorizedForSourceException"), std::string("Not authorized for the source.")};
  wire::JsonReader in(*entry.detail);
  if (in.peek() != wire::JsonKind::kObject || !in.skip() || !in.finish()) return std::pair{std::string("MalformedDetail"), std::string("Detail is malformed.")};
  return std::nullopt;
}

}  // namespace

Task<Reply<model::PutEventsOutput>> PutEvents(EventBridge& service, const model::PutEventsInput& in, const Call& call) {
  if (in.endpoint_id) co_return Err(aws::not_implemented("EventBridge's global endpoints (EndpointId)"));
  std::size_t bytes = 0;
  for (const auto& entry : in.entries) bytes += entry_bytes(entry);
  if (bytes > kRequestBytesMax) co_return Err(aws::validation_exception("Total size of the entries in the request is over the limit."));
  model::PutEventsOutput out;
  out.failed_entry_count = 0;
  auto& results = out.entries.emplace();
  std::vector<Task<void>> routed;
  for (const auto& entry : in.entries) {
    auto& result = results.emplace_back();
    auto problem = problem_of(entry);
    const BusName name = bus_name(call, entry.event_bus_name);
    if (!problem && name.account != call.account)
      if (Bus* bus = service.book.find(name); bus && !allows(*bus, call.account))
        problem = {"AccessDeniedException", fmt::format("User: {} is not authorized to perform: events:PutEvents on resource: {}", call.principal.arn, name.arn())};
    if (problem) {
      std::tie(result.error_code, result.error_message) = *problem;
      ++*out.failed_entry_count;
      continue;
    }
    events::Event event{.id = make_uuid(thread_random()), .detail_type = *entry.detail_type, .source = *entry.source, .account = call.account, .region = call.region,
                        .time = entry.time.value_or(call.now), .resources = entry.resources.value_or(std::vector<std::string>{}), .detail = *entry.detail, .replay_name = ""};
    result.event_id = event.id;
    routed.push_back(service.router.route(name, std::move(event)));
  }
  for (Task<void>& one : routed) co_await one;
  co_return out;
}

Task<Reply<model::TestEventPatternOutput>> TestEventPattern(EventBridge&, const model::TestEventPatternInput& in, const Call&) {
  const auto pattern = events::compile_pattern(in.event_pattern);
  if (!pattern) co_return Err(invalid_pattern(pattern.error()));
  const auto event = wire::Json::parse(in.event);
  if (!event || !event->is_object()) co_return Err(invalid("Event", "Event is not valid JSON."));
  for (const char* name : {"id", "account", "source", "time", "region", "resources", "detail-type"})
    if (!event->contains(name)) co_return Err(invalid("Event", fmt::format("The event must have the field {}.", name)));
  events::RuleIndex index;
  index.add(1, *pattern);
  model::TestEventPatternOutput out;
  out.result = !index.match(in.event).empty();
  co_return out;
}

}  // namespace reef::service::eventbridge::operations
