// JSON as a tree, for templates, policies, events and stored records; and the writer that everything uses.
// Members keep their order and numbers their exact text.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "wire/json_reader.h"

namespace reef::wire {

struct JsonError {
  std::string message;
  std::size_t offset = 0;  // bytes into the text
};

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>)
  Json(T value) : value_(Number{std::to_string(value)}) {}
  Json(double value);
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  // Json::object({{"Name", "a"}, {"Count", 3}}), Json::array({1, 2})
  static Json object(std::initializer_list<Member> members = {}) { return Json(Object(members)); }
  static Json array(std::initializer_list<Json> elements = {}) { return Json(Array(elements)); }
  // A number by its exact text, which must be a valid JSON number.
  static Json number(std::string lexeme);

  static Result<Json, JsonError> parse(std::string_view text);
  // Reads the next value of `in`; null after an error, which stays in the reader.
  static Json read(JsonReader& in);

  JsonKind kind() const { return static_cast<JsonKind>(value_.index()); }
  bool is_null() const { return kind() == JsonKind::kNull; }
  bool is_bool() const { return kind() == JsonKind::kBool; }
  bool is_number() const { return kind() == JsonKind::kNumber; }
  bool is_string() const { return kind() == JsonKind::kString; }
  bool is_array() const { return kind() == JsonKind::kArray; }
  bool is_object() const { return kind() == JsonKind::kObject; }

  // The value as that kind; an empty one when it is of another kind.
  bool as_bool() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;
  const std::string& number_text() const;
  std::optional<std::int64_t> as_int() const;
  std::optional<double> as_double() const;
  // Strings, numbers and booleans as text, as CloudFormation and query parameters see them.
  std::optional<std::string> scalar_text() const;

  // The member of that name, or nullptr (also when this is not an object).
  const Json* find(std::string_view name) const;
  Json* find(std::string_view name);
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  // The member of that name, or a null.
  const Json& operator[](std::string_view name) const;
  // The element at `index`, or a null.
  const Json& at(std::size_t index) const;
  std::size_t size() const;
  // The string member of that name, or "".
  const std::string& text(std::string_view name) const { return (*this)[name].as_string(); }

  // These turn a null into an object or array first.
  Json& set(std::string_view name, Json value);  // returns the member
  void push_back(Json value);
  bool erase(std::string_view name);
  Array& elements();
  Object& members();

  std::string dump() const;
  // Indented by two spaces, for people.
  std::string pretty() const;
  void append_to(std::string& out) const;

  friend bool operator==(const Json& a, const Json& b);  // member order does not matter

 private:
  struct Number {
    std::string text;
  };
  void append_pretty(std::string& out, int indent) const;
  std::variant<std::monostate, bool, Number, std::string, Array, Object> value_;
};

// Appends `text` as a quoted JSON string.
void append_json_string(std::string& out, std::string_view text);

// Writes JSON as it goes, commas included.
//   JsonWriter w(out); w.begin_object(); w.key("Name"); w.string("a"); w.end_object();
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name) {
    comma();
    append_json_string(out_, name);
    out_ += ':';
    first_ = true;
  }
  void string(std::string_view text) {
    comma();
    append_json_string(out_, text);
  }
  void integer(std::int64_t value);
  void number(double value);
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void null() { raw("null"); }
  // Text that is already JSON.
  void raw(std::string_view json) {
    comma();
    out_ += json;
  }

 private:
  void comma() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void open(char c) {
    comma();
    out_ += c;
    first_ = true;
  }
  void close(char c) {
    out_ += c;
    first_ = false;
  }
  std::string& out_;
  bool first_ = true;
};

}  // namespace reef::wire
