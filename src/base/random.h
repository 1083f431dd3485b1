// Randomness as an argument: engines and tests get a seeded source, the running system the kernel's.
#pragma once

#include <cstdint>
#include <string>

namespace reef {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;

  // Uniform in [0, bound); 0 for bound 0.
  std::uint64_t below(std::uint64_t bound) {
    return bound == 0 ? 0 : static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

// splitmix64: repeatable from its seed, good enough for everything that is not a secret.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

// A per-thread generator seeded by the kernel. Unpredictable enough for identifiers.
Random& thread_random();

// "d3b07384-d113-4ec6-a5d0-0c9a4bd1c1b2" (version 4).
std::string make_uuid(Random& random);
// `count` characters of `alphabet`.
std::string make_token(Random& random, std::size_t count,
                       const char* alphabet = "abcdefghijklmnopqrstuvwxyz0123456789");

}  // namespace reef
