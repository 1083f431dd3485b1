#include "service/cloudformation/cloudformation.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/sandbox/sandboxes.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "service/cloudformation/deployment.h"
#include "service/cloudformation/recovery.h"

namespace reef::cloudformation {
namespace {

constexpr std::string_view kStackPrefix = "cloudformation/stack/";
constexpr std::string_view kResourcePrefix = "cloudformation/resource/";
constexpr std::string_view kEventPrefix = "cloudformation/event/";
// AWS lists deleted stacks for 90 days; beyond this many the oldest are forgotten.
constexpr std::size_t kDeletedStacksMax = 1000;

store::Records& records() { return store::Shard::control().records(); }
Time now() { return store::Shard::control().now(); }

}  // namespace

Cloudformation::Cloudformation(Parts& parts)
    : caller(parts.get<aws::Caller>()), signals(parts.get<sandbox::Sandboxes>().capabilities().isolated_network), publisher_(parts.get<events::Publisher>()) {
  parts.add(signals);
}

std::string Cloudformation::live_key(std::string_view account, std::string_view region, std::string_view name) {
  return fmt::format("{}/{}/{}", account, region, name);
}

void Cloudformation::start() {
  signals.load();
  std::vector<std::string> interrupted;
  std::map<std::string, Stack*, std::less<>> by_uuid;
  records().scan(kStackPrefix, [&](std::string_view key, const std::string& value) {
    const auto json = Json::parse(value);
    if (!json) {
      log::error("a stored stack cannot be read", {{"key", key}});
      return true;
    }
    auto stack = std::make_unique<Stack>(stack_from_json(*json));
    if (stack->work != Work::kNone) interrupted.push_back(stack->id);
    if (!stack->is_deleted()) live_[live_key(stack->account, stack->region, stack->name)] = stack->id;
    std::string id = stack->id;
    by_uuid[stack->uuid] = stack.get();
    stacks_.emplace(std::move(id), std::move(stack));
    return true;
  });
  records().scan(kResourcePrefix, [&](std::string_view key, const std::string& value) {
    const std::string_view rest = key.substr(kResourcePrefix.size());
    const auto stack = by_uuid.find(rest.substr(0, rest.find('/')));
    const auto json = Json::parse(value);
    if (stack == by_uuid.end() || !json) return true;
    Resource resource = resource_from_json(*json);
    std::string name = resource.logical_id;
    stack->second->resources.emplace(std::move(name), std::move(resource));
    return true;
  });
  records().scan(kEventPrefix, [&](std::string_view key, const std::string&) {
    const std::string_view rest = key.substr(kEventPrefix.size());
    const std::size_t slash = rest.find('/');
    const auto stack = by_uuid.find(rest.substr(0, slash));
    if (stack != by_uuid.end()) stack->second->event_count = parse_int<std::uint64_t>(rest.substr(slash + 1)).value_or(0) + 1;
    return true;
  });
  for (const std::string& id : interrupted) {
    resume_interrupted(*find_by_id(id));
    // Not before every service that it needs has started.
    store::Shard::control().reactor().post([this, id] { carry_out(id); });
  }
}

void Cloudformation::carry_out(const std::string& stack_id) { deploy(*this, stack_id).detach(); }

Task<void> Cloudformation::settle(std::string stack_id) {
  Duration waited{0};
  for (Duration pause = 1ms; waited < 1s; pause = std::min<Duration>(pause * 2, 50ms)) {
    const Stack* stack = find_by_id(stack_id);
    if (!stack || stack->work == Work::kNone) co_return;
    co_await store::Shard::control().reactor().sleep(pause);
    waited += pause;
  }
}

Stack* Cloudformation::find_by_id(std::string_view id) {
  const auto found = stacks_.find(id);
  return found == stacks_.end() ? nullptr : found->second.get();
}

Stack* Cloudformation::find(const aws::Call& call, std::string_view name_or_id) {
  if (name_or_id.starts_with("arn:")) {
    Stack* stack = find_by_id(name_or_id);
    return stack && stack->account == call.account && stack->region == call.region ? stack : nullptr;
  }
  const auto found = live_.find(live_key(call.account, call.region, name_or_id));
  return found == live_.end() ? nullptr : find_by_id(found->second);
}

Reply<Stack*> Cloudformation::get(const aws::Call& call, std::string_view name_or_id) {
  if (Stack* stack = find(call, name_or_id)) return stack;
  return Err(invalid(fmt::format("Stack with id {} does not exist", name_or_id)));
}

Stack Cloudformation::make_stack(const aws::Call& call, std::string_view name) {
  Stack stack;
  stack.uuid = make_uuid(thread_random());
  stack.name = std::string(name);
  stack.account = call.account;
  stack.region = call.region;
  stack.id = call.arn("cloudformation", fmt::format("stack/{}/{}", name, stack.uuid));
  stack.created = call.now;
  return stack;
}

Stack& Cloudformation::add(Stack stack) {
  live_[live_key(stack.account, stack.region, stack.name)] = stack.id;
  std::string id = stack.id;
  return *stacks_.emplace(std::move(id), std::make_unique<Stack>(std::move(stack))).first->second;
}

void Cloudformation::erase(Stack& stack) {
  if (const auto live = live_.find(live_key(stack.account, stack.region, stack.name)); live != live_.end() && live->second == stack.id)
    live_.erase(live);
  std::vector<std::string> keys;
  for (const std::string_view prefix : {kEventPrefix, kResourcePrefix})
    records().scan(fmt::format("{}{}/", prefix, stack.uuid), [&](std::string_view key, const std::string&) {
      keys.emplace_back(key);
      return true;
    });
  for (const std::string& key : keys) records().erase(key);
  records().erase(fmt::format("{}{}", kStackPrefix, stack.uuid));
  stacks_.erase(std::string(stack.id));
}

std::vector<Stack*> Cloudformation::list(const aws::Call& call) {
  std::vector<Stack*> out;
  for (const auto& [id, stack] : stacks_)
    if (stack->account == call.account && stack->region == call.region) out.push_back(stack.get());
  std::sort(out.begin(), out.end(), [](const Stack* a, const Stack* b) { return a->created != b->created ? a->created > b->created : a->id < b->id; });
  return out;
}

void Cloudformation::save(const Stack& stack) { records().put(fmt::format("{}{}", kStackPrefix, stack.uuid), to_json(stack).dump()); }

void Cloudformation::save_resource(const Stack& stack, const Resource& resource) {
  records().put(fmt::format("{}{}/{}", kResourcePrefix, stack.uuid, resource.logical_id), to_json(resource).dump());
}
void Cloudformation::forget_resource(const Stack& stack, const std::string& logical_id) {
  records().erase(fmt::format("{}{}/{}", kResourcePrefix, stack.uuid, logical_id));
}

void Cloudformation::set_status(Stack& stack, std::string_view status, std::string_view reason) {
  stack.status = std::string(status);
  stack.reason = std::string(reason);
  if (status == "DELETE_COMPLETE") {
    stack.deleted = now();
    const auto live = live_.find(live_key(stack.account, stack.region, stack.name));
    if (live != live_.end() && live->second == stack.id) live_.erase(live);
  }
  record_stack_event(stack);
  save(stack);
  if (status == "DELETE_COMPLETE") {
    std::vector<Stack*> deleted;
    for (const auto& [id, each] : stacks_)
      if (each->is_deleted()) deleted.push_back(each.get());
    if (deleted.size() > kDeletedStacksMax) {
      Stack* oldest = *std::min_element(deleted.begin(), deleted.end(), [](const Stack* a, const Stack* b) { return a->deleted < b->deleted; });
      if (oldest != &stack) erase(*oldest);
    }
  }
}

void Cloudformation::record(Stack& stack, model::StackEvent event) {
  event.stack_id = stack.id;
  event.stack_name = stack.name;
  event.timestamp = now();
  if (!stack.token.empty()) event.client_request_token = stack.token;
  tell(stack, event);
  records().put(fmt::format("{}{}/{:010}", kEventPrefix, stack.uuid, stack.event_count++), aws::to_json_text(event));
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-eventbridge.html
void Cloudformation::tell(const Stack& stack, const model::StackEvent& event) {
  const bool is_stack = event.physical_resource_id == stack.id;
  Json detail = Json::object({{"stack-id", stack.id}});
  if (!is_stack) {
    detail.set("logical-resource-id", event.logical_resource_id.value_or(""));
    detail.set("physical-resource-id", event.physical_resource_id.value_or(""));
    detail.set("resource-type", event.resource_type.value_or(""));
  }
  detail.set("status-details", Json::object({{"status", event.resource_status.value_or("")}, {"status-reason", event.resource_status_reason.value_or("")}}));
  detail.set("client-request-token", event.client_request_token.value_or(""));
  publisher_.publish({.id = {}, .detail_type = is_stack ? "CloudFormation Stack Status Change" : "CloudFormation Resource Status Change", .source = "aws.cloudformation",
                      .account = stack.account, .region = stack.region, .time = now(), .resources = {stack.id}, .detail = detail.dump(), .replay_name = {}});
}

void Cloudformation::record_event(Stack& stack, const Resource& resource) {
  model::StackEvent event;
  event.event_id = fmt::format("{}-{}-{}", resource.logical_id, resource.status, make_uuid(thread_random()));
  event.logical_resource_id = resource.logical_id;
  event.physical_resource_id = resource.state.physical_id;
  event.resource_type = resource.type;
  event.resource_status = resource.status;
  if (!resource.reason.empty()) event.resource_status_reason = resource.reason;
  if (resource.properties.is_object()) event.resource_properties = resource.properties.dump();
  record(stack, std::move(event));
}

void Cloudformation::record_stack_event(Stack& stack) {
  model::StackEvent event;
  event.event_id = make_uuid(thread_random());
  event.logical_resource_id = stack.name;
  event.physical_resource_id = stack.id;
  event.resource_type = "AWS::CloudFormation::Stack";
  event.resource_status = stack.status;
  if (!stack.reason.empty()) event.resource_status_reason = stack.reason;
  record(stack, std::move(event));
}

std::vector<model::StackEvent> Cloudformation::events(const Stack& stack) const {
  std::vector<model::StackEvent> out;
  records().scan(fmt::format("{}{}/", kEventPrefix, stack.uuid), [&](std::string_view, const std::string& value) {
    if (auto event = aws::from_json_text<model::StackEvent>(value)) out.push_back(*std::move(event));
    return true;
  });
  std::reverse(out.begin(), out.end());
  return out;
}

std::map<std::string, Cloudformation::Exported> Cloudformation::exports(std::string_view account, std::string_view region) const {
  std::map<std::string, Exported> out;
  for (const auto& [id, stack] : stacks_) {
    if (stack->account != account || stack->region != region || stack->is_deleted()) continue;
    for (const model::Output& output : stack->outputs)
      if (output.export_name) out[*output.export_name] = {output.output_value.value_or(""), stack.get()};
  }
  return out;
}

std::vector<const Stack*> Cloudformation::importers(std::string_view account, std::string_view region, const std::string& name) const {
  std::vector<const Stack*> out;
  for (const auto& [id, stack] : stacks_) {
    if (stack->account != account || stack->region != region || stack->is_deleted()) continue;
    if (stack->imports.contains(name)) out.push_back(stack.get());
  }
  return out;
}

}  // namespace reef::cloudformation
