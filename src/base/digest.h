// Checksums and hashes, each as raw bytes (not hexadecimal) unless its name says otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace reef {

std::string md5(std::string_view bytes);       // 16 bytes
std::string md5_hex(std::string_view bytes);   // 32 characters
std::string sha1(std::string_view bytes);      // 20 bytes
std::string sha256(std::string_view bytes);    // 32 bytes
std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string hmac_sha1(std::string_view key, std::string_view bytes);
// Compares in time that does not depend on where the two differ.
bool equals_in_constant_time(std::string_view a, std::string_view b);

// Continue from `seed`: crc32c(b, crc32c(a)) == crc32c(a + b). Start from 0.
std::uint32_t crc32(std::string_view bytes, std::uint32_t seed = 0);
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);
// CRC-64/NVME, as S3 uses it.
std::uint64_t crc64nvme(std::string_view bytes, std::uint64_t seed = 0);

// A hash of bytes that arrive in pieces.
class Hasher {
 public:
  enum class Kind { kMd5, kSha1, kSha256 };
  explicit Hasher(Kind kind);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(std::string_view bytes);
  // The digest; the hasher is spent.
  std::string finish();

 private:
  void* context_;
};

}  // namespace reef
