#include "engine/metrics/statistic.h"

#include <cmath>
#include <limits>
#include <string>

#include "base/text.h"

namespace reef::metrics {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Kind = Statistic::Kind;

struct Bound {
  double value = 0;
  bool is_percent = false, is_given = false;
};

std::optional<Bound> parse_bound(std::string_view text) {
  text = trim(text);
  if (text.empty()) return Bound{};
  Bound bound{.is_given = true};
  if (text.ends_with('%')) {
    bound.is_percent = true;
    text.remove_suffix(1);
  }
  const auto number = parse_double(text);
  if (!number || !std::isfinite(*number) || (bound.is_percent && (*number < 0 || *number > 100))) return std::nullopt;
  bound.value = *number;
  return bound;
}

// "(10%:90%)", "(:300)"
std::optional<Statistic> parse_range(Kind kind, std::string_view text) {
  if (!text.starts_with('(') || !text.ends_with(')')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto low = parse_bound(text.substr(0, colon)), high = parse_bound(text.substr(colon + 1));
  if (!low || !high || (!low->is_given && !high->is_given)) return std::nullopt;
  if (low->is_given && high->is_given && (low->is_percent != high->is_percent || low->value >= high->value)) return std::nullopt;
  Statistic out{.kind = kind};
  out.by_value = low->is_given ? !low->is_percent : !high->is_percent;
  if (kind == Kind::kPercentileRank && !out.by_value) return std::nullopt;
  if (out.by_value) {
    out.low = low->is_given ? low->value : -kInfinity;
    out.high = high->is_given ? high->value : kInfinity;
  } else {
    out.low = low->is_given ? low->value / 100 : 0;
    out.high = high->is_given ? high->value / 100 : 1;
  }
  return out;
}

// "99.9": at most ten decimal places, 0 to 100.
std::optional<double> parse_percent(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  const auto dot = text.find('.');
  if (dot != std::string_view::npos && text.size() - dot - 1 > 10) return std::nullopt;
  const auto number = parse_double(text);
  if (!number || *number < 0 || *number > 100) return std::nullopt;
  return *number / 100;
}

double winsorized_mean(const Statistic& statistic, const Distribution& values) {
  const double low = statistic.by_value ? statistic.low : values.percentile(statistic.low);
  const double high = statistic.by_value ? statistic.high : values.percentile(statistic.high);
  double sum = 0, count = 0;
  for (const auto& [value, samples] : values.entries()) {
    sum += std::min(std::max(value, low), high) * samples;
    count += samples;
  }
  return sum / count;
}

}  // namespace

double Statistic::samples_needed() const {
  if (kind != Kind::kPercentile || high <= 0 || high >= 1) return 0;
  return high >= 0.5 ? 10 / (1 - high) : 10 / high;
}

std::optional<Statistic> parse_statistic(std::string_view name) {
  if (name == "SampleCount") return Statistic{.kind = Kind::kSampleCount};
  if (name == "Average") return Statistic{.kind = Kind::kAverage};
  if (name == "Sum") return Statistic{.kind = Kind::kSum};
  if (name == "Minimum") return Statistic{.kind = Kind::kMinimum};
  if (name == "Maximum") return Statistic{.kind = Kind::kMaximum};
  if (equals_ignoring_case(name, "IQM")) return Statistic{.kind = Kind::kTrimmedMean, .low = 0.25, .high = 0.75};
  if (name.starts_with('p') && !name.starts_with("pr")) {
    const auto rank = parse_percent(name.substr(1));
    if (!rank) return std::nullopt;
    return Statistic{.kind = Kind::kPercentile, .high = *rank};
  }
  struct Prefix {
    std::string_view text;
    Kind kind;
  };
  for (const Prefix& prefix : {Prefix{"tm", Kind::kTrimmedMean}, {"wm", Kind::kWinsorizedMean}, {"tc", Kind::kTrimmedCount}, {"ts", Kind::kTrimmedSum}, {"pr", Kind::kPercentileRank}}) {
    if (name.size() < 3 || !equals_ignoring_case(name.substr(0, 2), prefix.text)) continue;
    if (name[2] == '(') return parse_range(prefix.kind, name.substr(2));
    const auto high = parse_percent(name.substr(2));
    if (!high || prefix.kind == Kind::kPercentileRank) return std::nullopt;
    return Statistic{.kind = prefix.kind, .high = *high};
  }
  return std::nullopt;
}

std::optional<double> compute(const Statistic& statistic, const Bucket& bucket) {
  const Summary& summary = bucket.summary;
  if (summary.count <= 0) return std::nullopt;
  std::optional<Distribution> values;
  if (statistic.is_extended() && !(values = bucket.distribution())) return std::nullopt;
  const auto trimmed = [&] {
    return statistic.by_value ? values->sum_between(statistic.low, statistic.high) : values->sum_between_ranks(statistic.low, statistic.high);
  };
  switch (statistic.kind) {
    case Kind::kSampleCount: return summary.count;
    case Kind::kAverage: return summary.sum / summary.count;
    case Kind::kSum: return summary.sum;
    case Kind::kMinimum: return summary.min;
    case Kind::kMaximum: return summary.max;
    case Kind::kPercentile: return values->percentile(statistic.high);
    case Kind::kTrimmedMean: {
      const auto [sum, count] = trimmed();
      return count > 0 ? std::optional(sum / count) : std::nullopt;
    }
    case Kind::kWinsorizedMean: return winsorized_mean(statistic, *values);
    case Kind::kTrimmedCount: return trimmed().second;
    case Kind::kTrimmedSum: return trimmed().first;
    case Kind::kPercentileRank: return values->count_between(statistic.low, statistic.high) / values->total() * 100;
  }
  return std::nullopt;
}

}  // namespace reef::metrics
