#include "engine/table/evaluate.h"

#include <algorithm>

#include "base/text.h"
#include "engine/table/decimal.h"

namespace reef::table {
namespace {

using Op = Condition::Op;

const AttributeValue* step_into(const AttributeValue& value, const PathStep& step) {
  if (step.is_index) {
    if (!value.is(AttributeKind::kList) || step.index >= value.elements().size()) return nullptr;
    return &value.elements()[step.index];
  }
  if (!value.is(AttributeKind::kMap)) return nullptr;
  const auto found = value.entries().find(step.name);
  return found == value.entries().end() ? nullptr : &found->second;
}

// What size() counts; nothing for kinds that have no size.
std::optional<std::size_t> counted_size(const AttributeValue& value) {
  switch (value.kind()) {
    case AttributeKind::kString:
      return count_code_points(value.text());
    case AttributeKind::kBinary:
      return value.text().size();
    case AttributeKind::kStringSet:
    case AttributeKind::kNumberSet:
    case AttributeKind::kBinarySet:
      return value.members().size();
    case AttributeKind::kList:
      return value.elements().size();
    case AttributeKind::kMap:
      return value.entries().size();
    default:
      return std::nullopt;
  }
}

// The operand's value in `item`, or nullptr; `made` holds what had to be computed.
const AttributeValue* resolve(const Operand& operand, const AttributeMap& item, AttributeValue& made) {
  switch (operand.kind) {
    case Operand::Kind::kPath:
      return find_path(item, operand.path);
    case Operand::Kind::kValue:
      return operand.value;
    case Operand::Kind::kSize: {
      AttributeValue inner;
      const AttributeValue* of = resolve(operand.args[0], item, inner);
      const auto size = of ? counted_size(*of) : std::nullopt;
      if (!size) return nullptr;
      made = AttributeValue::number(std::to_string(*size));
      return &made;
    }
    case Operand::Kind::kIfNotExists:
    case Operand::Kind::kListAppend:
    case Operand::Kind::kPlus:
    case Operand::Kind::kMinus:
      return nullptr;  // only in updates; the parser keeps them out of conditions
  }
  return nullptr;
}

bool compares(Op op, const AttributeValue* a, const AttributeValue* b) {
  if (!a || !b) return op == Op::kNotEqual;
  if (op == Op::kEqual) return *a == *b;
  if (op == Op::kNotEqual) return !(*a == *b);
  const auto order = compare_values(*a, *b);
  if (!order) return false;
  switch (op) {
    case Op::kLess:
      return *order < 0;
    case Op::kLessOrEqual:
      return *order <= 0;
    case Op::kGreater:
      return *order > 0;
    case Op::kGreaterOrEqual:
      return *order >= 0;
    default:
      return false;
  }
}

bool test(const Condition& condition, const AttributeMap& item) {
  AttributeValue made[3];
  const auto value = [&](std::size_t i) { return resolve(condition.operands[i], item, made[std::min<std::size_t>(i, 2)]); };
  const AttributeValue* first = value(0);
  switch (condition.op) {
    case Op::kExists:
      return first != nullptr;
    case Op::kNotExists:
      return first == nullptr;
    case Op::kBetween:
      return compares(Op::kGreaterOrEqual, first, value(1)) && compares(Op::kLessOrEqual, first, value(2));
    case Op::kIn:
      for (std::size_t i = 1; i < condition.operands.size(); ++i)
        if (compares(Op::kEqual, first, value(i))) return true;
      return false;
    case Op::kType: {
      const AttributeValue* type = value(1);
      return first && type && first->kind_name() == type->text();
    }
    case Op::kBeginsWith: {
      const AttributeValue* prefix = value(1);
      if (!first || !prefix || first->kind() != prefix->kind()) return false;
      if (!first->is(AttributeKind::kString) && !first->is(AttributeKind::kBinary)) return false;
      return first->text().starts_with(prefix->text());
    }
    case Op::kContains: {
      const AttributeValue* part = value(1);
      return first && part && contains_value(*first, *part);
    }
    default:
      return compares(condition.op, first, value(1));
  }
}

// The wanted parts of one value, merged from all paths that pass through it.
struct Wanted {
  const PathStep* step = nullptr;
  bool whole = false;
  std::vector<Wanted> parts;

  Wanted& part(const PathStep& wanted_step) {
    for (Wanted& known : parts)
      if (*known.step == wanted_step) return known;
    parts.emplace_back();
    parts.back().step = &wanted_step;
    return parts.back();
  }
};

std::optional<AttributeValue> pick(const AttributeValue& value, const Wanted& wanted) {
  if (wanted.whole) return value;
  if (value.is(AttributeKind::kMap)) {
    AttributeMap entries;
    for (const Wanted& part : wanted.parts)
      if (const AttributeValue* child = step_into(value, *part.step))
        if (auto picked = pick(*child, part)) entries.insert_or_assign(part.step->name, *std::move(picked));
    if (entries.empty()) return std::nullopt;
    return AttributeValue::map(std::move(entries));
  }
  if (value.is(AttributeKind::kList)) {
    std::map<std::uint32_t, AttributeValue> found;
    for (const Wanted& part : wanted.parts)
      if (const AttributeValue* child = step_into(value, *part.step))
        if (auto picked = pick(*child, part)) found.insert_or_assign(part.step->index, *std::move(picked));
    if (found.empty()) return std::nullopt;
    AttributeValue::List elements;
    for (auto& [index, element] : found) elements.push_back(std::move(element));
    return AttributeValue::list(std::move(elements));
  }
  return std::nullopt;
}

}  // namespace

const AttributeValue* find_path(const AttributeMap& item, const Path& path) {
  const auto found = item.find(path.front().name);
  if (found == item.end()) return nullptr;
  const AttributeValue* value = &found->second;
  for (std::size_t i = 1; i < path.size() && value; ++i) value = step_into(*value, path[i]);
  return value;
}

std::optional<std::strong_ordering> compare_values(const AttributeValue& a, const AttributeValue& b) {
  if (a.kind() != b.kind() || !a.is_scalar()) return std::nullopt;
  if (a.is(AttributeKind::kNumber)) return compare_numbers(a.text(), b.text());
  return a.text().compare(b.text()) <=> 0;  // char_traits<char> compares as unsigned bytes
}

bool contains_value(const AttributeValue& whole, const AttributeValue& part) {
  switch (whole.kind()) {
    case AttributeKind::kString:
    case AttributeKind::kBinary:
      return whole.kind() == part.kind() && whole.text().find(part.text()) != std::string::npos;
    case AttributeKind::kStringSet:
      return part.is(AttributeKind::kString) && std::ranges::count(whole.members(), part.text()) > 0;
    case AttributeKind::kNumberSet:
      return part.is(AttributeKind::kNumber) && std::ranges::count(whole.members(), part.text()) > 0;
    case AttributeKind::kBinarySet:
      return part.is(AttributeKind::kBinary) && std::ranges::count(whole.members(), part.text()) > 0;
    case AttributeKind::kList:
      return std::ranges::count(whole.elements(), part) > 0;
    default:
      return false;
  }
}

bool matches(const Condition& condition, const AttributeMap& item) {
  switch (condition.op) {
    case Op::kAnd:
      return std::ranges::all_of(condition.children, [&](const Condition& child) { return matches(child, item); });
    case Op::kOr:
      return std::ranges::any_of(condition.children, [&](const Condition& child) { return matches(child, item); });
    case Op::kNot:
      return !matches(condition.children[0], item);
    default:
      return test(condition, item);
  }
}

AttributeMap project(const AttributeMap& item, const Projection& paths) {
  std::map<std::string_view, Wanted> wanted;
  for (const Path& path : paths) {
    Wanted* at = &wanted[path.front().name];
    for (std::size_t i = 1; i < path.size(); ++i) at = &at->part(path[i]);
    at->whole = true;
  }
  AttributeMap out;
  for (const auto& [name, parts] : wanted) {
    const auto found = item.find(name);
    if (found == item.end()) continue;
    if (auto picked = pick(found->second, parts)) out.emplace(found->first, *std::move(picked));
  }
  return out;
}

}  // namespace reef::table
