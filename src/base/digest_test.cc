#include "base/digest.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace reef {
namespace {

// By its definition, a bit at a time.
std::uint64_t slow_crc64(std::string_view bytes) {
  std::uint64_t crc = ~std::uint64_t{0};
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x9A6C9329AC4BC9B5ull : 0);
  }
  return ~crc;
}

TEST(Crc64Nvme, IsRightForEveryLengthAndGoesOn) {
  EXPECT_EQ(crc64nvme("123456789"), 0xAE8B14860A799888ull);  // the check value of the catalogue of CRCs
  SeededRandom random(1);
  std::string bytes;
  for (int i = 0; i < 700; ++i) bytes += static_cast<char>(random.next());
  for (std::size_t size = 0; size <= 300; ++size) {
    const std::string_view part = std::string_view(bytes).substr(size % 7, size);
    ASSERT_EQ(crc64nvme(part), slow_crc64(part)) << size;
  }
  for (const std::size_t cut : {1u, 63u, 64u, 65u, 200u, 699u})
    EXPECT_EQ(crc64nvme(bytes.substr(cut), crc64nvme(bytes.substr(0, cut))), slow_crc64(bytes));
}

}  // namespace
}  // namespace reef
