#include "engine/table/expression_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "engine/table/reserved_words.h"
#include "engine/table/values.h"

namespace reef::table {
namespace {

bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool continues_word(char c) { return starts_word(c) || is_digit(c); }

// Bytes of the UTF-8 character that starts with `c`, so that a fault never shows half of one.
std::size_t character_bytes(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

bool is_placeholder(std::string_view key, char sign) {
  return key.size() > 1 && key.front() == sign && std::ranges::all_of(key.substr(1), continues_word);
}

}  // namespace

std::vector<Token> read_tokens(std::string_view text) {
  std::vector<Token> tokens;
  std::size_t i = 0;
  const auto run = [&](std::size_t from, auto&& accepts) {
    while (from < text.size() && accepts(text[from])) ++from;
    return from;
  };
  while (true) {
    i = run(i, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    if (i == text.size()) break;
    const char c = text[i];
    std::size_t end = i + 1;
    Token::Kind kind = Token::Kind::kSymbol;
    if (starts_word(c)) {
      kind = Token::Kind::kWord;
      end = run(i, continues_word);
    } else if (is_digit(c)) {
      kind = Token::Kind::kNumber;
      end = run(i, is_digit);
    } else if ((c == '#' || c == ':') && run(i + 1, continues_word) > i + 1) {
      kind = c == '#' ? Token::Kind::kName : Token::Kind::kValue;
      end = run(i + 1, continues_word);
    } else if (const auto pair = text.substr(i, 2); pair == "<=" || pair == ">=" || pair == "<>") {
      end = i + 2;
    } else {
      end = std::min(i + character_bytes(c), text.size());
    }
    tokens.push_back({kind, text.substr(i, end - i), i});
    i = end;
  }
  tokens.push_back({Token::Kind::kEnd, "<EOF>", text.size()});
  return tokens;
}

Placeholders::Placeholders(const Names* names, const AttributeMap* values) : names_(names), values_(values) {}

std::string Placeholders::check() {
  if (names_) {
    if (names_->empty()) return "ExpressionAttributeNames must not be empty";
    for (const auto& [key, name] : *names_) {
      if (!is_placeholder(key, '#'))
        return fmt::format("ExpressionAttributeNames contains invalid key: Syntax error; key: \"{}\"", key);
      unused_names_.insert(key);
    }
  }
  if (!values_) return {};
  if (values_->empty()) return "ExpressionAttributeValues must not be empty";
  bool canonical = true;
  for (const auto& [key, value] : *values_) {
    if (!is_placeholder(key, ':'))
      return fmt::format("ExpressionAttributeValues contains invalid key: Syntax error; key: \"{}\"", key);
    unused_values_.insert(key);
    canonical = canonical && has_canonical_numbers(value);
  }
  for (const auto& [key, value] : *values_)
    if (const std::string fault = check_value(value); !fault.empty())
      return fmt::format("ExpressionAttributeValues contains invalid value: {} for key {}", fault, key);
  if (!canonical) {
    canonical_ = *values_;
    canonicalise(canonical_);
    values_ = &canonical_;
  }
  return {};
}

const std::string* Placeholders::name(std::string_view placeholder) {
  if (!names_) return nullptr;
  const auto found = names_->find(placeholder);
  if (found == names_->end()) return nullptr;
  if (const auto unused = unused_names_.find(placeholder); unused != unused_names_.end()) unused_names_.erase(unused);
  return &found->second;
}

const AttributeValue* Placeholders::value(std::string_view placeholder) {
  if (!values_) return nullptr;
  const auto found = values_->find(placeholder);
  if (found == values_->end()) return nullptr;
  if (const auto unused = unused_values_.find(placeholder); unused != unused_values_.end()) unused_values_.erase(unused);
  return &found->second;
}

std::string Placeholders::check_all_used() const {
  const auto report = [](std::string_view what, const auto& unused) {
    return fmt::format("Value provided in {} unused in expressions: keys: {{{}}}", what,
                       join(std::vector<std::string>(unused.begin(), unused.end()), ", "));
  };
  if (!unused_names_.empty()) return report("ExpressionAttributeNames", unused_names_);
  if (!unused_values_.empty()) return report("ExpressionAttributeValues", unused_values_);
  return {};
}

ExpressionReader::ExpressionReader(std::string_view text, Placeholders& placeholders)
    : placeholders_(placeholders), text_(text) {
  if (text.empty())
    syntax_ = "The expression can not be empty;";
  else if (text.size() > kExpressionBytesMax)
    syntax_ = fmt::format("Expression size has exceeded the maximum allowed size; expression size: {}", text.size());
  else
    tokens_ = read_tokens(text);
  if (tokens_.empty()) tokens_.push_back({Token::Kind::kEnd, "<EOF>", text.size()});
}

bool ExpressionReader::is_word(std::string_view word) const {
  return token().kind == Token::Kind::kWord && equals_ignoring_case(token().text, word);
}

bool ExpressionReader::take_symbol(std::string_view symbol) {
  if (!is_symbol(symbol)) return false;
  advance();
  return true;
}

bool ExpressionReader::take_word(std::string_view word) {
  if (!is_word(word)) return false;
  advance();
  return true;
}

bool ExpressionReader::fail() {
  if (!syntax_.empty()) return false;
  const std::size_t from = at_ > 0 ? tokens_[at_ - 1].offset : token().offset;
  const Token& last = at_ + 1 < tokens_.size() && following().kind != Token::Kind::kEnd ? following() : token();
  const std::size_t to = last.kind == Token::Kind::kEnd ? text_.size() : last.offset + last.text.size();
  syntax_ = fmt::format("Syntax error; token: \"{}\", near: \"{}\"", token().text, text_.substr(from, to - from));
  return false;
}

void ExpressionReader::count_operator() {
  if (++operators_ > kOperatorsMax)
    Faults::set(faults_.limit,
                fmt::format("The expression contains too many operators and functions; limit: {}", kOperatorsMax));
}

void ExpressionReader::report_undefined(std::string& fault, const char* what) {
  const std::string text = fmt::format("{}: {}", what, token().text);
  Faults::set(fault, text);
  Faults::set(faults_.undefined, text);
}

bool ExpressionReader::read_path_name(Path& out) {
  PathStep step;
  if (token().kind == Token::Kind::kName) {
    if (const std::string* name = placeholders_.name(token().text))
      step.name = *name;
    else
      report_undefined(faults_.name, "An expression attribute name used in the document path is not defined; attribute name");
  } else if (token().kind == Token::Kind::kWord && !is_keyword()) {
    step.name = token().text;
    if (is_reserved_word(step.name))
      Faults::set(faults_.reserved,
                  fmt::format("Attribute name is a reserved keyword; reserved keyword: {}", step.name));
  } else {
    return fail();
  }
  advance();
  out.push_back(std::move(step));
  return true;
}

bool ExpressionReader::read_path(Path& out) { return read_path_name(out) && read_path_steps(out); }

bool ExpressionReader::read_path_steps(Path& out) {
  while (true) {
    if (take_symbol(".")) {
      if (!read_path_name(out)) return false;
    } else if (take_symbol("[")) {
      const auto index = token().kind == Token::Kind::kNumber ? parse_int(token().text) : std::nullopt;
      if (!index) return fail();
      if (*index > 0x7FFFFFFF)
        Faults::set(faults_.limit, fmt::format("List index is not within the allowable range; index: [{}]", token().text));
      advance();
      out.push_back({.index = static_cast<std::uint32_t>(*index), .is_index = true});
      if (!expect_symbol("]")) return false;
    } else {
      break;
    }
  }
  if (out.size() > kPathStepsMax)
    Faults::set(faults_.limit,
                fmt::format("The document path has too many nesting elements; nesting levels: {}", out.size()));
  return true;
}

bool ExpressionReader::read_value(Operand& out) {
  if (token().kind != Token::Kind::kValue) return fail();
  out.kind = Operand::Kind::kValue;
  out.value = placeholders_.value(token().text);
  if (!out.value)
    report_undefined(faults_.value, "An expression attribute value used in expression is not defined; attribute value");
  advance();
  return true;
}

std::string path_text(const Path& path) {
  std::string out = "[";
  for (const PathStep& step : path) {
    if (out.size() > 1) out += ", ";
    out += step.is_index ? fmt::format("[{}]", step.index) : step.name;
  }
  return out + "]";
}

void check_paths(const std::vector<const Path*>& paths, Faults& faults) {
  for (std::size_t later = 1; later < paths.size(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      const Path &one = *paths[earlier], &two = *paths[later];
      const std::size_t shared = std::min(one.size(), two.size());
      std::size_t i = 0;
      while (i < shared && one[i] == two[i]) ++i;
      const auto report = [&](const char* how) {
        return fmt::format("Two document paths {} with each other; must remove or rewrite one of these paths; "
                           "path one: {}, path two: {}", how, path_text(one), path_text(two));
      };
      if (i == shared)
        Faults::set(faults.path_overlap, report("overlap"));
      else if (one[i].is_index != two[i].is_index)
        Faults::set(faults.path_conflict, report("conflict"));
      if (!faults.path_overlap.empty()) return;
    }
  }
}

std::optional<AttributeKind> known_kind(const Operand& operand) {
  switch (operand.kind) {
    case Operand::Kind::kValue:
      return operand.value ? std::optional(operand.value->kind()) : std::nullopt;
    case Operand::Kind::kSize:
    case Operand::Kind::kPlus:
    case Operand::Kind::kMinus:
      return AttributeKind::kNumber;
    case Operand::Kind::kListAppend:
      return AttributeKind::kList;
    case Operand::Kind::kIfNotExists:
      return operand.args.size() == 2 ? known_kind(operand.args[1]) : std::nullopt;
    case Operand::Kind::kPath:
      return std::nullopt;
  }
  return std::nullopt;
}

namespace {

template <class Visit>
void each_path(const Operand& operand, Visit visit) {
  if (operand.kind == Operand::Kind::kPath) visit(operand.path);
  for (const Operand& arg : operand.args) each_path(arg, visit);
}
template <class Visit>
void each_path(const Condition& condition, Visit visit) {
  for (const Condition& child : condition.children) each_path(child, visit);
  for (const Operand& operand : condition.operands) each_path(operand, visit);
}

}  // namespace

void collect_nested_heads(const Condition& condition, std::set<std::string, std::less<>>& out) {
  each_path(condition, [&](const Path& path) {
    if (path.size() > 1) out.insert(path.front().name);
  });
}

void collect_nested_heads(const Projection& projection, std::set<std::string, std::less<>>& out) {
  for (const Path& path : projection)
    if (path.size() > 1) out.insert(path.front().name);
}

void collect_heads(const Condition& condition, std::set<std::string, std::less<>>& out) {
  each_path(condition, [&](const Path& path) { out.insert(path.front().name); });
}

}  // namespace reef::table
