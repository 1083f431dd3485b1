// Durations as users write them.
#pragma once

#include <string_view>

#include "base/text.h"

namespace reef::cli {

// "90", "90s", "15m", "2h", "1d" as seconds; negative when it is none of these.
inline double parse_duration(std::string_view text) {
  double unit = 1;
  if (text.ends_with('s')) text.remove_suffix(1);
  else if (text.ends_with('m')) unit = 60, text.remove_suffix(1);
  else if (text.ends_with('h')) unit = 3600, text.remove_suffix(1);
  else if (text.ends_with('d')) unit = 86400, text.remove_suffix(1);
  const auto number = parse_double(text);
  return number && *number >= 0 ? *number * unit : -1;
}

}  // namespace reef::cli
