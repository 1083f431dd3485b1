#include "base/time.h"

#include <array>

#include <fmt/format.h>

namespace reef {
namespace {

constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<const char*, 7> kWeekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct Civil {
  int year;
  unsigned month, day;
  int hour, minute, second, millis;
  unsigned weekday;
};

Civil to_civil(Time time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const auto micros = (time - days).count();
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<unsigned>(date.month()),
          .day = static_cast<unsigned>(date.day()),
          .hour = static_cast<int>(micros / 3'600'000'000),
          .minute = static_cast<int>(micros / 60'000'000 % 60),
          .second = static_cast<int>(micros / 1'000'000 % 60),
          .millis = static_cast<int>(micros / 1000 % 1000),
          .weekday = std::chrono::weekday(days).c_encoding()};
}

std::optional<Time> from_civil(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 24 || minute > 59 || second > 60) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

// Reads exactly `digits` decimal digits and moves past them; -1 when there are fewer.
int take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take_char(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string format_iso8601(Time time, bool millis) {
  const Civil c = to_civil(time);
  if (millis)
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute,
                       c.second, c.millis);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::string format_http_date(Time time) {
  const Civil c = to_civil(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[c.weekday], c.day, kMonths[c.month - 1],
                     c.year, c.hour, c.minute, c.second);
}

std::string format_basic(Time time) {
  const Civil c = to_civil(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::optional<Time> parse_iso8601(std::string_view text) {
  const int year = take_number(text, 4);
  if (year < 0 || !take_char(text, '-')) return std::nullopt;
  const int month = take_number(text, 2);
  if (month < 0 || !take_char(text, '-')) return std::nullopt;
  const int day = take_number(text, 2);
  if (day < 0) return std::nullopt;
  if (text.empty()) return from_civil(year, month, day, 0, 0, 0);
  if (!take_char(text, 'T') && !take_char(text, 't') && !take_char(text, ' ')) return std::nullopt;
  const int hour = take_number(text, 2);
  if (hour < 0 || !take_char(text, ':')) return std::nullopt;
  const int minute = take_number(text, 2);
  if (minute < 0) return std::nullopt;
  int second = 0;
  if (take_char(text, ':') && (second = take_number(text, 2)) < 0) return std::nullopt;
  std::int64_t micros = 0;
  if (take_char(text, '.')) {
    std::int64_t unit = 100'000;
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), unit /= 10)
      micros += unit * (text.front() - '0');
  }
  std::chrono::minutes offset{0};
  if (!take_char(text, 'Z') && !take_char(text, 'z') && !text.empty()) {
    const bool negative = text.front() == '-';
    if (!negative && text.front() != '+') return std::nullopt;
    text.remove_prefix(1);
    const int hours = take_number(text, 2);
    take_char(text, ':');
    const int minutes = take_number(text, 2);
    if (hours < 0 || minutes < 0) return std::nullopt;
    offset = std::chrono::minutes((hours * 60 + minutes) * (negative ? -1 : 1));
  }
  if (!text.empty()) return std::nullopt;
  const auto civil = from_civil(year, month, day, hour, minute, second);
  if (!civil) return std::nullopt;
  return *civil + Duration(micros) - offset;
}

std::optional<Time> parse_http_date(std::string_view text) {
  const auto comma = text.find(", ");
  if (comma == std::string_view::npos) return std::nullopt;
  text.remove_prefix(comma + 2);
  const int day = take_number(text, 2);
  if (day < 0 || !take_char(text, ' ') || text.size() < 4) return std::nullopt;
  int month = 0;
  for (std::size_t i = 0; i < kMonths.size(); ++i)
    if (text.substr(0, 3) == kMonths[i]) month = static_cast<int>(i) + 1;
  text.remove_prefix(3);
  if (month == 0 || !take_char(text, ' ')) return std::nullopt;
  const int year = take_number(text, 4);
  if (year < 0 || !take_char(text, ' ')) return std::nullopt;
  const int hour = take_number(text, 2);
  if (hour < 0 || !take_char(text, ':')) return std::nullopt;
  const int minute = take_number(text, 2);
  if (minute < 0 || !take_char(text, ':')) return std::nullopt;
  const int second = take_number(text, 2);
  if (second < 0 || text != " GMT") return std::nullopt;
  return from_civil(year, month, day, hour, minute, second);
}

std::optional<Time> parse_basic(std::string_view text) {
  const int year = take_number(text, 4), month = take_number(text, 2), day = take_number(text, 2);
  if (year < 0 || month < 0 || day < 0 || !take_char(text, 'T')) return std::nullopt;
  const int hour = take_number(text, 2), minute = take_number(text, 2), second = take_number(text, 2);
  if (hour < 0 || minute < 0 || second < 0 || text != "Z") return std::nullopt;
  return from_civil(year, month, day, hour, minute, second);
}

}  // namespace reef
