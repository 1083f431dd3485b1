#include "engine/metrics/search.h"

#include <gtest/gtest.h>

namespace reef::metrics {
namespace {

const MetricId kCpu{.scope = "a/r", .space = "AWS/EC2", .name = "CPUUtilization", .dimensions = {{"InstanceId", "i-0abc"}}};
const MetricId kDisk{.scope = "a/r", .space = "AWS/EC2", .name = "DiskReadOps", .dimensions = {{"InstanceId", "i-0abc"}}};
const MetricId kOrders{.scope = "a/r", .space = "My Shop", .name = "orders", .dimensions = {{"Service Name", "check out"}, {"Zone", "a"}}};

std::string found(std::string_view text) {
  const auto search = parse_search(text);
  if (!search) return search.error().is_unsupported ? "unsupported" : "error";
  std::string out;
  for (const MetricId* one : {&kCpu, &kDisk, &kOrders})
    if (matches(*search, *one)) out += (out.empty() ? "" : " ") + one->name;
  return out;
}

TEST(Search, ByTheMetricsSchema) {
  EXPECT_EQ(found("{AWS/EC2,InstanceId}"), "CPUUtilization DiskReadOps");
  EXPECT_EQ(found("{AWS/EC2}"), "");
  EXPECT_EQ(found("{\"My Shop\", Zone, \"Service Name\"} orders"), "orders");
  EXPECT_EQ(found("{AWS/EC2,InstanceId} MetricName=\"CPUUtilization\""), "CPUUtilization");
}

TEST(Search, ByWordsInAnyCase) {
  EXPECT_EQ(found("cpu"), "CPUUtilization");
  EXPECT_EQ(found("cpuutilization"), "CPUUtilization");
  EXPECT_EQ(found("read ops"), "DiskReadOps");
  EXPECT_EQ(found("MetricName=util"), "");
  EXPECT_EQ(found("MetricName=utilization"), "CPUUtilization");
  EXPECT_EQ(found("Namespace=AWS"), "CPUUtilization DiskReadOps");
  EXPECT_EQ(found("\"Service Name\"=check"), "orders");
}

TEST(Search, ByWholeValuesInQuotes) {
  EXPECT_EQ(found("\"CPU\""), "");
  EXPECT_EQ(found("\"i-0abc\" MetricName=\"DiskReadOps\""), "DiskReadOps");
  EXPECT_EQ(found("InstanceId=\"i-0ABC\""), "");
}

TEST(Search, WithOperators) {
  EXPECT_EQ(found("cpu OR orders"), "CPUUtilization orders");
  EXPECT_EQ(found("AWS AND NOT disk"), "CPUUtilization");
  EXPECT_EQ(found("MetricName=(\"orders\" OR \"DiskReadOps\")"), "DiskReadOps orders");
  EXPECT_EQ(found("NOT (cpu OR disk)"), "orders");
}

TEST(Search, RefusesWhatItCannotRead) {
  for (const char* text : {"{AWS/EC2", "{}", "(a", "a)", "\"open", "a OR", "NOT"}) EXPECT_EQ(found(text), "error") << text;
  EXPECT_EQ(found(":aws.AccountId=1"), "unsupported");
  EXPECT_EQ(found(std::string(600, '(')), "error");
  EXPECT_EQ(found(std::string(1025, 'a')), "error");
}

}  // namespace
}  // namespace reef::metrics
