// Regular expressions over text that strangers send: the work of a match is bounded, whatever the expression.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reef {

struct PatternHow {
  bool whole = true;           // the whole of a text has to match, not a part of it
  bool ignores_case = false;
};

class Pattern {
 public:
  // Perl's syntax; the failure says what is wrong and where.
  static Result<Pattern, Failure> compile(const std::string& text, PatternHow how = {});
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  // False as well when finding out would take too long. Thread-safe.
  bool matches(std::string_view text) const;
  // How many groups the expression captures.
  std::size_t groups() const;
  // `text` with what matches first replaced, "$1" and "${1}" standing for what the groups captured and "$$" for a dollar;
  // nothing when nothing matches, a failure when it would take too long or become longer than `size_max`.
  Result<std::optional<std::string>, Failure> replaced(std::string_view text, const std::string& replacement, std::size_t size_max) const;

 private:
  struct Compiled;
  explicit Pattern(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace reef
