// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
#include <algorithm>

#include <openssl/rand.h>

#include "base/check.h"
#include "service/secretsmanager/operations.h"

namespace reef::service::secretsmanager::operations {
namespace {

// Unpredictable; every one of `bound` equally likely.
std::size_t random_below(std::size_t bound) {
  const std::uint32_t limit = UINT32_MAX - UINT32_MAX % static_cast<std::uint32_t>(bound);
  for (;;) {
    std::uint32_t value = 0;
    CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value) == 1);
    if (value < limit) return value % bound;
  }
}

}  // namespace

Task<Reply<model::GetRandomPasswordOutput>> GetRandomPassword(SecretsManager&, const model::GetRandomPasswordInput& in, const Call&) {
  const auto length = static_cast<std::size_t>(in.password_length.value_or(32));
  std::vector<std::string> types;
  const auto add = [&](bool is_excluded, std::string_view characters) {
    if (is_excluded) return;
    std::string left(characters);
    if (in.exclude_characters) std::erase_if(left, [&](char c) { return in.exclude_characters->find(c) != std::string::npos; });
    if (!left.empty()) types.push_back(std::move(left));
  };
  add(in.exclude_lowercase.value_or(false), "abcdefghijklmnopqrstuvwxyz");
  add(in.exclude_uppercase.value_or(false), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  add(in.exclude_numbers.value_or(false), "0123456789");
  add(in.exclude_punctuation.value_or(false), "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
  add(!in.include_space.value_or(false), " ");
  if (types.empty()) co_return Err(invalid_parameter("All characters are excluded: there is none that the password could be made of."));
  std::string all, password;
  for (const std::string& type : types) all += type;
  if (in.require_each_included_type.value_or(true)) {
    if (length < types.size()) co_return Err(invalid_parameter("Password length is too short based on the required types."));
    for (const std::string& type : types) password += type[random_below(type.size())];
  }
  while (password.size() < length) password += all[random_below(all.size())];
  for (std::size_t i = password.size(); i > 1; --i) std::swap(password[i - 1], password[random_below(i)]);
  model::GetRandomPasswordOutput out;
  out.random_password = std::move(password);
  co_return out;
}

}  // namespace reef::service::secretsmanager::operations
