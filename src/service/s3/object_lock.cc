#include "service/s3/object_lock.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "service/s3/stored_configuration.h"

namespace reef::s3 {
namespace {

constexpr std::string_view kGovernance = "GOVERNANCE", kCompliance = "COMPLIANCE";
constexpr Duration kDay = std::chrono::hours(24);

bool is_active(const std::optional<Retention>& retention, Time now) { return retention && retention->until > now; }

}  // namespace

std::optional<model::ObjectLockConfiguration> lock_configuration(const blob::Bucket& bucket) {
  model::ObjectLockConfiguration configuration;
  if (!read_configuration(bucket, setting::kObjectLock, configuration)) return std::nullopt;
  return configuration;
}

aws::Error lacks_lock_configuration() { return invalid_request("Bucket is missing Object Lock Configuration"); }

std::optional<Retention> retention_of(const blob::Properties& properties) {
  const auto mode = property_of(properties, property::kLockMode);
  const auto until = property_of(properties, property::kLockUntil);
  const auto micros = until ? parse_int<std::int64_t>(*until) : std::nullopt;
  if (!mode || !micros) return std::nullopt;
  return Retention{*mode == kCompliance, from_micros(*micros)};
}

const char* mode_name(const Retention& retention) { return (retention.is_compliance ? kCompliance : kGovernance).data(); }

void set_retention(blob::Properties& properties, const std::optional<Retention>& retention) {
  if (!retention) {
    properties.erase(property::kLockMode);
    properties.erase(property::kLockUntil);
    return;
  }
  properties[property::kLockMode] = mode_name(*retention);
  properties[property::kLockUntil] = std::to_string(to_micros(retention->until));
}

bool may_erase(const blob::Object& object, bool bypasses_governance, Time now) {
  if (property_of(object.properties, property::kLegalHold) == "ON") return false;
  const auto retention = retention_of(object.properties);
  return !is_active(retention, now) || (!retention->is_compliance && bypasses_governance);
}

bool may_retain(const blob::Object& object, const std::optional<Retention>& next, bool bypasses_governance, Time now) {
  const auto retention = retention_of(object.properties);
  if (!is_active(retention, now) || (!retention->is_compliance && bypasses_governance)) return true;
  return next && next->is_compliance == retention->is_compliance && next->until >= retention->until;
}

Reply<bool> is_compliance_mode(std::string_view mode) {
  if (mode != kGovernance && mode != kCompliance) return Err(malformed_xml());
  return mode == kCompliance;
}

Reply<void> check_is_to_come(Time until, Time now, std::string_view argument) {
  if (until > now) return {};
  return Err(invalid_argument("The retain until date must be in the future!", argument, pacific_time(until)));
}

Reply<void> apply_lock_headers(const blob::Bucket& bucket, const LockHeaders& headers, Time now, blob::Properties& properties) {
  constexpr std::string_view kMode = "x-amz-object-lock-mode", kUntil = "x-amz-object-lock-retain-until-date", kHold = "x-amz-object-lock-legal-hold";
  if (!headers.mode && !headers.until && !headers.legal_hold) return {};
  if (headers.mode.has_value() != headers.until.has_value())
    return Err(invalid_argument("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied", headers.mode ? kUntil : kMode));
  if (headers.mode) {
    if (*headers.mode != kGovernance && *headers.mode != kCompliance) return Err(invalid_argument("Unknown wormMode directive.", kMode, *headers.mode));
    TRY(check_is_to_come(*headers.until, now, kUntil));
  }
  if (headers.legal_hold && *headers.legal_hold != "ON" && *headers.legal_hold != "OFF")
    return Err(invalid_argument("Legal Hold must be either of 'ON' or 'OFF'", kHold, *headers.legal_hold));
  if (!bucket.settings.contains(setting::kObjectLock)) return Err(lacks_lock_configuration());
  if (headers.mode) set_retention(properties, Retention{*headers.mode == kCompliance, *headers.until});
  if (headers.legal_hold) properties[property::kLegalHold] = *headers.legal_hold;
  return {};
}

void apply_default_retention(const blob::Bucket& bucket, Time now, blob::Properties& properties) {
  if (retention_of(properties)) return;
  const auto configuration = lock_configuration(bucket);
  if (!configuration || !configuration->rule || !configuration->rule->default_retention) return;
  const model::DefaultRetention& rule = *configuration->rule->default_retention;
  const int days = rule.days ? *rule.days : rule.years.value_or(0) * 365;
  set_retention(properties, Retention{rule.mode == kCompliance, now + days * kDay});
}

std::string pacific_time(Time at) {
  using namespace std::chrono;
  // Since 2007: from the second Sunday of March to the first of November, at two o'clock.
  const auto changes_at = [](year_month_weekday day, hours utc) { return sys_days(day) + utc; };
  const year in = year_month_day(floor<days>(sys_time<microseconds>(at.time_since_epoch()))).year();
  const auto utc = sys_time<microseconds>(at.time_since_epoch());
  const bool is_summer = utc >= changes_at(in / March / Sunday[2], 10h) && utc < changes_at(in / November / Sunday[1], 9h);
  const auto local = floor<seconds>(utc) - (is_summer ? 7h : 8h);
  const auto date = floor<days>(local);
  const year_month_day shown(date);
  const hh_mm_ss time(local - date);
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02} {} {}", kDays[weekday(date).c_encoding()], kMonths[static_cast<unsigned>(shown.month()) - 1],
                     static_cast<unsigned>(shown.day()), time.hours().count(), time.minutes().count(), time.seconds().count(),
                     is_summer ? "PDT" : "PST", static_cast<int>(shown.year()));
}

}  // namespace reef::s3
