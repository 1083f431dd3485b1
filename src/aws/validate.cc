#include "aws/validate.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "aws/protocol/scalar.h"
#include "base/text.h"

namespace reef::aws {
namespace {

// S3 and API Gateway have texts of their own for nearly everything.
struct PolicyRow {
  std::string_view service;
  ValidationPolicy policy;
};
constexpr PolicyRow kPolicies[] = {
    {"s3", ValidationPolicy::kNothing},
    {"sqs", ValidationPolicy::kMissingParameter},
    {"apigateway", ValidationPolicy::kRequiredOnly},
    {"apigatewayv2", ValidationPolicy::kRequiredOnly},
};

// Patterns are compiled when first met. Per thread: no lock on the way of a request.
const pcre2_code* compiled(const char* pattern) {
  struct Cache : std::unordered_map<const char*, pcre2_code*> {
    ~Cache() {
      for (const auto& [text, code] : *this) pcre2_code_free(code);
    }
  };
  thread_local Cache cache;
  const auto [row, is_new] = cache.try_emplace(pattern, nullptr);
  if (is_new) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    // Java's matches() is anchored at both ends, its \w is ASCII, and it knows \u00FF.
    const std::string anchored = fmt::format("^(?:{})\\z", pattern);
    row->second = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(anchored.data()), anchored.size(), PCRE2_UTF | PCRE2_ALT_BSUX,
                                &error, &offset, nullptr);
  }
  return row->second;
}

bool matches(const char* pattern, const std::string& text) {
  const pcre2_code* code = compiled(pattern);
  if (!code) return true;  // a dialect that we cannot read constrains nothing
  pcre2_match_data* match = pcre2_match_data_create(1, nullptr);
  const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, match, nullptr);
  pcre2_match_data_free(match);
  return found >= 0 || found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT;
}

// Java's toString: of a double, "1.0".
std::string number_text(const Shape& shape, double value) {
  std::string text = format_double(value);
  if (shape.kind == Kind::kDouble && text.find_first_of(".eE") == std::string::npos) text += ".0";
  return text;
}

// How AWS prints a value in a message: Java's toString of it.
void append_text(std::string& out, const Shape& shape, const void* value) {
  switch (shape.kind) {
    case Kind::kList: {
      out += '[';
      const std::size_t size = shape.list.size(value);
      for (std::size_t i = 0; i < size; ++i) {
        if (i != 0) out += ", ";
        append_text(out, *shape.element, shape.list.at(value, i));
      }
      out += ']';
      break;
    }
    case Kind::kMap: {
      struct Visit {
        std::string& out;
        const Shape& element;
        bool first = true;
      } visit{out, *shape.element};
      out += '{';
      shape.map.each(value, &visit, [](void* context, const std::string& key, const void* entry) {
        auto& v = *static_cast<Visit*>(context);
        if (!std::exchange(v.first, false)) v.out += ", ";
        v.out += key;
        v.out += '=';
        append_text(v.out, v.element, entry);
      });
      out += '}';
      break;
    }
    case Kind::kStructure:
    case Kind::kUnion: {
      out += shape.name;
      out += '(';
      bool first = true;
      for (std::uint32_t i = 0; i < shape.member_count; ++i) {
        const void* field = value_of(shape.members[i], value);
        if (!field) continue;
        if (!std::exchange(first, false)) out += ", ";
        out += member_path_name(shape.members[i].name);
        out += '=';
        append_text(out, *shape.members[i].shape, field);
      }
      out += ')';
      break;
    }
    case Kind::kBlob: out += fmt::format("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", as<std::string>(value).size()); break;
    case Kind::kDocument: as<wire::Json>(value).append_to(out); break;
    case Kind::kNative: break;
    case Kind::kDouble: out += number_text(shape, as<double>(value)); break;
    default: append_scalar(out, shape, TimestampFormat::kIso8601, value);
  }
}

void check_size(const Shape& shape, std::size_t size, std::vector<std::string>& out) {
  if (shape.max >= 0 && size > static_cast<std::uint64_t>(shape.max))
    out.push_back(fmt::format("Member must have length less than or equal to {}", shape.max));
  if (shape.min > 0 && size < static_cast<std::uint64_t>(shape.min))
    out.push_back(fmt::format("Member must have length greater than or equal to {}", shape.min));
}

void check_range(const Shape& shape, double value, std::vector<std::string>& out) {
  if (shape.has_range_max && value > shape.range_max)
    out.push_back(fmt::format("Member must have value less than or equal to {}", number_text(shape, shape.range_max)));
  if (shape.has_range_min && value < shape.range_min)
    out.push_back(fmt::format("Member must have value greater than or equal to {}", number_text(shape, shape.range_min)));
}

// What the value itself violates, not its elements.
std::vector<std::string> violated(const Shape& shape, const void* value) {
  std::vector<std::string> out;
  switch (shape.kind) {
    case Kind::kString: {
      const std::string& text = as<std::string>(value);
      if (shape.min >= 0 || shape.max >= 0) check_size(shape, count_code_points(text), out);
      if (shape.pattern && !matches(shape.pattern, text))
        out.push_back(fmt::format("Member must satisfy regular expression pattern: {}", shape.pattern));
      if (shape.enum_count != 0 &&
          std::find(shape.enum_values, shape.enum_values + shape.enum_count, std::string_view(text)) == shape.enum_values + shape.enum_count)
        out.push_back(fmt::format("Member must satisfy enum value set: [{}]",
                                  fmt::join(shape.enum_values, shape.enum_values + shape.enum_count, ", ")));
      break;
    }
    case Kind::kBlob: check_size(shape, as<std::string>(value).size(), out); break;
    case Kind::kList: check_size(shape, shape.list.size(value), out); break;
    case Kind::kMap: check_size(shape, shape.map.size(value), out); break;
    case Kind::kInteger: check_range(shape, as<std::int32_t>(value), out); break;
    case Kind::kLong: check_range(shape, static_cast<double>(as<std::int64_t>(value)), out); break;
    case Kind::kDouble: check_range(shape, as<double>(value), out); break;
    case Kind::kStructure: case Kind::kUnion: case Kind::kBoolean: case Kind::kTimestamp: case Kind::kDocument: case Kind::kNative:
      break;
  }
  return out;
}

bool constrains(const Shape& shape) {
  return shape.min >= 0 || shape.max >= 0 || shape.has_range_min || shape.has_range_max || shape.pattern || shape.enum_count != 0;
}
// Whether anything at or below the shape is constrained; cycles end at structures.
bool needs_walk(const Shape& shape) {
  return constrains(shape) || shape.kind == Kind::kStructure || shape.kind == Kind::kUnion ||
         (shape.key && constrains(*shape.key)) || (shape.element && needs_walk(*shape.element));
}

class Checker {
 public:
  Checker(const MissingMembers& missing, bool required_only, bool says_not_null)
      : missing_(missing), required_only_(required_only), says_not_null_(says_not_null) {}

  std::vector<std::string> run(const Shape& input, const void* value) {
    if (required_only_) {
      for (const std::string& path : missing_) add_null(path);
    } else {
      members(input, value, "");
      // Whatever the walk could not reach (inside an absent parent) was still missing.
      for (const std::string& path : missing_)
        if (std::find(reported_.begin(), reported_.end(), path) == reported_.end()) add_null(path);
    }
    return std::move(out_);
  }

 private:
  void add_null(const std::string& path) {
    reported_.push_back(path);
    out_.push_back(fmt::format("Value null at '{}' failed to satisfy constraint: Member must not be null", path));
  }
  void add(const Shape& shape, const void* value, const std::string& path, std::string_view constraint) {
    if (shape.sensitive) return out_.push_back(fmt::format("Value at '{}' failed to satisfy constraint: {}", path, constraint));
    std::string text;
    append_text(text, shape, value);
    out_.push_back(fmt::format("Value '{}' at '{}' failed to satisfy constraint: {}", text, path, constraint));
  }

  void members(const Shape& shape, const void* value, const std::string& path) {
    if (depth_ > 40) return;
    ++depth_;
    for (std::uint32_t i = 0; i < shape.member_count; ++i) {
      const Member& member = shape.members[i];
      if (!missing_.empty() && member.required) {
        const std::string inner = join_path(path, member_path_name(member.name));
        if (std::find(missing_.begin(), missing_.end(), inner) != missing_.end()) {
          add_null(inner);
          continue;
        }
      }
      if (!needs_walk(*member.shape) || member.streaming) continue;
      if (const void* field = value_of(member, value)) check(*member.shape, field, join_path(path, member_path_name(member.name)));
    }
    --depth_;
  }

  void check(const Shape& shape, const void* value, const std::string& path) {
    for (const std::string& constraint : violated(shape, value)) add(shape, value, path, constraint);
    if (shape.kind == Kind::kStructure || shape.kind == Kind::kUnion) {
      members(shape, value, path);
    } else if (shape.kind == Kind::kList) {
      elements(shape, value, path);
    } else if (shape.kind == Kind::kMap) {
      entries(shape, value, path);
    }
  }

  void elements(const Shape& shape, const void* value, const std::string& path) {
    const std::size_t size = shape.list.size(value);
    if (!needs_walk(*shape.element)) return;
    for (std::size_t i = 0; i < size; ++i) {
      const void* element = shape.list.at(value, i);
      if (!is_scalar(shape.element->kind)) {
        check(*shape.element, element, fmt::format("{}.{}.member", path, i + 1));
      } else if (!violated(*shape.element, element).empty()) {
        add(shape, value, path, fmt::format("Member must satisfy constraint: [{}]", fmt::join(all_constraints(*shape.element, says_not_null_), ", ")));
        return;  // once per list, however many of its members are wrong
      }
    }
  }

  void entries(const Shape& shape, const void* value, const std::string& path) {
    struct Visit {
      Checker& checker;
      const Shape& shape;
      const std::string& path;
      bool bad_key = false, bad_value = false;
    } visit{*this, shape, path};
    shape.map.each(value, &visit, [](void* context, const std::string& key, const void* entry) {
      auto& v = *static_cast<Visit*>(context);
      if (v.shape.key && !violated(*v.shape.key, &key).empty()) v.bad_key = true;
      const Shape& element = *v.shape.element;
      if (!needs_walk(element)) return;
      if (is_scalar(element.kind)) v.bad_value = v.bad_value || !violated(element, entry).empty();
      else v.checker.check(element, entry, fmt::format("{}.{}.member", v.path, key));
    });
    if (visit.bad_key)
      add(shape, value, path, fmt::format("Map keys must satisfy constraint: [{}]", fmt::join(all_constraints(*shape.key, false), ", ")));
    if (visit.bad_value)
      add(shape, value, path, fmt::format("Map value must satisfy constraint: [{}]", fmt::join(all_constraints(*shape.element, says_not_null_), ", ")));
  }

  // `says_not_null`: of elements and values, not of keys.
  static std::vector<std::string> all_constraints(const Shape& shape, bool says_not_null) {
    std::vector<std::string> out;
    if (shape.max >= 0) out.push_back(fmt::format("Member must have length less than or equal to {}", shape.max));
    if (shape.min >= 0) out.push_back(fmt::format("Member must have length greater than or equal to {}", shape.min));
    if (shape.has_range_max) out.push_back(fmt::format("Member must have value less than or equal to {}", number_text(shape, shape.range_max)));
    if (shape.has_range_min) out.push_back(fmt::format("Member must have value greater than or equal to {}", number_text(shape, shape.range_min)));
    if (shape.pattern) out.push_back(fmt::format("Member must satisfy regular expression pattern: {}", shape.pattern));
    if (shape.enum_count != 0)
      out.push_back(fmt::format("Member must satisfy enum value set: [{}]", fmt::join(shape.enum_values, shape.enum_values + shape.enum_count, ", ")));
    if (says_not_null) out.push_back("Member must not be null");
    return out;
  }
  static std::string join_path(const std::string& path, const std::string& name) { return path.empty() ? name : path + '.' + name; }

  const MissingMembers& missing_;
  const bool required_only_;
  const bool says_not_null_;  // of the elements of lists and maps
  std::vector<std::string> reported_;
  std::vector<std::string> out_;
  int depth_ = 0;
};

bool speaks_query(const ServiceModel& service) {
  return service.protocol_count != 0 &&
         (service.protocols[0] == Protocol::kQuery || service.protocols[0] == Protocol::kEc2Query || service.protocols[0] == Protocol::kRestXml);
}

// "entries.1.member.id" -> the parameter's name at the top, as the query protocols call it: "Entries.1.Id".
std::string parameter_name(const std::string& path) {
  std::string out;
  for (const std::string_view part : split(path, '.')) {
    if (part == "member") continue;
    if (!out.empty()) out += '.';
    out += part;
    char& first = out[out.size() - part.size()];
    if (first >= 'a' && first <= 'z') first = static_cast<char>(first - 32);
  }
  return out;
}

}  // namespace

ValidationPolicy validation_policy(std::string_view service) {
  for (const PolicyRow& row : kPolicies)
    if (row.service == service) return row.policy;
  return ValidationPolicy::kEverything;
}

Error validation_failure(const ServiceModel& service, const std::vector<std::string>& violations) {
  std::string message = fmt::format("{} validation error{} detected: {}", violations.size(), violations.size() == 1 ? "" : "s",
                                    fmt::join(violations, "; "));
  const std::string_view name = service.name;
  if (name == "apigateway" || name == "apigatewayv2") return {"BadRequestException", std::move(message), 400};
  return {speaks_query(service) ? "ValidationError" : "ValidationException", std::move(message), 400};
}

Reply<void> validate(const ServiceModel& service, const OperationModel& operation, const void* input,
                     const MissingMembers& missing) {
  const ValidationPolicy policy = validation_policy(service.name);
  if (policy == ValidationPolicy::kNothing) return {};
  if (policy == ValidationPolicy::kMissingParameter) {
    // A batch without entries cannot be told from one whose list is absent: the service has an error of its own for it.
    const auto first = std::find_if(missing.begin(), missing.end(), [](const std::string& path) { return path != "entries"; });
    if (first == missing.end()) return {};
    return Err(Error("MissingParameter", fmt::format("The request must contain the parameter {}.", parameter_name(*first)), 400));
  }
  if (policy == ValidationPolicy::kRequiredOnly && missing.empty()) return {};
  const auto violations = Checker(missing, policy == ValidationPolicy::kRequiredOnly, std::string_view(service.name) == "lambda").run(*operation.input, input);
  if (violations.empty()) return {};
  return Err(validation_failure(service, violations));
}

}  // namespace reef::aws
