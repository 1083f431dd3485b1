#include "engine/table/expression.h"

#include <gtest/gtest.h>

#include "engine/table/apply_update.h"
#include "engine/table/evaluate.h"
#include "engine/table/expression_reader.h"

namespace reef::table {
namespace {

using V = AttributeValue;

const AttributeMap kValues = {{":s", V::string("abc")}, {":n", V::number("5")},          {":t", V::string("S")},
                              {":l", V::list({V::number("9")})}, {":ss", V::string_set({"a", "z"})}, {":z", V::number("010")}};
const Placeholders::Names kNames = {{"#a", "a"}, {"#n", "name"}};

std::string condition_fault(std::string_view text) {
  Placeholders placeholders(&kNames, &kValues);
  if (std::string fault = placeholders.check(); !fault.empty()) return fault;
  const auto parsed = parse_condition(text, placeholders);
  return parsed ? "" : parsed.error();
}
std::string update_fault(std::string_view text) {
  Placeholders placeholders(&kNames, &kValues);
  if (std::string fault = placeholders.check(); !fault.empty()) return fault;
  const auto parsed = parse_update(text, placeholders);
  return parsed ? "" : parsed.error();
}

AttributeMap sample() {
  return {{"a", V::string("abc")},
          {"b", V::number("10")},
          {"l", V::list({V::string("x"), V::string("y"), V::map({{"k", V::number("1")}})})},
          {"m", V::map({{"kid", V::map({{"deep", V::boolean(true)}})}})},
          {"tags", V::string_set({"a", "b"})}};
}
bool holds(std::string_view text) {
  Placeholders placeholders(&kNames, &kValues);
  placeholders.check();
  const auto parsed = parse_condition(text, placeholders);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << (parsed ? "" : parsed.error());
  return parsed && matches(*parsed, sample());
}
std::string updated(std::string_view text, AttributeMap& item) {
  Placeholders placeholders(&kNames, &kValues);
  placeholders.check();
  const auto parsed = parse_update(text, placeholders);
  return parsed ? apply_update(*parsed, item) : parsed.error();
}

}  // namespace

TEST(Condition, EvaluatesOperatorsAndFunctions) {
  for (const char* text :
       {"a = :s", "#a = :s AND b > :n", "NOT a <> :s", "b = :z", "b BETWEEN :n AND :z", "a IN (:n, :s)", "attribute_exists(m.kid.deep)",
        "attribute_not_exists(m.gone)", "attribute_type(a, :t)", "begins_with(a, :s)", "contains(a, :s)", "size(l) < :n",
        "a = :n OR (b = :z AND a = :s)", "(a) = :s", "nope <> :s", "l[2].k < :n", "not(a = :n) and size ( a ) <= :n"})
    EXPECT_TRUE(holds(text)) << text;
  for (const char* text : {"a = :n", "b < :n", "nope = :s", "nope = elsewhere", "a IN (:n)", "contains(b, :n)",
                           "size(b) > :n", "a = :s AND (b = :n OR a = :n)", "l[9] = :s"})
    EXPECT_FALSE(holds(text)) << text;
}

TEST(Condition, ReportsFaultsInAwsWords) {
  EXPECT_EQ(condition_fault(""), "The expression can not be empty;");
  EXPECT_EQ(condition_fault("whatever"), "Syntax error; token: \"<EOF>\", near: \"whatever\"");
  EXPECT_EQ(condition_fault("a = 12 AND b"), "Syntax error; token: \"12\", near: \"= 12 AND\"");
  EXPECT_EQ(condition_fault("a-b = :s"), "Syntax error; token: \"-\", near: \"a-b\"");
  EXPECT_EQ(condition_fault("((a = :s))"), "The expression has redundant parentheses;");
  EXPECT_EQ(condition_fault("foo(a)"), "Invalid function name; function: foo");
  EXPECT_EQ(condition_fault("a = if_not_exists(a, :s)"), "The function is not allowed in a condition expression; function: if_not_exists");
  EXPECT_EQ(condition_fault("size(a)"),
            "The function is not allowed to be used this way in an expression; function: size");
  EXPECT_EQ(condition_fault("attribute_exists(a) = :s"),
            "The function is not allowed to be used this way in an expression; function: attribute_exists");
  EXPECT_EQ(condition_fault("abort = :s"), "Attribute name is a reserved keyword; reserved keyword: abort");
  EXPECT_EQ(condition_fault("#q = :s"),
            "An expression attribute name used in the document path is not defined; attribute name: #q");
  EXPECT_EQ(condition_fault("a = :q"), "An expression attribute value used in expression is not defined; attribute value: :q");
  EXPECT_EQ(condition_fault("a = a"),
            "The first operand must be distinct from the remaining operands for this operator or function; operator: =, "
            "first operand: [a]");
  EXPECT_EQ(condition_fault("begins_with(a)"),
            "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1");
  EXPECT_EQ(condition_fault("begins_with(a, :n)"),
            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N");
  EXPECT_EQ(condition_fault("a BETWEEN :s AND :n"),
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: "
            "{S:abc}, upper bound operand: AttributeValue: {N:5}");
  EXPECT_EQ(condition_fault(std::string(5000, 'a')),
            "Expression size has exceeded the maximum allowed size; expression size: 5000");
  EXPECT_NE(condition_fault(std::string(2000, '(')), "");
}

TEST(Update, AppliesActionsToTheItemAsItWas) {
  AttributeMap item = sample();
  EXPECT_EQ(updated("SET c = b + :n, b = :n, l[9] = :s, m.kid.more = list_append(l, :l) REMOVE l[0], l[1] ADD d :n DELETE tags :ss", item), "");
  EXPECT_EQ(item.at("c").text(), "15");
  EXPECT_EQ(item.at("b").text(), "5");
  EXPECT_EQ(item.at("l").elements().size(), 2u);
  EXPECT_EQ(item.at("l").elements()[1].text(), "abc");
  EXPECT_EQ(item.at("m").entries().at("kid").entries().at("more").elements().size(), 4u);
  EXPECT_EQ(item.at("d").text(), "5");
  EXPECT_EQ(item.at("tags").members(), (V::Set{"b"}));
  EXPECT_EQ(updated("SET e = if_not_exists(e, :n) REMOVE nope", item), "");
  EXPECT_EQ(item.at("e").text(), "5");
}

TEST(Update, RefusesInAwsWords) {
  AttributeMap item = sample();
  EXPECT_EQ(updated("SET x.y = :n", item), "The document path provided in the update expression is invalid for update");
  EXPECT_EQ(updated("SET x = y", item), "The provided expression refers to an attribute that does not exist in the item");
  EXPECT_EQ(updated("SET x = a + :n", item), "An operand in the update expression has an incorrect data type");
  EXPECT_EQ(updated("ADD a :n", item), "An operand in the update expression has an incorrect data type");
  EXPECT_EQ(update_fault("SET"), "Syntax error; token: \"<EOF>\", near: \"SET\"");
  EXPECT_EQ(update_fault("SET a = :n SET b = :n"), "The \"SET\" section can only be used once in an update expression;");
  EXPECT_EQ(update_fault("SET a = :n REMOVE a.b"),
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], "
            "path two: [a, b]");
  EXPECT_EQ(update_fault("SET a.b = :n REMOVE a[1]"),
            "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], "
            "path two: [a, [1]]");
  EXPECT_EQ(update_fault("ADD a :s"), "Incorrect operand type for operator or function; operator: ADD, operand type: STRING");
  EXPECT_EQ(update_fault("DELETE a :n"),
            "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER");
  EXPECT_EQ(update_fault("SET a = foo(b, :n)"), "Invalid function name; function: foo");
  EXPECT_EQ(update_fault("SET a = size(b)"), "The function is not allowed in an update expression; function: size");
  EXPECT_EQ(update_fault("SET a = :n + :s"),
            "Incorrect operand type for operator or function; operator or function: +, operand type: S");
}

TEST(Projection, KeepsOnlyNamedParts) {
  Placeholders placeholders(&kNames, &kValues);
  placeholders.check();
  const auto paths = parse_projection("l[2].k, l[0], m.kid, nope", placeholders);
  ASSERT_TRUE(paths.has_value());
  const AttributeMap out = project(sample(), *paths);
  EXPECT_EQ(out.size(), 2u);
  EXPECT_EQ(out.at("l").elements()[0].text(), "x");
  EXPECT_TRUE(out.at("l").elements()[1].entries().contains("k"));
}

TEST(Placeholders, ReportsWhatWasNotUsed) {
  Placeholders placeholders(&kNames, nullptr);
  EXPECT_EQ(placeholders.check(), "");
  EXPECT_TRUE(parse_projection("#a", placeholders).has_value());
  EXPECT_EQ(placeholders.check_all_used(), "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}");
}

}  // namespace reef::table
