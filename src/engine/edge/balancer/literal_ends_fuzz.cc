// Regular expressions of rules: whatever text an expression matches has the ends that are said to be certain.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/pattern.h"
#include "engine/edge/balancer/literal_ends.h"

using namespace reef;
using namespace reef::edge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto cut = bytes.find('\n');
  const std::string expression(bytes.substr(0, cut));
  if (expression.size() > 128 || !check_expression_features(expression)) return 0;
  const auto pattern = Pattern::compile(expression, {.whole = false});
  if (!pattern || cut == std::string_view::npos) return 0;
  const std::string_view text = bytes.substr(cut + 1);
  if (text.ends_with('\n') || !pattern->matches(text)) return 0;   // "$" looks past a last line end; no path has one
  const LiteralEnds ends = literal_ends(expression);
  CHECK(text.starts_with(ends.prefix));
  CHECK(text.ends_with(ends.suffix));
  return 0;
}
