// Requests that depart from the standard, at a client's connection.
#include "engine/edge/balancer/client_connection.h"

namespace reef::edge {
namespace {

// What could still become a request line that `repair` can do something with: whoever speaks another protocol altogether
// (a TLS client, a binary one) is told at once rather than when the connection has idled.
bool may_become_request(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  const std::string_view method = line.substr(0, line.find(' '));
  for (const char c : method)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F) return false;
  return line.size() == bytes.size() || (!method.empty() && line.find(" HTTP/") != std::string_view::npos);
}

}  // namespace

std::optional<std::string> ClientConnection::repair_head(std::string_view bytes, const wire::Http1Result& parsed) {
  constexpr std::size_t kHeadMax = 64 * 1024;
  listener_ = slot_->now;
  const DesyncMode mode = listener_->plan.heads.desync;
  DesyncVerdict verdict{.of = DesyncClass::kSevere, .reason = {}};
  const bool is_size = parsed.status == wire::Http1Status::kTooLarge;
  if (!is_size && !repaired_ && mode != DesyncMode::kStrictest && bytes.size() < kHeadMax && may_become_request(bytes)) {
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return std::nullopt;   // judged when it is whole
    Repaired repaired = repair(bytes.substr(0, end + 4));
    verdict = repaired.verdict;
    if (repaired.clean && !is_blocked(verdict.of, mode)) {
      repaired_ = verdict;
      return *std::move(repaired.clean) += bytes.substr(end + 4);
    }
  }
  repaired_.reset();
  keeps_alive_ = is_head_ = false;
  begin_entry({}, nullptr, nullptr);
  if (entry_ && !verdict.reason.empty()) entry_->classification = name_of(verdict.of), entry_->classification_reason = verdict.reason;
  const bool is_unsupported = parsed.status == wire::Http1Status::kUnsupported;
  answer_error(parsed.status == wire::Http1Status::kVersion ? 505 : is_unsupported ? 501 : 400);
  return std::nullopt;
}

bool ClientConnection::check_desync(std::string_view bytes, const wire::Http1Head& head) {
  const DesyncMode mode = listener_->plan.heads.desync;
  DesyncVerdict verdict;
  if (repaired_) {
    verdict = *std::exchange(repaired_, std::nullopt);
  } else {
    // What the strict parser takes is rarely anything but compliant: look closer only where there is a reason.
    bool is_odd = mode == DesyncMode::kStrictest || entry_ || ((head.has_length || head.chunked) && (is_head_ || bytes.starts_with("GET ")));
    for (const wire::Http1Field& field : head.fields)
      is_odd = is_odd || (field.name_size == 14 && bytes[field.name_at + 7] == '_') || (field.name_size == 17 && bytes[field.name_at + 8] == '_');
    if (is_odd) verdict = classify(bytes, head);
  }
  is_last = ends_connections(verdict.of);
  if (is_last) keeps_alive_ = false;
  if (verdict.of == DesyncClass::kCompliant) return true;
  if (entry_) entry_->classification = name_of(verdict.of), entry_->classification_reason = verdict.reason;
  ++slot_->desync;
  if (!is_blocked(verdict.of, mode)) return true;
  keeps_alive_ = false;
  answer_error(400);
  return false;
}

}  // namespace reef::edge
