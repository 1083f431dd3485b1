#include "wire/websocket.h"

#include "base/digest.h"
#include "base/encoding.h"

namespace reef::wire {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::uint8_t kFinal = 0x80, kReserved = 0x70, kMasked = 0x80;
constexpr std::size_t kControlMax = 125;

bool is_control(std::uint8_t opcode) { return opcode >= 8; }

}  // namespace

std::string websocket_accept(std::string_view key) { return base64_encode(sha1(std::string(key) + std::string(kGuid))); }

std::string websocket_frame(WebSocketKind kind, std::string_view payload) {
  std::string out(1, static_cast<char>(kFinal | static_cast<std::uint8_t>(kind)));
  const std::uint64_t size = payload.size();
  const int width = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;
  out += static_cast<char>(width == 0 ? size : width == 2 ? 126 : 127);
  for (int i = width - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
  out += payload;
  return out;
}

std::optional<WebSocketMessage> WebSocketReader::fail() {
  failed_ = true;
  buffer_.clear();
  return std::nullopt;
}

std::optional<WebSocketMessage> WebSocketReader::next() {
  while (!failed_) {
    const auto byte = [this](std::size_t at) { return static_cast<std::uint8_t>(buffer_[at]); };
    if (buffer_.size() < 2) return std::nullopt;
    const std::uint8_t opcode = byte(0) & 15;
    const bool final = byte(0) & kFinal;
    std::uint64_t size = byte(1) & 127;
    // A client masks every frame; no extension was agreed upon.
    if ((byte(0) & kReserved) || !(byte(1) & kMasked) || (opcode > 2 && opcode < 8) || opcode > 10) return fail();
    if (is_control(opcode) && (!final || size > kControlMax)) return fail();
    const std::size_t width = size == 126 ? 2 : size == 127 ? 8 : 0, head = 2 + width + 4;
    if (buffer_.size() < head) return std::nullopt;
    if (width > 0) size = 0;
    for (std::size_t i = 0; i < width; ++i) size = size << 8 | byte(2 + i);
    if (size > bytes_max_ || parts_.size() + size > bytes_max_) return fail();
    if (buffer_.size() < head + size) return std::nullopt;
    std::string payload = buffer_.substr(head, size);
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ buffer_[head - 4 + i % 4]);
    buffer_.erase(0, head + size);
    if (is_control(opcode)) return WebSocketMessage{static_cast<WebSocketKind>(opcode), std::move(payload)};
    if ((opcode == 0) != kind_.has_value()) return fail();
    if (opcode != 0) kind_ = static_cast<WebSocketKind>(opcode);
    parts_ += payload;
    if (!final) continue;
    WebSocketMessage out{*kind_, std::move(parts_)};
    parts_.clear();
    kind_.reset();
    return out;
  }
  return std::nullopt;
}

}  // namespace reef::wire
