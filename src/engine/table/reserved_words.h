// Words that an expression may not use as an attribute name without a '#' placeholder.
#pragma once

#include <string_view>

namespace reef::table {

bool is_reserved_word(std::string_view name);  // regardless of case

}  // namespace reef::table
