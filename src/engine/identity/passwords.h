// Passwords: what a pool asks of them, and what is kept instead of them.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace reef::identity {

// https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
struct PasswordPolicy {
  int length_min = 8;
  bool needs_upper = true, needs_lower = true, needs_number = true, needs_symbol = true;
};
// What is wrong with it, in AWS's words: "Password not long enough"; empty when nothing is.
std::string password_fault(const PasswordPolicy& policy, std::string_view password);
// One that meets the policy, for users who are invited.
std::string make_password(const PasswordPolicy& policy, Random& random);

// scrypt with a salt of its own: some 30 ms and 16 MiB. Not for a loop's thread.
std::string hash_password(std::string_view password);
bool is_password(std::string_view password, std::string_view hash);

}  // namespace reef::identity
