#include "engine/events/rule_index.h"

#include <algorithm>
#include <cstring>

namespace reef::events {
namespace {

using wire::JsonKind;
using wire::JsonReader;

// Kinds of buckets. Upper case: texts in lower case, for tests that ignore case.
constexpr char kString = 's', kNumber = 'n', kLiteral = 'l', kPrefix = 'p', kSuffix = 'f', kAnyPrefix = 'P', kAnySuffix = 'F', kAnyCase = 'I',
               kPresent = 'e', kAlways = 'a';

std::string number_key(double number) {
  if (number == 0) number = 0;  // minus zero
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  return std::string(bytes, sizeof bytes);
}

void append_key(std::string& out, std::uint32_t field, char kind, std::string_view text) {
  char bytes[sizeof field];
  std::memcpy(bytes, &field, sizeof field);
  out.append(bytes, sizeof bytes);
  out += kind;
  out += text;
}

// Where a value that passes the test is sure to be found; '\0' when only the field's presence is sure.
std::pair<char, std::string> bucket_of(const Test& test) {
  switch (test.kind) {
    case TestKind::kExact:
      if (test.value_kind == ValueKind::kNumber) return {kNumber, number_key(test.number)};
      return {test.value_kind == ValueKind::kString ? kString : kLiteral, test.text};
    case TestKind::kPrefix: return {kPrefix, test.text};
    case TestKind::kSuffix: return {kSuffix, test.text};
    case TestKind::kPrefixIgnoreCase: return {kAnyPrefix, test.text};
    case TestKind::kSuffixIgnoreCase: return {kAnySuffix, test.text};
    case TestKind::kIgnoreCase: return {kAnyCase, test.text};
    case TestKind::kWildcard: {
      const auto first = test.text.find_first_of("*\\"), last = test.text.find_last_of("*\\");
      if (first == std::string::npos) return {kString, test.text};
      if (first > 0) return {kPrefix, test.text.substr(0, first)};
      if (test.text[last] == '*' && last + 1 < test.text.size()) return {kSuffix, test.text.substr(last + 1)};
      return {'\0', ""};
    }
    case TestKind::kRange:
      if (test.low == test.high) return {kNumber, number_key(test.low)};
      return {'\0', ""};
    case TestKind::kAddress:
    case TestKind::kExists:
    case TestKind::kAnythingBut:
    case TestKind::kAbsent: return {'\0', ""};
  }
  return {'\0', ""};
}

// Both, if they agree about every array that both are in.
bool merge(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& a, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& b,
           std::vector<std::pair<std::uint32_t, std::uint32_t>>& out) {
  out.clear();
  auto left = a.begin(), right = b.begin();
  while (left != a.end() && right != b.end()) {
    if (left->first == right->first) {
      if (left->second != right->second) return false;
      out.push_back(*left++);
      ++right;
    } else {
      out.push_back(left->first < right->first ? *left++ : *right++);
    }
  }
  out.insert(out.end(), left, a.end());
  out.insert(out.end(), right, b.end());
  return true;
}

}  // namespace

RuleIndex::RuleIndex() : root_(std::make_unique<Step>()), lengths_(1), found_(1) {}

RuleIndex::FieldId RuleIndex::field_of(const std::string& path) {
  Step* step = root_.get();
  for (const std::string_view name : split(path, '.')) {
    auto& next = step->next[std::string(name)];
    if (!next) next = std::make_unique<Step>();
    step = next.get();
  }
  if (step->field == 0) {
    step->field = ++last_field_;
    lengths_.emplace_back();
    found_.emplace_back();
  }
  return step->field;
}

void RuleIndex::count(const std::string& bucket, bool is_added) {
  FieldId field = 0;
  std::memcpy(&field, bucket.data(), sizeof field);
  const char kind = bucket[sizeof field];
  Lengths& lengths = lengths_[field];
  if (kind == kAnyCase || kind == kAnyPrefix || kind == kAnySuffix) lengths.folded = is_added ? lengths.folded + 1 : lengths.folded - 1;
  if (kind != kPrefix && kind != kSuffix && kind != kAnyPrefix && kind != kAnySuffix) return;
  auto& counts = lengths.by_class[kind];
  const std::size_t length = bucket.size() - sizeof field - 1;
  if (is_added) ++counts[length];
  else if (--counts[length] == 0) counts.erase(length);
}

void RuleIndex::enter(ClauseId id) {
  IndexedClause& clause = clauses_[id];
  std::vector<std::string> best{std::string()};
  append_key(best[0], 0, kAlways, "");
  std::size_t best_cost = static_cast<std::size_t>(-1);
  for (const auto& [field, tests] : clause.fields) {
    std::vector<std::string> keys;
    std::size_t cost = 0;
    bool is_sure = true;
    for (const Test& test : tests) {
      is_sure = is_sure && test.kind != TestKind::kAbsent;
      const auto [kind, text] = bucket_of(test);
      append_key(keys.emplace_back(), field, kind == '\0' ? kPresent : kind, text);
      const auto found = buckets_.find(keys.back());
      cost += (found == buckets_.end() ? 0 : found->second.size()) + (kind == '\0' ? 4 : 1);
    }
    if (!is_sure || cost >= best_cost) continue;
    best = std::move(keys);
    best_cost = cost;
  }
  std::sort(best.begin(), best.end());
  best.erase(std::unique(best.begin(), best.end()), best.end());
  for (const std::string& key : best) {
    buckets_[key].push_back(id);
    count(key, true);
  }
  clause.buckets = std::move(best);
}

void RuleIndex::leave(ClauseId id) {
  for (const std::string& key : clauses_[id].buckets) {
    const auto found = buckets_.find(key);
    std::erase(found->second, id);
    if (found->second.empty()) buckets_.erase(found);
    count(key, false);
  }
  clauses_[id] = {};
  free_.push_back(id);
}

void RuleIndex::add(RuleId rule, const Pattern& pattern) {
  remove(rule);
  auto& ids = rules_[rule];
  for (const Clause& clause : pattern.clauses) {
    ClauseId id = static_cast<ClauseId>(clauses_.size());
    if (free_.empty()) {
      clauses_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    clauses_[id].rule = rule;
    clauses_[id].is_live = true;
    for (const auto& [path, tests] : clause.fields) clauses_[id].fields.emplace_back(field_of(path), tests);
    enter(id);
    ids.push_back(id);
  }
}

void RuleIndex::remove(RuleId rule) {
  const auto found = rules_.find(rule);
  if (found == rules_.end()) return;
  for (const ClauseId id : found->second) leave(id);
  rules_.erase(found);
  if (rules_.empty()) *this = RuleIndex();  // paths that nobody asks for any more
}

RuleIndex::Step* RuleIndex::descend(Step& step, std::string_view name) {
  if (const auto found = step.next.find(name); found != step.next.end()) return found->second.get();
  // A name with dots is the same path as the nested one.
  Step* at = &step;
  if (name.find('.') == std::string_view::npos) return nullptr;
  for (const std::string_view part : split(name, '.')) {
    const auto found = at->next.find(part);
    if (found == at->next.end()) return nullptr;
    at = found->second.get();
  }
  return at;
}

void RuleIndex::walk_object(JsonReader& in, Step& step) {
  in.begin_object();
  std::string_view name;
  while (in.next_member(name)) {
    if (Step* next = descend(step, name)) walk_value(in, *next);
    else in.skip();
  }
}

void RuleIndex::walk_array(JsonReader& in, Step& step) {
  const std::uint32_t array = arrays_++;
  std::uint32_t index = 0;
  in.begin_array();
  while (in.next_element()) {
    const JsonKind kind = in.peek();
    const bool is_container = kind == JsonKind::kObject || kind == JsonKind::kArray;
    if (is_container) membership_.emplace_back(array, index);
    walk_value(in, step);
    if (is_container) membership_.pop_back();
    ++index;
  }
}

void RuleIndex::walk_value(JsonReader& in, Step& step) {
  Value value;
  switch (in.peek()) {
    case JsonKind::kObject: return walk_object(in, step);
    case JsonKind::kArray: return walk_array(in, step);
    case JsonKind::kString: {
      if (step.field == 0) return void(in.skip());
      std::string_view text;
      in.read_string(text);
      value = {.kind = ValueKind::kString, .text = texts_.emplace_back(text)};
      break;
    }
    case JsonKind::kNumber:
      if (!in.read_number(value.text)) return;
      value.kind = ValueKind::kNumber;
      value.number = parse_double(value.text).value_or(0);
      break;
    default:
      if (!in.read_raw(value.text)) return;
  }
  if (step.field == 0) return;
  auto& found = found_[step.field];
  if (found.empty()) present_.push_back(step.field);
  found.push_back({value, membership_});
}

void RuleIndex::try_bucket(FieldId field, char kind, std::string_view text, std::set<RuleId>& matched) {
  key_.clear();
  append_key(key_, field, kind, text);
  const auto found = buckets_.find(std::string_view(key_));
  if (found == buckets_.end()) return;
  for (const ClauseId id : found->second) {
    IndexedClause& clause = clauses_[id];
    if (clause.seen == round_ || matched.contains(clause.rule)) continue;
    clause.seen = round_;
    if (holds(clause)) matched.insert(clause.rule);
  }
}

void RuleIndex::probe_lengths(FieldId field, char kind, std::string_view text, bool from_end, std::set<RuleId>& matched) {
  const auto& by_class = lengths_[field].by_class;
  const auto lengths = by_class.find(kind);
  if (lengths == by_class.end()) return;
  for (const auto& [length, entries] : lengths->second) {
    if (length > text.size()) break;
    try_bucket(field, kind, from_end ? text.substr(text.size() - length) : text.substr(0, length), matched);
  }
}

void RuleIndex::probe(FieldId field, const Value& value, std::set<RuleId>& matched) {
  switch (value.kind) {
    case ValueKind::kNumber: return try_bucket(field, kNumber, number_key(value.number), matched);
    case ValueKind::kLiteral: return try_bucket(field, kLiteral, value.text, matched);
    case ValueKind::kString: break;
  }
  try_bucket(field, kString, value.text, matched);
  probe_lengths(field, kPrefix, value.text, false, matched);
  probe_lengths(field, kSuffix, value.text, true, matched);
  if (lengths_[field].folded == 0) return;
  const std::string lower = to_lower(value.text);
  try_bucket(field, kAnyCase, lower, matched);
  probe_lengths(field, kAnyPrefix, lower, false, matched);
  probe_lengths(field, kAnySuffix, lower, true, matched);
}

// Field by field, with every combination of array elements that is possible so far.
bool RuleIndex::holds(const IndexedClause& clause) const {
  std::set<Membership> possible{Membership()};
  Membership merged;
  for (const auto& [field, tests] : clause.fields) {
    const auto& found = found_[field];
    if (found.empty()) {
      if (std::none_of(tests.begin(), tests.end(), [](const Test& test) { return test.kind == TestKind::kAbsent; })) return false;
      continue;
    }
    std::set<Membership> next;
    bool binds_nothing = false;
    for (const Found& one : found) {
      if (std::none_of(tests.begin(), tests.end(), [&](const Test& test) { return test.passes(one.value); })) continue;
      binds_nothing = one.membership.empty();
      if (binds_nothing) break;
      for (const Membership& before : possible)
        if (merge(before, one.membership, merged)) next.insert(merged);
    }
    if (binds_nothing) continue;
    if (next.empty()) return false;
    possible = std::move(next);
  }
  return true;
}

std::vector<RuleId> RuleIndex::match(std::string_view event) {
  ++round_;
  arrays_ = 0;
  JsonReader in(event);
  std::set<RuleId> matched;
  if (in.peek() == JsonKind::kObject) {
    walk_object(in, *root_);
    if (in.finish()) {
      for (const FieldId field : present_) {
        for (const Found& one : found_[field]) probe(field, one.value, matched);
        try_bucket(field, kPresent, "", matched);
      }
      try_bucket(0, kAlways, "", matched);
    }
  }
  for (const FieldId field : present_) found_[field].clear();
  present_.clear();
  texts_.clear();
  membership_.clear();
  return {matched.begin(), matched.end()};
}

}  // namespace reef::events
