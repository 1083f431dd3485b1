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

namespace reef::io {

TEST(RsaSigningKey, SignsVerifiesAndTravelsAsNumbers) {
  const auto key = make_rsa_signing_key(), other = make_rsa_signing_key();
  ASSERT_TRUE(key && other);
  const auto signature = sign_rs256(key->private_pem, "text");
  ASSERT_TRUE(signature);
  const auto numbers = rsa_numbers(key->public_pem);
  ASSERT_TRUE(numbers);
  const auto again = rsa_public_pem(*numbers);
  ASSERT_TRUE(again);
  EXPECT_TRUE(verify_rs256(*again, "text", *signature));
  EXPECT_FALSE(verify_rs256(*again, "Text", *signature));
  EXPECT_FALSE(verify_rs256(other->public_pem, "text", *signature));
  EXPECT_FALSE(verify_rs256("", "text", *signature));
  EXPECT_FALSE(rsa_public_pem({"abc", std::string("\1\0\1", 3)}));
  EXPECT_FALSE(sign_rs256(make_signing_key()->private_pem, "text"));
}

}  // namespace reef::io
