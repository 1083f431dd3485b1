#include "service/s3/checksum.h"

#include <array>

#include "base/encoding.h"
#include "base/text.h"

namespace reef::s3 {
namespace {

constexpr std::string_view kNames[] = {"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"};

std::string big_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
  return out;
}

std::optional<std::uint64_t> read_crc(std::string_view text, std::size_t bytes) {
  const auto raw = base64_decode(text);
  if (!raw || raw->size() != bytes) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : *raw) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// Linear maps over GF(2) of up to 64 bits, as columns.
using Matrix = std::array<std::uint64_t, 64>;

std::uint64_t times(const Matrix& matrix, std::uint64_t vector) {
  std::uint64_t sum = 0;
  for (int i = 0; vector; vector >>= 1, ++i)
    if (vector & 1) sum ^= matrix[static_cast<std::size_t>(i)];
  return sum;
}

Matrix squared(const Matrix& matrix, int bits) {
  Matrix out{};
  for (int i = 0; i < bits; ++i) out[static_cast<std::size_t>(i)] = times(matrix, matrix[static_cast<std::size_t>(i)]);
  return out;
}

// The CRC of bytes followed by `zeros` zero bytes: one zero bit is a linear map, and powers of it come by squaring.
std::uint64_t shift_crc(std::uint64_t crc, std::uint64_t zeros, std::uint64_t polynomial, int bits) {
  Matrix power{};
  power[0] = polynomial;
  for (int i = 1; i < bits; ++i) power[static_cast<std::size_t>(i)] = std::uint64_t{1} << (i - 1);
  for (int i = 0; i < 3; ++i) power = squared(power, bits);  // eight bits
  for (; zeros; zeros >>= 1, power = squared(power, bits))
    if (zeros & 1) crc = times(power, crc);
  return crc;
}

}  // namespace

std::string_view algorithm_name(Algorithm algorithm) { return kNames[static_cast<int>(algorithm)]; }

std::optional<Algorithm> algorithm_from_name(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (equals_ignoring_case(kNames[i], name)) return static_cast<Algorithm>(i);
  return std::nullopt;
}

std::string header_name(Algorithm algorithm) { return "x-amz-checksum-" + to_lower(algorithm_name(algorithm)); }

ChecksumState::ChecksumState(Algorithm algorithm) : algorithm_(algorithm) {
  if (algorithm == Algorithm::kSha1) hasher_.emplace(Hasher::Kind::kSha1);
  if (algorithm == Algorithm::kSha256) hasher_.emplace(Hasher::Kind::kSha256);
}

void ChecksumState::update(std::string_view bytes) {
  switch (algorithm_) {
    case Algorithm::kCrc32:
      crc_ = crc32(bytes, static_cast<std::uint32_t>(crc_));
      break;
    case Algorithm::kCrc32c:
      crc_ = crc32c(bytes, static_cast<std::uint32_t>(crc_));
      break;
    case Algorithm::kCrc64Nvme:
      crc_ = crc64nvme(bytes, crc_);
      break;
    case Algorithm::kSha1:
    case Algorithm::kSha256:
      hasher_->update(bytes);
      break;
  }
}

std::string ChecksumState::finish() {
  if (hasher_) return base64_encode(hasher_->finish());
  return base64_encode(big_endian(crc_, algorithm_ == Algorithm::kCrc64Nvme ? 8 : 4));
}

std::optional<std::string> combine(Algorithm algorithm, std::string_view first, std::string_view second,
                                   std::uint64_t second_bytes) {
  struct Crc {
    std::uint64_t polynomial;  // reflected
    int bits;
  };
  Crc crc{};
  switch (algorithm) {
    case Algorithm::kCrc32:
      crc = {0xEDB88320, 32};
      break;
    case Algorithm::kCrc32c:
      crc = {0x82F63B78, 32};
      break;
    case Algorithm::kCrc64Nvme:
      crc = {0x9A6C9329AC4BC9B5, 64};
      break;
    case Algorithm::kSha1:
    case Algorithm::kSha256:
      return std::nullopt;
  }
  const auto a = read_crc(first, static_cast<std::size_t>(crc.bits / 8)), b = read_crc(second, static_cast<std::size_t>(crc.bits / 8));
  if (!a || !b) return std::nullopt;
  return base64_encode(big_endian(shift_crc(*a, second_bytes, crc.polynomial, crc.bits) ^ *b, crc.bits / 8));
}

}  // namespace reef::s3
