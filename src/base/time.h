// Points in time, durations and the clock that everything but I/O deadlines reads. Engines never read a
// clock: they are handed `now`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reef {

using Duration = std::chrono::microseconds;
// Microseconds since 1970-01-01T00:00:00Z.
using Time = std::chrono::sys_time<Duration>;
using namespace std::chrono_literals;

// The system's time as its user sees it: it can be frozen and advanced (`atoll clock`).
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

inline std::int64_t to_micros(Time time) { return time.time_since_epoch().count(); }
inline std::int64_t to_millis(Time time) { return to_micros(time) / 1000; }
inline std::int64_t to_seconds(Time time) { return to_micros(time) / 1'000'000; }
inline Time from_micros(std::int64_t micros) { return Time(Duration(micros)); }
inline Time from_millis(std::int64_t millis) { return Time(Duration(millis * 1000)); }
inline Time from_seconds(std::int64_t seconds) { return Time(Duration(seconds * 1'000'000)); }

// "2026-11-20T22:38:29Z"; with `millis`, "2026-11-20T22:38:29.123Z".
std::string format_iso8601(Time time, bool millis = false);
// RFC 7231: "Fri, 20 Nov 2026 22:38:29 GMT".
std::string format_http_date(Time time);
// SigV4: "20261120T223829Z".
std::string format_basic(Time time);

// Accepts the forms above (offsets and fractions included); nothing for anything else.
std::optional<Time> parse_iso8601(std::string_view text);
std::optional<Time> parse_http_date(std::string_view text);
std::optional<Time> parse_basic(std::string_view text);

}  // namespace reef
