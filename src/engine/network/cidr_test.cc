#include "engine/network/cidr.h"

#include <gtest/gtest.h>

namespace reef::network {
namespace {

TEST(Cidr, IsBroughtToItsCanonicalForm) {
  EXPECT_EQ(parse_cidr("10.0.3.7/16")->text(), "10.0.0.0/16");
  EXPECT_EQ(parse_cidr("0.0.0.0/0")->text(), "0.0.0.0/0");
  EXPECT_EQ(parse_cidr("192.0.2.1/32")->text(), "192.0.2.1/32");
}

TEST(Cidr, RefusesWhatIsNoBlock) {
  for (const char* text : {"", "10.0.0.0", "10.0.0/8", "10.0.0.256/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.-1/8", "10.0.0.0/-1", "0010.0.0.0/8"})
    EXPECT_FALSE(parse_cidr(text)) << text;
}

TEST(Cidr, KnowsWhatLiesWithin) {
  const Cidr outer = *parse_cidr("10.0.0.0/16"), inner = *parse_cidr("10.0.16.0/20"), other = *parse_cidr("10.1.0.0/16");
  EXPECT_TRUE(outer.contains(inner));
  EXPECT_FALSE(inner.contains(outer));
  EXPECT_TRUE(inner.overlaps(outer));
  EXPECT_FALSE(outer.overlaps(other));
  EXPECT_TRUE(parse_cidr("0.0.0.0/0")->contains(other));
}

}  // namespace
}  // namespace reef::network
