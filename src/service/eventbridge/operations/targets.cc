// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html, API_RemoveTargets, API_ListTargetsByRule,
// API_ListRuleNamesByTarget
#include <algorithm>

#include "base/text.h"
#include "engine/store/shard.h"
#include "service/eventbridge/eventbridge.h"
#include "service/eventbridge/targets.h"

namespace reef::service::eventbridge::operations {
namespace {

constexpr std::size_t kTargetsMax = 5;  // of a rule

Reply<std::pair<Bus*, std::shared_ptr<Rule>>> find(EventBridge& service, const Call& call, const std::optional<std::string>& bus_given, const std::string& name) {
  const BusName wanted = bus_name(call, bus_given);
  Bus* bus = service.book.find(wanted);
  if (!bus) return Err(no_bus(wanted.name));
  const auto found = bus->rules.find(name);
  if (found == bus->rules.end()) return Err(no_rule(name, wanted.name));
  return std::pair(bus, found->second);
}

}  // namespace

Task<Reply<model::PutTargetsOutput>> PutTargets(EventBridge& service, const model::PutTargetsInput& in, const Call& call) {
  const auto [bus, before] = CO_TRY(find(service, call, in.event_bus_name, in.rule));
  auto rule = std::make_shared<Rule>(*before);
  for (const model::Target& target : in.targets) {
    CO_TRY(check_target(*rule, target));
    const auto same = std::find_if(rule->targets.begin(), rule->targets.end(), [&](const model::Target& one) { return one.id == target.id; });
    if (same != rule->targets.end()) *same = target;
    else rule->targets.push_back(target);
  }
  if (rule->targets.size() > kTargetsMax) co_return Err(aws::Error(errors::kLimitExceededException, "The requested resource exceeds the maximum number allowed."));
  service.book.put(*bus, rule);
  co_await store::Shard::control().committed();
  model::PutTargetsOutput out;
  out.failed_entry_count = 0;
  out.failed_entries.emplace();
  co_return out;
}

Task<Reply<model::RemoveTargetsOutput>> RemoveTargets(EventBridge& service, const model::RemoveTargetsInput& in, const Call& call) {
  const auto [bus, before] = CO_TRY(find(service, call, in.event_bus_name, in.rule));
  auto rule = std::make_shared<Rule>(*before);
  model::RemoveTargetsOutput out;
  out.failed_entry_count = 0;
  auto& failed = out.failed_entries.emplace();
  for (const std::string& id : in.ids) {
    if (std::erase_if(rule->targets, [&](const model::Target& one) { return one.id == id; }) > 0) continue;
    auto& one = failed.emplace_back();
    one.target_id = id;
    one.error_code = "ResourceNotFoundException";
    one.error_message = fmt::format("Rule {} does not have target with Id {}.", in.rule, id);
    ++*out.failed_entry_count;
  }
  service.book.put(*bus, rule);
  co_await store::Shard::control().committed();
  co_return out;
}

Task<Reply<model::ListTargetsByRuleOutput>> ListTargetsByRule(EventBridge& service, const model::ListTargetsByRuleInput& in, const Call& call) {
  const auto [bus, rule] = CO_TRY(find(service, call, in.event_bus_name, in.rule));
  model::ListTargetsByRuleOutput out;
  out.targets = page_of(rule->targets, in.next_token, in.limit, out.next_token);
  co_return out;
}

Task<Reply<model::ListRuleNamesByTargetOutput>> ListRuleNamesByTarget(EventBridge& service, const model::ListRuleNamesByTargetInput& in, const Call& call) {
  const BusName wanted = bus_name(call, in.event_bus_name);
  Bus* bus = service.book.find(wanted);
  if (!bus) co_return Err(no_bus(wanted.name));
  std::vector<std::string> all;
  for (const auto& [name, rule] : bus->rules)
    if (std::any_of(rule->targets.begin(), rule->targets.end(), [&](const model::Target& one) { return one.arn == in.target_arn; })) all.push_back(name);
  model::ListRuleNamesByTargetOutput out;
  out.rule_names = page_of(std::move(all), in.next_token, in.limit, out.next_token);
  co_return out;
}

}  // namespace reef::service::eventbridge::operations
