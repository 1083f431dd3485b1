// The expressions of one request, parsed with its placeholders; and the parameters that came before expressions
// (Expected, QueryFilter, ScanFilter, AttributeUpdates, AttributesToGet), turned into the same trees.
#pragma once

#include <deque>

#include "service/dynamodb/errors.h"

namespace reef::dynamodb {

using Text = std::optional<std::string>;
using Names = std::optional<table::Placeholders::Names>;
using Values = std::optional<AttributeMap>;

// A parameter by name, for messages that list what was given.
struct Given {
  const char* name;
  bool is_given;
};
// Refuses expressions together with older parameters, and placeholders without expressions.
Reply<void> check_mixing(const std::vector<Given>& expressions, const std::vector<Given>& older, bool has_names,
                         bool has_values);

class Expressions {
 public:
  struct Texts {
    const Text* update = nullptr;
    const Text* condition = nullptr;
    const Text* key_condition = nullptr;
    const Text* filter = nullptr;
    const Text* projection = nullptr;
  };

  // Both outlive this.
  Expressions(const Names& names, const Values& values);
  Expressions(const Expressions&) = delete;
  Expressions& operator=(const Expressions&) = delete;

  Reply<void> parse(const Texts& texts);

  using Expected = std::map<std::string, model::ExpectedAttributeValue, std::less<>>;
  using Filter = std::map<std::string, model::Condition, std::less<>>;
  using Updates = std::map<std::string, model::AttributeValueUpdate, std::less<>>;
  // These check, and fill `condition`, `filter`, `changes` and `projection`.
  Reply<void> take_expected(const std::optional<Expected>& expected, const Text& conditional_operator);
  Reply<void> take_filter(const std::optional<Filter>& filter, const Text& conditional_operator);
  Reply<void> take_updates(const std::optional<Updates>& updates);
  Reply<void> take_attributes(const std::optional<std::vector<std::string>>& attributes);

  // A value with canonical numbers that lives as long as this.
  const AttributeValue* keep(const AttributeValue& value);

  std::optional<table::Update> update;
  std::optional<table::Condition> condition, key_condition, filter;
  std::optional<table::Projection> projection;
  std::vector<table::AttributeChange> changes;

  const table::Condition* condition_or_null() const { return condition ? &*condition : nullptr; }
  const table::Condition* filter_or_null() const { return filter ? &*filter : nullptr; }
  const table::Projection* projection_or_null() const { return projection ? &*projection : nullptr; }

 private:
  Reply<table::Condition> translate(const std::string& name, const std::string& comparison,
                                    const std::vector<const AttributeValue*>& values);
  table::Placeholders placeholders_;
  std::deque<AttributeValue> kept_;
};

// Checks of older conditions: argument counts and types for each operator. "" or a message.
std::string check_comparison(const std::string& comparison, const std::vector<AttributeValue>& values);

}  // namespace reef::dynamodb
