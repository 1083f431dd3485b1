#include "service/lambda/event_filter.h"

#include <gtest/gtest.h>

namespace reef::service::lambda {
namespace {

bool match(const char* pattern, const char* event) {
  EventFilters filters;
  filters.add(pattern);
  return filters.want(*wire::Json::parse(event));
}

TEST(EventFilter, MatchesAsAwsDocumentsIt) {
  EXPECT_TRUE(match(R"({"body":{"a":["x","y"]}})", R"({"body":{"a":"y","b":1}})"));
  EXPECT_FALSE(match(R"({"body":{"a":["x"]}})", R"({"body":{"a":"y"}})"));
  EXPECT_FALSE(match(R"({"body":{"a":["x"]}})", R"({"body":"text"})"));
  EXPECT_TRUE(match(R"({"n":[{"numeric":[">",0,"<=",5]}]})", R"({"n":5.0})"));
  EXPECT_FALSE(match(R"({"n":[{"numeric":[">",0,"<",5]}]})", R"({"n":5})"));
  EXPECT_TRUE(match(R"({"n":[1]})", R"({"n":1.0})"));
  EXPECT_TRUE(match(R"({"a":[{"exists":false}]})", R"({"b":1})"));
  EXPECT_FALSE(match(R"({"a":[{"exists":true}]})", R"({"b":1})"));
  EXPECT_TRUE(match(R"({"a":[{"prefix":"ab"}],"b":[{"suffix":"z"}]})", R"({"a":"abc","b":"xyz"})"));
  EXPECT_TRUE(match(R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":"z"})"));
  EXPECT_FALSE(match(R"({"a":[{"anything-but":{"prefix":"z"}}]})", R"({"a":"zed"})"));
  EXPECT_TRUE(match(R"({"a":[{"equals-ignore-case":"ABC"}]})", R"({"a":"abc"})"));
  EXPECT_TRUE(match(R"({"a":["x"]})", R"({"a":["w","x"]})"));
  EXPECT_TRUE(match(R"({"$or":[{"a":[1]},{"b":[2]}]})", R"({"b":2})"));
  EXPECT_TRUE(match(R"({"a":[null]})", R"({"a":null})"));
}

TEST(EventFilter, SaysWhatIsWrongWithAPattern) {
  EXPECT_TRUE(is_filter_pattern(R"({"a":["x"]})"));
  for (const char* bad : {R"([1])", R"({"a":"x"})", R"({"a":[]})", R"({"a":[{"like":"x"}]})", R"({"a":[{"prefix":"x","suffix":"y"}]})"})
    EXPECT_FALSE(is_filter_pattern(bad)) << bad;
}

TEST(EventFilter, OneOfSeveralIsEnoughAndAnEmptyOneWantsEverything) {
  EventFilters filters;
  EXPECT_TRUE(filters.want(*wire::Json::parse("{}")));
  filters.add(R"({"a":[1]})");
  filters.add(R"({"b":[2]})");
  EXPECT_TRUE(filters.want(*wire::Json::parse(R"({"b":2})")));
  EXPECT_FALSE(filters.want(*wire::Json::parse(R"({"b":3})")));
  EXPECT_TRUE(is_filter_pattern("{}"));
  filters.add("{}");
  EXPECT_TRUE(filters.want(*wire::Json::parse(R"({"b":3})")));
}

}  // namespace
}  // namespace reef::service::lambda
