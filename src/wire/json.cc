#include "wire/json.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace reef::wire {
namespace {
const std::string kNoText;
const Json kNull;
const Json::Array kNoArray;
const Json::Object kNoObject;
}  // namespace

Json::Json(double value) {
  if (std::isfinite(value)) value_ = Number{format_double(value)};
}

Json Json::number(std::string lexeme) {
  Json out;
  out.value_ = Number{std::move(lexeme)};
  return out;
}

Result<Json, JsonError> Json::parse(std::string_view text) {
  JsonReader in(text);
  Json value = read(in);
  if (!in.finish()) return Err(JsonError{in.error(), in.offset()});
  return value;
}

Json Json::read(JsonReader& in) {
  std::string_view text;
  switch (in.peek()) {
    case JsonKind::kNull: in.read_null(); return {};
    case JsonKind::kBool: {
      bool flag = false;
      in.read_bool(flag);
      return Json(flag);
    }
    case JsonKind::kNumber: in.read_number(text); return number(std::string(text));
    case JsonKind::kString: return in.read_string(text) ? Json(text) : Json();
    case JsonKind::kArray: {
      Array array;
      in.begin_array();
      while (in.next_element()) array.push_back(read(in));
      return Json(std::move(array));
    }
    case JsonKind::kObject: {
      Object object;
      in.begin_object();
      while (in.next_member(text)) {
        std::string key(text);
        Json value = read(in);
        object.emplace_back(std::move(key), std::move(value));
      }
      return Json(std::move(object));
    }
    case JsonKind::kInvalid: in.skip(); break;  // leaves the error in the reader
  }
  return {};
}

bool Json::as_bool() const {
  const auto* v = std::get_if<bool>(&value_);
  return v && *v;
}
const std::string& Json::as_string() const {
  const auto* v = std::get_if<std::string>(&value_);
  return v ? *v : kNoText;
}
const Json::Array& Json::as_array() const {
  const auto* v = std::get_if<Array>(&value_);
  return v ? *v : kNoArray;
}
const Json::Object& Json::as_object() const {
  const auto* v = std::get_if<Object>(&value_);
  return v ? *v : kNoObject;
}
const std::string& Json::number_text() const {
  const auto* v = std::get_if<Number>(&value_);
  return v ? v->text : kNoText;
}
std::optional<std::int64_t> Json::as_int() const {
  if (!is_number()) return std::nullopt;
  if (const auto whole = parse_int(number_text())) return whole;
  const auto real = parse_double(number_text());
  if (!real || *real != std::floor(*real) || std::fabs(*real) > 9e18) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}
std::optional<double> Json::as_double() const { return parse_double(number_text()); }

std::optional<std::string> Json::scalar_text() const {
  if (is_string()) return as_string();
  if (is_number()) return number_text();
  if (is_bool()) return as_bool() ? "true" : "false";
  return std::nullopt;
}

const Json* Json::find(std::string_view name) const {
  for (const Member& member : as_object())
    if (member.first == name) return &member.second;
  return nullptr;
}
Json* Json::find(std::string_view name) { return const_cast<Json*>(std::as_const(*this).find(name)); }

const Json& Json::operator[](std::string_view name) const {
  const Json* member = find(name);
  return member ? *member : kNull;
}
const Json& Json::at(std::size_t index) const {
  const Array& array = as_array();
  return index < array.size() ? array[index] : kNull;
}
std::size_t Json::size() const { return is_array() ? as_array().size() : as_object().size(); }

Json& Json::set(std::string_view name, Json value) {
  if (Json* member = find(name)) return *member = std::move(value);
  Object& object = members();
  object.emplace_back(std::string(name), std::move(value));
  return object.back().second;
}
void Json::push_back(Json value) { elements().push_back(std::move(value)); }
bool Json::erase(std::string_view name) {
  auto* object = std::get_if<Object>(&value_);
  return object && std::erase_if(*object, [&](const Member& member) { return member.first == name; }) > 0;
}
Json::Array& Json::elements() {
  if (!is_array()) value_ = Array{};
  return std::get<Array>(value_);
}
Json::Object& Json::members() {
  if (!is_object()) value_ = Object{};
  return std::get<Object>(value_);
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, run, i - run);
    run = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, run, text.size() - run);
  out += '"';
}

void JsonWriter::integer(std::int64_t value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  raw({buffer, static_cast<std::size_t>(end - buffer)});
}

void JsonWriter::number(double value) {
  if (std::isfinite(value)) raw(format_double(value));
  else string(std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
}

void Json::append_to(std::string& out) const {
  switch (kind()) {
    case JsonKind::kNull:
    case JsonKind::kInvalid: out += "null"; break;
    case JsonKind::kBool: out += as_bool() ? "true" : "false"; break;
    case JsonKind::kNumber: out += number_text(); break;
    case JsonKind::kString: append_json_string(out, as_string()); break;
    case JsonKind::kArray: {
      out += '[';
      bool first = true;
      for (const Json& element : as_array()) {
        if (!std::exchange(first, false)) out += ',';
        element.append_to(out);
      }
      out += ']';
      break;
    }
    case JsonKind::kObject: {
      out += '{';
      bool first = true;
      for (const auto& [name, value] : as_object()) {
        if (!std::exchange(first, false)) out += ',';
        append_json_string(out, name);
        out += ':';
        value.append_to(out);
      }
      out += '}';
      break;
    }
  }
}

std::string Json::dump() const {
  std::string out;
  append_to(out);
  return out;
}

void Json::append_pretty(std::string& out, int indent) const {
  const auto line = [&](int depth) { out += '\n', out.append(static_cast<std::size_t>(depth) * 2, ' '); };
  if (size() == 0 || (!is_array() && !is_object())) return append_to(out);
  bool first = true;
  out += is_array() ? '[' : '{';
  for (const Json& element : as_array()) {
    if (!std::exchange(first, false)) out += ',';
    line(indent + 1);
    element.append_pretty(out, indent + 1);
  }
  for (const auto& [name, value] : as_object()) {
    if (!std::exchange(first, false)) out += ',';
    line(indent + 1);
    append_json_string(out, name);
    out += ": ";
    value.append_pretty(out, indent + 1);
  }
  line(indent);
  out += is_array() ? ']' : '}';
}

std::string Json::pretty() const {
  std::string out;
  append_pretty(out, 0);
  return out;
}

bool operator==(const Json& a, const Json& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case JsonKind::kNull:
    case JsonKind::kInvalid: return true;
    case JsonKind::kBool: return a.as_bool() == b.as_bool();
    case JsonKind::kNumber: return a.number_text() == b.number_text() || a.as_double() == b.as_double();
    case JsonKind::kString: return a.as_string() == b.as_string();
    case JsonKind::kArray: return a.as_array() == b.as_array();
    case JsonKind::kObject:
      return a.size() == b.size() && std::all_of(a.as_object().begin(), a.as_object().end(), [&](const auto& member) {
               const Json* other = b.find(member.first);
               return other && *other == member.second;
             });
  }
  return false;
}

}  // namespace reef::wire
