// The rule of a composite alarm: ALARM(a) AND (NOT OK("b") OR TRUE), and AT_LEAST. Parsed once, evaluated over the states
// of other alarms.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/metrics/alarm.h"

namespace reef::metrics {

struct CompositeRule {
  enum class Kind { kState, kNot, kAnd, kOr, kTrue, kFalse, kAtLeast };
  Kind kind = Kind::kTrue;
  AlarmState state = AlarmState::kAlarm;  // of kState and kAtLeast
  bool is_negated = false;                // AT_LEAST(2, NOT OK, ...)
  bool is_percent = false;                // AT_LEAST(50%, ...)
  double least = 0;
  std::vector<std::string> alarms;        // names or ARNs; one for kState
  std::vector<CompositeRule> parts;
};

// An error says what is wrong with the text.
Result<CompositeRule, std::string> parse_composite_rule(std::string_view text);
// `state_of` gives nothing for an alarm that is not there.
bool evaluate_composite_rule(const CompositeRule& rule, const std::function<std::optional<AlarmState>(const std::string&)>& state_of);
void collect_alarms(const CompositeRule& rule, std::vector<std::string>& alarms);

}  // namespace reef::metrics
