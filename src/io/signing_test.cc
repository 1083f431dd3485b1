#include "io/signing.h"

#include <gtest/gtest.h>

namespace reef::io {
namespace {

const Time kNow{1'800'000'000s};

TEST(Signing, ARootSignsASubordinateWhichSignsALeaf) {
  const std::string root_key = *make_key_pem(KeyKind::kP256), sub_key = *make_key_pem(KeyKind::kP256), leaf_key = *make_key_pem(KeyKind::kP256);
  const std::string root = *sign_csr({}, root_key, {.csr_pem = *make_csr(root_key, {{"CN", "root"}, {"O", "Shop"}}), .not_before = kNow, .not_after = kNow + 24h, .is_authority = true});
  const std::string sub = *sign_csr(root, root_key, {.csr_pem = *make_csr(sub_key, {{"CN", "sub"}}), .not_before = kNow, .not_after = kNow + 12h, .is_authority = true, .path_length = 0});
  const std::string leaf = *sign_csr(sub, sub_key, {.csr_pem = *make_csr(leaf_key, {{"CN", "leaf"}}), .names = {"leaf.local"}, .uris = {"spiffe://shop/leaf"}, .not_before = kNow, .not_after = kNow + 1h});
  EXPECT_TRUE(chain_fits(leaf, sub + root));
  EXPECT_FALSE(chain_fits(leaf, root));
  const auto said = describe_certificate(leaf);
  ASSERT_TRUE(said);
  EXPECT_EQ(said->issuer, "CN=sub");
  EXPECT_EQ(said->dns_names, std::vector<std::string>{"leaf.local"});
  EXPECT_FALSE(said->is_authority);
  EXPECT_TRUE(describe_certificate(sub)->is_authority);
  EXPECT_EQ(describe_certificate(root)->subject, describe_certificate(root)->issuer);
}

TEST(Signing, RefusesWhatIsNoRequest) {
  EXPECT_FALSE(check_csr("nothing"));
  const std::string key = *make_key_pem(KeyKind::kP256);
  std::string csr = *make_csr(key, {{"CN", "a"}});
  EXPECT_TRUE(check_csr(csr));
  EXPECT_FALSE(sign_csr({}, key, {.csr_pem = csr, .names = {"a,DNS:b"}, .not_before = kNow, .not_after = kNow + 1h}));
}

}  // namespace
}  // namespace reef::io
