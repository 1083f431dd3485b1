#include "aws/attribute_value_codec.h"

#include <utility>

#include "aws/protocol/json_value.h"
#include "base/attribute_value.h"
#include "base/encoding.h"

namespace reef::aws {
namespace {

using wire::JsonKind;
using wire::JsonReader;
using wire::JsonWriter;
using Value = AttributeValue;

constexpr int kDepthMax = 200;  // far beyond what the service allows, far below the stack's size

Reply<void> decode(JsonReader& in, Value& out, int depth);

Error wrong(JsonReader& in, std::string_view wanted) {
  bool flag = false;
  switch (in.peek()) {
    case JsonKind::kObject: return serialization_error("Start of structure or map found where not expected");
    case JsonKind::kArray: return serialization_error("Unrecognized collection type class java.lang." + std::string(wanted));
    case JsonKind::kNumber: return serialization_error(std::string(number_token(in)) + " cannot be converted to " + std::string(wanted));
    case JsonKind::kString: return serialization_error("STRING_VALUE cannot be converted to " + std::string(wanted));
    case JsonKind::kBool:
      in.read_bool(flag);
      return serialization_error((flag ? "TRUE_VALUE cannot be converted to " : "FALSE_VALUE cannot be converted to ") + std::string(wanted));
    case JsonKind::kNull:
    case JsonKind::kInvalid: break;
  }
  return serialization_error("");
}

Reply<std::string> read_text(JsonReader& in) {
  std::string_view text;
  if (in.peek() != JsonKind::kString) return Err(wrong(in, "String"));
  if (!in.read_string(text)) return Err(serialization_error(""));
  return std::string(text);
}

Reply<std::string> read_bytes(JsonReader& in) {
  if (in.peek() == JsonKind::kObject) return Err(wrong(in, ""));
  if (in.peek() == JsonKind::kArray) return Err(serialization_error("Unrecognized collection type class java.nio.ByteBuffer"));
  if (in.peek() != JsonKind::kString)
    return Err(serialization_error("only base-64-encoded strings are convertible to bytes"));
  std::string_view text;
  if (!in.read_string(text)) return Err(serialization_error(""));
  auto bytes = base64_decode_strict(text);
  if (!bytes) return Err(serialization_error(base64_fault(text)));
  return *std::move(bytes);
}

Reply<Value::Set> read_set(JsonReader& in, bool binary) {
  if (in.peek() != JsonKind::kArray)
    return Err(serialization_error(in.peek() == JsonKind::kObject ? "Start of structure or map found where not expected" : "Unexpected field type"));
  Value::Set out;
  in.begin_array();
  while (in.next_element()) out.push_back(TRY(binary ? read_bytes(in) : read_text(in)));
  if (!in.ok()) return Err(serialization_error(""));
  return out;
}

Reply<bool> read_flag(JsonReader& in) {
  bool flag = false;
  std::string_view text;
  if (in.peek() == JsonKind::kString) {
    if (!in.read_string(text)) return Err(serialization_error(""));
    const auto word = flag_word(text);
    if (!word) return Err(serialization_error("Unexpected token received from parser"));
    return *word;
  }
  if (in.peek() != JsonKind::kBool) return Err(wrong(in, "Boolean"));
  if (!in.read_bool(flag)) return Err(serialization_error(""));
  return flag;
}

// A list or map was wanted.
Error wrong_container(JsonReader& in, std::string_view generic) {
  if (in.peek() == JsonKind::kInvalid) return serialization_error("");
  if (in.peek() == JsonKind::kObject) return serialization_error("Start of structure or map found where not expected");
  if (in.peek() == JsonKind::kArray) return serialization_error("Unrecognized collection type " + std::string(generic));
  return serialization_error("Unexpected field type");
}

Reply<void> read_typed(std::string_view type, JsonReader& in, Value& out, int depth) {
  const AttributeKind kind = attribute_kind_from_name(type);
  switch (kind) {
    case AttributeKind::kString:
    case AttributeKind::kNumber: out = Value::scalar(kind, TRY(read_text(in))); break;
    case AttributeKind::kBinary: out = Value::binary(TRY(read_bytes(in))); break;
    case AttributeKind::kStringSet:
    case AttributeKind::kNumberSet: out = Value::set(kind, TRY(read_set(in, false))); break;
    case AttributeKind::kBinarySet: out = Value::set(kind, TRY(read_set(in, true))); break;
    case AttributeKind::kBool:
    case AttributeKind::kNull: {
      const bool flag = TRY(read_flag(in));
      out = kind == AttributeKind::kBool ? Value::boolean(flag) : Value::null(flag);
      break;
    }
    case AttributeKind::kList: {
      if (in.peek() != JsonKind::kArray) return Err(wrong_container(in, ""));
      Value::List list;
      in.begin_array();
      while (in.next_element()) TRY(decode(in, list.emplace_back(), depth + 1));
      out = Value::list(std::move(list));
      break;
    }
    case AttributeKind::kMap: {
      if (in.peek() != JsonKind::kObject) return Err(wrong_container(in, "java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"));
      Value::Map map;
      std::string_view key;
      in.begin_object();
      while (in.next_member(key)) {
        Value& slot = map[std::string(key)];
        TRY(decode(in, slot, depth + 1));
      }
      out = Value::map(std::move(map));
      break;
    }
    case AttributeKind::kNone:
    case AttributeKind::kSeveral: in.skip(); break;
  }
  if (!in.ok()) return Err(serialization_error(""));
  return {};
}

Reply<void> decode(JsonReader& in, Value& out, int depth) {
  if (depth > kDepthMax) return Err(Error("ValidationException", "Nesting Levels have exceeded supported limits", 400));
  if (in.peek() != JsonKind::kObject) {
    if (in.peek() == JsonKind::kInvalid) return Err(serialization_error(""));
    return Err(serialization_error(in.peek() == JsonKind::kArray ? "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"
                                                                  : "Unexpected value type in payload"));
  }
  Value::List earlier;
  std::string_view type;
  in.begin_object();
  while (in.next_member(type)) {
    if (in.peek() == JsonKind::kNull) {
      in.read_null();
      continue;
    }
    if (attribute_kind_from_name(type) != AttributeKind::kNone && !out.is(AttributeKind::kNone)) earlier.push_back(std::exchange(out, Value()));
    const std::string name(type);
    TRY(read_typed(name, in, out, depth));
  }
  if (!in.ok()) return Err(serialization_error(""));
  if (!earlier.empty()) {
    earlier.push_back(std::move(out));
    out = Value::several(std::move(earlier));
  }
  return {};
}

void encode(const Value& value, JsonWriter& out) {
  out.begin_object();
  if (!value.is(AttributeKind::kNone) && !value.is(AttributeKind::kSeveral)) out.key(value.kind_name());
  switch (value.kind()) {
    case AttributeKind::kString:
    case AttributeKind::kNumber: out.string(value.text()); break;
    case AttributeKind::kBinary: out.string(base64_encode(value.text())); break;
    case AttributeKind::kStringSet:
    case AttributeKind::kNumberSet:
    case AttributeKind::kBinarySet:
      out.begin_array();
      for (const std::string& member : value.members())
        out.string(value.is(AttributeKind::kBinarySet) ? base64_encode(member) : member);
      out.end_array();
      break;
    case AttributeKind::kMap:
      out.begin_object();
      for (const auto& [name, entry] : value.entries()) {
        out.key(name);
        encode(entry, out);
      }
      out.end_object();
      break;
    case AttributeKind::kList:
      out.begin_array();
      for (const Value& element : value.elements()) encode(element, out);
      out.end_array();
      break;
    case AttributeKind::kNull:
    case AttributeKind::kBool: out.boolean(value.flag()); break;
    case AttributeKind::kNone:
    case AttributeKind::kSeveral: break;
  }
  out.end_object();
}

}  // namespace

const NativeCodec kAttributeValueCodec{
    .decode = [](JsonReader& in, void* value) { return decode(in, *static_cast<Value*>(value), 0); },
    .encode = [](const void* value, JsonWriter& out) { encode(*static_cast<const Value*>(value), out); },
};

}  // namespace reef::aws
