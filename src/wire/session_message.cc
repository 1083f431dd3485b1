#include "wire/session_message.h"

#include "base/digest.h"
#include "base/encoding.h"

namespace reef::wire {
namespace {

// Offsets: length of the head, type, schema version, creation, sequence number, flags, id, digest, payload's type; then
// the payload with its length before it.
constexpr std::size_t kTypeAt = 4, kTypeSize = 32, kVersionAt = 36, kCreatedAt = 40, kSequenceAt = 48, kFlagsAt = 56, kIdAt = 64, kDigestAt = 80, kPayloadTypeAt = 112, kHeadSize = 116;
constexpr std::size_t kDigestSize = 32, kIdSize = 16;
constexpr std::uint32_t kVersion = 1;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
}
std::uint64_t get(std::string_view in, std::size_t at, int bytes) {
  std::uint64_t out = 0;
  for (int i = 0; i < bytes; ++i) out = out << 8 | static_cast<std::uint8_t>(in[at + static_cast<std::size_t>(i)]);
  return out;
}

}  // namespace

std::string encode_session_message(const SessionMessage& message) {
  std::string out;
  put(out, kHeadSize, 4);
  out += message.type.substr(0, kTypeSize);
  out.resize(kVersionAt, ' ');
  put(out, kVersion, 4);
  put(out, message.created_ms, 8);
  put(out, static_cast<std::uint64_t>(message.sequence), 8);
  put(out, message.flags, 8);
  std::string id = message.id;
  id.resize(kIdSize);
  // The less significant half comes first.
  out += id.substr(8) + id.substr(0, 8);
  out += sha256(message.payload);
  put(out, static_cast<std::uint32_t>(message.payload_type), 4);
  put(out, message.payload.size(), 4);
  return out + message.payload;
}

std::optional<SessionMessage> parse_session_message(std::string_view bytes) {
  if (bytes.size() < kHeadSize + 4) return std::nullopt;
  // Of another client's the head may be longer, never shorter.
  const std::size_t head = get(bytes, 0, 4);
  if (head < kHeadSize || head > bytes.size() - 4) return std::nullopt;
  const std::size_t size = get(bytes, head, 4);
  if (size != bytes.size() - head - 4) return std::nullopt;
  SessionMessage out;
  std::string_view type = bytes.substr(kTypeAt, kTypeSize);
  while (!type.empty() && (type.back() == ' ' || type.back() == '\0')) type.remove_suffix(1);
  while (!type.empty() && (type.front() == ' ' || type.front() == '\0')) type.remove_prefix(1);
  out.type = type;
  out.created_ms = get(bytes, kCreatedAt, 8);
  out.sequence = static_cast<std::int64_t>(get(bytes, kSequenceAt, 8));
  out.flags = get(bytes, kFlagsAt, 8);
  out.id = std::string(bytes.substr(kIdAt + 8, 8)) + std::string(bytes.substr(kIdAt, 8));
  out.payload_type = static_cast<SessionPayload>(get(bytes, kPayloadTypeAt, 4));
  out.payload = bytes.substr(head + 4);
  if (size > 0 && bytes.substr(kDigestAt, kDigestSize) != sha256(out.payload)) return std::nullopt;
  return out;
}

std::string session_message_id_text(std::string_view id) {
  const std::string hex = hex_encode(id);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" + hex.substr(20);
}

}  // namespace reef::wire
