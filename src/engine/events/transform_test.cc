#include "engine/events/transform.h"

#include <gtest/gtest.h>

#include "engine/events/event.h"

namespace reef::events {
namespace {

const wire::Json kEvent = *wire::Json::parse(R"({"id":"1","source":"s","detail":{"name":"a \"b\"","n":3,"list":[{"k":1},{"k":2}],"o":{"x":"y"}}})");
const TransformContext kContext{.rule_arn = "arn:rule", .rule_name = "r", .ingestion_time = from_seconds(0)};

std::string fill(std::map<std::string, std::string, std::less<>> paths, std::string text) { return apply_transform({std::move(paths), std::move(text)}, kEvent, kContext); }

TEST(EventPath, FindsMembersAndElements) {
  EXPECT_EQ(find_path(kEvent, "$.detail.n")->dump(), "3");
  EXPECT_EQ(find_path(kEvent, "$.detail.list[1].k")->dump(), "2");
  EXPECT_EQ(find_path(kEvent, "$.detail.list[*].k")->dump(), "[1,2]");
  EXPECT_EQ(find_path(kEvent, "$['detail']['o']")->dump(), R"({"x":"y"})");
  EXPECT_FALSE(find_path(kEvent, "$.detail.none"));
  EXPECT_NE(check_path("detail"), "");
}

TEST(EventTransform, FillsJson) {
  EXPECT_EQ(fill({{"a", "$.detail.name"}, {"n", "$.detail.n"}, {"o", "$.detail.o"}}, R"({"a":<a>,"t":"is <a>","n":<n>,"m":"<n>","o":<o>})"),
            R"({"a":"a \"b\"","t":"is a \"b\"","n":3,"m":"3","o":{"x":"y"}})");
  EXPECT_EQ(fill({{"gone", "$.detail.gone"}}, R"({"a":<gone>,"b":"<gone>"})"), R"({"a":"","b":""})");
}

TEST(EventTransform, FillsTextAndKnowsAwsNames) {
  EXPECT_EQ(fill({{"n", "$.detail.n"}}, R"("there are <n> < 4")"), R"("there are 3 < 4")");
  EXPECT_EQ(fill({}, R"({"r":<aws.events.rule-arn>,"at":<aws.events.event.ingestion-time>,"e":<aws.events.event>})"),
            R"({"r":"arn:rule","at":"1970-01-01T00:00:00Z","e":{"id":"1","source":"s"}})");
}

TEST(EventTransform, SaysWhatIsWrong) {
  EXPECT_EQ(check_transform({{}, R"({"a":<b>})"}), "InputTemplate contains invalid placeholder b.");
  EXPECT_EQ(check_transform({{{"b", "$.x"}}, R"({"a":<b>)"}), "Invalid InputTemplate");
  EXPECT_EQ(check_transform({{{"b", "$.x"}}, R"({"a":"<b>","c":<b>})"}), "");
}

TEST(Event, IsReadAsItWasWritten) {
  const Event event{.id = "i", .detail_type = "t", .source = "s", .account = "1", .region = "r", .time = from_seconds(60), .resources = {"arn"}, .detail = R"({"a":1.50})", .replay_name = ""};
  const std::string json = to_json(event);
  EXPECT_EQ(json, R"({"version":"0","id":"i","detail-type":"t","source":"s","account":"1","time":"1970-01-01T00:01:00Z","region":"r","resources":["arn"],"detail":{"a":1.50}})");
  EXPECT_EQ(to_json(*parse_event(json)), json);
  EXPECT_FALSE(parse_event("[]"));
}

}  // namespace
}  // namespace reef::events
