// Whether an alarm rings: M out of the last N data points, with AWS's ways of treating those that are missing. Pure.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reef::metrics {

enum class AlarmState : std::uint8_t { kOk, kAlarm, kInsufficientData };
enum class Comparison : std::uint8_t { kGreaterOrEqual, kGreater, kLess, kLessOrEqual };
enum class MissingData : std::uint8_t { kMissing, kIgnore, kBreaching, kNotBreaching };

struct AlarmRule {
  Comparison comparison = Comparison::kGreater;
  double threshold = 0;
  std::int32_t evaluation_periods = 1;   // N
  std::int32_t datapoints_to_alarm = 1;  // M
  MissingData missing = MissingData::kMissing;
  // Of percentiles: fewer samples in a period leave the state as it is. 0: any number will do.
  double samples_needed = 0;
};

struct AlarmPoint {
  std::int64_t second = 0;  // when its period begins
  double value = 0;
  double samples = 0;
};

struct AlarmVerdict {
  AlarmState state = AlarmState::kInsufficientData;
  std::string reason;
  std::vector<AlarmPoint> evaluated;  // the real ones that counted, newest first
};

// So many periods are looked at: more than N, so that late or sparse data points count.
std::int32_t evaluation_range(const AlarmRule& rule);
bool is_breaching(const AlarmRule& rule, double value);

// `points`: by period, newest first, evaluation_range() long; nothing where there is no data. `current` stays when the rule
// says that missing data is ignored.
AlarmVerdict evaluate_alarm(const AlarmRule& rule, const std::vector<std::optional<AlarmPoint>>& points, AlarmState current);

std::string_view alarm_state_name(AlarmState state);
std::optional<AlarmState> parse_alarm_state(std::string_view name);
std::optional<Comparison> parse_comparison(std::string_view name);
std::optional<MissingData> parse_missing_data(std::string_view name);
// As Java prints a double, which is how AWS shows numbers: "1.0", "2.5E7".
std::string alarm_number(double value);

}  // namespace reef::metrics
