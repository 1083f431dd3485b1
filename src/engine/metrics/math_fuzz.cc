// Any text is either an expression that can be evaluated, or an error.
#include <cstddef>
#include <cstdint>

#include "engine/metrics/math.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reef::metrics;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto node = parse_math(text);
  if (!node) return 0;
  const MathValue series = TimeSeries{.id = "m1", .label = "m1", .period = 60, .points = {{0, 1}, {60, -2}, {180, 3}}};
  const MathContext context{.from = 0, .to = 300, .period = 60,
                            .find = [&](std::string_view) { return &series; },
                            .metrics = [&](std::string_view) { return std::vector<TimeSeries>(2, std::get<TimeSeries>(series)); }};
  static_cast<void>(evaluate_math(*node, context));
  return 0;
}
