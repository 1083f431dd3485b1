// WebSocket from the server's side: the handshake's key, and messages out of and into frames. Pure.
// https://www.rfc-editor.org/rfc/rfc6455
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reef::wire {

enum class WebSocketKind : std::uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

struct WebSocketMessage {
  WebSocketKind kind = WebSocketKind::kBinary;
  std::string payload;
};

// What Sec-WebSocket-Accept says to a Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);
// One unmasked frame, as a server sends it.
std::string websocket_frame(WebSocketKind kind, std::string_view payload);

// Puts a client's frames together. After an error nothing more comes: the connection is to be closed.
class WebSocketReader {
 public:
  explicit WebSocketReader(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  void add(std::string_view bytes) { buffer_ += bytes; }
  // The next whole message; nothing when more bytes are needed, or after an error.
  std::optional<WebSocketMessage> next();
  bool failed() const { return failed_; }

 private:
  std::optional<WebSocketMessage> fail();

  std::size_t bytes_max_;
  std::string buffer_, parts_;
  std::optional<WebSocketKind> kind_;  // of the message whose parts are coming
  bool failed_ = false;
};

}  // namespace reef::wire
