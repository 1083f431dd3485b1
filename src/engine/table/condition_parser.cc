// Recursive descent over ConditionExpression, FilterExpression and KeyConditionExpression.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "engine/table/evaluate.h"
#include "engine/table/expression_reader.h"

namespace reef::table {
namespace {

using Op = Condition::Op;

// What was read: until it is known where it stands it can be a value or a condition.
struct Node {
  bool is_condition = false;
  Operand operand;
  Condition condition;
  std::string_view function;     // the name, when a function was read
  bool in_parentheses = false;   // all of it
};

struct Function {
  std::string_view name;
  int operands;
};
constexpr Function kFunctions[] = {{"attribute_exists", 1}, {"attribute_not_exists", 1}, {"attribute_type", 2},
                                   {"begins_with", 2},      {"contains", 2},             {"size", 1}};

// "{S:a}", as AWS shows a value in a fault.
std::string shown(const AttributeValue& value) {
  std::string text;
  if (value.is_scalar())
    text = value.is(AttributeKind::kBinary) ? base64_encode(value.text()) : value.text();
  return fmt::format("{{{}:{}}}", value.kind_name(), text);
}

class ConditionParser final : public ExpressionReader {
 public:
  using ExpressionReader::ExpressionReader;

  Result<Condition, std::string> parse() {
    Condition out;
    if (!syntax_fault().empty() || !read_whole(out)) return Err(syntax_fault());
    for (const std::string* fault : {&faults_.limit, &faults_.parentheses, &faults_.unknown_function,
                                     &faults_.misused_function, &faults_.reserved, &faults_.condition})
      if (!fault->empty()) return Err(*fault);
    return out;
  }

 private:
  bool read_whole(Condition& out) {
    Node node;
    if (!read_or(node)) return false;
    if (token().kind != Token::Kind::kEnd) return fail();
    return take_condition(std::move(node), out);
  }

  bool is_keyword() const override {
    for (const char* word : {"AND", "OR", "NOT", "IN", "BETWEEN"})
      if (is_word(word)) return true;
    return false;
  }

  // Where a condition must stand: size() may not, a plain value is a syntax error at what follows it.
  bool take_condition(Node node, Condition& out) {
    if (!node.is_condition) {
      if (node.function.empty()) return fail();
      misused(node.function);
    }
    out = std::move(node.condition);
    return true;
  }

  // Where a value must stand: functions that are conditions may not.
  bool take_operand(Node node, Operand& out) {
    if (node.is_condition) {
      if (node.function.empty()) return fail();
      misused(node.function);
    }
    out = std::move(node.operand);
    return true;
  }

  void misused(std::string_view function) {
    Faults::set(faults_.misused_function,
                fmt::format("The function is not allowed to be used this way in an expression; function: {}", function));
  }

  bool read_or(Node& out) { return read_chain(out, "OR", Op::kOr, [this](Node& node) { return read_and(node); }); }
  bool read_and(Node& out) { return read_chain(out, "AND", Op::kAnd, [this](Node& node) { return read_not(node); }); }

  template <class ReadPart>
  bool read_chain(Node& out, std::string_view word, Op op, ReadPart read_part) {
    if (!read_part(out)) return false;
    if (!is_word(word)) return true;
    Condition chain;
    chain.op = op;
    Condition first;
    if (!take_condition(std::move(out), first)) return false;
    chain.children.push_back(std::move(first));
    while (take_word(word)) {
      count_operator();
      Node next;
      Condition part;
      if (!read_part(next) || !take_condition(std::move(next), part)) return false;
      chain.children.push_back(std::move(part));
    }
    out = Node{.is_condition = true, .condition = std::move(chain)};
    return true;
  }

  bool read_not(Node& out) {
    if (!take_word("NOT")) return read_comparison(out);
    count_operator();
    if (++depth_ > kParenthesesMax) return fail();
    Node inner;
    Condition negated;
    if (!read_not(inner) || !take_condition(std::move(inner), negated)) return false;
    --depth_;
    Condition condition;
    condition.op = Op::kNot;
    condition.children.push_back(std::move(negated));
    out = Node{.is_condition = true, .condition = std::move(condition)};
    return true;
  }

  bool read_comparison(Node& out) {
    if (!read_term(out)) return false;
    constexpr std::pair<std::string_view, Op> kComparators[] = {
        {"=", Op::kEqual},   {"<>", Op::kNotEqual},         {"<", Op::kLess},
        {"<=", Op::kLessOrEqual}, {">", Op::kGreater}, {">=", Op::kGreaterOrEqual}};
    for (const auto& [symbol, op] : kComparators)
      if (is_symbol(symbol)) return read_comparator(out, symbol, op);
    if (is_word("BETWEEN")) return read_between(out);
    if (is_word("IN")) return read_in(out);
    return true;
  }

  bool read_operand(Operand& out) {
    Node node;
    return read_term(node) && take_operand(std::move(node), out);
  }

  bool finish(Node& out, Condition condition) {
    close_condition();
    out = Node{.is_condition = true, .condition = std::move(condition)};
    return true;
  }

  bool read_comparator(Node& out, std::string_view symbol, Op op) {
    Condition condition;
    condition.op = op;
    condition.operands.resize(2);
    if (!take_operand(std::move(out), condition.operands[0])) return false;
    advance();
    count_operator();
    if (!read_operand(condition.operands[1])) return false;
    check_distinct(symbol, condition.operands);
    return finish(out, std::move(condition));
  }

  bool read_between(Node& out) {
    Condition condition;
    condition.op = Op::kBetween;
    condition.operands.resize(3);
    if (!take_operand(std::move(out), condition.operands[0])) return false;
    advance();
    count_operator();
    if (!read_operand(condition.operands[1])) return false;
    if (!take_word("AND")) return fail();
    if (!read_operand(condition.operands[2])) return false;
    check_bounds(condition.operands[1], condition.operands[2]);
    return finish(out, std::move(condition));
  }

  bool read_in(Node& out) {
    Condition condition;
    condition.op = Op::kIn;
    condition.operands.emplace_back();
    if (!take_operand(std::move(out), condition.operands[0])) return false;
    advance();
    count_operator();
    if (!expect_symbol("(")) return false;
    do {
      if (!read_operand(condition.operands.emplace_back())) return false;
    } while (take_symbol(","));
    if (!expect_symbol(")")) return false;
    if (condition.operands.size() > kInOperandsMax + 1)
      Faults::set(faults_.limit, fmt::format("The IN operator is provided with too many operands; number of operands: {}",
                                             condition.operands.size() - 1));
    return finish(out, std::move(condition));
  }

  bool read_term(Node& out) {
    if (is_symbol("(")) return read_parentheses(out);
    if (token().kind == Token::Kind::kValue) return read_value(out.operand);
    if (token().kind == Token::Kind::kWord && !is_keyword() && following().text == "(" &&
        following().kind == Token::Kind::kSymbol)
      return read_function(out);
    return read_path(out.operand.path);
  }

  bool read_parentheses(Node& out) {
    if (++depth_ > kParenthesesMax) return fail();
    advance();
    if (!read_or(out) || !expect_symbol(")")) return false;
    --depth_;
    if (out.in_parentheses) Faults::set(faults_.parentheses, "The expression has redundant parentheses;");
    out.in_parentheses = true;
    // (a).b: a path may go on behind its parentheses.
    return out.is_condition || out.operand.kind != Operand::Kind::kPath || read_path_steps(out.operand.path);
  }

  bool read_function(Node& out) {
    const std::string_view name = token().text;
    advance();
    advance();
    count_operator();
    if (++depth_ > kParenthesesMax) return fail();
    std::vector<Operand> args;
    do {
      if (!read_operand(args.emplace_back())) return false;
    } while (take_symbol(","));
    if (!expect_symbol(")")) return false;
    --depth_;
    check_function(name, args);
    out = Node{.is_condition = name != "size", .function = name};
    if (name == "size") {
      out.operand.kind = Operand::Kind::kSize;
      out.operand.args = std::move(args);
      return true;
    }
    constexpr std::pair<std::string_view, Op> kOps[] = {{"attribute_exists", Op::kExists},
                                                        {"attribute_not_exists", Op::kNotExists},
                                                        {"attribute_type", Op::kType},
                                                        {"begins_with", Op::kBeginsWith},
                                                        {"contains", Op::kContains}};
    for (const auto& [known, op] : kOps)
      if (known == name) out.condition.op = op;
    out.condition.operands = std::move(args);
    close_condition();
    return true;
  }

  void check_function(std::string_view name, const std::vector<Operand>& args) {
    const auto known = std::ranges::find(kFunctions, name, &Function::name);
    if (name == "if_not_exists" || name == "list_append")
      return Faults::set(faults_.unknown_function, fmt::format("The function is not allowed in a condition expression; function: {}", name));
    if (known == std::end(kFunctions))
      return Faults::set(faults_.unknown_function, fmt::format("Invalid function name; function: {}", name));
    if (static_cast<int>(args.size()) != known->operands)
      return Faults::set(faults_.operand,
                         fmt::format("Incorrect number of operands for operator or function; operator or function: {}, "
                                     "number of operands: {}", name, args.size()));
    check_distinct(name, args);
    if (!faults_.function.empty()) return;
    if (name == "attribute_exists" || name == "attribute_not_exists") {
      if (args[0].kind != Operand::Kind::kPath)
        faults_.function =
            fmt::format("Operator or function requires a document path; operator or function: {}", name);
    } else if (name == "begins_with") {
      for (const Operand& arg : args)
        if (const auto kind = known_kind(arg); kind && *kind != AttributeKind::kString && *kind != AttributeKind::kBinary)
          return incorrect_kind(name, attribute_kind_name(*kind));
    } else if (name == "attribute_type") {
      check_type_name(args[1]);
    } else if (name == "size") {
      const auto kind = known_kind(args[0]);
      if (kind == AttributeKind::kNumber || kind == AttributeKind::kBool || kind == AttributeKind::kNull)
        incorrect_kind(name, attribute_kind_name(*kind));
    }
  }

  void check_type_name(const Operand& arg) {
    const auto kind = known_kind(arg);
    if (kind != AttributeKind::kString)
      return incorrect_kind("attribute_type", kind ? attribute_kind_name(*kind) : "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
    if (arg.value && attribute_kind_from_name(arg.value->text()) == AttributeKind::kNone)
      Faults::set(faults_.function, fmt::format("Invalid attribute type name found; type: {}, valid types: "
                                                "{{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}", arg.value->text()));
  }

  void incorrect_kind(std::string_view name, std::string_view kind) {
    Faults::set(faults_.function, fmt::format("Incorrect operand type for operator or function; operator or function: {}, "
                                              "operand type: {}", name, kind));
  }

  void check_distinct(std::string_view name, const std::vector<Operand>& args) {
    if (args.size() != 2 || args[0].kind != Operand::Kind::kPath || args[1].kind != Operand::Kind::kPath) return;
    if (args[0].path.empty() || args[0].path != args[1].path) return;
    Faults::set(faults_.distinct, fmt::format("The first operand must be distinct from the remaining operands for this "
                                              "operator or function; operator: {}, first operand: {}",
                                              name, path_text(args[0].path)));
  }

  void check_bounds(const Operand& low, const Operand& high) {
    if (!low.value || !high.value) return;
    const auto report = [&](const char* what) {
      Faults::set(faults_.function, fmt::format("The BETWEEN operator requires {}; lower bound operand: AttributeValue: {}, "
                                                "upper bound operand: AttributeValue: {}",
                                                what, shown(*low.value), shown(*high.value)));
    };
    if (low.value->kind() != high.value->kind()) return report("same data type for lower and upper bounds");
    if (const auto order = compare_values(*low.value, *high.value); order && *order > 0)
      report("upper bound to be greater than or equal to lower bound");
  }

  // The first condition with a fault decides, and within it these in order.
  void close_condition() {
    if (!faults_.condition.empty()) return;
    for (const std::string* fault : std::initializer_list<const std::string*>{&faults_.undefined, &faults_.operand,
                                                                            &faults_.distinct, &faults_.function})
      if (!fault->empty()) {
        faults_.condition = *fault;
        return;
      }
  }
};

}  // namespace

Result<Condition, std::string> parse_condition(std::string_view text, Placeholders& placeholders) {
  return ConditionParser(text, placeholders).parse();
}

}  // namespace reef::table
