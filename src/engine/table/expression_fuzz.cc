// Any text must parse or be refused, and what parses must evaluate without harm.
#include <cstddef>
#include <cstdint>

#include "engine/table/apply_update.h"
#include "engine/table/evaluate.h"
#include "engine/table/expression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reef;
  using namespace reef::table;
  using V = AttributeValue;
  static const Placeholders::Names names = {{"#a", "a"}, {"#l", "l"}};
  static const AttributeMap values = {{":s", V::string("x")}, {":n", V::number("1")}, {":l", V::list({V::null()})}, {":e", V::string_set({"x"})}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  AttributeMap item = {{"a", V::string("x")}, {"l", V::list({V::number("2"), V::map({{"a", V::boolean(true)}})})}, {"e", V::string_set({"x"})}};
  Placeholders placeholders(&names, &values);
  if (!placeholders.check().empty()) return 0;
  if (const auto condition = parse_condition(text, placeholders)) matches(*condition, item);
  if (const auto paths = parse_projection(text, placeholders)) project(item, *paths);
  if (const auto update = parse_update(text, placeholders)) apply_update(*update, item);
  return 0;
}
