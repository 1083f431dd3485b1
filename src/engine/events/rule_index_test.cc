#include "engine/events/rule_index.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace reef::events {
namespace {

bool matches(std::string_view pattern, std::string_view event) {
  const auto compiled = compile_pattern(pattern);
  EXPECT_TRUE(compiled) << pattern << (compiled ? "" : compiled.error());
  if (!compiled) return false;
  RuleIndex index;
  index.add(1, *compiled);
  return !index.match(event).empty();
}
// The reason alone, without where it was found.
std::string reason(std::string_view pattern) {
  const auto compiled = compile_pattern(pattern);
  return compiled ? "" : compiled.error().substr(0, compiled.error().find('\n'));
}

TEST(EventPattern, MatchesExactValuesByType) {
  EXPECT_TRUE(matches(R"({"a":["x"]})", R"({"a":"x"})"));
  EXPECT_FALSE(matches(R"({"a":["x"]})", R"({"a":"y"})"));
  EXPECT_FALSE(matches(R"({"a":["true"]})", R"({"a":true})"));
  EXPECT_TRUE(matches(R"({"a":[null]})", R"({"a":null})"));
  EXPECT_FALSE(matches(R"({"a":[null]})", R"({})"));
  EXPECT_TRUE(matches(R"({"a":[""]})", R"({"a":""})"));
  EXPECT_TRUE(matches(R"({"a":[300]})", R"({"a":3.0e2})"));
  EXPECT_FALSE(matches(R"({"a":[300]})", R"({"a":"300"})"));
  EXPECT_FALSE(matches(R"({"a":["x"]})", R"(["x"])"));
  EXPECT_TRUE(matches(R"({"a":["b\"c"]})", R"({"a":"b\"c"})"));
}

TEST(EventPattern, MatchesTexts) {
  EXPECT_TRUE(matches(R"({"a":[{"prefix":"us-"}]})", R"({"a":"us-east-1"})"));
  EXPECT_FALSE(matches(R"({"a":[{"prefix":"us-"}]})", R"({"a":"eu-west-1"})"));
  EXPECT_TRUE(matches(R"({"a":[{"prefix":{"equals-ignore-case":"EvB"}}]})", R"({"a":"eVbridge"})"));
  EXPECT_TRUE(matches(R"({"a":[{"suffix":".png"}]})", R"({"a":"x.png"})"));
  EXPECT_TRUE(matches(R"({"a":[{"suffix":{"equals-ignore-case":".png"}}]})", R"({"a":"x.PNG"})"));
  EXPECT_TRUE(matches(R"({"a":[{"equals-ignore-case":"alice"}]})", R"({"a":"AliCE"})"));
  EXPECT_TRUE(matches(R"({"a":[{"wildcard":"dir/*/x*.png"}]})", R"({"a":"dir/b/c/xyz.png"})"));
  EXPECT_FALSE(matches(R"({"a":[{"wildcard":"dir/*/x*.png"}]})", R"({"a":"dir/b/c/yz.png"})"));
  EXPECT_TRUE(matches(R"({"a":[{"wildcard":"\\*a*"}]})", R"({"a":"*abc"})"));
  EXPECT_FALSE(matches(R"({"a":[{"wildcard":"\\*a*"}]})", R"({"a":"xabc"})"));
  EXPECT_TRUE(matches(R"({"a":[{"wildcard":"*c"}]})", R"({"a":"abcbc"})"));
  EXPECT_FALSE(matches(R"({"a":[{"prefix":"1"}]})", R"({"a":12})"));
}

TEST(EventPattern, MatchesAnythingBut) {
  EXPECT_TRUE(matches(R"({"a":[{"anything-but":"x"}]})", R"({"a":"y"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":"y"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":"x"}]})", R"({"b":"y"})"));
  EXPECT_TRUE(matches(R"({"a":[{"anything-but":"x"}]})", R"({"a":null})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":[100,200]}]})", R"({"a":200})"));
  EXPECT_TRUE(matches(R"({"a":[{"anything-but":[100,200]}]})", R"({"a":"200"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":{"prefix":"in"}}]})", R"({"a":"init"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":{"suffix":["a","b"]}}]})", R"({"a":"cab"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":{"equals-ignore-case":["ONE"]}}]})", R"({"a":"one"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":{"wildcard":"*/lib/*"}}]})", R"({"a":"x/lib/y"})"));
  EXPECT_TRUE(matches(R"({"a":[{"anything-but":"x"}]})", R"({"a":["x","y"]})"));
}

TEST(EventPattern, MatchesNumbersAndAddresses) {
  EXPECT_TRUE(matches(R"({"a":[{"numeric":[">",0,"<=",5]}]})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"a":[{"numeric":[">",0,"<=",5]}]})", R"({"a":0})"));
  EXPECT_TRUE(matches(R"({"a":[{"numeric":["<",10]}]})", R"({"a":-3.5e2})"));
  EXPECT_TRUE(matches(R"({"a":[{"numeric":["=",3.0]}]})", R"({"a":3})"));
  EXPECT_FALSE(matches(R"({"a":[{"numeric":["<",10]}]})", R"({"a":"3"})"));
  EXPECT_TRUE(matches(R"({"a":[{"cidr":"10.0.0.0/24"}]})", R"({"a":"10.0.0.255"})"));
  EXPECT_FALSE(matches(R"({"a":[{"cidr":"10.0.0.0/24"}]})", R"({"a":"10.0.1.0"})"));
  EXPECT_TRUE(matches(R"({"a":[{"cidr":"2001:db8::/32"}]})", R"({"a":"2001:db8:1::7"})"));
}

TEST(EventPattern, MatchesPresence) {
  EXPECT_TRUE(matches(R"({"a":{"b":[{"exists":true}]}})", R"({"a":{"b":null}})"));
  EXPECT_FALSE(matches(R"({"a":{"b":[{"exists":true}]}})", R"({"a":{"b":{"c":1}}})"));
  EXPECT_FALSE(matches(R"({"a":[{"exists":true}]})", R"({"a":[]})"));
  EXPECT_TRUE(matches(R"({"a":{"b":[{"exists":false}]}})", R"({"c":1})"));
  EXPECT_FALSE(matches(R"({"a":{"b":[{"exists":false}]}})", R"({"a":{"b":2}})"));
  EXPECT_TRUE(matches(R"({"a":[{"exists":false},"x"]})", R"({"a":"x"})"));
  EXPECT_TRUE(matches(R"({"a":[{"exists":false},"x"]})", R"({})"));
}

TEST(EventPattern, MatchesEitherOfAlternatives) {
  const char* pattern = R"({"s":["x"],"$or":[{"c":{"n":[{"numeric":["<=",10]}]}},{"t":[{"numeric":["=",8]}]}]})";
  EXPECT_TRUE(matches(pattern, R"({"s":"x","c":{"n":3}})"));
  EXPECT_TRUE(matches(pattern, R"({"s":"x","t":8})"));
  EXPECT_FALSE(matches(pattern, R"({"s":"x","t":9,"c":{"n":11}})"));
  EXPECT_FALSE(matches(pattern, R"({"s":"y","t":8})"));
}

TEST(EventPattern, TakesAllValuesFromTheSameElementOfAnArray) {
  const char* pattern = R"({"employees":{"firstName":["Anna"],"lastName":["Smith"]}})";
  EXPECT_FALSE(matches(pattern, R"({"employees":[{"firstName":"Anna","lastName":"Jones"},{"firstName":"John","lastName":"Smith"}]})"));
  EXPECT_TRUE(matches(pattern, R"({"employees":[{"firstName":"John","lastName":"Jones"},{"firstName":"Anna","lastName":"Smith"}]})"));
  EXPECT_TRUE(matches(R"({"a":["x"],"b":["y"]})", R"({"a":["z","x"],"b":["y"]})"));
  EXPECT_TRUE(matches(R"({"a":{"b":{"c":[1],"d":[2]}}})", R"({"a":[[{"b":[{"c":1},{"d":2}]}],[{"b":{"c":1,"d":2}}]]})"));
  EXPECT_FALSE(matches(R"({"a":{"b":{"c":[1],"d":[2]}}})", R"({"a":[[{"b":[{"c":1},{"d":2}]}]]})"));
}

TEST(EventPattern, SaysWhatIsWrongAsAwsDoes) {
  EXPECT_EQ(reason("[]"), "Filter is not an object");
  EXPECT_EQ(reason("{}"), "Empty objects are not allowed");
  EXPECT_EQ(reason(R"({"a":[]})"), "Empty arrays are not allowed");
  EXPECT_EQ(compile_pattern(R"({"source":"aws.s3"})").error(),
            "\"source\" must be an object or an array\n at [Source: (String)\"{\"source\":\"aws.s3\"}\"; line: 1, column: 12]");
  EXPECT_EQ(reason(R"({"a":[["x"]]})"), "Match value must be String, number, true, false, or null");
  EXPECT_EQ(reason(R"({"a":[{"like":"x"}]})"), "Unrecognized match type like");
  EXPECT_EQ(reason(R"({"a":[{"prefix":"x","suffix":"y"}]})"), "Only one key allowed in match expression");
  EXPECT_EQ(reason(R"({"a":[{"numeric":["<","5"]}]})"), "Value of < must be numeric");
  EXPECT_EQ(reason(R"({"a":[{"numeric":["<>",5]}]})"), "Unrecognized numeric range operator: <>");
  EXPECT_EQ(reason(R"({"a":[{"numeric":[">",5,"<",4]}]})"), "Bottom must be less than top");
  EXPECT_EQ(reason(R"({"a":[{"numeric":[">",6e9]}]})"), "Value must be between -5.0E9 and 5.0E9, inclusive");
  EXPECT_EQ(reason(R"({"a":[{"anything-but":["x",1]}]})"), "Inside anything but list, either all values are number or string, mixed type is not supported");
  EXPECT_EQ(reason(R"({"a":[{"anything-but":{"prefix":""}}]})"), "Null prefix/suffix not allowed");
  EXPECT_EQ(reason(R"({"a":[{"wildcard":"a**"}]})"), "Consecutive wildcard characters at pos 2");
  EXPECT_EQ(reason(R"({"a":[{"exists":"yes"}]})"), "exists match pattern must be either true or false.");
  EXPECT_EQ(reason(R"({"$or":[{"a":["x"]}]})"), "There must have at least 2 Objects in $or relationship.");
  EXPECT_EQ(reason(R"({"a":[{"cidr":"10.0.0.0/33"}]})"), "IPv4 mask bits must be < 32");
}

TEST(RuleIndex, FindsTheOneAmongManyAndForgetsWhatIsRemoved) {
  RuleIndex index;
  for (RuleId id = 0; id < 1000; ++id)
    index.add(id, *compile_pattern(fmt::format(R"({{"source":["s"],"detail":{{"id":["{}"],"kind":[{{"prefix":"p{}-"}}]}}}})", id, id % 7)));
  const auto event = [](int id) { return fmt::format(R"({{"source":"s","detail":{{"id":"{}","kind":"p{}-x"}}}})", id, id % 7); };
  EXPECT_EQ(index.match(event(421)), std::vector<RuleId>{421});
  index.remove(421);
  EXPECT_TRUE(index.match(event(421)).empty());
  index.add(5, *compile_pattern(R"({"detail":{"kind":[{"anything-but":"q"}]}})"));
  EXPECT_EQ(index.match(event(6)), (std::vector<RuleId>{5, 6}));
  for (RuleId id = 0; id < 1000; ++id) index.remove(id);
  EXPECT_EQ(index.size(), 0u);
  EXPECT_TRUE(index.match(event(6)).empty());
}

}  // namespace
}  // namespace reef::events
