// Cuts what a container prints into lines, one splitter per stream. Endless lines are cut as container runtimes do.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace reef::task {

class LineSplitter {
 public:
  static constexpr std::size_t kLineBytesMax = 16 * 1024;
  using Sink = std::function<void(std::string_view line)>;

  void add(std::string_view bytes, const Sink& sink) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const std::size_t size = std::min(end == std::string_view::npos ? bytes.size() : end, kLineBytesMax - partial_.size());
      partial_.append(bytes.substr(0, size));
      bytes.remove_prefix(size);
      const bool is_line = !bytes.empty() && bytes.front() == '\n';
      if (is_line) bytes.remove_prefix(1);
      if (is_line || partial_.size() == kLineBytesMax) flush(sink, is_line);
    }
  }
  // What has no end yet, at the end.
  void finish(const Sink& sink) { flush(sink, false); }

 private:
  void flush(const Sink& sink, bool is_line) {
    if (!partial_.empty() && partial_.back() == '\r') partial_.pop_back();
    if (!partial_.empty() || is_line) sink(partial_);
    partial_.clear();
  }
  std::string partial_;
};

}  // namespace reef::task
