// The units of metrics, as AWS names them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reef::metrics {

enum class Unit : std::uint8_t {
  kNone, kSeconds, kMicroseconds, kMilliseconds, kBytes, kKilobytes, kMegabytes, kGigabytes, kTerabytes, kBits, kKilobits, kMegabits,
  kGigabits, kTerabits, kPercent, kCount, kBytesPerSecond, kKilobytesPerSecond, kMegabytesPerSecond, kGigabytesPerSecond,
  kTerabytesPerSecond, kBitsPerSecond, kKilobitsPerSecond, kMegabitsPerSecond, kGigabitsPerSecond, kTerabitsPerSecond, kCountPerSecond,
};

inline constexpr std::string_view kUnitNames[] = {
    "None", "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits", "Kilobits",
    "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second",
    "Terabytes/Second", "Bits/Second", "Kilobits/Second", "Megabits/Second", "Gigabits/Second", "Terabits/Second", "Count/Second"};
inline constexpr std::uint8_t kUnitCount = sizeof kUnitNames / sizeof kUnitNames[0];

inline std::string_view unit_name(Unit unit) { return kUnitNames[static_cast<std::uint8_t>(unit)]; }
inline std::optional<Unit> parse_unit(std::string_view name) {
  for (std::uint8_t i = 0; i < kUnitCount; ++i)
    if (kUnitNames[i] == name) return static_cast<Unit>(i);
  return std::nullopt;
}

}  // namespace reef::metrics
