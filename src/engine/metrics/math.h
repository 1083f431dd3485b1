// Metric math: "IF(m1 > 100, SUM(METRICS()) / PERIOD(m1), 0)" over time series. Parsed once, evaluated without clock or I/O.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace reef::metrics {

struct TimeSeries {
  std::string id, label;
  std::int64_t period = 60;
  std::vector<std::pair<std::int64_t, double>> points;  // by second, in order
};
using MathValue = std::variant<double, TimeSeries, std::vector<TimeSeries>>;

struct MathError {
  std::string message;
  bool is_unsupported = false;  // AWS knows it, this does not
};

struct MathNode {
  enum class Kind { kNumber, kText, kName, kCall, kList, kNegate, kBinary };
  Kind kind = Kind::kNumber;
  double number = 0;
  std::string text;  // of a name or call; the operator: "+", "<=", "AND"
  std::vector<MathNode> parts;
};

inline constexpr std::size_t kMathDepthMax = 64;
inline constexpr std::size_t kMathArrayMax = 2000;  // series in one array

// Syntax, and that the functions exist; not the number and type of their arguments.
Result<MathNode, MathError> parse_math(std::string_view text);
// The ids of metrics and expressions that it names.
void collect_names(const MathNode& node, std::set<std::string>& names);
// It has METRICS() in it.
bool uses_all_metrics(const MathNode& node);
// It has SEARCH() in it.
bool uses_search(const MathNode& node);

struct MathContext {
  std::int64_t from = 0, to = 0;  // of the request: what FILL and TIME_SERIES fill
  std::int64_t period = 60;       // of series that come from numbers alone
  // The series behind an id; nullptr when there is none.
  std::function<const MathValue*(std::string_view id)> find;
  // Every metric of the request that is no expression, whose id contains the text.
  std::function<std::vector<TimeSeries>(std::string_view part)> metrics;
  // The series that a search expression finds, of that statistic. Without it there is no SEARCH.
  std::function<Result<std::vector<TimeSeries>, MathError>(std::string_view wanted, std::string_view statistic, std::int64_t period)> search;
  // Data points that may still be computed; expressions share one thread with everything else. nullptr: any number.
  std::size_t* budget = nullptr;
};

Result<MathValue, MathError> evaluate_math(const MathNode& node, const MathContext& context);

// Every function that is served, and those of AWS that are not.
bool is_math_function(std::string_view name);
bool is_unsupported_math_function(std::string_view name);
Result<MathValue, MathError> call_math_function(const MathNode& call, const MathContext& context);
MathError math_error(std::string message);

}  // namespace reef::metrics
