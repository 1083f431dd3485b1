// What SEARCH in metric math looks for: '{AWS/EC2,InstanceId} MetricName="CPUUtilization" NOT spot'.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/metrics/math.h"
#include "engine/metrics/series.h"

namespace reef::metrics {

struct SearchTerm {
  enum class Kind { kAll, kAny, kNot, kWord };
  Kind kind = Kind::kAll;
  std::vector<SearchTerm> parts;  // of kAll, kAny and kNot
  std::string property;           // "Namespace", "MetricName" or a dimension's name; empty: any of them, and names of dimensions
  std::string text;
  bool is_exact = false;          // in quotes: the whole value; otherwise words of it, whatever their case
};

struct MetricSearch {
  struct Schema {
    std::string space;
    std::set<std::string> dimensions;  // exactly these
  };
  std::optional<Schema> schema;
  SearchTerm term;
};

inline constexpr std::size_t kSearchCharactersMax = 1024;

Result<MetricSearch, MathError> parse_search(std::string_view text);
bool matches(const MetricSearch& search, const MetricId& metric);

}  // namespace reef::metrics
