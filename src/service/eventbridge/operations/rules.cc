// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html, API_DescribeRule, API_ListRules, API_DeleteRule,
// API_EnableRule, API_DisableRule
#include "aws/unmodelled_errors.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/eventbridge/eventbridge.h"

namespace reef::service::eventbridge::operations {
namespace {

constexpr std::size_t kRulesMax = 300;  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html

Reply<Bus*> bus_of(EventBridge& service, const Call& call, const std::optional<std::string>& name) {
  const BusName wanted = bus_name(call, name);
  if (Bus* bus = service.book.find(wanted)) return bus;
  return Err(no_bus(wanted.name));
}

Reply<std::shared_ptr<Rule>> rule_of(Bus& bus, const std::string& name) {
  const auto found = bus.rules.find(name);
  if (found == bus.rules.end()) return Err(no_rule(name, bus.name.name));
  return found->second;
}

Task<Reply<void>> set_state(EventBridge& service, const Call& call, const std::optional<std::string>& bus_name, std::string name, const char* state) {
  Bus* bus = CO_TRY(bus_of(service, call, bus_name));
  auto rule = std::make_shared<Rule>(*CO_TRY(rule_of(*bus, name)));
  rule->state = state;
  service.book.put(*bus, rule);
  service.schedules.arm();
  co_await store::Shard::control().committed();
  co_return Reply<void>();
}

template <class Shown>
void describe(const Bus& bus, const Rule& rule, Shown& out) {
  out.name = rule.name;
  out.arn = rule.arn();
  out.event_pattern = given(rule.pattern);
  out.schedule_expression = given(rule.schedule);
  out.state = rule.state;
  out.description = given(rule.description);
  out.role_arn = given(rule.role);
  out.event_bus_name = bus.name.name;
}

}  // namespace

Task<Reply<model::PutRuleOutput>> PutRule(EventBridge& service, const model::PutRuleInput& in, const Call& call) {
  Bus* bus = CO_TRY(bus_of(service, call, in.event_bus_name));
  const std::string pattern = in.event_pattern.value_or(""), schedule = in.schedule_expression.value_or("");
  if (pattern.empty() && schedule.empty())
    co_return Err(aws::validation_exception("Parameter(s) EventPattern or ScheduleExpression must be specified."));
  if (!schedule.empty()) {
    if (bus->name.name != kDefaultBus) co_return Err(aws::validation_exception("ScheduleExpression is supported only on the default event bus."));
    CO_TRY(check_schedule(schedule));
  }
  if (!pattern.empty())
    if (const auto compiled = events::compile_pattern(pattern); !compiled) co_return Err(invalid_pattern(compiled.error()));
  auto rule = std::make_shared<Rule>();
  if (const auto found = bus->rules.find(in.name); found != bus->rules.end()) {
    *rule = *found->second;  // targets, tags and the time of its making stay
  } else {
    if (bus->rules.size() >= kRulesMax) co_return Err(aws::Error(errors::kLimitExceededException, "The requested resource exceeds the maximum number allowed."));
    rule->bus = bus->name;
    rule->name = in.name;
    rule->created = call.now;
    rule->created_by = call.account;
    rule->tags = tags_of(in.tags);
  }
  rule->pattern = pattern;
  rule->schedule = schedule;
  rule->description = in.description.value_or("");
  rule->role = in.role_arn.value_or("");
  rule->state = in.state.value_or("ENABLED");
  service.book.put(*bus, rule);
  service.schedules.arm();
  co_await store::Shard::control().committed();
  model::PutRuleOutput out;
  out.rule_arn = rule->arn();
  co_return out;
}

Task<Reply<model::DescribeRuleOutput>> DescribeRule(EventBridge& service, const model::DescribeRuleInput& in, const Call& call) {
  Bus* bus = CO_TRY(bus_of(service, call, in.event_bus_name));
  const auto rule = CO_TRY(rule_of(*bus, in.name));
  model::DescribeRuleOutput out;
  describe(*bus, *rule, out);
  out.created_by = given(rule->created_by);
  co_return out;
}

Task<Reply<model::ListRulesOutput>> ListRules(EventBridge& service, const model::ListRulesInput& in, const Call& call) {
  Bus* bus = CO_TRY(bus_of(service, call, in.event_bus_name));
  std::vector<model::Rule> all;
  for (const auto& [name, rule] : bus->rules) {
    if (in.name_prefix && !name.starts_with(*in.name_prefix)) continue;
    describe(*bus, *rule, all.emplace_back());
  }
  model::ListRulesOutput out;
  out.rules = page_of(std::move(all), in.next_token, in.limit, out.next_token);
  co_return out;
}

// Gone already is success.
Task<Reply<model::DeleteRuleOutput>> DeleteRule(EventBridge& service, const model::DeleteRuleInput& in, const Call& call) {
  Bus* bus = CO_TRY(bus_of(service, call, in.event_bus_name));
  const auto rule = rule_of(*bus, in.name);
  if (!rule) co_return model::DeleteRuleOutput();
  if (!(*rule)->targets.empty()) co_return Err(aws::validation_exception("Rule can't be deleted since it has targets."));
  service.book.remove_rule(*bus, in.name);
  service.schedules.arm();
  co_await store::Shard::control().committed();
  co_return model::DeleteRuleOutput();
}

Task<Reply<model::EnableRuleOutput>> EnableRule(EventBridge& service, const model::EnableRuleInput& in, const Call& call) {
  CO_TRY(co_await set_state(service, call, in.event_bus_name, in.name, "ENABLED"));
  co_return model::EnableRuleOutput();
}
Task<Reply<model::DisableRuleOutput>> DisableRule(EventBridge& service, const model::DisableRuleInput& in, const Call& call) {
  CO_TRY(co_await set_state(service, call, in.event_bus_name, in.name, "DISABLED"));
  co_return model::DisableRuleOutput();
}

}  // namespace reef::service::eventbridge::operations
