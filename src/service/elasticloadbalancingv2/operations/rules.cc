// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html
#include <set>

#include "service/elasticloadbalancingv2/operations.h"

namespace reef::service::elb::operations {
namespace {

constexpr std::size_t kRulesMax = 100;

std::string rule_arn(const std::string& listener_arn, const std::string& id) { return replace_all(listener_arn, ":listener/", ":listener-rule/") + "/" + id; }

// The default rule of a listener has an ARN too, derived from the listener's.
std::string default_rule_arn(const Listener& listener) {
  return rule_arn(listener.arn(), fmt::format("{:016x}", std::hash<std::string>{}(listener.arn())));
}

}  // namespace

model::Rule shown(const Rule& rule) {
  model::Rule out = rule.value;
  if (out.conditions) out.conditions = shown_conditions(*out.conditions);
  if (out.actions) out.actions = shown_actions(*out.actions);
  return out;
}

model::Rule default_rule(const Listener& listener) {
  return {.rule_arn = default_rule_arn(listener), .priority = "default", .conditions = std::vector<model::RuleCondition>{},
          .actions = shown_actions(*listener.value.default_actions), .is_default = true, .transforms = std::nullopt};
}

Task<Reply<model::CreateRuleOutput>> CreateRule(Elb& elb, const model::CreateRuleInput& in, const Call&) {
  const Listener* listener = CO_TRY(elb.listener(in.listener_arn));
  if (*listener->value.protocol != "HTTP" && *listener->value.protocol != "HTTPS")
    co_return Err(aws::Error(errors::kUnsupportedProtocolException, "Rules are supported on HTTP and HTTPS listeners only"));
  CO_TRY(read_transforms(in.transforms));
  if (in.priority < 1 || in.priority > 50000) co_return Err(aws::validation_error(fmt::format("The rule priority '{}' must be between 1 and 50000", in.priority)));
  const auto existing = elb.rules_of(in.listener_arn);
  for (const Rule* other : existing)
    if (other->value.priority == std::to_string(in.priority)) co_return Err(aws::Error(errors::kPriorityInUseException, fmt::format("Priority '{}' is currently in use", in.priority)));
  if (existing.size() >= kRulesMax) co_return Err(aws::Error(errors::kTooManyRulesException, "The maximum number of rules per listener is '100'"));
  if (in.conditions.empty()) co_return Err(aws::validation_error("A condition must be specified"));
  CO_TRY(read_conditions(in.conditions));
  CO_TRY(read_actions(elb, in.actions, *listener, {}));
  Rule rule{.value = {.rule_arn = rule_arn(in.listener_arn, make_id()), .priority = std::to_string(in.priority), .conditions = in.conditions, .actions = in.actions, .is_default = false, .transforms = in.transforms},
            .listener = in.listener_arn, .tags = CO_TRY(read_tags(in.tags))};
  elb.rules[rule.arn()] = rule;
  if (auto applied = co_await elb.apply(in.listener_arn); !applied) {
    elb.rules.erase(rule.arn());
    co_return Err(std::move(applied.error()));
  }
  elb.save(rule);
  co_await elb.committed();
  co_return model::CreateRuleOutput{.rules = {{shown(rule)}}};
}

Task<Reply<model::DescribeRulesOutput>> DescribeRules(Elb& elb, const model::DescribeRulesInput& in, const Call&) {
  std::vector<model::Rule> all;
  if (in.rule_arns && !in.rule_arns->empty()) {
    for (const std::string& arn : *in.rule_arns) {
      bool is_default = false;
      for (const auto& [listener_arn, listener] : elb.listeners)
        if (default_rule_arn(listener) == arn) {
          all.push_back(default_rule(listener));
          is_default = true;
        }
      if (!is_default) all.push_back(shown(*CO_TRY(elb.rule(arn))));
    }
  } else {
    if (!in.listener_arn) co_return Err(aws::validation_error("You must specify either listener rule ARNs or a listener ARN"));
    const Listener* listener = CO_TRY(elb.listener(*in.listener_arn));
    for (const Rule* rule : elb.rules_of(*in.listener_arn)) all.push_back(shown(*rule));
    all.push_back(default_rule(*listener));
  }
  model::DescribeRulesOutput out;
  CO_TRY(paginate(in, all, out.rules, out));
  co_return out;
}

Task<Reply<model::ModifyRuleOutput>> ModifyRule(Elb& elb, const model::ModifyRuleInput& in, const Call&) {
  for (const auto& [arn, listener] : elb.listeners)
    if (default_rule_arn(listener) == in.rule_arn) co_return Err(aws::Error(errors::kOperationNotPermittedException, "Default rule '" + in.rule_arn + "' cannot be modified"));
  const Rule before = *CO_TRY(elb.rule(in.rule_arn));
  const Listener* listener = CO_TRY(elb.listener(before.listener));
  Rule after = before;
  if (in.reset_transforms.value_or(false)) {
    if (in.transforms && !in.transforms->empty()) co_return Err(aws::validation_error("You cannot specify both Transforms and ResetTransforms"));
    after.value.transforms.reset();
  } else if (in.transforms) {
    CO_TRY(read_transforms(in.transforms));
    after.value.transforms = in.transforms;
  }
  if (in.conditions) {
    CO_TRY(read_conditions(*in.conditions));
    after.value.conditions = in.conditions;
  }
  if (in.actions) {
    std::vector<model::Action> actions = *in.actions;
    keep_client_secret(*before.value.actions, actions);
    CO_TRY(read_actions(elb, actions, *listener, in.rule_arn));
    after.value.actions = std::move(actions);
  }
  elb.rules[in.rule_arn] = after;
  CO_TRY(co_await elb.apply(before.listener));
  elb.save(after);
  co_await elb.committed();
  co_return model::ModifyRuleOutput{.rules = {{shown(after)}}};
}

Task<Reply<model::DeleteRuleOutput>> DeleteRule(Elb& elb, const model::DeleteRuleInput& in, const Call&) {
  for (const auto& [arn, listener] : elb.listeners)
    if (default_rule_arn(listener) == in.rule_arn) co_return Err(aws::Error(errors::kOperationNotPermittedException, "Default rule '" + in.rule_arn + "' cannot be deleted"));
  const std::string listener = (*CO_TRY(elb.rule(in.rule_arn))).listener;
  elb.rules.erase(in.rule_arn);
  elb.erase(in.rule_arn);
  co_await elb.committed();
  CO_TRY(co_await elb.apply(listener));
  co_return model::DeleteRuleOutput{};
}

Task<Reply<model::SetRulePrioritiesOutput>> SetRulePriorities(Elb& elb, const model::SetRulePrioritiesInput& in, const Call&) {
  std::map<std::string, std::string> wanted;
  std::set<std::string> listeners;
  for (const auto& pair : in.rule_priorities) {
    const Rule* rule = CO_TRY(elb.rule(pair.rule_arn.value_or("")));
    const int priority = pair.priority.value_or(0);
    if (priority < 1 || priority > 50000) co_return Err(aws::validation_error(fmt::format("The rule priority '{}' must be between 1 and 50000", priority)));
    wanted[rule->arn()] = std::to_string(priority);
    listeners.insert(rule->listener);
  }
  // All at once: two rules may change places.
  for (const std::string& listener : listeners) {
    std::set<std::string> used;
    for (const Rule* rule : elb.rules_of(listener)) {
      const auto found = wanted.find(rule->arn());
      const std::string& priority = found == wanted.end() ? *rule->value.priority : found->second;
      if (!used.insert(priority).second) co_return Err(aws::Error(errors::kPriorityInUseException, fmt::format("Priority '{}' is currently in use", priority)));
    }
  }
  model::SetRulePrioritiesOutput out{.rules = std::vector<model::Rule>{}};
  for (const auto& [arn, priority] : wanted) {
    Rule& rule = elb.rules[arn];
    rule.value.priority = priority;
    elb.save(rule);
    out.rules->push_back(shown(rule));
  }
  co_await elb.committed();
  for (const std::string& listener : listeners) CO_TRY(co_await elb.apply(listener));
  co_return out;
}

}  // namespace reef::service::elb::operations
