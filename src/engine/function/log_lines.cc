#include "engine/function/log_lines.h"

#include <fmt/format.h>

namespace reef::function {

void LineSplitter::emit(const std::function<void(std::string_view line)>& line) {
  if (!partial_.empty() && partial_.back() == '\r') partial_.pop_back();
  if (returns_are_breaks_)
    for (char& c : partial_)
      if (c == '\r') c = '\n';
  if (!partial_.empty()) line(partial_);
  partial_.clear();
}

void LineSplitter::add(std::string_view bytes, const std::function<void(std::string_view line)>& line) {
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::size_t room = kLineBytesMax - partial_.size();
    if (end > room) {
      partial_ += bytes.substr(0, room);
      bytes.remove_prefix(room);
      emit(line);
      continue;
    }
    partial_ += bytes.substr(0, end);
    if (end == bytes.size()) return;
    bytes.remove_prefix(end + 1);
    emit(line);
  }
}

void LineSplitter::flush(const std::function<void(std::string_view line)>& line) { emit(line); }

void LogTail::add(std::string_view line) {
  text_ += line;
  if (!line.ends_with('\n')) text_ += '\n';
  if (text_.size() > kBytesMax) text_.erase(0, text_.size() - kBytesMax);
}

std::string seconds_text(Duration duration) { return fmt::format("{:.2f}", static_cast<double>(duration.count()) / 1e6); }

std::string report_line(const Report& report) {
  const auto millis = [](Duration duration) { return static_cast<double>(duration.count()) / 1000.0; };
  const std::int64_t billed = ((report.duration + report.init).count() + 999) / 1000;
  std::string line = fmt::format("REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t",
                                 report.request_id, millis(report.duration), std::max<std::int64_t>(billed, 1), report.memory_mib,
                                 std::max<std::uint64_t>(report.used_bytes >> 20, 1));
  if (report.init.count() > 0) line += fmt::format("Init Duration: {:.2f} ms\t", millis(report.init));
  if (!report.status.empty()) line += fmt::format("Status: {}\t", report.status);
  if (!report.error_type.empty()) line += fmt::format("Error Type: {}\t", report.error_type);
  if (!report.trace_id.empty()) line += fmt::format("\nXRAY TraceId: {}\tSampled: true\t", report.trace_id);
  return line + "\n";
}

}  // namespace reef::function
