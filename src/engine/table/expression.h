// DynamoDB's expression language: conditions, filters, key conditions, updates and projections, as trees that
// were parsed and checked. Faults are AWS's texts without the "Invalid ...Expression: " in front.
//
// Values are pointers into the Placeholders that the expression was parsed with, which must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/attribute_value.h"
#include "base/result.h"

namespace reef::table {

struct PathStep {
  std::string name;         // of a map entry, when not an index
  std::uint32_t index = 0;  // of a list element
  bool is_index = false;
  bool operator==(const PathStep&) const = default;
};
using Path = std::vector<PathStep>;
std::string path_text(const Path& path);  // "[a, b, [0]]", as fault texts show it

// A value in a comparison or on the right of SET.
struct Operand {
  enum class Kind : std::uint8_t { kPath, kValue, kSize, kIfNotExists, kListAppend, kPlus, kMinus };
  Kind kind = Kind::kPath;
  Path path;                              // kPath
  const AttributeValue* value = nullptr;  // kValue
  std::vector<Operand> args;              // the others
};

struct Condition {
  enum class Op : std::uint8_t {
    kAnd, kOr, kNot, kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kBetween, kIn,
    kExists, kNotExists, kType, kBeginsWith, kContains,
  };
  Op op = Op::kAnd;
  std::vector<Condition> children;  // kAnd, kOr, kNot
  std::vector<Operand> operands;    // the others
};

struct UpdateAction {
  enum class Kind : std::uint8_t { kSet, kRemove, kAdd, kDelete };
  Kind kind = Kind::kSet;
  Path path;
  Operand value;  // not for kRemove
};
using Update = std::vector<UpdateAction>;
using Projection = std::vector<Path>;

// ExpressionAttributeNames and ExpressionAttributeValues of a request, and which of them were used.
class Placeholders {
 public:
  using Names = std::map<std::string, std::string, std::less<>>;
  // Both may be nullptr, and must outlive this.
  Placeholders(const Names* names, const AttributeMap* values);

  // Checks both; a whole message ("ExpressionAttributeValues must not be empty", ...) or "". Call it first.
  std::string check();
  const std::string* name(std::string_view placeholder);
  const AttributeValue* value(std::string_view placeholder);
  // After all expressions of the request were parsed: a whole message for what none of them used, or "".
  std::string check_all_used() const;

 private:
  const Names* names_;
  const AttributeMap* values_;
  AttributeMap canonical_;  // replaces *values_ when some number there was not canonical
  std::set<std::string, std::less<>> unused_names_, unused_values_;
};

Result<Condition, std::string> parse_condition(std::string_view text, Placeholders& placeholders);
Result<Update, std::string> parse_update(std::string_view text, Placeholders& placeholders);
Result<Projection, std::string> parse_projection(std::string_view text, Placeholders& placeholders);

// Top-level attributes that a condition, update or projection reaches into ("a" of "a.b" and "a[0]").
void collect_nested_heads(const Condition& condition, std::set<std::string, std::less<>>& out);
void collect_nested_heads(const Projection& projection, std::set<std::string, std::less<>>& out);
// Every top-level attribute that a condition reads.
void collect_heads(const Condition& condition, std::set<std::string, std::less<>>& out);

}  // namespace reef::table
