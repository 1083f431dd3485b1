// Turns what a function prints into log messages, and writes the lines about its invocations.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace reef::function {

// Splits output into lines. A line that grows over 256 KB is cut there.
class LineSplitter {
 public:
  static constexpr std::size_t kLineBytesMax = 256 * 1024;
  // `returns_are_breaks`: a carriage return stands for a line break inside one message, as our runtimes write it.
  explicit LineSplitter(bool returns_are_breaks) : returns_are_breaks_(returns_are_breaks) {}
  void add(std::string_view bytes, const std::function<void(std::string_view line)>& line);
  // The last line, when it has no line break.
  void flush(const std::function<void(std::string_view line)>& line);

 private:
  void emit(const std::function<void(std::string_view line)>& line);
  bool returns_are_breaks_;
  std::string partial_;
};

// The last bytes of what was added.
class LogTail {
 public:
  static constexpr std::size_t kBytesMax = 4096;
  void clear() { text_.clear(); }
  void add(std::string_view line);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

struct Report {
  std::string request_id;
  Duration duration{};
  Duration init{};          // 0: no cold start
  std::uint32_t memory_mib = 0;
  std::uint64_t used_bytes = 0;
  std::string status;       // "", "timeout", "error"
  std::string error_type;
  std::string trace_id;     // of a sampled trace
};
// "REPORT RequestId: ...\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t"
std::string report_line(const Report& report);
// "3.00"
std::string seconds_text(Duration duration);

}  // namespace reef::function
