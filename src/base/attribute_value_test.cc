#include "base/attribute_value.h"

#include <gtest/gtest.h>

namespace reef {

TEST(AttributeValue, ComparesSetsRegardlessOfOrder) {
  EXPECT_EQ(AttributeValue::string_set({"a", "b"}), AttributeValue::string_set({"b", "a"}));
  EXPECT_FALSE(AttributeValue::string_set({"a"}) == AttributeValue::binary_set({"a"}));
}

TEST(AttributeValue, CopiesMapsByValue) {
  AttributeValue a = AttributeValue::map({{"x", AttributeValue::number("1")}});
  AttributeValue b = a;
  b.entries()["x"] = AttributeValue::number("2");
  EXPECT_EQ(a.entries().at("x").text(), "1");
  b = std::move(a);
  EXPECT_EQ(b.entries().at("x").text(), "1");
}

TEST(AttributeValue, CountsBytesAsAwsDoes) {
  EXPECT_EQ(AttributeValue::string("abc").size(), 3u);
  EXPECT_EQ(AttributeValue::number("0").size(), 1u);
  EXPECT_EQ(AttributeValue::number("-1234.5").size(), 5u);
  EXPECT_EQ(AttributeValue::number("123.4").size(), 4u);
  EXPECT_EQ(AttributeValue::number("1234").size(), 3u);
  EXPECT_EQ(AttributeValue::number("100000").size(), 2u);
  EXPECT_EQ(AttributeValue::list({AttributeValue::boolean(true)}).size(), 5u);
  EXPECT_EQ(AttributeValue::map({{"ab", AttributeValue::null()}}).size(), 7u);
  EXPECT_EQ(AttributeValue::list({AttributeValue::map({})}).depth(), 2);
}

}  // namespace reef
