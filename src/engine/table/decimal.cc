#include "engine/table/decimal.h"

#include <algorithm>
#include <array>

namespace reef::table {
namespace {

using Digits = unsigned __int128;

constexpr auto kPowers = [] {
  std::array<Digits, 39> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

// The decimal digits of `value`, none for zero.
std::string_view write_digits(Digits value, char (&buffer)[40]) {
  char* at = buffer + sizeof buffer;
  while (value) {
    *--at = static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  }
  return {at, static_cast<std::size_t>(buffer + sizeof buffer - at)};
}

// |a| + |b| or |a| - |b| (which must not be negative) of digit strings of equal length, in place of `a`.
void add_digits(std::string& a, const std::string& b, bool minus) {
  int carry = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    int sum = (a[i] - '0') + (minus ? -(b[i] - '0') : (b[i] - '0')) + carry;
    carry = 0;
    if (sum > 9) sum -= 10, carry = 1;
    if (sum < 0) sum += 10, carry = -1;
    a[i] = static_cast<char>('0' + sum);
  }
}

}  // namespace

int Decimal::count() const {
  const auto found = std::upper_bound(kPowers.begin(), kPowers.end(), digits_);
  return digits_ == 0 ? 0 : static_cast<int>(found - kPowers.begin());
}

// `digits` may have zeros at both ends.
Result<Decimal, NumberFault> Decimal::make(bool negative, std::string_view digits, long exponent) {
  while (digits.ends_with('0')) digits.remove_suffix(1), ++exponent;
  while (digits.starts_with('0')) digits.remove_prefix(1);
  Decimal result;
  if (digits.empty()) return result;
  const long first = exponent + static_cast<long>(digits.size()) - 1;
  if (first > kExponentMax) return Err(NumberFault::kOverflow);
  if (first < kExponentMin) return Err(NumberFault::kUnderflow);
  if (digits.size() > kDigitsMax) return Err(NumberFault::kTooManyDigits);
  for (const char c : digits) result.digits_ = result.digits_ * 10 + static_cast<unsigned>(c - '0');
  result.exponent_ = static_cast<std::int16_t>(exponent);
  result.negative_ = negative;
  return result;
}

Result<Decimal, NumberFault> Decimal::parse(std::string_view text) {
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  std::string digits;
  long exponent = 0;
  bool any = false, after_point = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      any = true;
      digits += c;
      if (after_point) --exponent;
    } else if (c == '.' && !after_point) {
      after_point = true;
    } else {
      break;
    }
  }
  if (!any) return Err(NumberFault::kNotANumber);
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return Err(NumberFault::kNotANumber);
    bool minus = false;
    if (++i < text.size() && (text[i] == '+' || text[i] == '-')) minus = text[i++] == '-';
    if (i == text.size()) return Err(NumberFault::kNotANumber);
    long written = 0;
    for (; i < text.size(); ++i) {
      if (text[i] < '0' || text[i] > '9') return Err(NumberFault::kNotANumber);
      if (written < 1'000'000) written = written * 10 + (text[i] - '0');
    }
    exponent += minus ? -written : written;
  }
  return make(negative, digits, exponent);
}

void Decimal::append_text(std::string& out) const {
  if (digits_ == 0) {
    out += '0';
    return;
  }
  char buffer[40];
  const std::string_view digits = write_digits(digits_, buffer);
  if (negative_) out += '-';
  if (exponent_ >= 0) {
    out += digits;
    out.append(static_cast<std::size_t>(exponent_), '0');
    return;
  }
  const int whole = static_cast<int>(digits.size()) + exponent_;
  if (whole > 0) {
    out += digits.substr(0, static_cast<std::size_t>(whole));
    out += '.';
    out += digits.substr(static_cast<std::size_t>(whole));
  } else {
    out += "0.";
    out.append(static_cast<std::size_t>(-whole), '0');
    out += digits;
  }
}

std::string Decimal::text() const {
  std::string out;
  append_text(out);
  return out;
}

Result<Decimal, NumberFault> Decimal::subtract(const Decimal& a, const Decimal& b) {
  Decimal minus_b = b;
  if (!b.is_zero()) minus_b.negative_ = !b.negative_;
  return add(a, minus_b);
}

Result<Decimal, NumberFault> Decimal::add(const Decimal& a, const Decimal& b) {
  if (a.is_zero()) return b;
  if (b.is_zero()) return a;
  const int lowest = std::min(a.exponent_, b.exponent_);
  const int highest = std::max(a.scientific(), b.scientific());
  const int span = highest - lowest + 1;
  if (span <= kDigitsMax) {  // both fit in 128 bits on the same scale, and so does their sum
    const Digits x = a.digits_ * kPowers[static_cast<std::size_t>(a.exponent_ - lowest)];
    const Digits y = b.digits_ * kPowers[static_cast<std::size_t>(b.exponent_ - lowest)];
    const bool minus = a.negative_ != b.negative_;
    const bool negative = minus && y > x ? b.negative_ : a.negative_;
    const Digits sum = !minus ? x + y : x > y ? x - y : y - x;
    char buffer[40];
    return make(negative, write_digits(sum, buffer), lowest);
  }
  const auto spread = [&](const Decimal& number) {
    char buffer[40];
    const std::string_view digits = write_digits(number.digits_, buffer);
    std::string out(static_cast<std::size_t>(highest - number.scientific() + 1), '0');
    out += digits;
    out.append(static_cast<std::size_t>(number.exponent_ - lowest), '0');
    return out;
  };
  std::string x = spread(a), y = spread(b);
  const bool minus = a.negative_ != b.negative_;
  bool negative = a.negative_;
  if (minus && y > x) {
    std::swap(x, y);
    negative = b.negative_;
  }
  add_digits(x, y, minus);
  return make(negative, x, lowest);
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const auto sign = [](const Decimal& d) { return d.digits_ == 0 ? 0 : d.negative_ ? -1 : 1; };
  if (sign(a) != sign(b)) return sign(a) <=> sign(b);
  if (sign(a) == 0) return std::strong_ordering::equal;
  const Decimal& x = a.negative_ ? b : a;
  const Decimal& y = a.negative_ ? a : b;
  if (x.scientific() != y.scientific()) return x.scientific() <=> y.scientific();
  const int difference = x.count() - y.count();
  const Digits left = difference < 0 ? x.digits_ * kPowers[static_cast<std::size_t>(-difference)] : x.digits_;
  const Digits right = difference > 0 ? y.digits_ * kPowers[static_cast<std::size_t>(difference)] : y.digits_;
  return left < right ? std::strong_ordering::less
         : left > right ? std::strong_ordering::greater
                        : std::strong_ordering::equal;
}

// Sign byte (1, 2 for zero, 3), exponent byte, digits in pairs as pair + 1, a closing 0; all but the sign inverted
// for negative numbers.
void Decimal::append_ordered(std::string& out) const {
  if (digits_ == 0) {
    out += '\x02';
    return;
  }
  out += negative_ ? '\x01' : '\x03';
  const char mask = negative_ ? '\xFF' : '\x00';
  out += static_cast<char>(static_cast<char>(scientific() - kExponentMin) ^ mask);
  char buffer[40];
  const std::string_view digits = write_digits(digits_, buffer);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int pair = (digits[i] - '0') * 10 + (i + 1 < digits.size() ? digits[i + 1] - '0' : 0);
    out += static_cast<char>(static_cast<char>(pair + 1) ^ mask);
  }
  out += mask;
}

bool is_canonical_number(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  if (digits.empty() || digits.size() > Decimal::kDigitsMax) return false;
  if (digits == "0") return text.size() == 1;
  if (digits.front() == '0') return false;  // fractions below one take the slow road
  bool point = false;
  for (const char c : digits) {
    if (c == '.' && !point)
      point = true;
    else if (c < '0' || c > '9')
      return false;
  }
  return digits.front() != '.' && !(point && (digits.back() == '0' || digits.back() == '.'));
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  if (a == b) return std::strong_ordering::equal;
  const auto left = Decimal::parse(a), right = Decimal::parse(b);
  return left.value_or(Decimal()) <=> right.value_or(Decimal());
}

}  // namespace reef::table
