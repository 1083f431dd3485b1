#include "service/apigateway/usage.h"

#include <gtest/gtest.h>

namespace reef::service::apigateway {
namespace {

using aws::apigateway::QuotaSettings;

Time at(std::int64_t seconds) { return from_seconds(seconds); }
constexpr std::int64_t kSaturday = 1'795'219'200;  // 2026-11-21T00:00:00Z

TEST(KeyUsage, CountsPerPeriod) {
  KeyUsage usage;
  const QuotaSettings daily{.limit = 2, .offset = 0, .period = "DAY"};
  EXPECT_EQ(day_of(at(kSaturday)), "2026-11-21");
  EXPECT_TRUE(usage.count(&daily, "2026-11-01", at(kSaturday)));
  EXPECT_TRUE(usage.count(&daily, "2026-11-01", at(kSaturday)));
  EXPECT_FALSE(usage.count(&daily, "2026-11-01", at(kSaturday + 86'399)));
  EXPECT_TRUE(usage.count(&daily, "2026-11-01", at(kSaturday + 86'400)));
  const QuotaSettings weekly{.limit = 5, .offset = 0, .period = "WEEK"};
  EXPECT_EQ(usage.remaining(weekly, "2026-11-01", "2026-11-21"), 3);
  EXPECT_EQ(usage.remaining(weekly, "2026-11-01", "2026-11-22"), 4);  // Sunday
  EXPECT_EQ(period_start("MONTH", "2026-11-21"), "2026-11-01");
  EXPECT_EQ(next_day("2026-12-31"), "2027-01-01");
}

TEST(KeyUsage, OffsetsTheFirstPeriodAndGrants) {
  KeyUsage usage;
  const QuotaSettings monthly{.limit = 3, .offset = 2, .period = "MONTH"};
  EXPECT_TRUE(usage.count(&monthly, "2026-11-05", at(kSaturday)));
  EXPECT_FALSE(usage.count(&monthly, "2026-11-05", at(kSaturday)));
  usage.grant(monthly, "2026-11-05", at(kSaturday), 1);
  const KeyUsage again = KeyUsage::from_json(usage.to_json());
  EXPECT_EQ(again.remaining(monthly, "2026-11-05", "2026-11-21"), 1);
  EXPECT_EQ(again.remaining(monthly, "2026-11-05", "2026-12-01"), 3);
  EXPECT_EQ(again.used_on("2026-11-21"), 1);
  EXPECT_TRUE(usage.count(&monthly, "2026-11-05", at(kSaturday)));
  EXPECT_FALSE(usage.count(&monthly, "2026-11-05", at(kSaturday)));
}

}  // namespace
}  // namespace reef::service::apigateway
