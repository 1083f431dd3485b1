// How long things took, in some 12 % steps from a microsecond to a minute: enough for percentiles, small enough for each
// pair of caller and service to have one.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace reef::edge::mesh {

class Histogram {
 public:
  void add(std::int64_t micros) { ++counts_[step_of(micros)]; }
  void add(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }
  // What `share` (0.5, 0.99) of all took at most, in microseconds; 0 when there is nothing.
  std::int64_t percentile(double share) const {
    std::uint64_t total = 0;
    for (const auto count : counts_) total += count;
    if (total == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total - 1)) + 1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if ((seen += counts_[i]) >= wanted) return top_of(i);
    return top_of(counts_.size() - 1);
  }

 private:
  // Eight steps for each power of two.
  static constexpr std::size_t kSteps = 8 * 27;
  static std::size_t step_of(std::int64_t micros) {
    const auto value = static_cast<std::uint64_t>(micros < 0 ? 0 : micros);
    if (value < 8) return value;
    const int power = std::bit_width(value) - 1;   // at least 3
    const std::size_t step = static_cast<std::size_t>(power - 2) * 8 + ((value >> (power - 3)) & 7);
    return step < kSteps ? step : kSteps - 1;
  }
  static std::int64_t top_of(std::size_t step) {
    if (step < 8) return static_cast<std::int64_t>(step);
    const auto power = static_cast<int>(step / 8) + 2;
    return static_cast<std::int64_t>(((8ull + step % 8 + 1) << (power - 3)) - 1);
  }
  std::array<std::uint32_t, kSteps> counts_{};
};

}  // namespace reef::edge::mesh
