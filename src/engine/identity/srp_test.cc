#include "engine/identity/srp.h"

#include <gtest/gtest.h>

namespace reef::identity {
namespace {

const std::string kSalt(16, '\x91'), kServerSecret(128, '\x17'), kClientSecret(128, '\x2B');

TEST(Srp, BothSidesComeToOneKeyWithTheRightPassword) {
  const SrpVerifier kept = make_srp_verifier("Ab12", "ann", "secret", kSalt);
  const std::string client = srp_client_value(kClientSecret);
  const auto server = srp_server_value(kept, client, kServerSecret);
  ASSERT_TRUE(server);
  const auto key = srp_key(kept, client, *server, kServerSecret);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->size(), 16u);
  EXPECT_EQ(key, srp_client_key("Ab12", "ann", "secret", kept.salt, *server, kClientSecret));
  EXPECT_NE(key, srp_client_key("Ab12", "ann", "Secret", kept.salt, *server, kClientSecret));
  EXPECT_NE(key, srp_client_key("Ab13", "ann", "secret", kept.salt, *server, kClientSecret));
  EXPECT_EQ(srp_claim(*key, "Ab12", "ann", "block", "now").size(), 32u);
}

TEST(Srp, RefusesNumbersThatWouldGiveTheKeyAway) {
  const SrpVerifier kept = make_srp_verifier("Ab12", "ann", "secret", kSalt);
  for (const std::string& bad : {std::string("0"), std::string(), std::string("xyz"), std::string("-5"), std::string(2000, '1')}) EXPECT_FALSE(srp_server_value(kept, bad, kServerSecret)) << bad;
  // The modulus itself is zero in its group.
  EXPECT_FALSE(srp_key(kept, "0", "1", kServerSecret));
}

}  // namespace
}  // namespace reef::identity
