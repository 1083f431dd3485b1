#include "service/cloudwatch/data_query.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/text.h"
#include "engine/metrics/search.h"

namespace reef::service::cloudwatch {
namespace {

using metrics::MathValue;
using metrics::TimeSeries;

Reply<void> fault(std::string message) { return Err(aws::validation_error(std::move(message))); }

// What one request may compute: a second or so.
constexpr std::size_t kPointsMax = 20'000'000;
constexpr std::size_t kSearchSeriesMax = 500;  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html

aws::Error math_fault(std::string_view id, const metrics::MathError& error) {
  if (error.is_unsupported) return aws::not_implemented(fmt::format("In the expression of '{}': {}", id, error.message.substr(0, error.message.find(" is not supported"))));
  return aws::validation_error(fmt::format("Error in expression '{}': {}", id, error.message));
}

bool is_id(std::string_view id) {
  return !id.empty() && id[0] >= 'a' && id[0] <= 'z' &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string_view::npos;
}

}  // namespace

Reply<DataQueries> DataQueries::compile(const std::vector<model::MetricDataQuery>& queries, std::string scope) {
  DataQueries out;
  std::int64_t shortest = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const model::MetricDataQuery& from = queries[i];
    const std::string member = fmt::format("MetricDataQueries.member.{}", i + 1);
    if (!is_id(from.id))
      TRY(fault(fmt::format("The value {} for parameter {}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", from.id, member)));
    if (from.metric_stat.has_value() == from.expression.has_value())
      TRY(fault(fmt::format("Exactly one of the parameters {0}.MetricStat and {0}.Expression must be specified.", member)));
    if (!out.by_id_.emplace(from.id, i).second) TRY(fault(fmt::format("The values for parameter Id in MetricDataQueries must be unique: {}", from.id)));
    if (from.account_id && *from.account_id != scope.substr(0, scope.find('/'))) return Err(aws::not_implemented("AccountId of another account in a MetricDataQuery"));
    Query query{.id = from.id, .label = from.label, .returns_data = from.return_data.value_or(true)};
    if (from.metric_stat) {
      const model::MetricStat& stat = *from.metric_stat;
      const auto statistic = metrics::parse_statistic(stat.stat);
      if (!statistic) TRY(fault(fmt::format("The value {} for parameter {}.MetricStat.Stat is not a valid statistic.", stat.stat, member)));
      if (!is_period(stat.period)) TRY(fault(fmt::format("The parameter {}.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60.", member)));
      if (!stat.metric.namespace_ || !stat.metric.metric_name)
        TRY(fault(fmt::format("The parameters {0}.MetricStat.Metric.Namespace and {0}.MetricStat.Metric.MetricName are required.", member)));
      query.metric = metric_id(scope, *stat.metric.namespace_, *stat.metric.metric_name, stat.metric.dimensions);
      query.statistic = *statistic;
      query.statistic_name = stat.stat;
      if (stat.unit) query.unit = metrics::parse_unit(*stat.unit);
      query.period = stat.period;
    } else {
      auto parsed = metrics::parse_math(*from.expression);
      if (!parsed) return Err(math_fault(from.id, parsed.error()));
      query.expression = *std::move(parsed);
      query.period = from.period.value_or(0);
    }
    if (query.period > 0) shortest = shortest == 0 ? query.period : std::min(shortest, query.period);
    out.queries_.push_back(std::move(query));
  }
  out.scope_ = std::move(scope);
  out.period_ = shortest == 0 ? 60 : shortest;
  TRY(out.check_order());
  return out;
}

// No expression may need itself.
Reply<void> DataQueries::check_order() const {
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(queries_.size(), Mark::kNew);
  const std::function<Reply<void>(std::size_t)> visit = [&](std::size_t at) -> Reply<void> {
    if (marks[at] == Mark::kDone) return {};
    if (marks[at] == Mark::kOpen) return fault(fmt::format("Error in expression '{}': it refers to itself", queries_[at].id));
    marks[at] = Mark::kOpen;
    std::set<std::string> names;
    if (queries_[at].expression) metrics::collect_names(*queries_[at].expression, names);
    for (const std::string& name : names) {
      const auto found = by_id_.find(name);
      if (found == by_id_.end()) return fault(fmt::format("Error in expression '{}': Undefined variable: {}", queries_[at].id, name));
      TRY(visit(found->second));
    }
    marks[at] = Mark::kDone;
    return {};
  };
  for (std::size_t i = 0; i < queries_.size(); ++i) TRY(visit(i));
  return {};
}

std::size_t DataQueries::returning() const {
  return static_cast<std::size_t>(std::count_if(queries_.begin(), queries_.end(), [](const Query& query) { return query.returns_data; }));
}

bool DataQueries::has_search() const {
  return std::any_of(queries_.begin(), queries_.end(), [](const Query& query) { return query.expression && metrics::uses_search(*query.expression); });
}

bool DataQueries::has_metric(const metrics::MetricId& id) const {
  return std::any_of(queries_.begin(), queries_.end(), [&](const Query& query) { return !query.expression && query.metric.key() == id.key(); });
}

// One evaluation: every query at most once.
struct DataQueries::Run {
  const DataQueries& plan;
  metrics::Metrics& metrics;
  std::int64_t from, to, now;
  bool exact;
  std::vector<std::optional<MathValue>> values{};
  std::size_t budget = kPointsMax;

  std::int64_t start(std::int64_t period) const { return exact ? from : round_start(from, now, period); }

  TimeSeries read(const Query& query) {
    TimeSeries out{.id = query.id, .label = query.label.value_or(query.metric.name), .period = query.period, .points = {}};
    for (const metrics::Bucket& bucket : metrics.read(query.metric, query.unit, start(query.period), to, query.period))
      if (const auto value = metrics::compute(query.statistic, bucket)) out.points.emplace_back(bucket.second, *value);
    return out;
  }

  // What the metrics that were found differ in is what their labels show, as on AWS's graphs.
  static std::string label_of(const metrics::MetricId& id, const std::vector<metrics::MetricId>& all) {
    const auto differ = [&](const auto& get) { return std::any_of(all.begin(), all.end(), [&](const metrics::MetricId& one) { return get(one) != get(all.front()); }); };
    std::string out;
    const auto add = [&](const std::string& part) { out += (out.empty() ? "" : " ") + part; };
    if (differ([](const metrics::MetricId& one) { return one.space; })) add(id.space);
    for (const auto& [name, value] : id.dimensions) {
      const auto dimension = [&](const metrics::MetricId& one) {
        const auto found = std::find_if(one.dimensions.begin(), one.dimensions.end(), [&](const auto& pair) { return pair.first == name; });
        return found == one.dimensions.end() ? std::string() : found->second;
      };
      if (differ(dimension)) add(value);
    }
    if (out.empty() || differ([](const metrics::MetricId& one) { return one.name; })) add(id.name);
    return out;
  }

  Result<std::vector<TimeSeries>, metrics::MathError> search(std::string_view text, std::string_view statistic_name, std::int64_t step) {
    const metrics::MetricSearch wanted = TRY(metrics::parse_search(text));
    const auto statistic = metrics::parse_statistic(statistic_name);
    if (!statistic) return Err(metrics::math_error(fmt::format("{} is not a valid statistic", statistic_name)));
    if (!is_period(static_cast<std::int32_t>(step))) return Err(metrics::math_error("the period of SEARCH must be 1, 5, 10, 20, 30 or a multiple of 60"));
    std::vector<metrics::MetricId> found;
    metrics.each_metric([&](const metrics::Metric& metric) {
      if (metric.id.scope == plan.scope_ && metrics::matches(wanted, metric.id)) found.push_back(metric.id);
    });
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key() < b.key(); });
    found.erase(std::unique(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key() == b.key(); }), found.end());
    if (found.size() > kSearchSeriesMax) found.resize(kSearchSeriesMax);
    std::vector<TimeSeries> out;
    for (const metrics::MetricId& id : found) {
      TimeSeries series{.id = {}, .label = label_of(id, found), .period = step, .points = {}};
      for (const metrics::Bucket& bucket : metrics.read(id, std::nullopt, start(step), to, step))
        if (const auto value = metrics::compute(*statistic, bucket)) series.points.emplace_back(bucket.second, *value);
      out.push_back(std::move(series));
    }
    return out;
  }

  Reply<const MathValue*> value(std::size_t at) {
    if (values[at]) return &*values[at];
    const Query& query = plan.queries_[at];
    if (!query.expression) return &values[at].emplace(read(query));
    // What it refers to comes first: evaluation itself cannot fail on the way.
    std::set<std::string> names;
    metrics::collect_names(*query.expression, names);
    for (const std::string& name : names) TRY(value(plan.by_id_.find(name)->second));
    if (metrics::uses_all_metrics(*query.expression))
      for (std::size_t i = 0; i < values.size(); ++i)
        if (!plan.queries_[i].expression) TRY(value(i));
    const std::int64_t period = query.period > 0 ? query.period : plan.period_;
    const metrics::MathContext context{
        .from = start(period), .to = to, .period = period,
        .find = [&](std::string_view id) -> const MathValue* {
          const auto found = plan.by_id_.find(id);
          return found == plan.by_id_.end() || !values[found->second] ? nullptr : &*values[found->second];
        },
        .metrics = [&](std::string_view part) {
          std::vector<TimeSeries> all;
          for (std::size_t i = 0; i < values.size(); ++i)
            if (!plan.queries_[i].expression && plan.queries_[i].id.find(part) != std::string::npos) all.push_back(std::get<TimeSeries>(*values[i]));
          return all;
        },
        .search = [&](std::string_view wanted, std::string_view statistic, std::int64_t step) { return search(wanted, statistic, step); },
        .budget = &budget};
    auto result = metrics::evaluate_math(*query.expression, context);
    if (!result) return Err(math_fault(query.id, result.error()));
    return &values[at].emplace(*std::move(result));
  }

  std::string property(const Query& query, std::string_view name) const {
    if (query.expression) return {};
    const auto& scope = query.metric.scope;
    if (name == "MetricName") return query.metric.name;
    if (name == "Namespace") return query.metric.space;
    if (name == "Stat") return query.statistic_name;
    if (name == "Period") return std::to_string(query.period);
    if (name == "AccountId") return scope.substr(0, scope.find('/'));
    if (name == "Region") return scope.substr(scope.find('/') + 1);
    if (name.starts_with("Dim."))
      for (const auto& [dimension, value] : query.metric.dimensions)
        if (dimension == name.substr(4)) return value;
    return {};
  }
};

Reply<std::vector<DataQueries::Answer>> DataQueries::evaluate(metrics::Metrics& metrics, std::int64_t from, std::int64_t to, std::int64_t now, bool exact,
                                                             std::int64_t zone) const {
  Run run{.plan = *this, .metrics = metrics, .from = from, .to = to, .now = now, .exact = exact};
  run.values.resize(queries_.size());
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < queries_.size(); ++i) {
    const Query& query = queries_[i];
    if (!query.returns_data) continue;
    const MathValue& value = *TRY(run.value(i));
    const auto answer = [&](const TimeSeries& series, std::string label) {
      label = dynamic_label(label, series, [&](std::string_view name) { return run.property(query, name); }, zone);
      answers.push_back({.id = query.id, .label = std::move(label), .series = series});
    };
    if (std::holds_alternative<double>(value))
      return Err(aws::validation_error(fmt::format("Error in expression '{}': The expression must return a time series or an array of time series", query.id)));
    if (const auto* one = std::get_if<TimeSeries>(&value)) {
      answer(*one, query.label.value_or(query.expression ? query.id : query.metric.name));
      continue;
    }
    // An array: each of its series under the same id.
    for (const TimeSeries& one : std::get<std::vector<TimeSeries>>(value)) {
      const std::string prefix = query.label.value_or(query.id);
      answer(one, prefix.empty() ? one.label : one.label.empty() ? prefix : prefix + " " + one.label);
    }
  }
  return answers;
}

std::optional<std::int64_t> parse_zone(std::string_view text) {
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = parse_int<std::int64_t>(text.substr(1, 2)), minutes = parse_int<std::int64_t>(text.substr(3));
  if (!hours || !minutes || *hours > 23 || *minutes > 59 || *hours < 0 || *minutes < 0) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

std::string dynamic_label(std::string_view label, const TimeSeries& series, const std::function<std::string(std::string_view)>& property, std::int64_t zone) {
  std::string out;
  while (!label.empty()) {
    const auto begin = label.find("${");
    const auto end = begin == std::string_view::npos ? begin : label.find('}', begin);
    if (end == std::string_view::npos) break;
    out += label.substr(0, begin);
    const std::string_view name = label.substr(begin + 2, end - begin - 2), whole = label.substr(begin, end + 1 - begin);
    label.remove_prefix(end + 1);
    if (name.starts_with("PROP('") && name.ends_with("')")) {
      out += property(name.substr(6, name.size() - 8));
      continue;
    }
    if (name == "LABEL") {
      out += series.label;
      continue;
    }
    const auto& points = series.points;
    double sum = 0, least = INFINITY, most = -INFINITY;
    std::int64_t least_at = 0, most_at = 0;
    for (const auto& [second, value] : points) {
      sum += value;
      if (value < least) least = value, least_at = second;
      if (value > most) most = value, most_at = second;
    }
    if (name == "FIRST_TIME" || name == "LAST_TIME" || name == "MIN_TIME" || name == "MAX_TIME") {
      const std::int64_t at = points.empty() ? 0 : name == "FIRST_TIME" ? points.front().first : name == "LAST_TIME" ? points.back().first : name == "MIN_TIME" ? least_at : most_at;
      out += points.empty() ? "--" : fmt::format("{:%m/%d %H:%M}", fmt::gmtime(static_cast<std::time_t>(at + zone)));
      continue;
    }
    const double count = static_cast<double>(points.size());
    const bool is_known = name == "AVG" || name == "MIN" || name == "MAX" || name == "FIRST" || name == "LAST" || name == "SUM" || name == "DATAPOINT_COUNT";
    if (!is_known) out += whole;
    else if (name == "SUM") out += format_double(sum);
    else if (name == "DATAPOINT_COUNT") out += format_double(count);
    else if (points.empty()) out += "--";
    else out += format_double(name == "AVG" ? sum / count : name == "MIN" ? least : name == "MAX" ? most : name == "FIRST" ? points.front().second : points.back().second);
  }
  out += label;
  return out;
}

}  // namespace reef::service::cloudwatch
