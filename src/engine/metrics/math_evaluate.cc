#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/metrics/math.h"

namespace reef::metrics {
namespace {

using Kind = MathNode::Kind;
using Outcome = Result<MathValue, MathError>;

std::optional<double> apply(std::string_view op, double a, double b) {
  double out = 0;
  if (op == "+") out = a + b;
  else if (op == "-") out = a - b;
  else if (op == "*") out = a * b;
  else if (op == "/") out = b == 0 ? NAN : a / b;
  else if (op == "^") out = std::pow(a, b);
  else if (op == "==") out = a == b;
  else if (op == "!=") out = a != b;
  else if (op == "<") out = a < b;
  else if (op == ">") out = a > b;
  else if (op == "<=") out = a <= b;
  else if (op == ">=") out = a >= b;
  else if (op == "AND") out = a != 0 && b != 0;
  else out = a != 0 || b != 0;
  // What cannot be computed is no data point.
  return std::isfinite(out) ? std::optional(out) : std::nullopt;
}

TimeSeries combine(std::string_view op, const TimeSeries& a, const TimeSeries& b) {
  TimeSeries out{.id = a.id, .label = a.label, .period = std::max(a.period, b.period), .points = {}};
  auto x = a.points.begin();
  auto y = b.points.begin();
  // A time that only one of them has: the other counts as zero.
  while (x != a.points.end() || y != b.points.end()) {
    const std::int64_t second = y == b.points.end() || (x != a.points.end() && x->first <= y->first) ? x->first : y->first;
    const double left = x != a.points.end() && x->first == second ? (x++)->second : 0;
    const double right = y != b.points.end() && y->first == second ? (y++)->second : 0;
    if (const auto value = apply(op, left, right)) out.points.emplace_back(second, *value);
  }
  return out;
}

TimeSeries combine(std::string_view op, const TimeSeries& a, double b, bool is_swapped) {
  TimeSeries out{.id = a.id, .label = a.label, .period = a.period, .points = {}};
  for (const auto& [second, value] : a.points)
    if (const auto result = is_swapped ? apply(op, b, value) : apply(op, value, b)) out.points.emplace_back(second, *result);
  return out;
}

Outcome binary(std::string_view op, const MathValue& a, const MathValue& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x && y) {
    const auto value = apply(op, *x, *y);
    if (!value) return Err(math_error("A scalar of the expression is not a finite number"));
    return MathValue(*value);
  }
  const auto* s = std::get_if<TimeSeries>(&a);
  const auto* t = std::get_if<TimeSeries>(&b);
  if (s && t) return MathValue(combine(op, *s, *t));
  if (s && y) return MathValue(combine(op, *s, *y, false));
  if (x && t) return MathValue(combine(op, *t, *x, true));
  const auto* many = std::get_if<std::vector<TimeSeries>>(&a);
  const auto* others = std::get_if<std::vector<TimeSeries>>(&b);
  std::vector<TimeSeries> out;
  if (many && others) {
    if (many->size() != others->size()) return Err(math_error(fmt::format("Operator {} has arrays of different lengths", op)));
    for (std::size_t i = 0; i < many->size(); ++i) out.push_back(combine(op, (*many)[i], (*others)[i]));
  } else if (many) {
    for (const TimeSeries& one : *many) out.push_back(t ? combine(op, one, *t) : combine(op, one, *y, false));
  } else {
    for (const TimeSeries& one : *others) {
      out.push_back(s ? combine(op, *s, one) : combine(op, one, *x, true));
      out.back().id = one.id;
      out.back().label = one.label;
    }
  }
  return MathValue(std::move(out));
}

std::size_t points_of(const MathValue& value) {
  if (const auto* one = std::get_if<TimeSeries>(&value)) return one->points.size() + 1;
  std::size_t sum = 1;
  if (const auto* many = std::get_if<std::vector<TimeSeries>>(&value))
    for (const TimeSeries& one : *many) sum += one.points.size() + 1;
  return sum;
}

Outcome evaluate_node(const MathNode& node, const MathContext& context) {
  switch (node.kind) {
    case Kind::kNumber: return MathValue(node.number);
    case Kind::kText: return Err(math_error(fmt::format("A text is not expected here: '{}'", node.text)));
    case Kind::kName: {
      const MathValue* value = context.find(node.text);
      if (!value) return Err(math_error(fmt::format("Undefined variable: {}", node.text)));
      return *value;
    }
    case Kind::kCall: return call_math_function(node, context);
    case Kind::kList: {
      std::vector<TimeSeries> all;
      for (const MathNode& part : node.parts) {
        MathValue value = TRY(evaluate_math(part, context));
        if (auto* one = std::get_if<TimeSeries>(&value)) all.push_back(std::move(*one));
        else if (auto* many = std::get_if<std::vector<TimeSeries>>(&value)) std::move(many->begin(), many->end(), std::back_inserter(all));
        else return Err(math_error("An array may hold time series only"));
        if (all.size() > kMathArrayMax) return Err(math_error(fmt::format("An array may hold at most {} time series", kMathArrayMax)));
      }
      return MathValue(std::move(all));
    }
    case Kind::kNegate: return binary("*", TRY(evaluate_math(node.parts[0], context)), -1.0);
    case Kind::kBinary: return binary(node.text, TRY(evaluate_math(node.parts[0], context)), TRY(evaluate_math(node.parts[1], context)));
  }
  return Err(math_error("The expression cannot be evaluated"));
}

}  // namespace

Outcome evaluate_math(const MathNode& node, const MathContext& context) {
  MathValue value = TRY(evaluate_node(node, context));
  if (!context.budget) return value;
  const std::size_t points = points_of(value);
  if (points > *context.budget) return Err(math_error("The request computes too many data points"));
  *context.budget -= points;
  return value;
}

}  // namespace reef::metrics
