#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "engine/metrics/math.h"

namespace reef::metrics {
namespace {

using Kind = MathNode::Kind;
using Outcome = Result<MathValue, MathError>;
using Many = std::vector<TimeSeries>;
using Function = Outcome (*)(const MathNode& call, const MathContext& context);

MathError wrong_arguments(const MathNode& call) { return math_error(fmt::format("Invalid arguments of function {}", call.text)); }

// A function of each series on its own.
template <class F>
Outcome each_series(const MathNode& call, const MathContext& context, F change) {
  if (call.parts.empty()) return Err(wrong_arguments(call));
  MathValue value = TRY(evaluate_math(call.parts[0], context));
  if (auto* one = std::get_if<TimeSeries>(&value)) change(*one);
  else if (auto* many = std::get_if<Many>(&value)) std::for_each(many->begin(), many->end(), change);
  else return Err(wrong_arguments(call));
  return value;
}

template <class F>
Outcome each_point(const MathNode& call, const MathContext& context, F change) {
  if (call.parts.size() != 1) return Err(wrong_arguments(call));
  MathValue value = TRY(evaluate_math(call.parts[0], context));
  if (const auto* scalar = std::get_if<double>(&value)) return MathValue(change(0, *scalar));
  const auto change_series = [&](TimeSeries& series) {
    for (auto& [second, number] : series.points) number = change(second, number);
    std::erase_if(series.points, [](const auto& point) { return !std::isfinite(point.second); });
  };
  if (auto* one = std::get_if<TimeSeries>(&value)) change_series(*one);
  else for (TimeSeries& series : std::get<Many>(value)) change_series(series);
  return value;
}

// Numbers into one; `width` is how many series there were.
using Reduce = double (*)(const std::vector<double>& values, std::size_t width);
double sum(const std::vector<double>& values, std::size_t) {
  double out = 0;
  for (const double value : values) out += value;
  return out;
}
double average(const std::vector<double>& values, std::size_t width) { return sum(values, 0) / static_cast<double>(width); }
double minimum(const std::vector<double>& values, std::size_t) { return *std::min_element(values.begin(), values.end()); }
double maximum(const std::vector<double>& values, std::size_t) { return *std::max_element(values.begin(), values.end()); }
double count(const std::vector<double>& values, std::size_t) { return static_cast<double>(values.size()); }
double deviation(const std::vector<double>& values, std::size_t) {
  const double mean = average(values, values.size());
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

std::optional<double> reduce_series(const TimeSeries& series, Reduce reduce) {
  std::vector<double> values;
  for (const auto& [second, value] : series.points) values.push_back(value);
  if (values.empty()) return std::nullopt;
  return reduce(values, values.size());
}

// One series becomes a number, an array of them one series.
Outcome aggregate(const MathNode& call, const MathContext& context, Reduce reduce) {
  if (call.parts.size() != 1) return Err(wrong_arguments(call));
  const MathValue value = TRY(evaluate_math(call.parts[0], context));
  if (std::holds_alternative<double>(value)) return value;
  if (const auto* one = std::get_if<TimeSeries>(&value)) return MathValue(reduce_series(*one, reduce).value_or(0));
  std::map<std::int64_t, std::vector<double>> by_second;
  TimeSeries out{.period = context.period};
  const Many& many = std::get<Many>(value);
  for (const TimeSeries& series : many) {
    out.period = std::max(out.period, series.period);
    for (const auto& [second, number] : series.points) by_second[second].push_back(number);
  }
  for (const auto& [second, values] : by_second) out.points.emplace_back(second, reduce(values, many.size()));
  return MathValue(std::move(out));
}

// What follows from a point and the one before it.
template <class F>
Outcome differences(const MathNode& call, const MathContext& context, F of) {
  if (call.parts.size() != 1) return Err(wrong_arguments(call));
  return each_series(call, context, [&](TimeSeries& series) {
    std::vector<std::pair<std::int64_t, double>> out;
    for (std::size_t i = 1; i < series.points.size(); ++i) {
      const auto& [before, old_value] = series.points[i - 1];
      const auto& [second, value] = series.points[i];
      out.emplace_back(second, of(value - old_value, static_cast<double>(second - before)));
    }
    series.points = std::move(out);
  });
}

std::vector<std::int64_t> seconds_of(const MathContext& context, std::int64_t period) {
  std::vector<std::int64_t> out;
  for (std::int64_t second = context.from; second < context.to && out.size() < 100'800; second += std::max<std::int64_t>(period, 1)) out.push_back(second);
  return out;
}

void fill(TimeSeries& series, const MathContext& context, std::string_view how, const MathValue& filler) {
  std::map<std::int64_t, double> points(series.points.begin(), series.points.end());
  const std::map<std::int64_t, double> known = points;
  std::map<std::int64_t, double> other;
  if (const auto* from = std::get_if<TimeSeries>(&filler)) other.insert(from->points.begin(), from->points.end());
  // On the series' own times, which need not be those of the request's first second.
  MathContext own = context;
  if (!series.points.empty()) own.from = series.points[0].first - (series.points[0].first - context.from) / series.period * series.period;
  else if (series.period >= 60) own.from -= own.from % 60;
  for (const std::int64_t second : seconds_of(own, series.period)) {
    if (known.contains(second)) continue;
    const auto after = known.upper_bound(second);
    if (how == "REPEAT") {
      if (after != known.begin()) points[second] = std::prev(after)->second;
    } else if (how == "LINEAR") {
      if (after == known.begin() || after == known.end()) continue;
      const auto before = std::prev(after);
      const double part = static_cast<double>(second - before->first) / static_cast<double>(after->first - before->first);
      points[second] = before->second + (after->second - before->second) * part;
    } else if (const auto* number = std::get_if<double>(&filler)) {
      points[second] = *number;
    } else if (const auto found = other.find(second); found != other.end()) {
      points[second] = found->second;
    }
  }
  series.points.assign(points.begin(), points.end());
}

Outcome call_fill(const MathNode& call, const MathContext& context) {
  if (call.parts.size() != 2) return Err(wrong_arguments(call));
  const MathNode& second = call.parts[1];
  const bool is_word = second.kind == Kind::kName && (second.text == "REPEAT" || second.text == "LINEAR");
  MathValue filler = 0.0;
  if (!is_word) filler = TRY(evaluate_math(second, context));
  if (std::holds_alternative<Many>(filler)) return Err(wrong_arguments(call));
  return each_series(call, context, [&](TimeSeries& series) { fill(series, context, is_word ? second.text : "", filler); });
}

std::optional<double> at(const MathValue& value, std::int64_t second) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  const auto& points = std::get<TimeSeries>(value).points;
  const auto found = std::lower_bound(points.begin(), points.end(), second, [](const auto& point, std::int64_t wanted) { return point.first < wanted; });
  return found != points.end() && found->first == second ? std::optional(found->second) : std::nullopt;
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#using-IF-expressions
Outcome call_if(const MathNode& call, const MathContext& context) {
  if (call.parts.size() != 2 && call.parts.size() != 3) return Err(wrong_arguments(call));
  std::vector<MathValue> values;
  for (const MathNode& part : call.parts) {
    values.push_back(TRY(evaluate_math(part, context)));
    if (std::holds_alternative<Many>(values.back())) return Err(wrong_arguments(call));
  }
  TimeSeries out{.period = context.period};
  std::map<std::int64_t, bool> seconds;
  bool has_series = false;
  for (const MathValue& value : values)
    if (const auto* series = std::get_if<TimeSeries>(&value)) {
      has_series = true;
      out.period = std::max(out.period, series->period);
      for (const auto& [second, number] : series->points) seconds[second] = true;
    }
  if (!has_series) {
    if (std::get<double>(values[0]) != 0) return values[1];
    if (values.size() == 3) return values[2];
    return Err(wrong_arguments(call));
  }
  // With a series as its condition, the result has the condition's times.
  const bool by_condition = std::holds_alternative<TimeSeries>(values[0]);
  for (const auto& [second, present] : seconds) {
    const auto condition = at(values[0], second);
    if (by_condition && !condition) continue;
    const bool is_true = condition.value_or(0) != 0;
    if (!is_true && values.size() == 2) continue;
    if (const auto value = at(is_true ? values[1] : values[2], second)) out.points.emplace_back(second, *value);
  }
  return MathValue(std::move(out));
}

Result<Many, MathError> array_argument(const MathNode& call, const MathContext& context, std::size_t least, std::size_t most) {
  if (call.parts.size() < least || call.parts.size() > most) return Err(wrong_arguments(call));
  MathValue value = TRY(evaluate_math(call.parts[0], context));
  if (auto* many = std::get_if<Many>(&value)) return std::move(*many);
  return Err(wrong_arguments(call));
}

Result<std::size_t, MathError> index_argument(const MathNode& call, const MathContext& context, std::size_t at) {
  const MathValue value = TRY(evaluate_math(call.parts[at], context));
  const auto* number = std::get_if<double>(&value);
  if (!number || *number < 0 || *number > 100'000) return Err(wrong_arguments(call));
  return static_cast<std::size_t>(*number);
}

Outcome call_sort(const MathNode& call, const MathContext& context) {
  Many many = TRY(array_argument(call, context, 3, 4));
  static const std::map<std::string, Reduce, std::less<>> kBy = {{"AVG", average}, {"MIN", minimum}, {"MAX", maximum}, {"SUM", sum}};
  const auto by = kBy.find(call.parts[1].text);
  const std::string& order = call.parts[2].text;
  if (by == kBy.end() || (order != "ASC" && order != "DESC")) return Err(wrong_arguments(call));
  std::vector<std::pair<double, std::size_t>> places;  // series of the same value stay in their order
  for (std::size_t i = 0; i < many.size(); ++i) {
    const double value = reduce_series(many[i], by->second).value_or(-INFINITY);
    places.emplace_back(order == "ASC" ? value : -value, i);
  }
  std::sort(places.begin(), places.end());
  Many sorted;
  for (const auto& [value, index] : places) sorted.push_back(std::move(many[index]));
  many = std::move(sorted);
  if (call.parts.size() == 4) many.resize(std::min(many.size(), TRY(index_argument(call, context, 3))));
  return MathValue(std::move(many));
}

Outcome call_slice(const MathNode& call, const MathContext& context) {
  Many many = TRY(array_argument(call, context, 2, 3));
  const std::size_t from = std::min(TRY(index_argument(call, context, 1)), many.size());
  const std::size_t to = call.parts.size() == 3 ? std::min(TRY(index_argument(call, context, 2)), many.size()) : from + 1;
  if (call.parts.size() == 2) {  // one of them
    if (from >= many.size()) return Err(wrong_arguments(call));
    return MathValue(std::move(many[from]));
  }
  if (to < from) return Err(wrong_arguments(call));
  return MathValue(Many(many.begin() + static_cast<std::ptrdiff_t>(from), many.begin() + static_cast<std::ptrdiff_t>(to)));
}

Outcome pick(const MathNode& call, const MathContext& context, bool first) {
  Many many = TRY(array_argument(call, context, 1, 1));
  if (many.empty()) return MathValue(TimeSeries{.period = context.period});
  return MathValue(std::move(first ? many.front() : many.back()));
}

// Parts of the calendar, in UTC.
template <class F>
Outcome calendar(const MathNode& call, const MathContext& context, F of) {
  return each_point(call, context, [&](std::int64_t second, double) {
    const std::chrono::sys_seconds time{std::chrono::seconds(second)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    return static_cast<double>(of(second, std::chrono::year_month_day(day), std::chrono::weekday(day)));
  });
}
using Date = std::chrono::year_month_day;
using Weekday = std::chrono::weekday;

#define POINT(name, expression) {#name, [](const MathNode& c, const MathContext& x) { return each_point(c, x, [](std::int64_t, double v) { return expression; }); }}
#define REDUCE(name, function) {#name, [](const MathNode& c, const MathContext& x) { return aggregate(c, x, function); }}
#define DIFFERENCE(name, expression) {#name, [](const MathNode& c, const MathContext& x) { return differences(c, x, [](double dv, double dt) { (void)dv, (void)dt; return expression; }); }}
#define CALENDAR(name, expression) {#name, [](const MathNode& c, const MathContext& x) { return calendar(c, x, [](std::int64_t s, Date d, Weekday w) { (void)s, (void)d, (void)w; return expression; }); }}

const std::map<std::string, Function, std::less<>> kFunctions = {
    POINT(ABS, std::fabs(v)), POINT(CEIL, std::ceil(v)), POINT(FLOOR, std::floor(v)), POINT(LOG, v > 0 ? std::log(v) : NAN), POINT(LOG10, v > 0 ? std::log10(v) : NAN),
    REDUCE(SUM, sum), REDUCE(AVG, average), REDUCE(MIN, minimum), REDUCE(MAX, maximum), REDUCE(STDDEV, deviation), REDUCE(DATAPOINT_COUNT, count),
    DIFFERENCE(DIFF, dv), DIFFERENCE(DIFF_TIME, dt), DIFFERENCE(RATE, dv / dt),
    CALENDAR(MINUTE, s / 60 % 60), CALENDAR(HOUR, s / 3600 % 24), CALENDAR(DAY, w.iso_encoding()), CALENDAR(DATE, static_cast<unsigned>(d.day())),
    CALENDAR(MONTH, static_cast<unsigned>(d.month())), CALENDAR(YEAR, static_cast<int>(d.year())), CALENDAR(EPOCH, s),
    {"FILL", call_fill}, {"IF", call_if}, {"SORT", call_sort}, {"SLICE", call_slice},
    {"FIRST", [](const MathNode& c, const MathContext& x) { return pick(c, x, true); }},
    {"LAST", [](const MathNode& c, const MathContext& x) { return pick(c, x, false); }},
    {"METRICS", [](const MathNode& c, const MathContext& x) -> Outcome {
       if (c.parts.size() > 1 || (c.parts.size() == 1 && c.parts[0].kind != Kind::kText)) return Err(wrong_arguments(c));
       return MathValue(x.metrics(c.parts.empty() ? std::string_view() : std::string_view(c.parts[0].text)));
     }},
    {"SEARCH", [](const MathNode& c, const MathContext& x) -> Outcome {
       const auto is = [&](std::size_t i, Kind kind) { return c.parts.size() > i && c.parts[i].kind == kind; };
       if (!is(0, Kind::kText) || !is(1, Kind::kText) || c.parts.size() > 3 || (c.parts.size() == 3 && !is(2, Kind::kNumber))) return Err(wrong_arguments(c));
       if (!x.search) return Err(math_error("SEARCH cannot be used here"));
       const std::int64_t period = c.parts.size() == 3 ? static_cast<std::int64_t>(std::clamp(c.parts[2].number, 0.0, 86400.0 * 366)) : x.period;
       return MathValue(TRY(x.search(c.parts[0].text, c.parts[1].text, period)));
     }},
    {"METRIC_COUNT", [](const MathNode& c, const MathContext& x) -> Outcome { return MathValue(static_cast<double>(TRY(array_argument(c, x, 1, 1)).size())); }},
    {"PERIOD", [](const MathNode& c, const MathContext& x) -> Outcome {
       if (c.parts.size() != 1) return Err(wrong_arguments(c));
       const MathValue value = TRY(evaluate_math(c.parts[0], x));
       const auto* series = std::get_if<TimeSeries>(&value);
       if (!series) return Err(wrong_arguments(c));
       return MathValue(static_cast<double>(series->period));
     }},
    {"REMOVE_EMPTY", [](const MathNode& c, const MathContext& x) -> Outcome {
       Many many = TRY(array_argument(c, x, 1, 1));
       std::erase_if(many, [](const TimeSeries& series) { return series.points.empty(); });
       return MathValue(std::move(many));
     }},
    {"RUNNING_SUM", [](const MathNode& c, const MathContext& x) {
       return each_series(c, x, [](TimeSeries& series) {
         double total = 0;
         for (auto& [second, value] : series.points) value = total += value;
       });
     }},
    {"TIME_SERIES", [](const MathNode& c, const MathContext& x) -> Outcome {
       if (c.parts.size() != 1) return Err(wrong_arguments(c));
       const MathValue value = TRY(evaluate_math(c.parts[0], x));
       const auto* number = std::get_if<double>(&value);
       if (!number) return Err(wrong_arguments(c));
       TimeSeries out{.period = x.period};
       for (const std::int64_t second : seconds_of(x, x.period)) out.points.emplace_back(second, *number);
       return MathValue(std::move(out));
     }},
};
#undef POINT
#undef REDUCE
#undef DIFFERENCE
#undef CALENDAR

}  // namespace

bool is_math_function(std::string_view name) { return kFunctions.contains(name); }

bool is_unsupported_math_function(std::string_view name) {
  static constexpr std::string_view kNames[] = {"ANOMALY_DETECTION_BAND", "INSIGHT_RULE_METRIC", "SERVICE_QUOTA", "LAMBDA", "DB_PERF_INSIGHTS"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Outcome call_math_function(const MathNode& call, const MathContext& context) { return kFunctions.find(call.text)->second(call, context); }

}  // namespace reef::metrics
