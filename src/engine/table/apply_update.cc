#include "engine/table/apply_update.h"

#include <algorithm>

#include "engine/table/decimal.h"
#include "engine/table/evaluate.h"
#include "engine/table/values.h"

namespace reef::table {
namespace {

using Kind = UpdateAction::Kind;

constexpr const char* kWrongKind = "An operand in the update expression has an incorrect data type";
constexpr const char* kNoSuchAttribute = "The provided expression refers to an attribute that does not exist in the item";
constexpr const char* kInvalidPath = "The document path provided in the update expression is invalid for update";

std::string sum(const std::string& a, const std::string& b, bool minus, std::string& out) {
  const Decimal left = Decimal::parse(a).value_or(Decimal()), right = Decimal::parse(b).value_or(Decimal());
  const auto result = minus ? Decimal::subtract(left, right) : Decimal::add(left, right);
  if (!result) return number_fault_text(result.error(), a);
  out = result->text();
  return {};
}

std::string evaluate(const Operand& operand, const AttributeMap& item, AttributeValue& out) {
  switch (operand.kind) {
    case Operand::Kind::kValue:
      out = *operand.value;
      return {};
    case Operand::Kind::kPath: {
      const AttributeValue* found = find_path(item, operand.path);
      if (!found) return kNoSuchAttribute;
      out = *found;
      return {};
    }
    case Operand::Kind::kIfNotExists:
      if (const AttributeValue* found = find_path(item, operand.args[0].path)) {
        out = *found;
        return {};
      }
      return evaluate(operand.args[1], item, out);
    case Operand::Kind::kListAppend: {
      AttributeValue tail;
      if (std::string fault = evaluate(operand.args[0], item, out); !fault.empty()) return fault;
      if (std::string fault = evaluate(operand.args[1], item, tail); !fault.empty()) return fault;
      if (!out.is(AttributeKind::kList) || !tail.is(AttributeKind::kList)) return kWrongKind;
      std::ranges::move(tail.elements(), std::back_inserter(out.elements()));
      return {};
    }
    case Operand::Kind::kPlus:
    case Operand::Kind::kMinus: {
      AttributeValue left, right;
      if (std::string fault = evaluate(operand.args[0], item, left); !fault.empty()) return fault;
      if (std::string fault = evaluate(operand.args[1], item, right); !fault.empty()) return fault;
      if (!left.is(AttributeKind::kNumber) || !right.is(AttributeKind::kNumber)) return kWrongKind;
      std::string text;
      if (std::string fault = sum(left.text(), right.text(), operand.kind == Operand::Kind::kMinus, text); !fault.empty())
        return fault;
      out = AttributeValue::number(std::move(text));
      return {};
    }
    case Operand::Kind::kSize:
      break;  // the parser keeps it out of updates
  }
  return kWrongKind;
}

// The place that a path's last step names: a slot in a map (perhaps not there yet) or in a list (perhaps behind
// its end). Without a container the path is invalid.
struct Place {
  AttributeMap* map = nullptr;
  AttributeValue::List* list = nullptr;

  AttributeValue* find(const PathStep& step) const {
    if (list) return step.index < list->size() ? &(*list)[step.index] : nullptr;
    const auto found = map->find(step.name);
    return found == map->end() ? nullptr : &found->second;
  }
  void put(const PathStep& step, AttributeValue value) const {
    if (map)
      map->insert_or_assign(step.name, std::move(value));
    else if (step.index < list->size())
      (*list)[step.index] = std::move(value);
    else
      list->push_back(std::move(value));
  }
  void erase(const PathStep& step) const {
    if (map)
      map->erase(step.name);
    else if (step.index < list->size())
      list->erase(list->begin() + step.index);
  }
};

bool find_place(AttributeMap& item, const Path& path, Place& out) {
  out.map = &item;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    AttributeValue* inner = out.find(path[i]);
    if (!inner) return false;
    const bool wants_list = path[i + 1].is_index;
    if (!inner->is(wants_list ? AttributeKind::kList : AttributeKind::kMap)) return false;
    out = wants_list ? Place{.list = &inner->elements()} : Place{.map = &inner->entries()};
  }
  return true;
}

void unite(AttributeValue::Set& into, const AttributeValue::Set& members) {
  for (const std::string& member : members)
    if (std::ranges::find(into, member) == into.end()) into.push_back(member);
}
void subtract(AttributeValue::Set& from, const AttributeValue::Set& members) {
  std::erase_if(from, [&](const std::string& member) { return std::ranges::find(members, member) != members.end(); });
}

std::string apply_add(const Place& place, const PathStep& step, const AttributeValue& value) {
  AttributeValue* existing = place.find(step);
  if (!existing) {
    place.put(step, value);
    return {};
  }
  if (existing->kind() != value.kind()) return kWrongKind;
  if (value.is_set())
    unite(existing->members(), value.members());
  else
    return sum(existing->text(), value.text(), false, existing->text());
  return {};
}

std::string apply_delete(const Place& place, const PathStep& step, const AttributeValue& value) {
  AttributeValue* existing = place.find(step);
  if (!existing) return {};
  if (existing->kind() != value.kind()) return kWrongKind;
  subtract(existing->members(), value.members());
  if (existing->members().empty()) place.erase(step);
  return {};
}

// Lists close up when an element goes, so removals come last, later elements first; elements that are appended
// come in the order of their indexes.
bool comes_before(const UpdateAction& a, const UpdateAction& b) {
  const bool a_removes = a.kind == Kind::kRemove, b_removes = b.kind == Kind::kRemove;
  if (a_removes != b_removes) return b_removes;
  const auto less = [](const PathStep& x, const PathStep& y) {
    return x.is_index && y.is_index ? x.index < y.index : x.name < y.name;
  };
  return a_removes ? std::ranges::lexicographical_compare(b.path, a.path, less)
                   : std::ranges::lexicographical_compare(a.path, b.path, less);
}

}  // namespace

std::string apply_update(const Update& update, AttributeMap& item) {
  std::vector<std::pair<const UpdateAction*, AttributeValue>> actions;
  for (const UpdateAction& action : update) {
    AttributeValue value;
    if (action.kind == Kind::kSet)
      if (std::string fault = evaluate(action.value, item, value); !fault.empty()) return fault;
    actions.emplace_back(&action, std::move(value));
  }
  std::ranges::sort(actions, [](const auto& a, const auto& b) { return comes_before(*a.first, *b.first); });
  for (auto& [action, value] : actions) {
    Place place;
    if (!find_place(item, action->path, place)) return kInvalidPath;
    const PathStep& last = action->path.back();
    std::string fault;
    switch (action->kind) {
      case Kind::kSet:
        place.put(last, std::move(value));
        break;
      case Kind::kRemove:
        place.erase(last);
        break;
      case Kind::kAdd:
        fault = apply_add(place, last, *action->value.value);
        break;
      case Kind::kDelete:
        fault = apply_delete(place, last, *action->value.value);
        break;
    }
    if (!fault.empty()) return fault;
  }
  return {};
}

std::string apply_changes(const std::vector<AttributeChange>& changes, AttributeMap& item) {
  constexpr const char* kMismatch = "Type mismatch for attribute to update";
  for (const AttributeChange& change : changes) {
    const Place place{.map = &item};
    const PathStep step{.name = change.name};
    AttributeValue* existing = place.find(step);
    if (change.action == AttributeChange::Action::kPut) {
      place.put(step, *change.value);
    } else if (!change.value) {
      place.erase(step);
    } else if (existing && existing->kind() != change.value->kind()) {
      return kMismatch;
    } else if (change.action == AttributeChange::Action::kDelete) {
      apply_delete(place, step, *change.value);
    } else if (change.value->is(AttributeKind::kList) && existing) {
      std::ranges::copy(change.value->elements(), std::back_inserter(existing->elements()));
    } else if (std::string fault = apply_add(place, step, *change.value); !fault.empty()) {
      return fault;
    }
  }
  return {};
}

}  // namespace reef::table
