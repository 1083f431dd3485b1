#include <cstddef>

#include "engine/events/event.h"
#include "engine/events/transform.h"

// The first line is a path, the second a template, the rest the event.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace reef;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto first = text.find('\n'), second = first == std::string_view::npos ? first : text.find('\n', first + 1);
  if (second == std::string_view::npos) return 0;
  const auto event = wire::Json::parse(text.substr(second + 1));
  if (!event) return 0;
  const events::Transform transform{.paths = {{"a", std::string(text.substr(0, first))}}, .text = std::string(text.substr(first + 1, second - first - 1))};
  if (!events::check_transform(transform).empty()) return 0;
  events::apply_transform(transform, *event, {});
  events::parse_event(text.substr(second + 1));
  return 0;
}
