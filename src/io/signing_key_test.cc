#include "io/signing_key.h"

#include <gtest/gtest.h>

namespace reef::io {

TEST(SigningKey, SignsForItsPublicKeyAlone) {
  const auto key = make_signing_key(), other = make_signing_key();
  ASSERT_TRUE(key && other);
  const auto signature = sign_es256(key->private_pem, "header.payload");
  ASSERT_TRUE(signature);
  EXPECT_EQ(signature->size(), 64u);
  EXPECT_TRUE(verify_es256(key->public_pem, "header.payload", *signature));
  EXPECT_FALSE(verify_es256(key->public_pem, "header.Payload", *signature));
  EXPECT_FALSE(verify_es256(other->public_pem, "header.payload", *signature));
  EXPECT_FALSE(verify_es256(key->public_pem, "header.payload", signature->substr(1)));
  EXPECT_FALSE(sign_es256("not a key", "x"));
}

}  // namespace reef::io
