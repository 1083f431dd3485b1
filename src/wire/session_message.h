// The binary messages of Session Manager's data channel, as its clients and agents exchange them. Pure.
// https://github.com/aws/session-manager-plugin/blob/mainline/src/message/messageparser.go
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reef::wire {

enum class SessionPayload : std::uint32_t {
  kNone = 0, kOutput = 1, kError = 2, kSize = 3, kParameter = 4, kHandshakeRequest = 5, kHandshakeResponse = 6, kHandshakeComplete = 7,
  kEncryptionRequest = 8, kEncryptionResponse = 9, kFlag = 10, kStdErr = 11, kExitCode = 12,
};

struct SessionMessage {
  std::string type;            // "input_stream_data", "output_stream_data", "acknowledge", "channel_closed", ...
  std::uint64_t created_ms = 0;
  std::int64_t sequence = 0;
  std::uint64_t flags = 0;     // 1: the first, 2: the last
  std::string id;              // 16 bytes, as in the text form of a UUID
  SessionPayload payload_type = SessionPayload::kNone;
  std::string payload;
};

std::string encode_session_message(const SessionMessage& message);
// Nothing when it is malformed or its digest is wrong.
std::optional<SessionMessage> parse_session_message(std::string_view bytes);
// "db2f1dd7-6f1f-..." of 16 bytes.
std::string session_message_id_text(std::string_view id);

}  // namespace reef::wire
