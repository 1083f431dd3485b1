#include "engine/edge/balancer/traffic_log.h"

#include <functional>
#include <utility>

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace reef::edge {
namespace {

std::string_view or_dash(std::string_view text) { return text.empty() ? std::string_view("-") : text; }

std::string seconds(std::int64_t from, std::int64_t to) { return from < 0 || to < 0 ? "-1" : fmt::format("{:.3f}", static_cast<double>(to - from) / 1e6); }

// What clients sent must neither end its field nor its line.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : or_dash(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F || c == '"' || c == '\\') out += fmt::format("\\x{:02X}", byte);
    else out += c;
  }
  return out += '"';
}

std::string micros_text(Time time) {
  const std::string text = format_iso8601(time);   // without the fraction
  return fmt::format("{}.{:06}Z", text.substr(0, text.size() - 1), to_micros(time) % 1'000'000);
}

}  // namespace

void TrafficLog::add(std::string_view line) {
  lines_.write([&](Taken& lines) {
    if (lines.text.size() + line.size() + 1 > kBytesMax) return void(++lines.dropped);
    lines.text += line;
    lines.text += '\n';
  });
}

TrafficLog::Taken TrafficLog::take() {
  return lines_.write([](Taken& lines) { return std::exchange(lines, {}); });
}

std::string access_line(const AccessEntry& entry, Time now, std::int64_t now_micros) {
  const std::string request = fmt::format("{} {} {}", or_dash(entry.method), or_dash(entry.url), or_dash(entry.version));
  // How long the request took to be sent on, the target to begin its reply, and the reply to be passed on.
  const std::string first = seconds(entry.sent_at < 0 ? -1 : entry.began_at, entry.sent_at), second = seconds(entry.sent_at, entry.replied_at),
                    third = seconds(entry.replied_at, entry.replied_at < 0 ? -1 : now_micros);
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} \"-\" \"-\" -", entry.type, micros_text(now), entry.balancer,
                     or_dash(entry.client), or_dash(entry.target), first, second, third, entry.status == 0 ? "-" : std::to_string(entry.status),
                     entry.target_status < 0 ? "-" : std::to_string(entry.target_status), entry.received, entry.sent, quoted(request), quoted(entry.user_agent), or_dash(entry.cipher),
                     or_dash(entry.protocol), or_dash(entry.group), quoted(entry.trace), quoted(entry.domain), quoted(entry.certificate), entry.priority, micros_text(entry.began),
                     quoted(entry.actions), quoted(entry.redirect_url), quoted(entry.error), quoted(entry.target), quoted(entry.target_status < 0 ? "-" : std::to_string(entry.target_status)),
                     quoted(entry.classification), quoted(entry.classification_reason), or_dash(entry.connection));
}

std::string connection_line(const ConnectionEntry& entry) {
  const std::string validity = entry.not_before.empty() ? std::string() : fmt::format("NotBefore={};NotAfter={}", entry.not_before, entry.not_after);
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {}", micros_text(entry.began), entry.client_ip, entry.client_port, entry.listener_port, or_dash(entry.protocol), or_dash(entry.cipher),
                     entry.handshake_micros < 0 ? "-" : fmt::format("{:.3f}", static_cast<double>(entry.handshake_micros) / 1e6), quoted(entry.subject), or_dash(validity), or_dash(entry.serial),
                     entry.verified, entry.connection);
}

std::string tls_line(const TlsEntry& entry, Time now) {
  const auto time = [](Time of) {
    const std::string text = format_iso8601(of);
    return text.substr(0, text.find_first_of(".Z"));
  };
  // "TLSv1.2" is "tlsv12" here.
  std::string protocol = to_lower(entry.protocol);
  std::erase(protocol, '.');
  // Of what clients send only the name may have something in it that ends a field.
  const bool is_plain = std::none_of(entry.domain.begin(), entry.domain.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F; });
  const bool is_open = entry.handshake_micros >= 0;
  return fmt::format("tls 2.0 {} {} {} {} {} {} {} {} {} - {} - {} {} - {} - - - {}", time(now), entry.balancer, entry.listener, entry.client, entry.destination, entry.took_micros / 1000,
                     is_open ? std::to_string(entry.handshake_micros / 1000) : "-", entry.received, entry.sent, or_dash(is_open ? entry.certificate : std::string_view{}), or_dash(entry.cipher),
                     or_dash(protocol), or_dash(is_plain ? entry.domain : std::string_view{}), time(entry.began));
}

std::string check_line(const CheckEntry& entry) {
  return fmt::format("{} {} {:.6f} {} {} {} {} {}", entry.type, micros_text(entry.at), static_cast<double>(entry.latency_micros) / 1e6, entry.target, entry.group,
                     entry.passed ? "PASS" : "FAIL", entry.status < 0 ? "-" : std::to_string(entry.status), or_dash(entry.reason));
}

std::string connection_id(std::string_view client, std::string_view listener) {
  const std::uint64_t high = std::hash<std::string_view>{}(client), low = std::hash<std::string_view>{}(listener) ^ (high * 0x9E3779B97F4A7C15ull);
  return fmt::format("TID_{:016x}{:016x}", high, low);
}

}  // namespace reef::edge
