#include "service/s3/object_lock.h"

#include <gtest/gtest.h>

namespace reef::s3 {
namespace {

constexpr Time at(std::int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

blob::Object object(std::optional<Retention> retention, const char* hold = nullptr) {
  blob::Object out;
  set_retention(out.properties, retention);
  if (hold) out.properties[property::kLegalHold] = hold;
  return out;
}
constexpr Retention kGovernance{false, at(1000)}, kCompliance{true, at(1000)};

TEST(ObjectLock, RetentionIsKeptAsItWasSet) {
  EXPECT_FALSE(retention_of(object(std::nullopt).properties).has_value());
  const auto kept = retention_of(object(kCompliance).properties);
  ASSERT_TRUE(kept.has_value());
  EXPECT_TRUE(kept->is_compliance);
  EXPECT_EQ(kept->until, at(1000));
}

TEST(ObjectLock, WhatIsRetainedOrHeldStays) {
  EXPECT_TRUE(may_erase(object(std::nullopt), false, at(0)));
  EXPECT_FALSE(may_erase(object(kGovernance), false, at(999)));
  EXPECT_TRUE(may_erase(object(kGovernance), true, at(999)));
  EXPECT_TRUE(may_erase(object(kGovernance), false, at(1000)));
  EXPECT_FALSE(may_erase(object(kCompliance), true, at(999)));
  EXPECT_TRUE(may_erase(object(kCompliance), false, at(1000)));
  EXPECT_FALSE(may_erase(object(std::nullopt, "ON"), true, at(0)));
  EXPECT_FALSE(may_erase(object(kGovernance, "ON"), true, at(5000)));
  EXPECT_TRUE(may_erase(object(std::nullopt, "OFF"), false, at(0)));
}

TEST(ObjectLock, RetentionGrowsAndShrinksOnlyWhereItMay) {
  const Retention longer{false, at(2000)}, shorter{false, at(500)};
  EXPECT_TRUE(may_retain(object(std::nullopt), kCompliance, false, at(0)));
  EXPECT_TRUE(may_retain(object(kGovernance), longer, false, at(0)));
  EXPECT_FALSE(may_retain(object(kGovernance), shorter, false, at(0)));
  EXPECT_FALSE(may_retain(object(kGovernance), std::nullopt, false, at(0)));
  EXPECT_FALSE(may_retain(object(kGovernance), kCompliance, false, at(0)));
  EXPECT_TRUE(may_retain(object(kGovernance), shorter, true, at(0)));
  EXPECT_TRUE(may_retain(object(kGovernance), std::nullopt, true, at(0)));
  EXPECT_TRUE(may_retain(object(kGovernance), shorter, false, at(1000)));
  EXPECT_TRUE(may_retain(object(kCompliance), Retention{true, at(2000)}, false, at(0)));
  EXPECT_FALSE(may_retain(object(kCompliance), Retention{true, at(999)}, true, at(0)));
  EXPECT_FALSE(may_retain(object(kCompliance), longer, true, at(0)));
  EXPECT_FALSE(may_retain(object(kCompliance), std::nullopt, true, at(0)));
}

TEST(ObjectLock, WritesTimesAsTheyAreInTheWest) {
  EXPECT_EQ(pacific_time(at(1577836800)), "Tue Dec 31 16:00:00 PST 2019");
  EXPECT_EQ(pacific_time(at(1593561600)), "Tue Jun 30 17:00:00 PDT 2020");
  EXPECT_EQ(pacific_time(at(1583661599)), "Sun Mar 08 01:59:59 PST 2020");
  EXPECT_EQ(pacific_time(at(1583661600)), "Sun Mar 08 03:00:00 PDT 2020");
  EXPECT_EQ(pacific_time(at(1604221199)), "Sun Nov 01 01:59:59 PDT 2020");
  EXPECT_EQ(pacific_time(at(1604221200)), "Sun Nov 01 01:00:00 PST 2020");
}

}  // namespace
}  // namespace reef::s3
