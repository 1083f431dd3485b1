// Filter patterns over log lines: terms ("ERROR -timeout ?a ?b"), and JSON selectors ({ $.level = "error" && $.ms > 5 }).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reef::telemetry {

class LogPattern {
 public:
  // The error says what is wrong, or that the form is not supported.
  static Result<LogPattern, std::string> parse(std::string_view text);
  LogPattern(LogPattern&&) noexcept;
  ~LogPattern();
  bool matches(std::string_view line) const;

  struct Node;

 private:
  explicit LogPattern(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

}  // namespace reef::telemetry
