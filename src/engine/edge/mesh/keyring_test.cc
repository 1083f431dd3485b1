#include "engine/edge/mesh/keyring.h"

#include <gtest/gtest.h>

#include "io/certificates.h"

namespace reef::edge::mesh {
namespace {

const Time kNow{1'800'000'000s};

class KeyringTest : public testing::Test {
 protected:
  KeyringTest() {
    keyring_.set_source({.certificate = [this](const std::string& name, Time now) -> Result<Secret, Failure> {
                           if (!name.starts_with("spiffe://")) return Err(Failure{"no such secret"});
                           auto pair = io::issue_leaf(authority_, {.names = {}, .uris = {name}, .not_before = now - 60s, .not_after = now + 1h});
                           if (!pair) return Err(pair.error());
                           return Secret{*std::move(pair), now + 30min};
                         },
                         .trust = [this](const std::string&) -> Result<std::string, Failure> { return authority_.certificate; }});
  }
  io::PemPair authority_ = *io::make_authority("mesh", kNow);
  Keyring keyring_;
};

TEST_F(KeyringTest, RotatesByTheClock) {
  const ServerTlsPlan plan{.mode = ServerTlsPlan::Mode::kStrict, .certificate = "spiffe://shop/orders", .trust = "spiffe://shop", .names = {}};
  const auto first = keyring_.server(plan, kNow);
  ASSERT_TRUE(first);
  EXPECT_EQ(*keyring_.server(plan, kNow + 29min), *first);
  EXPECT_EQ(keyring_.issued(), 1u);
  EXPECT_NE(*keyring_.server(plan, kNow + 30min), *first);
  EXPECT_EQ(keyring_.issued(), 2u);
}

TEST_F(KeyringTest, MakesAnewWhenTheClockWasSetBack) {
  const ClientTlsPlan plan{.ports = {}, .certificate = "spiffe://shop/web", .trust = {"spiffe://shop"}, .names = {}};
  const auto first = keyring_.client(plan, kNow);
  ASSERT_TRUE(first);
  EXPECT_NE(*keyring_.client(plan, kNow - 1h), *first);
}

TEST_F(KeyringTest, SaysWhatIsMissing) {
  EXPECT_FALSE(keyring_.server({.mode = ServerTlsPlan::Mode::kStrict, .certificate = "nothing", .trust = {}, .names = {}}, kNow));
}

TEST(MeshNames, AnyOfThoseWantedWithinTheDomain) {
  EXPECT_TRUE(is_wanted({"spiffe://shop/a", "a.local"}, {"a.local"}, {}));
  EXPECT_FALSE(is_wanted({"spiffe://shop/b"}, {"spiffe://shop/a"}, {"spiffe://shop"}));
  EXPECT_TRUE(is_wanted({"spiffe://shop/a"}, {}, {"spiffe://shop"}));
  EXPECT_FALSE(is_wanted({"spiffe://shopping/a"}, {}, {"spiffe://shop"}));
  EXPECT_FALSE(is_wanted({"localhost"}, {}, {"spiffe://shop"}));
}

}  // namespace
}  // namespace reef::edge::mesh
