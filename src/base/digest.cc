#include "base/digest.h"

#include <immintrin.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/encoding.h"

namespace reef {
namespace {

// Fetched once: an implicit fetch per call costs more than hashing a small body.
const EVP_MD* fetched(const char* name) {
  EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
  CHECK(md != nullptr);
  return md;
}
const EVP_MD* md5_algorithm() {
  static const EVP_MD* md = fetched("MD5");
  return md;
}
const EVP_MD* sha1_algorithm() {
  static const EVP_MD* md = fetched("SHA1");
  return md;
}
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* md = fetched("SHA256");
  return md;
}

struct ContextHolder {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~ContextHolder() { EVP_MD_CTX_free(context); }
};

std::string digest(const EVP_MD* algorithm, std::string_view bytes) {
  thread_local ContextHolder holder;
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestInit_ex2(holder.context, algorithm, nullptr);
  EVP_DigestUpdate(holder.context, bytes.data(), bytes.size());
  EVP_DigestFinal_ex(holder.context, out, &size);
  return {reinterpret_cast<char*>(out), size};
}

// HMAC by hand over the fetched digest (RFC 2104): OpenSSL 3's own HMAC() fetches on each call.
std::string hmac(const EVP_MD* algorithm, std::string_view key, std::string_view bytes) {
  constexpr std::size_t kBlock = 64;
  std::string padded(kBlock, '\0');
  if (key.size() > kBlock) {
    const std::string hashed = digest(algorithm, key);
    std::memcpy(padded.data(), hashed.data(), hashed.size());
  } else {
    std::memcpy(padded.data(), key.data(), key.size());
  }
  std::string inner = padded, outer = padded;
  for (std::size_t i = 0; i < kBlock; ++i) {
    inner[i] = static_cast<char>(inner[i] ^ 0x36);
    outer[i] = static_cast<char>(outer[i] ^ 0x5c);
  }
  inner += bytes;
  outer += digest(algorithm, inner);
  return digest(algorithm, outer);
}

constexpr std::array<std::array<std::uint32_t, 256>, 1> make_crc32c_table() {
  std::array<std::array<std::uint32_t, 256>, 1> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    table[0][i] = crc;
  }
  return table;
}
constexpr auto kCrc32c = make_crc32c_table();

std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t crc) {
  for (const char c : bytes) crc = crc >> 8 ^ kCrc32c[0][(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return crc;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::string_view bytes, std::uint32_t crc) {
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t wide = crc;
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; left; ++p, --left) crc = _mm_crc32_u8(crc, static_cast<unsigned char>(*p));
  return crc;
}

// Eight tables, eight bytes a step ("slicing by 8").
constexpr std::array<std::array<std::uint64_t, 256>, 8> make_crc64_tables() {
  std::array<std::array<std::uint64_t, 256>, 8> tables{};
  for (std::uint64_t i = 0; i < 256; ++i) {
    std::uint64_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x9A6C9329AC4BC9B5ull : 0);
    tables[0][i] = crc;
  }
  for (std::size_t t = 1; t < 8; ++t)
    for (std::size_t i = 0; i < 256; ++i)
      tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 0xFF];
  return tables;
}
constexpr auto kCrc64 = make_crc64_tables();

// Of bits turned round, as the checksum has them: x^power modulo the polynomial.
constexpr std::uint64_t crc64_power(int power) {
  std::uint64_t value = std::uint64_t{1} << 63;
  for (int i = 0; i < power; ++i) value = value >> 1 ^ (value & 1 ? 0x9A6C9329AC4BC9B5ull : 0);
  return value;
}

std::uint64_t crc64_portable(const char* p, std::size_t left, std::uint64_t crc) {
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    word ^= crc;
    crc = 0;
    for (int i = 0; i < 8; ++i) crc ^= kCrc64[static_cast<std::size_t>(7 - i)][word >> (8 * i) & 0xFF];
  }
  for (; left; ++p, --left) crc = crc >> 8 ^ kCrc64[0][(crc ^ static_cast<unsigned char>(*p)) & 0xFF];
  return crc;
}

// Sixteen bytes are replaced by what they weigh sixteen bytes further on, by carry-less multiplication, until sixteen
// are left with the same checksum as all of them.
// https://www.intel.com/content/dam/www/public/us/en/documents/white-papers/fast-crc-computation-generic-polynomials-pclmulqdq-paper.pdf
__attribute__((target("pclmul,sse4.1"))) std::uint64_t crc64_folded(const char* p, std::size_t left, std::uint64_t crc) {
  constexpr std::uint64_t kLow = crc64_power(128 + 63), kHigh = crc64_power(128 - 1);
  const __m128i factors = _mm_set_epi64x(static_cast<long long>(kHigh), static_cast<long long>(kLow));
  __m128i state = _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), _mm_set_epi64x(0, static_cast<long long>(crc)));
  for (p += 16, left -= 16; left >= 16; p += 16, left -= 16) {
    const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    state = _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(state, factors, 0x00), _mm_clmulepi64_si128(state, factors, 0x11)), next);
  }
  char rest[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), state);
  return crc64_portable(p, left, crc64_portable(rest, sizeof rest, 0));
}

}  // namespace

std::string md5(std::string_view bytes) { return digest(md5_algorithm(), bytes); }
std::string md5_hex(std::string_view bytes) { return hex_encode(md5(bytes)); }
std::string sha1(std::string_view bytes) { return digest(sha1_algorithm(), bytes); }
std::string sha256(std::string_view bytes) { return digest(sha256_algorithm(), bytes); }
std::string sha256_hex(std::string_view bytes) { return hex_encode(sha256(bytes)); }
std::string hmac_sha256(std::string_view key, std::string_view bytes) { return hmac(sha256_algorithm(), key, bytes); }
std::string hmac_sha1(std::string_view key, std::string_view bytes) { return hmac(sha1_algorithm(), key, bytes); }

bool equals_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::uint32_t crc32(std::string_view bytes, std::uint32_t seed) {
  return static_cast<std::uint32_t>(
      ::crc32_z(seed, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  static const bool has_sse42 = __builtin_cpu_supports("sse4.2");
  return ~(has_sse42 ? crc32c_sse42(bytes, ~seed) : crc32c_portable(bytes, ~seed));
}

std::uint64_t crc64nvme(std::string_view bytes, std::uint64_t seed) {
  static const bool can_fold = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return ~(can_fold && bytes.size() >= 64 ? crc64_folded(bytes.data(), bytes.size(), ~seed) : crc64_portable(bytes.data(), bytes.size(), ~seed));
}

Hasher::Hasher(Kind kind) : context_(EVP_MD_CTX_new()) {
  const EVP_MD* algorithm = kind == Kind::kMd5    ? md5_algorithm()
                            : kind == Kind::kSha1 ? sha1_algorithm()
                                                  : sha256_algorithm();
  EVP_DigestInit_ex2(static_cast<EVP_MD_CTX*>(context_), algorithm, nullptr);
}
Hasher::~Hasher() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
Hasher::Hasher(Hasher&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Hasher& Hasher::operator=(Hasher&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}
void Hasher::update(std::string_view bytes) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size());
}
std::string Hasher::finish() {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

}  // namespace reef
