#include "wire/json.h"

#include <gtest/gtest.h>

namespace reef::wire {
namespace {

TEST(Json, KeepsOrderAndNumberText) {
  const auto json = Json::parse(R"( {"b": 1.10, "a": [true, null, "x\u00e9\ud83d\ude00\n"]} )");
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ(json->dump(), "{\"b\":1.10,\"a\":[true,null,\"x\xC3\xA9\xF0\x9F\x98\x80\\n\"]}");
  EXPECT_EQ((*json)["a"].at(2).as_string(), "x\xC3\xA9\xF0\x9F\x98\x80\n");
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":1,}", "01", "1.", "\"\\x\"", "\"\x01\"", "nul", "[1] 2",
                           "\"\\ud800\"", "\"\xC3\"", "{\"a\" 1}", "+1", "{1:2}"})
    EXPECT_FALSE(Json::parse(text).has_value()) << text;
  EXPECT_FALSE(Json::parse(std::string(600, '[')).has_value());
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter w(out);
  w.begin_object();
  w.key("a");
  w.begin_array();
  w.integer(1);
  w.number(2.5);
  w.end_array();
  w.key("b");
  w.string("q\"");
  w.end_object();
  EXPECT_EQ(out, R"({"a":[1,2.5],"b":"q\""})");
}

}  // namespace
}  // namespace reef::wire
