#include "engine/telemetry/access_log.h"

#include "base/text.h"
#include "engine/store/shard.h"

namespace reef::telemetry {
namespace {

constexpr std::string_view kContext = "$context.";
constexpr std::size_t kPendingMax = 10'000;   // of one tick; what is more is dropped

bool is_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }

struct Line {
  std::string group, stream, text;
  Time at;
};

std::vector<Line>& pending() {
  thread_local auto* const all = new std::vector<Line>();
  return *all;
}

}  // namespace

AccessLogFormat::AccessLogFormat(std::string_view text) {
  while (!text.empty()) {
    const std::size_t at = text.find(kContext);
    if (at != 0) parts_.push_back({false, std::string(text.substr(0, at))});
    if (at == std::string_view::npos) return;
    text.remove_prefix(at + kContext.size());
    std::size_t end = 0;
    while (end < text.size() && is_name_byte(text[end])) ++end;
    while (end > 0 && text[end - 1] == '.') --end;   // the full stop of a sentence
    parts_.push_back({true, std::string(text.substr(0, end))});
    text.remove_prefix(end);
  }
}

std::string AccessLogFormat::render(const std::function<std::string(std::string_view name)>& value) const {
  std::string out;
  for (const Part& part : parts_) {
    if (!part.is_name) {
      out += part.text;
      continue;
    }
    const std::string text = value(part.text);
    out += text.empty() ? "-" : text;
  }
  return out;
}

std::optional<AccessLogTarget> access_log_target(std::string_view destination_arn, std::string_view format, std::string stream) {
  const auto parts = split(destination_arn, ':');
  if (parts.size() < 7 || parts[2] != "logs" || parts[5] != "log-group" || parts[6].empty()) return std::nullopt;
  return AccessLogTarget{.format = AccessLogFormat(format), .group = std::string(parts[4]) + "/" + std::string(parts[3]) + "/" + std::string(parts[6]), .stream = std::move(stream)};
}

void AccessLogWriter::write(const AccessLogTarget& target, std::string line) {
  store::Shard& shard = store::Shard::current();
  if (pending().size() >= kPendingMax) return;
  pending().push_back({.group = target.group, .stream = target.stream, .text = std::move(line), .at = shard.now()});
  if (pending().size() > 1) return;
  shard.reactor().post([&logs = logs_] {
    store::Shard::control().reactor().post([&logs, lines = std::exchange(pending(), {})]() mutable {
      for (Line& one : lines)
        if (logs.find_group(one.group)) logs.append_anyway(one.group, one.stream, std::move(one.text), one.at);
    });
  });
}

}  // namespace reef::telemetry
