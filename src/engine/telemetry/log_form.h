// The forms that a log pattern can have. Each parser gets what is between the outer brackets.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/telemetry/log_pattern.h"

namespace reef::telemetry {

class LogPattern::Form {
 public:
  virtual ~Form() = default;
  virtual bool matches(std::string_view line) const = 0;
};

using LogForm = Result<std::unique_ptr<LogPattern::Form>, std::string>;

// $.a.b[0] = "x" && ($.c > 1 || $.d IS NULL)
LogForm parse_log_selector(std::string_view text);
// ip, user, ..., status = 4* || status = %^5%, bytes > 100
LogForm parse_log_fields(std::string_view text);

}  // namespace reef::telemetry
