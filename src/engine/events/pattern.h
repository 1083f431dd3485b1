// Event patterns: which JSON events a rule wants. Compiled once; what is wrong with one is said in the words of AWS's own
// matcher. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
//
// Always true of a compiled pattern: an event matches if it matches one clause; it matches a clause if for each of its
// fields some value of the event, taken from the same elements of arrays throughout, passes one of the field's tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace reef::events {

enum class ValueKind : std::uint8_t { kString, kNumber, kLiteral };  // kLiteral: true, false, null

// A leaf of an event.
struct Value {
  ValueKind kind = ValueKind::kLiteral;
  std::string_view text;
  double number = 0;
};

enum class TestKind : std::uint8_t {
  kExact, kPrefix, kPrefixIgnoreCase, kSuffix, kSuffixIgnoreCase, kIgnoreCase, kWildcard, kRange, kAddress, kExists, kAbsent, kAnythingBut,
};

struct Test {
  TestKind kind = TestKind::kExact;
  ValueKind value_kind = ValueKind::kString;  // of kExact
  std::string text;                           // lower case where case is ignored
  double number = 0;                          // of kExact with a number
  double low = 0, high = 0;                   // of kRange
  bool low_open = false, high_open = false;
  std::string address_low, address_high;      // of kAddress: 4 or 16 bytes each
  std::vector<Test> others;                   // of kAnythingBut: what the value must not pass

  bool passes(const Value& value) const;
};

struct Clause {
  std::vector<std::pair<std::string, std::vector<Test>>> fields;  // by dotted path, in its order
};

struct Pattern {
  std::vector<Clause> clauses;
};

// The error is the reason alone, as AWS gives it after "Event pattern is not valid. Reason: ".
Result<Pattern, std::string> compile_pattern(std::string_view json);

}  // namespace reef::events
