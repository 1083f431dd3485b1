// Regular expressions over text that strangers send: the work of a match is bounded, whatever the expression.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reef {

class Pattern {
 public:
  // Perl's syntax; the failure says what is wrong and where.
  static Result<Pattern, Failure> compile(const std::string& text);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  // Whether the whole of `text` matches; false as well when finding out would take too long. Thread-safe.
  bool matches(std::string_view text) const;

 private:
  struct Compiled;
  explicit Pattern(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace reef
