#include "aws/protocol/json_value.h"

#include <cmath>

#include <fmt/format.h>

#include "aws/native.h"
#include "aws/protocol/scalar.h"
#include "base/encoding.h"
#include "base/text.h"

namespace reef::aws {
namespace {

using wire::JsonKind;
using wire::JsonReader;
using wire::JsonWriter;

// What the parser says of anything but a list or map where one is an element of another: an accident of its own.
constexpr const char* kGenericElement =
    "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class "
    "(sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of loader "
    "'bootstrap')";

class Reader {
 public:
  Reader(JsonReader& in, const JsonRules& rules, MissingMembers* missing) : in_(in), rules_(rules), missing_(missing) {}

  Reply<void> run(const Shape& shape, void* value) {
    if (read(shape, nullptr, value)) return {};
    if (failed_) return Err(std::move(error_));
    return Err(serialization_error(""));
  }

 private:
  bool fail(std::string message) {
    if (!failed_) error_ = serialization_error(std::move(message));
    failed_ = true;
    return false;
  }
  // The class that AWS's parser was to make of `shape`, as Java writes it; empty when it is not known.
  std::string class_name(const Shape& shape) const {
    switch (shape.kind) {
      case Kind::kBlob: return "java.nio.ByteBuffer";
      case Kind::kList:
      case Kind::kMap: {
        const std::string element = class_name(*shape.element);
        if (element.empty()) return {};
        return shape.kind == Kind::kList ? fmt::format("java.util.List<{}>", element)
                                         : fmt::format("java.util.Map<java.lang.String, {}>", element);
      }
      case Kind::kStructure:
      case Kind::kUnion:
      case Kind::kDocument:
      case Kind::kNative:
        return rules_.java_package.empty() ? std::string() : fmt::format("{}.{}", rules_.java_package, shape.name);
      default: return fmt::format("java.lang.{}", kind_name(shape.kind));
    }
  }
  bool wrong_list(const Shape& shape) {
    const std::string name = class_name(shape);
    if (name.empty()) return fail("Start of list found where not expected");
    const bool is_generic = shape.kind == Kind::kList || shape.kind == Kind::kMap;
    return fail(fmt::format("Unrecognized collection type {}{}", is_generic ? "" : "class ", name));
  }
  // The next value is not what `shape` wants. An element is a value of a list or map.
  bool wrong_kind(const Shape& shape, bool is_element = false) {
    const JsonKind kind = in_.peek();
    if (kind == JsonKind::kInvalid) return false;  // a syntax error: no text
    if (kind == JsonKind::kObject) return fail("Start of structure or map found where not expected");
    if (kind == JsonKind::kArray) return wrong_list(shape);
    if (!is_scalar(shape.kind)) {
      if (!is_element) return fail("Unexpected field type");
      const bool is_generic = shape.kind == Kind::kList || shape.kind == Kind::kMap;
      return fail(is_generic ? kGenericElement : "Unexpected value type in payload");
    }
    if (shape.kind == Kind::kBlob) return fail("only base-64-encoded strings are convertible to bytes");
    bool flag = false;
    if (kind == JsonKind::kBool) in_.read_bool(flag);
    const std::string_view token = kind == JsonKind::kString   ? "STRING_VALUE"
                                   : kind == JsonKind::kNumber ? number_token(in_)
                                   : kind == JsonKind::kNull   ? "NULL_VALUE"
                                   : flag                      ? "TRUE_VALUE"
                                                               : "FALSE_VALUE";
    return fail(fmt::format("{} cannot be converted to {}", token, kind_name(shape.kind)));
  }

  // A scalar of another kind than the shape's, by its text; false when the text does not fit.
  bool read_loosely(const Shape& shape, void* value) {
    const JsonKind kind = in_.peek();
    std::string_view text;
    bool flag = false;
    if (kind == JsonKind::kBool) {
      if (!in_.read_bool(flag)) return false;
      text = flag ? "true" : "false";
    } else if (kind == JsonKind::kString ? !in_.read_string(text) : !in_.read_number(text)) {
      return false;
    }
    if (shape.kind == Kind::kString) return as<std::string>(value).assign(text), true;
    if (shape.kind == Kind::kBoolean) {
      flag = equals_ignoring_case(text, "true");
      as<bool>(value) = flag;
      return flag || equals_ignoring_case(text, "false") || fail(fmt::format("{} cannot be converted to Boolean", text));
    }
    return scalar_from_text(shape, TimestampFormat::kDefault, text, value) || fail(fmt::format("{} cannot be converted to {}", text, kind_name(shape.kind)));
  }
  bool is_loose(const Shape& shape) {
    if (!rules_.loose_scalars) return false;
    const JsonKind kind = in_.peek();
    switch (shape.kind) {
      case Kind::kString: return kind == JsonKind::kNumber || kind == JsonKind::kBool;
      case Kind::kBoolean:
      case Kind::kInteger:
      case Kind::kLong:
      case Kind::kDouble: return kind == JsonKind::kString;
      default: return false;
    }
  }

  bool read(const Shape& shape, const Member* member, void* value) {
    if (is_loose(shape)) return read_loosely(shape, value);
    switch (shape.kind) {
      case Kind::kStructure:
      case Kind::kUnion: return read_structure(shape, member, value);
      case Kind::kList: return read_list(shape, member, value);
      case Kind::kMap: return read_map(shape, member, value);
      case Kind::kDocument: as<wire::Json>(value) = wire::Json::read(in_); return in_.ok();
      case Kind::kNative: {
        if (member && !rules_.java_package.empty() && in_.peek() != JsonKind::kObject) return wrong_kind(shape);
        auto done = shape.native->decode(in_, value);
        if (done) return in_.ok();
        if (!failed_) error_ = std::move(done).error();
        failed_ = true;
        return false;
      }
      case Kind::kString: {
        std::string_view text;
        if (in_.peek() != JsonKind::kString) return wrong_kind(shape);
        if (!in_.read_string(text)) return false;
        as<std::string>(value).assign(text);
        return true;
      }
      case Kind::kBlob: return read_blob(shape, value);
      case Kind::kInteger:
      case Kind::kLong: return read_integer(shape, value);
      case Kind::kDouble: {
        std::string_view text;
        if (in_.peek() == JsonKind::kString) {
          if (!in_.read_string(text)) return false;
          if (text != "NaN" && text != "Infinity" && text != "-Infinity")
            return fail("STRING_VALUE cannot be converted to Double");
        } else if (in_.peek() != JsonKind::kNumber) {
          return wrong_kind(shape);
        } else if (!in_.read_number(text)) {
          return false;
        }
        return scalar_from_text(shape, TimestampFormat::kDefault, text, value) || fail("number out of range");
      }
      case Kind::kBoolean:
        if (in_.peek() == JsonKind::kString && !rules_.java_package.empty()) return read_flag_word(value);
        if (in_.peek() != JsonKind::kBool) return wrong_kind(shape);
        return in_.read_bool(as<bool>(value));
      case Kind::kTimestamp: return read_timestamp(shape, member, value);
    }
    return false;
  }

  bool read_flag_word(void* value) {
    std::string_view text;
    if (!in_.read_string(text)) return false;
    const std::optional<bool> flag = flag_word(text);
    if (!flag) return fail("Unexpected token received from parser");
    as<bool>(value) = *flag;
    return true;
  }

  bool read_blob(const Shape& shape, void* value) {
    std::string_view text;
    if (in_.peek() != JsonKind::kString) return wrong_kind(shape);
    if (!in_.read_string(text)) return false;
    auto bytes = rules_.java_package.empty() ? base64_decode(text) : base64_decode_strict(text);
    if (!bytes) return fail(base64_fault(text));
    as<std::string>(value) = *std::move(bytes);
    return true;
  }

  bool read_integer(const Shape& shape, void* value) {
    std::string_view text;
    if (in_.peek() != JsonKind::kNumber) return wrong_kind(shape);
    if (!in_.read_number(text)) return false;
    std::optional<std::int64_t> number = parse_int(text);
    if (!number) {  // AWS's parser truncates fractions
      const auto real = parse_double(text);
      if (real && std::fabs(*real) < 9.2e18) number = static_cast<std::int64_t>(*real);
    }
    if (!number) return fail("NUMBER_VALUE cannot be converted to Long");
    if (shape.kind == Kind::kLong) return as<std::int64_t>(value) = *number, true;
    if (*number < INT32_MIN || *number > INT32_MAX) return fail("NUMBER_VALUE cannot be converted to Integer");
    as<std::int32_t>(value) = static_cast<std::int32_t>(*number);
    return true;
  }

  bool read_timestamp(const Shape& shape, const Member* member, void* value) {
    std::string_view text;
    std::optional<Time> time;
    if (in_.peek() == JsonKind::kNumber) {
      if (!in_.read_number(text)) return false;
      time = parse_epoch(text);
    } else if (in_.peek() == JsonKind::kString) {
      if (!in_.read_string(text)) return false;
      time = parse_timestamp(timestamp_format(member, shape, TimestampFormat::kIso8601), text);
    } else {
      return wrong_kind(shape);
    }
    if (!time) return fail("STRING_VALUE cannot be converted to Timestamp");
    as<Time>(value) = *time;
    return true;
  }

  void add_prefix(std::size_t from, std::string_view prefix) {
    if (!missing_) return;
    for (std::size_t i = from; i < missing_->size(); ++i) (*missing_)[i] = fmt::format("{}.{}", prefix, (*missing_)[i]);
  }
  std::size_t missing_count() const { return missing_ ? missing_->size() : 0; }

  bool in_this_struct(const Member& member, bool outermost) const {
    return !(outermost && rules_.body_only) || member.location == Location::kBody;
  }

  bool read_structure(const Shape& shape, const Member* of, void* value) {
    const bool outermost = depth_ == 0;
    if (in_.peek() != JsonKind::kObject) return wrong_kind(shape, !outermost && !of);
    if (!in_.begin_object()) return false;
    ++depth_;
    std::uint64_t seen[4] = {};
    std::uint32_t next = 0;  // clients mostly send members in the model's order
    std::string_view key;
    while (in_.next_member(key)) {
      const Member* member = nullptr;
      for (std::uint32_t tried = 0; tried < shape.member_count; ++tried) {
        if (next == shape.member_count) next = 0;
        const Member& candidate = shape.members[next++];
        if (key == (rules_.wire_names ? candidate.wire_name : candidate.name)) {
          member = &candidate;
          break;
        }
      }
      if (member && !in_this_struct(*member, outermost)) member = nullptr;
      if (!member) {
        if (rules_.unknown == UnknownMembers::kRefuse && key != "__type")
          return fail(fmt::format("Unknown parameter in input: \"{}\"", key));
        if (!in_.skip()) return false;
        continue;
      }
      if (in_.peek() == JsonKind::kNull && member->shape->kind != Kind::kDocument) {
        if (!in_.read_null()) return false;
        continue;
      }
      const std::uint32_t index = static_cast<std::uint32_t>(member - shape.members);
      seen[index / 64 % 4] |= 1ull << index % 64;
      const std::size_t before = missing_count();
      if (!read(*member->shape, member, make_value(*member, value))) return false;
      if (missing_count() != before) add_prefix(before, member_path_name(member->name));
    }
    --depth_;
    if (missing_) {
      for (std::uint32_t i = 0; i < shape.member_count; ++i) {
        const Member& member = shape.members[i];
        if (member.required && !(seen[i / 64 % 4] >> i % 64 & 1) && in_this_struct(member, outermost))
          missing_->push_back(member_path_name(member.name));
      }
    }
    return in_.ok();
  }

  bool read_list(const Shape& shape, const Member* member, void* value) {
    if (in_.peek() != JsonKind::kArray) return wrong_kind(shape, depth_ > 0 && !member);
    if (!in_.begin_array()) return false;
    ++depth_;
    for (std::size_t index = 1; in_.next_element(); ++index) {
      if (in_.peek() == JsonKind::kNull && shape.element->kind != Kind::kDocument) {
        if (!in_.read_null()) return false;
        if (shape.sparse) shape.list.append(value);
        continue;
      }
      const std::size_t before = missing_count();
      if (!read(*shape.element, nullptr, shape.list.append(value))) return false;
      if (missing_count() != before) add_prefix(before, fmt::format("{}.member", index));
    }
    --depth_;
    return in_.ok();
  }

  bool read_map(const Shape& shape, const Member* member, void* value) {
    if (in_.peek() != JsonKind::kObject) return wrong_kind(shape, depth_ > 0 && !member);
    if (!in_.begin_object()) return false;
    ++depth_;
    std::string_view key;
    while (in_.next_member(key)) {
      if (in_.peek() == JsonKind::kNull && shape.element->kind != Kind::kDocument) {
        if (shape.sparse) shape.map.insert(value, key);
        if (!in_.read_null()) return false;
        continue;
      }
      const std::size_t before = missing_count();
      const std::string name = missing_ ? std::string(key) : std::string();
      if (!read(*shape.element, nullptr, shape.map.insert(value, key))) return false;
      if (missing_count() != before) add_prefix(before, name + ".member");
    }
    --depth_;
    return in_.ok();
  }

  JsonReader& in_;
  const JsonRules& rules_;
  MissingMembers* missing_;
  Error error_;
  bool failed_ = false;
  int depth_ = 0;
};

struct MapVisit {
  const Shape& shape;
  JsonWriter& out;
  const JsonRules& rules;
};

void write_structure(const Shape& shape, const void* value, JsonWriter& out, const JsonRules& rules) {
  JsonRules inner = rules;
  inner.body_only = false;
  out.begin_object();
  for (std::uint32_t i = 0; i < shape.member_count; ++i) {
    const Member& member = shape.members[i];
    if (rules.body_only && member.location != Location::kBody) continue;
    const void* field = value_of(member, value);
    if (!field) continue;
    if (rules.skip_empty_lists && member.shape->kind == Kind::kList && member.shape->list.size(field) == 0) continue;
    out.key(rules.wire_names ? member.wire_name : member.name);
    write_json(*member.shape, field, out, inner, &member);
  }
  out.end_object();
}

}  // namespace

std::string_view number_token(JsonReader& in) {
  std::string_view text;
  in.read_number(text);
  return text.find_first_of(".eE") == text.npos ? "NUMBER_VALUE" : "DECIMAL_VALUE";
}

std::optional<bool> flag_word(std::string_view text) {
  const std::string word = to_lower(text);
  if (word == "true" || word == "yes" || word == "1") return true;
  if (word == "false" || word == "no" || word == "0") return false;
  return std::nullopt;
}

std::string base64_fault(std::string_view text) {
  if (text.size() % 4 != 0)
    return fmt::format("Base64 encoded length is expected a multiple of 4 bytes but found: {}", text.size());
  return text.ends_with('=') ? "Invalid last non-pad Base64 character dectected" : "Invalid Base64 text";
}

Error serialization_error(std::string message) { return {"SerializationException", std::move(message), 400}; }

Reply<void> read_json(const Shape& shape, JsonReader& in, void* value, const JsonRules& rules, MissingMembers* missing) {
  return Reader(in, rules, missing).run(shape, value);
}

void write_json(const Shape& shape, const void* value, JsonWriter& out, const JsonRules& rules, const Member* member) {
  switch (shape.kind) {
    case Kind::kStructure:
    case Kind::kUnion: write_structure(shape, value, out, rules); break;
    case Kind::kList: {
      out.begin_array();
      const std::size_t size = shape.list.size(value);
      for (std::size_t i = 0; i < size; ++i) write_json(*shape.element, shape.list.at(value, i), out, rules);
      out.end_array();
      break;
    }
    case Kind::kMap: {
      out.begin_object();
      MapVisit visit{*shape.element, out, rules};
      shape.map.each(value, &visit, [](void* context, const std::string& key, const void* entry) {
        auto& [element, writer, how] = *static_cast<MapVisit*>(context);
        writer.key(key);
        write_json(element, entry, writer, how);
      });
      out.end_object();
      break;
    }
    case Kind::kString: out.string(as<std::string>(value)); break;
    case Kind::kInteger: out.integer(as<std::int32_t>(value)); break;
    case Kind::kLong: out.integer(as<std::int64_t>(value)); break;
    case Kind::kDouble: out.number(as<double>(value)); break;
    case Kind::kBoolean: out.boolean(as<bool>(value)); break;
    case Kind::kBlob: out.string(base64_encode(as<std::string>(value))); break;
    case Kind::kTimestamp: {
      const TimestampFormat format =
          rules.exact_time ? TimestampFormat::kEpochSeconds : timestamp_format(member, shape, TimestampFormat::kEpochSeconds);
      std::string text;
      if (format == TimestampFormat::kEpochSeconds) {
        append_epoch(text, as<Time>(value), rules.exact_time);
        out.raw(text);
      } else {
        append_scalar(text, shape, format, value);
        out.string(text);
      }
      break;
    }
    case Kind::kDocument: {
      std::string text;
      as<wire::Json>(value).append_to(text);
      out.raw(text);
      break;
    }
    case Kind::kNative: shape.native->encode(value, out); break;
  }
}

std::string to_json_text(const Shape& shape, const void* value) {
  std::string out;
  JsonWriter writer(out);
  write_json(shape, value, writer, {.exact_time = true});
  return out;
}

wire::Json to_json(const Shape& shape, const void* value) {
  return wire::Json::parse(to_json_text(shape, value)).value_or(wire::Json());
}

Reply<void> from_json_text(const Shape& shape, std::string_view json, void* value, UnknownMembers unknown,
                           MissingMembers* missing) {
  JsonReader in(json);
  TRY(read_json(shape, in, value, {.unknown = unknown}, missing));
  if (!in.finish()) return Err(serialization_error(in.error()));
  return {};
}

Reply<void> from_json(const Shape& shape, const wire::Json& json, void* value, UnknownMembers unknown,
                      MissingMembers* missing) {
  return from_json_text(shape, json.dump(), value, unknown, missing);
}

}  // namespace reef::aws
