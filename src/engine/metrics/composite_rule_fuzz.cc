// Any text is either a rule that can be evaluated, or an error.
#include <cstddef>
#include <cstdint>

#include "engine/metrics/composite_rule.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reef::metrics;
  const auto rule = parse_composite_rule(std::string_view(reinterpret_cast<const char*>(data), size));
  if (rule) static_cast<void>(evaluate_composite_rule(*rule, [](const std::string& name) { return std::optional(name.size() % 2 ? AlarmState::kOk : AlarmState::kAlarm); }));
  return 0;
}
