#include "service/s3/request_metrics.h"

#include <gtest/gtest.h>

namespace reef::s3 {
namespace {

const std::vector<model::Tag> kTags = {{"a", "1"}, {"b", "2"}};
bool counts_tagged(const model::MetricsFilter& filter, std::string_view key) {
  return counts({.id = "x", .filter = filter}, key, [] { return kTags; });
}

TEST(RequestMetrics, WithoutAFilterEverythingCounts) {
  const auto untold = []() -> std::vector<model::Tag> {
    ADD_FAILURE() << "tags do not matter";
    return {};
  };
  EXPECT_TRUE(counts({.id = "x"}, "", untold));
  EXPECT_TRUE(counts({.id = "x"}, "key", untold));
  EXPECT_FALSE(counts({.id = "x", .filter = model::MetricsFilter{.prefix = "k"}}, "", untold));
  EXPECT_TRUE(counts({.id = "x", .filter = model::MetricsFilter{.prefix = "k"}}, "key", untold));
  EXPECT_FALSE(counts({.id = "x", .filter = model::MetricsFilter{.prefix = "o"}}, "key", untold));
}

TEST(RequestMetrics, AllOfAFilterMustHold) {
  EXPECT_TRUE(counts_tagged({.tag = model::Tag{"a", "1"}}, "key"));
  EXPECT_FALSE(counts_tagged({.tag = model::Tag{"a", "2"}}, "key"));
  EXPECT_FALSE(counts_tagged({.tag = model::Tag{"a", "1"}}, ""));
  EXPECT_TRUE(counts_tagged({.and_ = model::MetricsAndOperator{.prefix = "k", .tags = kTags}}, "key"));
  EXPECT_FALSE(counts_tagged({.and_ = model::MetricsAndOperator{.prefix = "o", .tags = kTags}}, "key"));
  EXPECT_FALSE(counts_tagged({.and_ = model::MetricsAndOperator{.tags = {{{"a", "1"}, {"c", "3"}}}}}, "key"));
}

}  // namespace
}  // namespace reef::s3
