// Recursive descent over UpdateExpression and ProjectionExpression.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/table/expression_reader.h"

namespace reef::table {
namespace {

using Kind = UpdateAction::Kind;

constexpr std::string_view kSections[] = {"SET", "REMOVE", "ADD", "DELETE"};

std::string_view long_kind_name(AttributeKind kind) {
  switch (kind) {
    case AttributeKind::kString:
      return "STRING";
    case AttributeKind::kNumber:
      return "NUMBER";
    case AttributeKind::kBinary:
      return "BINARY";
    case AttributeKind::kNull:
      return "NULL";
    case AttributeKind::kBool:
      return "BOOLEAN";
    case AttributeKind::kList:
      return "LIST";
    case AttributeKind::kMap:
      return "MAP";
    default:
      return {};
  }
}

class UpdateParser final : public ExpressionReader {
 public:
  using ExpressionReader::ExpressionReader;

  Result<Update, std::string> parse() {
    if (!syntax_fault().empty() || !read_sections()) return Err(syntax_fault());
    std::vector<const Path*> paths;
    for (const UpdateAction& action : actions_) paths.push_back(&action.path);
    if (faults_.name.empty()) check_paths(paths, faults_);
    for (const std::string* fault :
         {&faults_.limit, &faults_.reserved, &faults_.unknown_function, &faults_.section, &faults_.name, &faults_.value,
          &faults_.path_overlap, &faults_.path_conflict, &faults_.operand, &faults_.function})
      if (!fault->empty()) return Err(*fault);
    return std::move(actions_);
  }

 private:
  bool is_keyword() const override { return current_section() >= 0; }

  int current_section() const {
    for (std::size_t i = 0; i < std::size(kSections); ++i)
      if (is_word(kSections[i])) return static_cast<int>(i);
    return -1;
  }

  bool read_sections() {
    std::array<bool, 4> seen{};
    do {
      const int section = current_section();
      if (section < 0) return fail();
      advance();
      if (std::exchange(seen[static_cast<std::size_t>(section)], true))
        Faults::set(faults_.section, fmt::format("The \"{}\" section can only be used once in an update expression;",
                                                 kSections[section]));
      do {
        if (!read_action(static_cast<Kind>(section))) return false;
      } while (take_symbol(","));
    } while (token().kind != Token::Kind::kEnd);
    return true;
  }

  bool read_action(Kind kind) {
    UpdateAction action;
    action.kind = kind;
    count_operator();
    if (!read_path(action.path)) return false;
    switch (kind) {
      case Kind::kSet:
        if (!expect_symbol("=") || !read_set_value(action.value)) return false;
        break;
      case Kind::kRemove:
        break;
      case Kind::kAdd:
      case Kind::kDelete:
        if (!read_value(action.value)) return false;
        check_operator(kind, action.value);
        break;
    }
    actions_.push_back(std::move(action));
    return true;
  }

  // ADD takes numbers and sets, DELETE sets.
  void check_operator(Kind kind, const Operand& operand) {
    const auto known = known_kind(operand);
    if (!known || (kind == Kind::kAdd && *known == AttributeKind::kNumber)) return;
    if (const std::string_view name = long_kind_name(*known); !name.empty())
      Faults::set(faults_.operand,
                  fmt::format("Incorrect operand type for operator or function; operator: {}, operand type: {}",
                              kind == Kind::kAdd ? "ADD" : "DELETE", name));
  }

  bool read_set_value(Operand& out) {
    if (!read_operand(out)) return false;
    const bool plus = is_symbol("+");
    if (!plus && !is_symbol("-")) return true;
    if (out.kind == Operand::Kind::kPlus || out.kind == Operand::Kind::kMinus) return fail();
    advance();
    count_operator();
    Operand sum;
    sum.kind = plus ? Operand::Kind::kPlus : Operand::Kind::kMinus;
    sum.args.push_back(std::move(out));
    if (!read_operand(sum.args.emplace_back())) return false;
    for (const Operand& arg : sum.args) check_arg_kind(plus ? "+" : "-", arg, AttributeKind::kNumber);
    out = std::move(sum);
    return true;
  }

  bool read_operand(Operand& out) {
    if (take_symbol("(")) {
      if (++depth_ > kParenthesesMax) return fail();
      const bool fine = read_set_value(out) && expect_symbol(")");
      --depth_;
      return fine;
    }
    if (token().kind == Token::Kind::kValue) return read_value(out);
    if (token().kind == Token::Kind::kWord && !is_keyword() && following().text == "(") return read_function(out);
    return read_path(out.path);
  }

  bool read_function(Operand& out) {
    const std::string_view name = token().text;
    advance();
    advance();
    count_operator();
    if (++depth_ > kParenthesesMax) return fail();
    do {
      if (!read_operand(out.args.emplace_back())) return false;
    } while (take_symbol(","));
    --depth_;
    if (!expect_symbol(")")) return false;
    out.kind = name == "list_append" ? Operand::Kind::kListAppend : Operand::Kind::kIfNotExists;
    check_function(name, out.args);
    return true;
  }

  void check_function(std::string_view name, const std::vector<Operand>& args) {
    constexpr std::string_view kOfConditions[] = {"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"};
    if (std::ranges::find(kOfConditions, name) != std::end(kOfConditions))
      return Faults::set(faults_.unknown_function, fmt::format("The function is not allowed in an update expression; function: {}", name));
    if (name != "if_not_exists" && name != "list_append")
      return Faults::set(faults_.unknown_function, fmt::format("Invalid function name; function: {}", name));
    if (args.size() != 2)
      return Faults::set(faults_.function,
                         fmt::format("Incorrect number of operands for operator or function; operator or function: {}, "
                                     "number of operands: {}", name, args.size()));
    if (name == "list_append") {
      for (const Operand& arg : args) check_arg_kind(name, arg, AttributeKind::kList);
    } else if (args[0].kind != Operand::Kind::kPath) {
      Faults::set(faults_.function,
                  fmt::format("Operator or function requires a document path; operator or function: {}", name));
    }
  }

  void check_arg_kind(std::string_view name, const Operand& arg, AttributeKind wanted) {
    if (arg.kind != Operand::Kind::kValue || !arg.value || arg.value->is(wanted)) return;
    Faults::set(faults_.function, fmt::format("Incorrect operand type for operator or function; operator or function: {}, "
                                              "operand type: {}", name, arg.value->kind_name()));
  }

  Update actions_;
};

class ProjectionParser final : public ExpressionReader {
 public:
  using ExpressionReader::ExpressionReader;

  Result<Projection, std::string> parse() {
    Projection paths;
    if (!syntax_fault().empty() || !read_paths(paths)) return Err(syntax_fault());
    std::vector<const Path*> pointers;
    for (const Path& path : paths) pointers.push_back(&path);
    if (faults_.name.empty()) check_paths(pointers, faults_);
    for (const std::string* fault :
         {&faults_.limit, &faults_.reserved, &faults_.name, &faults_.path_overlap, &faults_.path_conflict})
      if (!fault->empty()) return Err(*fault);
    return paths;
  }

 private:
  bool is_keyword() const override { return false; }

  bool read_paths(Projection& paths) {
    do {
      if (!read_path(paths.emplace_back())) return false;
    } while (take_symbol(","));
    return token().kind == Token::Kind::kEnd || fail();
  }
};

}  // namespace

Result<Update, std::string> parse_update(std::string_view text, Placeholders& placeholders) {
  return UpdateParser(text, placeholders).parse();
}

Result<Projection, std::string> parse_projection(std::string_view text, Placeholders& placeholders) {
  return ProjectionParser(text, placeholders).parse();
}

}  // namespace reef::table
