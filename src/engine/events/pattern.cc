#include "engine/events/pattern.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "engine/events/address.h"
#include "wire/json_reader.h"

namespace reef::events {
namespace {

using wire::JsonKind;
using wire::JsonReader;
using Status = Result<void, std::string>;

constexpr std::size_t kClausesMax = 1000;  // what $or may multiply into
constexpr double kNumberMax = 5.0e9;       // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
constexpr std::size_t kSourceShownMax = 500;

bool is_reserved(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr", "=", "<", "<=", ">", ">=", "regex",
      "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range",
      "ip-address-in-range", "ip-address-not-in-range"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

class Compiler {
 public:
  explicit Compiler(std::string_view text) : text_(text), in_(text) {}

  Result<Pattern, std::string> compile() {
    Pattern out;
    if (in_.peek() != JsonKind::kObject) return Err(at("Filter is not an object"));
    std::string path;
    TRY(object(out.clauses, path, false));
    if (!in_.finish()) return Err(at(in_.error()));
    for (Clause& clause : out.clauses)
      std::sort(clause.fields.begin(), clause.fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return out;
  }

 private:
  // Where the parser that AWS uses stands then: strings and containers are announced by their first character.
  std::string at(std::string_view message) {
    const JsonKind next = in_.ok() ? in_.peek() : JsonKind::kInvalid;
    std::size_t offset = in_.offset();
    if (next == JsonKind::kString || next == JsonKind::kObject || next == JsonKind::kArray) ++offset;
    else if (next != JsonKind::kInvalid && in_.skip()) offset = in_.offset();
    const std::string_view before = text_.substr(0, std::min(offset, text_.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto start = before.rfind('\n') + 1;
    std::string shown = fmt::format("\"{}\"", text_.substr(0, kSourceShownMax));
    if (text_.size() > kSourceShownMax) shown += fmt::format("[truncated {} chars]", text_.size() - kSourceShownMax);
    return fmt::format("{}\n at [Source: (String){}; line: {}, column: {}]", message, shown, line, before.size() - start + 1);
  }
  Status fail(std::string_view message) { return Err(in_.ok() ? at(message) : at(in_.error())); }

  Status object(std::vector<Clause>& clauses, std::string& path, bool inside_or) {
    if (++depth_ > 100) return fail("Event pattern is nested too deeply");
    in_.begin_object();
    std::string_view key;
    bool has_fields = false;
    while (in_.next_member(key)) {
      has_fields = true;
      const std::string name(key);
      if (name == "$or") {
        TRY(alternatives(clauses, path));
        continue;
      }
      if (inside_or && is_reserved(name)) return fail(name + " is Ruler reserved fieldName which cannot be used inside $or.");
      const std::size_t length = path.size();
      if (!path.empty()) path += '.';
      path += name;
      const JsonKind kind = in_.peek();
      if (kind == JsonKind::kObject) TRY(object(clauses, path, inside_or));
      else if (kind == JsonKind::kArray) TRY(tests(clauses, path));
      else return fail(fmt::format("\"{}\" must be an object or an array", name));
      path.resize(length);
    }
    if (!in_.ok()) return fail("");
    if (!has_fields) return fail("Empty objects are not allowed");
    --depth_;
    return {};
  }

  Status alternatives(std::vector<Clause>& clauses, std::string& path) {
    if (in_.peek() != JsonKind::kArray) return fail("It must be an Array followed with $or.");
    const std::vector<Clause> before = std::exchange(clauses, {});
    in_.begin_array();
    int count = 0;
    while (in_.next_element()) {
      ++count;
      if (in_.peek() != JsonKind::kObject) return fail("Only JSON object is allowed in array of $or relationship.");
      std::vector<Clause> one = before;
      if (one.empty()) one.emplace_back();
      TRY(object(one, path, true));
      clauses.insert(clauses.end(), one.begin(), one.end());
      if (clauses.size() > kClausesMax) return fail(fmt::format("The $or relationships make more than {} combinations", kClausesMax));
    }
    if (!in_.ok()) return fail("");
    if (count < 2) return fail("There must have at least 2 Objects in $or relationship.");
    return {};
  }

  Status tests(std::vector<Clause>& clauses, const std::string& path) {
    std::vector<Test> found;
    in_.begin_array();
    while (in_.next_element()) {
      Test test;
      switch (in_.peek()) {
        case JsonKind::kObject: TRY(expression(test)); break;
        case JsonKind::kString: TRY(text(test.text, "")); break;
        case JsonKind::kNumber: {
          std::string_view lexeme;
          if (!in_.read_number(lexeme)) return fail("");
          test.value_kind = ValueKind::kNumber;
          test.text = lexeme;
          test.number = parse_double(lexeme).value_or(0);
          break;
        }
        case JsonKind::kBool:
        case JsonKind::kNull: {
          std::string_view raw;
          if (!in_.read_raw(raw)) return fail("");
          test.value_kind = ValueKind::kLiteral;
          test.text = raw;
          break;
        }
        default: return fail("Match value must be String, number, true, false, or null");
      }
      found.push_back(std::move(test));
    }
    if (!in_.ok()) return fail("");
    if (found.empty()) return fail("Empty arrays are not allowed");
    if (clauses.empty()) clauses.emplace_back();
    for (Clause& clause : clauses) {
      // The later of two of the same path stands, as it does for AWS.
      std::erase_if(clause.fields, [&](const auto& field) { return field.first == path; });
      clause.fields.emplace_back(path, found);
    }
    return {};
  }

  Status text(std::string& out, std::string_view message) {
    std::string_view value;
    if (in_.peek() != JsonKind::kString) return fail(message);
    if (!in_.read_string(value)) return fail("");
    out = value;
    return {};
  }
  // After the one member of an expression was read.
  Status end_of_expression(std::string_view message = "Only one key allowed in match expression") {
    std::string_view key;
    if (in_.next_member(key) || !in_.ok()) return fail(message);
    return {};
  }

  Status expression(Test& test) {
    in_.begin_object();
    std::string_view key;
    if (!in_.next_member(key)) return fail("Match expression name not found");
    const std::string name(key);
    if (name == "exactly") {
      TRY(text(test.text, "exact match pattern must be a string"));
    } else if (name == "prefix" || name == "suffix") {
      TRY(prefix_or_suffix(test, name));
    } else if (name == "equals-ignore-case") {
      test.kind = TestKind::kIgnoreCase;
      TRY(text(test.text, "equals-ignore-case match pattern must be a string"));
      test.text = to_lower(test.text);
    } else if (name == "wildcard") {
      TRY(wildcard(test));
    } else if (name == "cidr") {
      TRY(address_range(test));
    } else if (name == "exists") {
      bool wanted = false;
      if (in_.peek() != JsonKind::kBool) return fail("exists match pattern must be either true or false.");
      if (!in_.read_bool(wanted)) return fail("");
      test.kind = wanted ? TestKind::kExists : TestKind::kAbsent;
    } else if (name == "numeric") {
      TRY(numeric(test));
      return end_of_expression("Too many elements in numeric expression");
    } else if (name == "anything-but") {
      TRY(anything_but(test));
      return end_of_expression("Too many elements in numeric expression");
    } else {
      return fail("Unrecognized match type " + name);
    }
    return end_of_expression();
  }

  Status prefix_or_suffix(Test& test, const std::string& name) {
    const bool is_prefix = name == "prefix";
    test.kind = is_prefix ? TestKind::kPrefix : TestKind::kSuffix;
    if (in_.peek() != JsonKind::kObject) return text(test.text, name + " match pattern must be a string");
    in_.begin_object();
    std::string_view key;
    if (!in_.next_member(key)) return fail(is_prefix ? "Prefix expression name not found" : "Suffix expression name not found");
    if (key != "equals-ignore-case") return fail(fmt::format("Unsupported {} pattern: {}", name, key));
    test.kind = is_prefix ? TestKind::kPrefixIgnoreCase : TestKind::kSuffixIgnoreCase;
    TRY(text(test.text, "equals-ignore-case match pattern must be a string"));
    test.text = to_lower(test.text);
    return end_of_expression();
  }

  Status wildcard(Test& test) {
    test.kind = TestKind::kWildcard;
    TRY(text(test.text, "wildcard match pattern must be a string"));
    // Positions count from the opening quote, as AWS's do.
    for (std::size_t i = 0; i < test.text.size(); ++i) {
      if (test.text[i] == '*') {
        if (i + 1 < test.text.size() && test.text[i + 1] == '*') return fail(fmt::format("Consecutive wildcard characters at pos {}", i + 1));
      } else if (test.text[i] == '\\') {
        if (i + 1 >= test.text.size() || (test.text[i + 1] != '*' && test.text[i + 1] != '\\')) return fail(fmt::format("Invalid escape character at pos {}", i + 1));
        ++i;
      }
    }
    return {};
  }

  Status address_range(Test& test) {
    test.kind = TestKind::kAddress;
    std::string cidr;
    TRY(text(cidr, "prefix match pattern must be a string"));
    const auto parts = split(cidr, '/');
    if (parts.size() != 2) return fail("Malformed CIDR, one '/' required");
    const auto bits = parse_int<int>(parts[1]);
    if (!bits) return fail("Malformed CIDR, mask bits must be an integer");
    if (*bits < 0) return fail("Malformed CIDR, mask bits must not be negative");
    test.address_low = test.address_high = address_bytes(parts[0]);
    if (test.address_low.empty()) return fail("Nonstandard IP address: " + std::string(parts[0]));
    const bool is_v4 = test.address_low.size() == 4;
    if (*bits > (is_v4 ? 31 : 127)) return fail(is_v4 ? "IPv4 mask bits must be < 32" : "IPv6 mask bits must be < 128");
    for (std::size_t i = static_cast<std::size_t>(*bits); i < test.address_low.size() * 8; ++i) {
      const char mask = static_cast<char>(0x80 >> (i % 8));
      test.address_low[i / 8] = static_cast<char>(test.address_low[i / 8] & ~mask);
      test.address_high[i / 8] = static_cast<char>(test.address_high[i / 8] | mask);
    }
    return {};
  }

  Status number(double& out, std::string_view message) {
    std::string_view lexeme;
    if (in_.peek() != JsonKind::kNumber) return fail(message);
    if (!in_.read_number(lexeme)) return fail("");
    out = parse_double(lexeme).value_or(0);
    if (std::abs(out) > kNumberMax) return fail("Value must be between -5.0E9 and 5.0E9, inclusive");
    return {};
  }

  Status numeric(Test& test) {
    test.kind = TestKind::kRange;
    if (in_.peek() != JsonKind::kArray) return fail("Value of numeric must be an array.");
    in_.begin_array();
    if (!in_.next_element() || in_.peek() != JsonKind::kString) return fail("Invalid member in numeric match: ]");
    std::string op;
    TRY(text(op, ""));
    test.low = -std::numeric_limits<double>::infinity();
    test.high = std::numeric_limits<double>::infinity();
    const std::string message = fmt::format("Value of {} must be numeric", op == "=" ? "equals" : op);
    if (op != "=" && op != "<" && op != "<=" && op != ">" && op != ">=") return fail("Unrecognized numeric range operator: " + op);
    double value = 0;
    if (!in_.next_element()) return fail(message);
    TRY(number(value, message));
    if (op == "=") {
      test.low = test.high = value;
    } else if (op[0] == '<') {
      test.high = value;
      test.high_open = op == "<";
    } else {
      test.low = value;
      test.low_open = op == ">";
      if (!in_.next_element()) return in_.ok() ? Status() : fail("");
      if (in_.peek() != JsonKind::kString) return fail("Bad value in numeric range: ");
      TRY(text(op, ""));
      if (op != "<" && op != "<=") return fail("Bad numeric range operator: " + op);
      test.high_open = op == "<";
      const std::string of_top = fmt::format("Value of {} must be numeric", op);
      if (!in_.next_element()) return fail(of_top);
      TRY(number(test.high, of_top));
      if (test.low >= test.high) return fail("Bottom must be less than top");
      if (in_.next_element()) return fail("Too many terms in numeric range expression");
      return in_.ok() ? Status() : fail("");
    }
    if (in_.next_element()) return fail("Too many elements in numeric expression");
    return in_.ok() ? Status() : fail("");
  }

  // One value that the field must not have.
  Status unwanted(Test& test, const std::string& op) {
    if (op.empty()) {
      const JsonKind kind = in_.peek();
      if (kind != JsonKind::kString && kind != JsonKind::kNumber) return fail("Inside anything but list, start|null|boolean is not supported.");
      if (kind == JsonKind::kString) return text(test.text, "");
      test.value_kind = ValueKind::kNumber;
      TRY(number(test.number, ""));
      test.text = fmt::format("{}", test.number);
      return {};
    }
    if (op == "wildcard") return wildcard(test);
    if (op == "equals-ignore-case") {
      test.kind = TestKind::kIgnoreCase;
      TRY(text(test.text, "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."));
      test.text = to_lower(test.text);
      return {};
    }
    test.kind = op == "prefix" ? TestKind::kPrefix : TestKind::kSuffix;
    TRY(text(test.text, "prefix/suffix match pattern must be a string"));
    return test.text.empty() ? fail("Null prefix/suffix not allowed") : Status();
  }

  Status anything_but(Test& test) {
    test.kind = TestKind::kAnythingBut;
    std::string op;
    const bool is_nested = in_.peek() == JsonKind::kObject;
    if (is_nested) {
      std::string_view key;
      in_.begin_object();
      if (!in_.next_member(key)) return fail("Anything-But expression name not found");
      op = key;
      if (op != "equals-ignore-case" && op != "prefix" && op != "suffix" && op != "wildcard") return fail("Unsupported anything-but pattern: " + op);
    }
    const JsonKind kind = in_.peek();
    if (kind == JsonKind::kArray) {
      in_.begin_array();
      while (in_.next_element()) TRY(unwanted(test.others.emplace_back(), op));
      if (!in_.ok()) return fail("");
      const auto is_number = [](const Test& one) { return one.value_kind == ValueKind::kNumber; };
      const auto numbers = static_cast<std::size_t>(std::count_if(test.others.begin(), test.others.end(), is_number));
      if (op.empty() && (test.others.empty() || (numbers != 0 && numbers != test.others.size())))
        return fail("Inside anything but list, either all values are number or string, mixed type is not supported");
    } else if (kind == JsonKind::kString || kind == JsonKind::kNumber) {
      TRY(unwanted(test.others.emplace_back(), op));
    } else {
      return fail("Value of anything-but must be an array or single string/number value.");
    }
    return is_nested ? end_of_expression("Too many elements in numeric expression") : Status();
  }

  std::string_view text_;
  JsonReader in_;
  int depth_ = 0;
};

}  // namespace

Result<Pattern, std::string> compile_pattern(std::string_view json) { return Compiler(json).compile(); }

}  // namespace reef::events
