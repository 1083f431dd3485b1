#include "engine/table/decimal.h"

#include <gtest/gtest.h>

#include <vector>

namespace reef::table {
namespace {

std::string canonical(std::string_view text) {
  const auto parsed = Decimal::parse(text);
  return parsed ? parsed->text() : "fault " + std::to_string(static_cast<int>(parsed.error()));
}
std::string sum(std::string_view a, std::string_view b) {
  const auto result = Decimal::add(*Decimal::parse(a), *Decimal::parse(b));
  return result ? result->text() : "fault " + std::to_string(static_cast<int>(result.error()));
}
std::string ordered(std::string_view text) {
  std::string out;
  Decimal::parse(text)->append_ordered(out);
  return out;
}

}  // namespace

TEST(Decimal, MakesTextCanonical) {
  EXPECT_EQ(canonical("001.2300"), "1.23");
  EXPECT_EQ(canonical("-0"), "0");
  EXPECT_EQ(canonical("1e5"), "100000");
  EXPECT_EQ(canonical("-125E-5"), "-0.00125");
  EXPECT_EQ(canonical("12345678901234567890123456789012345678"), "12345678901234567890123456789012345678");
  EXPECT_EQ(canonical("1e125").size(), 126u);
  EXPECT_EQ(canonical(".5"), "0.5");
}

TEST(Decimal, RefusesWhatDoesNotFit) {
  EXPECT_EQ(Decimal::parse("").error(), NumberFault::kNotANumber);
  EXPECT_EQ(Decimal::parse("b").error(), NumberFault::kNotANumber);
  EXPECT_EQ(Decimal::parse("1e").error(), NumberFault::kNotANumber);
  EXPECT_EQ(Decimal::parse("1e126").error(), NumberFault::kOverflow);
  EXPECT_EQ(Decimal::parse("1e-131").error(), NumberFault::kUnderflow);
  EXPECT_EQ(Decimal::parse("123456789012345678901234567890123456789").error(), NumberFault::kTooManyDigits);
}

TEST(Decimal, AddsExactly) {
  EXPECT_EQ(sum("0.1", "0.2"), "0.3");
  EXPECT_EQ(sum("-5", "3"), "-2");
  EXPECT_EQ(sum("5", "-5"), "0");
  EXPECT_EQ(sum("100000000000000000000000000000000000000", "-1"), "99999999999999999999999999999999999999");
  EXPECT_EQ(sum("99999999999999999999999999999999999999", "1"), "100000000000000000000000000000000000000");
  EXPECT_EQ(sum("1e50", "1"), "fault 3");
  EXPECT_EQ(sum("9e125", "9e125"), "fault 1");
}

TEST(Decimal, EncodesInOrder) {
  const std::vector<std::string> numbers = {"-9.9e125", "-1e100", "-123.4", "-123", "-1.5", "-1", "-0.5", "-1e-130", "0",
                                            "1e-130", "0.5", "0.55", "1", "1.01", "1.1", "9", "10", "11", "99", "100", "1e125"};
  for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
    EXPECT_LT(ordered(numbers[i]), ordered(numbers[i + 1])) << numbers[i];
    EXPECT_TRUE(*Decimal::parse(numbers[i]) < *Decimal::parse(numbers[i + 1])) << numbers[i];
  }
}

TEST(Decimal, KnowsCanonicalText) {
  for (const char* text : {"0", "1", "-12", "1.5", "100"}) EXPECT_TRUE(is_canonical_number(text)) << text;
  for (const char* text : {"", "-", "-0", "01", "1.0", "1e5", "+1", ".5", "1."}) EXPECT_FALSE(is_canonical_number(text)) << text;
}

}  // namespace reef::table
