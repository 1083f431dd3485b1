#include "wire/json_schema.h"

#include <gtest/gtest.h>

namespace reef::wire {
namespace {

std::vector<std::string> wrong(std::string_view schema, std::string_view value) { return schema_violations(Json::parse(schema).value(), Json::parse(value).value()); }
bool fits(std::string_view schema, std::string_view value) { return wrong(schema, value).empty(); }

TEST(JsonSchema, TypesAndNumbers) {
  EXPECT_TRUE(fits(R"({"type":"integer","minimum":1,"maximum":5})", "5"));
  EXPECT_TRUE(fits(R"({"type":"number"})", "5"));
  EXPECT_FALSE(fits(R"({"type":"integer"})", "5.5"));
  EXPECT_FALSE(fits(R"({"type":"integer","minimum":1,"exclusiveMinimum":true})", "1"));
  EXPECT_TRUE(fits(R"({"type":["string","null"]})", "null"));
  EXPECT_FALSE(fits(R"({"multipleOf":0.1})", "0.25"));
  EXPECT_TRUE(fits(R"({"enum":["a",1]})", "1.0"));
  EXPECT_EQ(wrong(R"({"type":"integer"})", R"("x")").at(0), R"(instance type (string) does not match any allowed primitive type (allowed: ["integer"]))");
}

TEST(JsonSchema, ObjectsAndArrays) {
  constexpr std::string_view kOrder = R"({"type":"object","required":["id","lines"],"additionalProperties":false,
      "properties":{"id":{"type":"string","pattern":"^o-","maxLength":4},"lines":{"type":"array","minItems":1,"uniqueItems":true,"items":{"$ref":"#/definitions/line"}}},
      "definitions":{"line":{"type":"object","required":["sku"]}}})";
  EXPECT_TRUE(fits(kOrder, R"({"id":"o-1","lines":[{"sku":1}]})"));
  EXPECT_EQ(wrong(kOrder, R"({"id":"o-1"})").at(0), R"(object has missing required properties (["lines"]))");
  EXPECT_FALSE(fits(kOrder, R"({"id":"x-1","lines":[{"sku":1}]})"));
  EXPECT_FALSE(fits(kOrder, R"({"id":"o-12345","lines":[{"sku":1}]})"));
  EXPECT_FALSE(fits(kOrder, R"({"id":"o-1","lines":[]})"));
  EXPECT_FALSE(fits(kOrder, R"({"id":"o-1","lines":[{}]})"));
  EXPECT_FALSE(fits(kOrder, R"({"id":"o-1","lines":[{"sku":1},{"sku":1.0}]})"));
  EXPECT_FALSE(fits(kOrder, R"({"id":"o-1","lines":[{"sku":1}],"more":1})"));
}

TEST(JsonSchema, CombinesAndRefers) {
  EXPECT_TRUE(fits(R"({"oneOf":[{"type":"string"},{"minimum":3}]})", "4"));
  EXPECT_FALSE(fits(R"({"oneOf":[{"type":"integer"},{"minimum":3}]})", "4"));
  EXPECT_FALSE(fits(R"({"not":{"type":"string"}})", R"("x")"));
  EXPECT_FALSE(fits(R"({"anyOf":[{"type":"string"},{"maximum":3}]})", "4"));
  EXPECT_FALSE(fits(R"({"$ref":"nowhere"})", "4"));
  EXPECT_FALSE(fits(R"({"$ref":"#"})", "4"));  // ends nowhere
  const Json other = Json::parse(R"({"type":"string"})").value();
  const auto lookup = [&](std::string_view) { return &other; };
  EXPECT_TRUE(schema_violations(Json::parse(R"({"$ref":"https://x/models/Other"})").value(), Json("a"), lookup).empty());
}

}  // namespace
}  // namespace reef::wire
