#include "service/apigateway/usage.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/text.h"

namespace reef::service::apigateway {
namespace {

using aws::apigateway::QuotaSettings;
using wire::Json;

constexpr std::size_t kDaysMax = 400;  // of history: GetUsage shows at most 90 days

std::chrono::sys_days days_of(std::string_view day) {
  const int year = parse_int<int>(day.substr(0, 4)).value_or(1970);
  const auto month = parse_int<unsigned>(day.substr(5, 2)).value_or(1), date = parse_int<unsigned>(day.substr(8, 2)).value_or(1);
  return std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(date);
}

std::string text_of(std::chrono::sys_days days) {
  const std::chrono::year_month_day date(days);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

}  // namespace

std::string day_of(Time now) { return text_of(std::chrono::sys_days(std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(to_seconds(now)))))); }
std::string next_day(std::string_view day) { return text_of(days_of(day) + std::chrono::days(1)); }

std::string period_start(std::string_view period, std::string_view day) {
  if (period == "MONTH") return std::string(day.substr(0, 8)) + "01";
  if (period == "WEEK") {
    const std::chrono::sys_days days = days_of(day);
    return text_of(days - std::chrono::days(std::chrono::weekday(days).c_encoding()));
  }
  return std::string(day);
}

std::int64_t KeyUsage::used_since(std::string_view first, std::string_view last) const {
  std::int64_t out = 0;
  for (auto at = used_.lower_bound(first); at != used_.end() && at->first <= last; ++at) out += at->second;
  return out;
}

std::int64_t KeyUsage::used_on(std::string_view day) const {
  const auto found = used_.find(day);
  return found == used_.end() ? 0 : found->second;
}

std::int64_t KeyUsage::remaining(const QuotaSettings& quota, std::string_view plan_created, std::string_view day) const {
  const std::string first = period_start(quota.period.value_or("DAY"), day);
  std::int64_t limit = quota.limit.value_or(0);
  // The first period of a plan starts with some already used.
  if (first == period_start(quota.period.value_or("DAY"), plan_created)) limit -= quota.offset.value_or(0);
  if (const auto more = granted_.find(first); more != granted_.end()) limit += more->second;
  return std::max<std::int64_t>(0, limit - used_since(first, day));
}

bool KeyUsage::count(const QuotaSettings* quota, std::string_view plan_created, Time now) {
  const std::string day = day_of(now);
  if (quota && remaining(*quota, plan_created, day) == 0) return false;
  ++used_[day];
  while (used_.size() > kDaysMax) used_.erase(used_.begin());
  return true;
}

void KeyUsage::grant(const QuotaSettings& quota, std::string_view plan_created, Time now, std::int64_t wanted) {
  const std::string day = day_of(now);
  granted_[period_start(quota.period.value_or("DAY"), day)] += wanted - remaining(quota, plan_created, day);
}

Json KeyUsage::to_json() const {
  Json used = Json::object(), granted = Json::object();
  for (const auto& [day, count] : used_) used.set(day, count);
  for (const auto& [day, count] : granted_) granted.set(day, count);
  return Json::object({{"used", std::move(used)}, {"granted", std::move(granted)}});
}

KeyUsage KeyUsage::from_json(const Json& json) {
  KeyUsage out;
  for (const auto& [day, count] : json["used"].as_object()) out.used_.emplace(day, count.as_int().value_or(0));
  for (const auto& [day, count] : json["granted"].as_object()) out.granted_.emplace(day, count.as_int().value_or(0));
  return out;
}

}  // namespace reef::service::apigateway
