#include "engine/identity/passwords.h"

#include <gtest/gtest.h>

namespace reef::identity {

TEST(Passwords, ThePolicySaysWhatIsMissing) {
  const PasswordPolicy policy;
  EXPECT_EQ(password_fault(policy, "Aa1!"), "Password not long enough");
  EXPECT_EQ(password_fault(policy, "abcdefg1!"), "Password must have uppercase characters");
  EXPECT_EQ(password_fault(policy, "ABCDEFG1!"), "Password must have lowercase characters");
  EXPECT_EQ(password_fault(policy, "Abcdefgh!"), "Password must have numeric characters");
  EXPECT_EQ(password_fault(policy, "Abcdefgh1"), "Password must have symbol characters");
  EXPECT_EQ(password_fault(policy, "Abcdefg1!"), "");
  EXPECT_EQ(password_fault({.length_min = 6, .needs_upper = false, .needs_lower = false, .needs_number = false, .needs_symbol = false}, "aaaaaa"), "");
  SeededRandom random(3);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(password_fault(policy, make_password(policy, random)), "");
}

TEST(Passwords, HashesKnowTheirPasswordOnly) {
  const std::string hash = hash_password("Abcdefg1!");
  EXPECT_TRUE(is_password("Abcdefg1!", hash));
  EXPECT_FALSE(is_password("abcdefg1!", hash));
  EXPECT_NE(hash, hash_password("Abcdefg1!"));
  for (const char* broken : {"", "scrypt$", "scrypt$a$b", "md5$a$b"}) EXPECT_FALSE(is_password("", broken)) << broken;
}

}  // namespace reef::identity
