#include "engine/identity/totp.h"

#include <gtest/gtest.h>

namespace reef::identity {

// The vectors of RFC 6238, their last six digits.
TEST(Totp, AgreesWithTheStandard) {
  const std::string secret = base32_encode("12345678901234567890");
  EXPECT_EQ(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  EXPECT_EQ(totp_at(secret, from_seconds(59)), "287082");
  EXPECT_EQ(totp_at(secret, from_seconds(1111111109)), "081804");
  EXPECT_EQ(totp_at(secret, from_seconds(20000000000)), "353130");
  EXPECT_TRUE(is_totp(secret, "287082", from_seconds(89)));
  EXPECT_FALSE(is_totp(secret, "287082", from_seconds(120)));
  EXPECT_EQ(totp_at("1", from_seconds(59)), "");
}

}  // namespace reef::identity
