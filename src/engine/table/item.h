// Items as bytes in the store: a size header, then names and typed values, length-prefixed. Numbers are stored as
// canonical text. The format is described in docs/files.md terms by the code in item.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/attribute_value.h"

namespace reef::table {

// Numbers are made canonical on the way.
void append_item(std::string& out, const AttributeMap& item);
inline std::string item_bytes(const AttributeMap& item) {
  std::string out;
  append_item(out, item);
  return out;
}

// Nothing when the bytes are damaged.
std::optional<AttributeMap> read_item(std::string_view bytes);

// What item_size() said when the item was written, without reading the rest.
std::size_t stored_item_size(std::string_view bytes);

}  // namespace reef::table
