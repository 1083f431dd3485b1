#include "base/random.h"

#include <cstring>
#include <random>

namespace reef {

Random& thread_random() {
  thread_local SeededRandom random = [] {
    std::random_device device;
    return SeededRandom(static_cast<std::uint64_t>(device()) << 32 | device());
  }();
  return random;
}

std::string make_uuid(Random& random) {
  constexpr char kHex[] = "0123456789abcdef";
  std::uint64_t high = random.next(), low = random.next();
  high = (high & ~0xF000ull) | 0x4000ull;
  low = (low & ~(3ull << 62)) | 2ull << 62;
  std::string out(36, '-');
  std::size_t at = 0;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) ++at;
    const std::uint64_t word = i < 16 ? high : low;
    out[at++] = kHex[word >> (60 - 4 * (i % 16)) & 15];
  }
  return out;
}

std::string make_token(Random& random, std::size_t count, const char* alphabet) {
  const std::size_t size = std::strlen(alphabet);
  std::string out(count, ' ');
  for (char& c : out) c = alphabet[random.below(size)];
  return out;
}

}  // namespace reef
