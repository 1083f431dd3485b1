// DynamoDB's number: 38 significant decimal digits, exact, between 1e-130 and 9.99...e+125. Text in, text out,
// sums, comparison, and an encoding whose bytes sort as the numbers do.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reef::table {

enum class NumberFault { kNotANumber, kOverflow, kUnderflow, kTooManyDigits };

class Decimal {
 public:
  static constexpr int kDigitsMax = 38;
  static constexpr int kExponentMax = 125;   // of the first digit, in scientific notation
  static constexpr int kExponentMin = -130;

  Decimal() = default;  // zero

  static Result<Decimal, NumberFault> parse(std::string_view text);
  // Plain notation without superfluous zeros: "-0.00125", "100000".
  std::string text() const;
  void append_text(std::string& out) const;

  static Result<Decimal, NumberFault> add(const Decimal& a, const Decimal& b);
  static Result<Decimal, NumberFault> subtract(const Decimal& a, const Decimal& b);

  bool is_zero() const { return digits_ == 0; }
  bool is_negative() const { return negative_; }
  // Appends an encoding that sorts bytewise as the numbers do and tells its own end.
  void append_ordered(std::string& out) const;

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) = default;

 private:
  using Digits = unsigned __int128;
  static Result<Decimal, NumberFault> make(bool negative, std::string_view digits, long exponent);
  int count() const;            // digits; 0 for zero
  int scientific() const { return count() + exponent_ - 1; }

  // value = +-digits_ * 10^exponent_; digits_ has no trailing zero; zero is 0, 0, false.
  Digits digits_ = 0;
  std::int16_t exponent_ = 0;
  bool negative_ = false;
};

// True for the text that Decimal::text() would give, decided without computing for the usual integers.
bool is_canonical_number(std::string_view text);

// Compares two canonical texts as numbers.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b);

}  // namespace reef::table
