#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>

#include <fmt/format.h>

#include "base/time.h"

namespace reef::log {
namespace {

std::atomic<Level> threshold{Level::kInfo};

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (static_cast<unsigned char>(c) < 0x20) out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else out += c;
  }
  out += '"';
}

struct AppendValue {
  std::string& out;
  void operator()(const std::string& v) const { append_quoted(out, v); }
  void operator()(long long v) const { out += fmt::format("{}", v); }
  void operator()(double v) const { out += fmt::format("{}", v); }
  void operator()(bool v) const { out += v ? "true" : "false"; }
};

constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};

}  // namespace

void set_level(Level level) { threshold.store(level, std::memory_order_relaxed); }
bool enabled(Level level) { return level >= threshold.load(std::memory_order_relaxed); }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","event":)", format_iso8601(now, true),
                                 kNames[static_cast<int>(level)]);
  append_quoted(line, event);
  for (const Field& field : fields) {
    line += ',';
    append_quoted(line, field.name);
    line += ':';
    std::visit(AppendValue{line}, field.value);
  }
  line += "}\n";
  // One write per line, so that lines of several threads do not mix.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace reef::log
