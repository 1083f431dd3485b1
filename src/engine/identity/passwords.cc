#include "engine/identity/passwords.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/seal.h"

namespace reef::identity {
namespace {

constexpr std::size_t kSaltBytes = 16, kHashBytes = 32, kPasswordMax = 256;
constexpr std::uint64_t kCost = 1 << 14, kBlock = 8, kLanes = 1, kMemoryMax = 64 * 1024 * 1024;
// Those of AWS, and the space within.
constexpr std::string_view kSymbols = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ";

std::string derive(std::string_view password, std::string_view salt) {
  std::string out(kHashBytes, '\0');
  if (EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), kCost, kBlock, kLanes, kMemoryMax,
                     reinterpret_cast<unsigned char*>(out.data()), out.size()) != 1)
    return {};
  return out;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_number(char c) { return c >= '0' && c <= '9'; }
bool is_symbol(char c) { return kSymbols.find(c) != std::string_view::npos; }

}  // namespace

std::string password_fault(const PasswordPolicy& policy, std::string_view password) {
  const auto has = [&](bool (*is)(char)) { return std::any_of(password.begin(), password.end(), is); };
  if (password.size() < static_cast<std::size_t>(policy.length_min)) return "Password not long enough";
  if (password.size() > kPasswordMax) return "Password too long";
  if (password.front() == ' ' || password.back() == ' ') return "Password must not have leading or trailing spaces";
  if (policy.needs_upper && !has(is_upper)) return "Password must have uppercase characters";
  if (policy.needs_lower && !has(is_lower)) return "Password must have lowercase characters";
  if (policy.needs_number && !has(is_number)) return "Password must have numeric characters";
  if (policy.needs_symbol && !has(is_symbol)) return "Password must have symbol characters";
  return {};
}

std::string make_password(const PasswordPolicy& policy, Random& random) {
  std::string out = make_token(random, 1, "ABCDEFGHJKLMNPQRSTUVWXYZ") + make_token(random, 1, "abcdefghijkmnopqrstuvwxyz") + make_token(random, 1, "23456789") + make_token(random, 1, "!@#%&*?");
  const std::size_t size = std::max<std::size_t>(8, static_cast<std::size_t>(policy.length_min));
  while (out.size() < size) out += make_token(random, 1, "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789");
  for (std::size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[random.below(i)]);
  return out;
}

std::string hash_password(std::string_view password) {
  const std::string salt = secret_bytes(kSaltBytes);
  return "scrypt$" + base64url_encode(salt) + "$" + base64url_encode(derive(password, salt));
}

bool is_password(std::string_view password, std::string_view hash) {
  constexpr std::string_view kKind = "scrypt$";
  if (!hash.starts_with(kKind)) return false;
  hash.remove_prefix(kKind.size());
  const auto cut = hash.find('$');
  if (cut == std::string_view::npos) return false;
  const auto salt = base64url_decode(hash.substr(0, cut)), expected = base64url_decode(hash.substr(cut + 1));
  const std::string found = salt ? derive(password, *salt) : std::string();
  return expected && !found.empty() && equals_in_constant_time(found, *expected);
}

}  // namespace reef::identity
