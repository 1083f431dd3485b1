#include "engine/metrics/alarm.h"

#include <algorithm>
#include <cmath>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/text.h"

namespace reef::metrics {
namespace {

std::string_view comparison_words(Comparison comparison) {
  switch (comparison) {
    case Comparison::kGreaterOrEqual: return "greater than or equal to";
    case Comparison::kGreater: return "greater than";
    case Comparison::kLess: return "less than";
    case Comparison::kLessOrEqual: return "less than or equal to";
  }
  return "";
}

std::string time_text(std::int64_t second) { return fmt::format("{:%d/%m/%y %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(second))); }
std::string_view plural(std::size_t count) { return count == 1 ? "datapoint" : "datapoints"; }

std::string list_points(const std::vector<AlarmPoint>& points) {
  std::string out;
  for (const AlarmPoint& point : points) out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", alarm_number(point.value), time_text(point.second));
  return out;
}

// The words that AWS puts into StateReason.
std::string explain(const AlarmRule& rule, const std::vector<AlarmPoint>& evaluated, AlarmState state) {
  const std::string_view transition = state == AlarmState::kAlarm ? "OK -> ALARM" : "ALARM -> OK";
  const auto n = static_cast<std::size_t>(rule.evaluation_periods), m = static_cast<std::size_t>(rule.datapoints_to_alarm);
  // So many not breaching ones end the alarm.
  const std::size_t needed = state == AlarmState::kAlarm ? m : n - m + 1;
  std::vector<AlarmPoint> shown;
  for (const AlarmPoint& point : evaluated)
    if (is_breaching(rule, point.value) == (state == AlarmState::kAlarm)) shown.push_back(point);
  return fmt::format("Threshold Crossed: {} out of the last {} datapoints [{}] {} {}{} the threshold ({}) (minimum {} {} for {} transition).", shown.size(), n,
                     list_points(shown), shown.size() == 1 ? "was" : "were", state == AlarmState::kAlarm ? "" : "not ", comparison_words(rule.comparison),
                     alarm_number(rule.threshold), needed, plural(needed), transition);
}

std::string explain_missing(const AlarmRule& rule, std::size_t missing, std::string_view treated) {
  return fmt::format("Threshold Crossed: no datapoints were received for {} {} and {} missing {} treated as [{}].", rule.evaluation_periods,
                     rule.evaluation_periods == 1 ? "period" : "periods", missing, missing == 1 ? "datapoint was" : "datapoints were", treated);
}

std::string explain_partly_missing(const AlarmRule& rule, const std::vector<AlarmPoint>& real, std::size_t missing, std::string_view treated) {
  return fmt::format("Threshold Crossed: {} {} [{}] received in the last {} periods and {} missing {} treated as [{}]; the threshold is {}.", real.size(),
                     real.size() == 1 ? "datapoint was" : "datapoints were", list_points(real), evaluation_range(rule), missing,
                     missing == 1 ? "datapoint was" : "datapoints were", treated, alarm_number(rule.threshold));
}

}  // namespace

std::int32_t evaluation_range(const AlarmRule& rule) { return rule.evaluation_periods + 2; }

bool is_breaching(const AlarmRule& rule, double value) {
  switch (rule.comparison) {
    case Comparison::kGreaterOrEqual: return value >= rule.threshold;
    case Comparison::kGreater: return value > rule.threshold;
    case Comparison::kLess: return value < rule.threshold;
    case Comparison::kLessOrEqual: return value <= rule.threshold;
  }
  return false;
}

AlarmVerdict evaluate_alarm(const AlarmRule& rule, const std::vector<std::optional<AlarmPoint>>& points, AlarmState current) {
  const auto n = static_cast<std::size_t>(std::max(rule.evaluation_periods, 1));
  const auto m = static_cast<std::size_t>(std::max(rule.datapoints_to_alarm, 1));
  std::vector<AlarmPoint> real;
  std::size_t oldest_age = 0;  // of the oldest real one; the newest period has age 1
  for (std::size_t i = 0; i < points.size() && real.size() < n; ++i)
    if (points[i]) {
      real.push_back(*points[i]);
      oldest_age = i + 1;
    }
  const auto breaching = static_cast<std::size_t>(std::count_if(real.begin(), real.end(), [&](const AlarmPoint& point) { return is_breaching(rule, point.value); }));
  const bool too_few = std::any_of(real.begin(), real.end(), [&](const AlarmPoint& point) { return point.samples < rule.samples_needed; });
  const auto verdict = [&](AlarmState state) { return AlarmVerdict{state, explain(rule, real, state), real}; };
  const auto insufficient = [&] {
    const std::size_t unknown = n - real.size();
    return AlarmVerdict{AlarmState::kInsufficientData, fmt::format("Insufficient Data: {} {} unknown.", unknown, unknown == 1 ? "datapoint was" : "datapoints were"), real};
  };
  const auto retain = [&] { return AlarmVerdict{current, "", real}; };
  if (too_few) return retain();
  if (real.size() >= n) return verdict(breaching >= m ? AlarmState::kAlarm : AlarmState::kOk);
  const std::size_t missing = n - real.size();
  switch (rule.missing) {
    case MissingData::kBreaching:
    case MissingData::kNotBreaching: {
      const bool is_bad = rule.missing == MissingData::kBreaching;
      const std::string_view treated = is_bad ? "Breaching" : "NonBreaching";
      const AlarmState state = breaching + (is_bad ? missing : 0) >= m ? AlarmState::kAlarm : AlarmState::kOk;
      return {state, real.empty() ? explain_missing(rule, missing, treated) : explain_partly_missing(rule, real, missing, treated), real};
    }
    case MissingData::kMissing:
      if (breaching >= m) return verdict(AlarmState::kAlarm);
      if (real.empty()) return insufficient();
      if (breaching < real.size()) return verdict(AlarmState::kOk);
      // All that is there is breaching: it rings once the oldest is old enough, so that it does not ring too early.
      return oldest_age >= m ? verdict(AlarmState::kAlarm) : insufficient();
    case MissingData::kIgnore:
      if (breaching >= m) return verdict(AlarmState::kAlarm);
      return breaching < real.size() ? verdict(AlarmState::kOk) : retain();
  }
  return retain();
}

std::string_view alarm_state_name(AlarmState state) {
  switch (state) {
    case AlarmState::kOk: return "OK";
    case AlarmState::kAlarm: return "ALARM";
    case AlarmState::kInsufficientData: return "INSUFFICIENT_DATA";
  }
  return "";
}

std::optional<AlarmState> parse_alarm_state(std::string_view name) {
  for (const AlarmState state : {AlarmState::kOk, AlarmState::kAlarm, AlarmState::kInsufficientData})
    if (alarm_state_name(state) == name) return state;
  return std::nullopt;
}

std::optional<Comparison> parse_comparison(std::string_view name) {
  if (name == "GreaterThanOrEqualToThreshold") return Comparison::kGreaterOrEqual;
  if (name == "GreaterThanThreshold") return Comparison::kGreater;
  if (name == "LessThanThreshold") return Comparison::kLess;
  if (name == "LessThanOrEqualToThreshold") return Comparison::kLessOrEqual;
  return std::nullopt;
}

std::optional<MissingData> parse_missing_data(std::string_view name) {
  if (name == "missing") return MissingData::kMissing;
  if (name == "ignore") return MissingData::kIgnore;
  if (name == "breaching") return MissingData::kBreaching;
  if (name == "notBreaching") return MissingData::kNotBreaching;
  return std::nullopt;
}

std::string alarm_number(double value) {
  const double size = std::fabs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e7)) {
    // An exponent without plus and zeros.
    int exponent = static_cast<int>(std::floor(std::log10(size)));
    double mantissa = value / std::pow(10, exponent);
    if (std::fabs(mantissa) >= 10) mantissa /= 10, ++exponent;
    std::string digits = format_double(mantissa);
    if (digits.find('.') == std::string::npos) digits += ".0";
    return fmt::format("{}E{}", digits, exponent);
  }
  std::string text = format_double(value);
  if (text.find('.') == std::string::npos && text.find('e') == std::string::npos) text += ".0";
  return text;
}

}  // namespace reef::metrics
