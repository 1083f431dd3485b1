#include "engine/identity/totp.h"

#include <fmt/format.h>

#include "base/digest.h"

namespace reef::identity {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::int64_t kStepSeconds = 30;

std::string base32_decode(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto at = kAlphabet.find(c);
    if (at == std::string_view::npos) return {};
    bits = bits << 5 | static_cast<std::uint32_t>(at);
    count += 5;
    if (count >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xFF);
  }
  return out;
}

}  // namespace

std::string base32_encode(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 5) out += kAlphabet[bits >> (count -= 5) & 31];
  }
  if (count > 0) out += kAlphabet[bits << (5 - count) & 31];
  return out;
}

std::string totp_at(std::string_view secret, Time now) {
  const std::string key = base32_decode(secret);
  if (key.empty()) return {};
  std::string counter(8, '\0');
  auto step = static_cast<std::uint64_t>(to_seconds(now) / kStepSeconds);
  for (int i = 7; i >= 0; --i, step >>= 8) counter[static_cast<std::size_t>(i)] = static_cast<char>(step & 0xFF);
  const std::string hash = hmac_sha1(key, counter);
  const std::size_t at = static_cast<unsigned char>(hash.back()) & 15;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(hash[at + i]);
  return fmt::format("{:06}", (number & 0x7FFFFFFF) % 1'000'000);
}

bool is_totp(std::string_view secret, std::string_view code, Time now) {
  for (const Duration off : {Duration(0), Duration(-30s), Duration(30s)})
    if (const std::string expected = totp_at(secret, now + off); !expected.empty() && equals_in_constant_time(expected, code)) return true;
  return false;
}

}  // namespace reef::identity
