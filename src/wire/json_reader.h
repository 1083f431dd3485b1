// Reads JSON text once, front to back, without building a tree. Strict RFC 8259 with a nesting bound; text is
// checked to be UTF-8 where it is read. The first error sticks: from then on everything reads as the end.
//
//   JsonReader in(text);
//   if (in.begin_object())
//     while (in.next_member(key)) { if (key == "Name") in.read_string(name); else in.skip(); }
//   if (!in.finish()) ... in.error() at in.offset()
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reef::wire {

enum class JsonKind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject, kInvalid };

class JsonReader {
 public:
  static constexpr int kDepthMax = 512;

  explicit JsonReader(std::string_view text) : begin_(text.data()), p_(begin_), end_(begin_ + text.size()) {}

  // What comes next; kInvalid at the end of the text, after an error or where no value can start.
  JsonKind peek();

  // Each pair walks one container: begin, then next until it is false. A value must be read (or skipped) after
  // each true. `key` is valid until the next call.
  bool begin_object();
  bool next_member(std::string_view& key);
  bool begin_array();
  bool next_element();

  // False, and an error, when the next value is of another kind. Views point into the text or into a scratch
  // buffer of the reader that the next string overwrites.
  bool read_string(std::string_view& out);
  bool read_number(std::string_view& lexeme);
  bool read_bool(bool& out);
  bool read_null();
  bool skip();
  // The value's own text, unread otherwise.
  bool read_raw(std::string_view& out);

  // True when the text was valid and nothing but white space is left.
  bool finish();
  bool ok() const { return error_ == nullptr; }
  const char* error() const { return error_; }
  std::size_t offset() const { return static_cast<std::size_t>(p_ - begin_); }

 private:
  void skip_space();
  bool fail(const char* message);
  bool expect(char c, const char* message);
  bool read_escapes(const char* from, std::string_view& out);
  bool literal(std::string_view word);

  const char* begin_;
  const char* p_;
  const char* end_;
  const char* error_ = nullptr;
  int depth_ = 0;
  bool first_ = false;  // no member or element of the current container was read yet
  std::string scratch_;
};

}  // namespace reef::wire
