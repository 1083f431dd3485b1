#include "engine/image/reference.h"

#include <gtest/gtest.h>

namespace reef::image {
namespace {

std::string plain(std::string_view text) {
  const auto out = parse_reference(text);
  return out ? out->text() : "none";
}

TEST(Reference, DropsTheHostOfThisMachinesRegistry) {
  EXPECT_EQ(plain("orders"), "orders:latest");
  EXPECT_EQ(plain("team/orders:v1"), "team/orders:v1");
  EXPECT_EQ(plain("docker.io/library/nginx:1"), "nginx:1");
  EXPECT_EQ(plain("000000000000.dkr.ecr.us-east-1.amazonaws.com/orders:v1"), "orders:v1");
  EXPECT_EQ(plain("000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566/orders:v1"), "orders:v1");
  EXPECT_EQ(plain("localhost:4566/orders"), "orders:latest");
  EXPECT_EQ(plain("ghcr.io/team/orders:v1"), "ghcr.io/team/orders:v1");
}

TEST(Reference, TakesDigests) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(plain("orders@" + digest), "orders@" + digest);
  EXPECT_EQ(parse_reference("orders:v1@" + digest)->tag, "v1");
  EXPECT_EQ(plain("orders@sha256:12"), "none");
}

TEST(Reference, RefusesWhatIsNoName) {
  for (const char* text : {"", ":v1", "Orders", "a//b", "../etc:1", "a:b:c", "orders:", "orders: v1"}) EXPECT_EQ(plain(text), "none") << text;
}

}  // namespace
}  // namespace reef::image
