#include "wire/yaml.h"

#include <gtest/gtest.h>

namespace reef::wire {
namespace {

std::string json(std::string_view text) {
  const auto out = parse_yaml(text, [](std::string_view tag, Json& value) {
    value = Json::object({{std::string(tag), value}});
    return std::string();
  });
  return out ? out->dump() : out.error().message;
}

TEST(Yaml, ResolvesScalarsAsTemplatesExpect) {
  EXPECT_EQ(json("a: 1\nb: yes\nc: '1'\nd: 2012-10-17\ne: 012345678901\nf: 1.50\ng: ~\nh: .5\ni: 0x1F\nj: 22:22\nk: |\n  x\n  y\n"),
            R"({"a":1,"b":true,"c":"1","d":"2012-10-17","e":"012345678901","f":1.50,"g":null,"h":0.5,"i":31,"j":"22:22","k":"x\ny\n"})");
}

TEST(Yaml, HandsTagsToTheCaller) {
  EXPECT_EQ(json("a: !Ref B\nc: !Sub ['x', {y: !GetAtt z.w}]\n"),
            R"({"a":{"!Ref":"B"},"c":{"!Sub":["x",{"y":{"!GetAtt":"z.w"}}]}})");
}

TEST(Yaml, FollowsAliasesWithinABound) {
  EXPECT_EQ(json("a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  l: 2\n"), R"({"a":{"k":1},"b":{"k":1},"c":{"k":1,"l":2}})");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_EQ(json(bomb), "aliases make the document too large");
}

TEST(Yaml, SaysWhereItFailed) {
  const auto out = parse_yaml("a: 1\nb: [1,\nc: 2\n");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().line, 4u);
}

}  // namespace
}  // namespace reef::wire
