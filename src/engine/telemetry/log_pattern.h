// Filter patterns over log lines: terms ("ERROR -timeout ?a ?b"), regular expressions (%5\d\d%), selectors of JSON
// ({ $.level = "error" && $.ms > 5 }), and fields between spaces ([ip, ..., status = 4*, bytes > 100]).
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reef::telemetry {

class LogPattern {
 public:
  // The error says what is wrong.
  static Result<LogPattern, std::string> parse(std::string_view text);
  LogPattern(LogPattern&&) noexcept;
  ~LogPattern();
  bool matches(std::string_view line) const;

  class Form;   // what a pattern of one of the four kinds is

 private:
  explicit LogPattern(std::unique_ptr<Form> form);
  std::unique_ptr<Form> form_;
};

}  // namespace reef::telemetry
