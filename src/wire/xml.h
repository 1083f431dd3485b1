// XML as AWS's protocols use it: a strict pull reader without DTDs or external anything, and an append-only writer.
// Namespace prefixes are dropped from element names and kept in attribute names.
//
//   XmlReader in(text);
//   if (in.open_root(name))
//     while (in.next_child(name)) { if (name == "Key") in.read_text(key); else in.skip(); }
//   if (!in.finish()) ... in.error()
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reef::wire {

class XmlReader {
 public:
  static constexpr std::size_t kDepthMax = 128;

  explicit XmlReader(std::string_view text);

  // Enters the document's element.
  bool open_root(std::string_view& name);
  // Enters the current element's next child; false, having left the current element, when there is none. A child that
  // was entered must be left by walking, reading or skipping it.
  bool next_child(std::string_view& name);
  // Reads the current element's text and leaves it; an error when it has child elements.
  bool read_text(std::string& out);
  // Leaves the current element, unread.
  bool skip();
  // The attribute of the element that was entered last, by full name ("xsi:type"); until the next call that moves.
  std::optional<std::string> attribute(std::string_view name);

  // True when the document was well-formed to its end.
  bool finish();
  bool ok() const { return error_ == nullptr; }
  const char* error() const { return error_; }
  std::size_t offset() const { return static_cast<std::size_t>(p_ - begin_); }

 private:
  enum class Found { kChild, kText, kClosed, kError };

  bool fail(const char* message);
  bool starts_with(std::string_view text) const;
  bool skip_until(std::string_view end, const char* message);
  bool skip_misc(bool allow_declaration);
  bool open_tag(std::string_view& name);
  bool close_tag();
  bool read_name(std::string_view& name);
  bool skip_attributes();
  // Advances over text (into `text` when given), comments and processing instructions.
  Found advance(std::string* text);
  void skip_space();

  const char* begin_;
  const char* p_;
  const char* end_;
  const char* error_ = nullptr;
  std::vector<std::string_view> open_;  // full names
  std::string_view attributes_;
  bool self_closed_ = false;            // the element entered last was <a/>
};

// Appends text with &, <, > and quotes escaped.
void append_xml_text(std::string& out, std::string_view text);

class XmlWriter {
 public:
  explicit XmlWriter(std::string& out) : out_(out) {}
  void declaration() { out_ += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"; }
  void open(std::string_view name) {
    out_ += '<';
    out_ += name;
    out_ += '>';
  }
  // For attributes: begin("a"); attribute("xmlns", uri); end_begin();
  void begin(std::string_view name) {
    out_ += '<';
    out_ += name;
  }
  void attribute(std::string_view name, std::string_view value) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    append_xml_text(out_, value);
    out_ += '"';
  }
  void end_begin() { out_ += '>'; }
  void close(std::string_view name) {
    out_ += "</";
    out_ += name;
    out_ += '>';
  }
  void text(std::string_view text) { append_xml_text(out_, text); }
  void element(std::string_view name, std::string_view value) {
    open(name);
    text(value);
    close(name);
  }

 private:
  std::string& out_;
};

}  // namespace reef::wire
