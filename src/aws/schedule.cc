#include "aws/schedule.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"

namespace reef::aws {
namespace {

constexpr int kYearFirst = 1970, kYearLast = 2199;
constexpr std::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kWeekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct Field {
  int least, most;
  const std::string_view* names = nullptr;  // of least, least + 1, ...
  int name_count = 0;
};

std::optional<int> read_number(std::string_view text, const Field& field) {
  for (int i = 0; i < field.name_count; ++i)
    if (equals_ignoring_case(text, field.names[i])) return field.least + i;
  const auto number = parse_int<int>(text);
  if (!number || *number < field.least || *number > field.most) return std::nullopt;
  return *number;
}

// "1,5-9,*/15": adds them to the set, counted from `base`.
template <std::size_t N>
bool read_field(std::string_view text, const Field& field, int base, std::bitset<N>& set) {
  for (const std::string_view part : split(text, ',')) {
    const auto slash = part.find('/');
    const std::string_view range = part.substr(0, slash);
    int step = 1;
    if (slash != std::string_view::npos) {
      const auto given = parse_int<int>(part.substr(slash + 1));
      if (!given || *given < 1) return false;
      step = *given;
    }
    int first = field.least, last = field.most;
    if (range != "*" && range != "?") {
      const auto dash = range.find('-');
      const auto from = read_number(range.substr(0, dash), field);
      const auto to = dash == std::string_view::npos ? from : read_number(range.substr(dash + 1), field);
      if (!from || !to || *to < *from) return false;
      first = *from;
      last = slash != std::string_view::npos && dash == std::string_view::npos ? field.most : *to;
    }
    for (int i = first; i <= last; i += step) set.set(static_cast<std::size_t>(i - base));
  }
  return true;
}

bool read_days(std::string_view text, CronSchedule& out) {
  out.any_day = text == "?" || text == "*";
  if (equals_ignoring_case(text, "L")) return out.last_day = true;
  if (text.size() > 1 && (text.back() == 'W' || text.back() == 'w')) {
    const auto day = parse_int<int>(text.substr(0, text.size() - 1));
    if (!day || *day < 1 || *day > 31) return false;
    out.nearest_weekday = *day;
    return true;
  }
  return read_field(text, {1, 31}, 0, out.days);
}

bool read_weekdays(std::string_view text, CronSchedule& out) {
  const Field field{1, 7, kWeekdays, 7};
  out.any_weekday = text == "?" || text == "*";
  const auto hash = text.find('#');
  const bool is_last = text.size() > 1 && (text.back() == 'L' || text.back() == 'l') && hash == std::string_view::npos;
  if (hash == std::string_view::npos && !is_last) return read_field(text, field, 0, out.weekdays);
  const auto day = read_number(is_last ? text.substr(0, text.size() - 1) : text.substr(0, hash), field);
  if (!day) return false;
  out.nth_weekday = *day;
  if (is_last) return true;
  const auto nth = parse_int<int>(text.substr(hash + 1));
  if (!nth || *nth < 1 || *nth > 5) return false;
  out.nth = *nth;
  return true;
}

std::optional<Schedule> parse_cron(std::string_view text) {
  std::vector<std::string_view> fields;
  for (const std::string_view part : split(text, ' '))
    if (!part.empty()) fields.push_back(part);
  if (fields.size() != 6) return std::nullopt;
  // One of the two says which day, the other says "?".
  if ((fields[2] == "?") == (fields[4] == "?")) return std::nullopt;
  CronSchedule out;
  if (!read_field(fields[0], {0, 59}, 0, out.minutes) || !read_field(fields[1], {0, 23}, 0, out.hours) || !read_days(fields[2], out) ||
      !read_field(fields[3], {1, 12, kMonths, 12}, 0, out.months) || !read_weekdays(fields[4], out) ||
      !read_field(fields[5], {kYearFirst, kYearLast}, kYearFirst, out.years))
    return std::nullopt;
  return out;
}

std::optional<Schedule> parse_rate(std::string_view text) {
  text = trim(text);
  const auto space = text.find(' ');
  const auto count = parse_int<std::int64_t>(text.substr(0, space));
  if (!count || *count < 1 || *count > 1'000'000 || space == std::string_view::npos) return std::nullopt;
  const std::string_view unit = trim(text.substr(space));
  const bool is_plural = *count != 1;
  Duration every{};
  if (unit == (is_plural ? "minutes" : "minute")) every = std::chrono::minutes(*count);
  else if (unit == (is_plural ? "hours" : "hour")) every = std::chrono::hours(*count);
  else if (unit == (is_plural ? "days" : "day")) every = std::chrono::hours(24 * *count);
  else return std::nullopt;
  return RateSchedule{every};
}

using Date = std::chrono::year_month_day;

bool is_day(const CronSchedule& cron, const Date& date) {
  const std::chrono::weekday weekday{std::chrono::sys_days(date)};
  const auto number = static_cast<int>(weekday.c_encoding()) + 1;
  const auto day = static_cast<int>(static_cast<unsigned>(date.day()));
  const auto last = static_cast<int>(static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day()));
  if (cron.last_day) return day == last;
  if (cron.nearest_weekday > 0) {
    int wanted = std::min(cron.nearest_weekday, last);
    const std::chrono::weekday on{std::chrono::sys_days(date.year() / date.month() / std::chrono::day(static_cast<unsigned>(wanted)))};
    if (on == std::chrono::Saturday) wanted += wanted == 1 ? 2 : -1;
    else if (on == std::chrono::Sunday) wanted += wanted == last ? -2 : 1;
    return day == wanted;
  }
  if (cron.nth_weekday > 0) return number == cron.nth_weekday && (cron.nth > 0 ? (day - 1) / 7 + 1 == cron.nth : day + 7 > last);
  if (!cron.any_weekday) return cron.weekdays.test(static_cast<std::size_t>(number));
  return cron.any_day || cron.days.test(static_cast<std::size_t>(day));
}

std::optional<Time> next_of(const CronSchedule& cron, Time after) {
  const auto minute = std::chrono::floor<std::chrono::minutes>(after) + 1min;
  auto day = std::chrono::floor<std::chrono::days>(minute);
  auto of_day = std::chrono::duration_cast<std::chrono::minutes>(minute - day).count();
  for (int looked = 0; looked < 366 * 60; ++looked) {  // leap days come within eight years; years may be far ahead
    const Date date(day);
    const int year = static_cast<int>(date.year());
    if (year > kYearLast) return std::nullopt;
    if (year >= kYearFirst && cron.years.test(static_cast<std::size_t>(year - kYearFirst)) && cron.months.test(static_cast<unsigned>(date.month())) && is_day(cron, date))
      for (auto at = of_day; at < 24 * 60; ++at)
        if (cron.hours.test(static_cast<std::size_t>(at / 60)) && cron.minutes.test(static_cast<std::size_t>(at % 60))) return Time(day) + std::chrono::minutes(at);
    day += std::chrono::days(1);
    of_day = 0;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Schedule> parse_schedule(std::string_view text) {
  if (!text.ends_with(')')) return std::nullopt;
  const auto open = text.find('(');
  if (open == std::string_view::npos) return std::nullopt;
  const std::string_view kind = text.substr(0, open), inside = text.substr(open + 1, text.size() - open - 2);
  if (kind == "rate") return parse_rate(inside);
  if (kind == "cron") return parse_cron(inside);
  if (kind != "at") return std::nullopt;
  const auto time = parse_iso8601(std::string(inside) + "Z");
  if (!time) return std::nullopt;
  return AtSchedule{*time};
}

std::optional<Time> next_time(const Schedule& schedule, Time from, Time after) {
  if (const auto* at = std::get_if<AtSchedule>(&schedule)) return at->at > after ? std::optional(at->at) : std::nullopt;
  if (const auto* rate = std::get_if<RateSchedule>(&schedule)) {
    if (from > after) return from;
    return from + ((after - from) / rate->every + 1) * rate->every;
  }
  return next_of(std::get<CronSchedule>(schedule), after);
}

}  // namespace reef::aws
