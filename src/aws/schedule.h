// Schedule expressions as AWS services write them: rate(5 minutes), cron(0 10 * * ? *), at(2026-11-20T13:00:00). In UTC.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
#pragma once

#include <bitset>
#include <optional>
#include <string_view>
#include <variant>

#include "base/time.h"

namespace reef::aws {

struct RateSchedule {
  Duration every{};
};
struct AtSchedule {
  Time at{};
};
// Minute, hour, day of the month, month, day of the week and year, as sets.
struct CronSchedule {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;      // 1 to 31
  std::bitset<13> months;    // 1 to 12
  std::bitset<8> weekdays;   // 1 (Sunday) to 7
  std::bitset<230> years;    // from 1970
  bool any_day = false;      // "?" or "*": the other field of days decides
  bool any_weekday = false;
  bool last_day = false;     // "L" in the days of the month
  int nearest_weekday = 0;   // "15W"
  int nth_weekday = 0, nth = 0;  // "6#3": the third Friday; nth 0: the last one ("6L")
};
using Schedule = std::variant<RateSchedule, AtSchedule, CronSchedule>;

// Nothing for what is none.
std::optional<Schedule> parse_schedule(std::string_view text);
// The first time after `after`; rates count from `from`. Nothing when there is none any more.
std::optional<Time> next_time(const Schedule& schedule, Time from, Time after);

}  // namespace reef::aws
