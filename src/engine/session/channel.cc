#include "engine/session/channel.h"

#include <algorithm>
#include <utility>

#include "wire/json.h"

namespace reef::session {
namespace {

using wire::Json;
using wire::SessionMessage;
using wire::SessionPayload;

constexpr std::size_t kPieceMax = 1024, kWindow = 64, kPrintedMax = 1 << 20;
constexpr std::uint32_t kTerminate = 2;  // of the flag messages

}  // namespace

bool Channel::open(std::string_view text, Time now) {
  const auto json = Json::parse(text);
  if (!json || is_open_ || json->text("TokenValue") != token_) return false;
  is_open_ = true;
  opened_ = now;
  Json action = Json::object({{"ActionType", "SessionType"}, {"ActionParameters", Json::object({{"SessionType", "InteractiveCommands"}, {"Properties", Json()}})}});
  put(SessionPayload::kHandshakeRequest, Json::object({{"AgentVersion", "3.3.0.0"}, {"RequestedClientActions", Json::array({std::move(action)})}}).dump(), now);
  return true;
}

void Channel::put(SessionPayload type, std::string payload, Time now) {
  SessionMessage message{.type = "output_stream_data", .created_ms = static_cast<std::uint64_t>(to_millis(now)), .sequence = next_out_, .flags = next_out_ == 0 ? 1u : 0u, .id = next_id_(),
                         .payload_type = type, .payload = std::move(payload)};
  ++next_out_;
  out_.push_back({std::move(message)});
}

void Channel::acknowledge(const SessionMessage& message, Time now) {
  SessionMessage reply{.type = "acknowledge", .created_ms = static_cast<std::uint64_t>(to_millis(now)), .sequence = 0, .flags = 3, .id = next_id_(), .payload = {}};
  reply.payload = Json::object({{"AcknowledgedMessageType", message.type}, {"AcknowledgedMessageId", wire::session_message_id_text(message.id)},
                                {"AcknowledgedMessageSequenceNumber", message.sequence}, {"IsSequentialMessage", true}}).dump();
  replies_.push_back(wire::encode_session_message(reply));
}

void Channel::input(const SessionMessage& message, Time now) {
  switch (message.payload_type) {
    case SessionPayload::kHandshakeResponse: {
      if (is_ready_) return;
      is_ready_ = true;
      put(SessionPayload::kHandshakeComplete, Json::object({{"HandshakeTimeToComplete", (now - opened_).count() * 1000}, {"CustomerMessage", ""}}).dump(), now);
      print(std::exchange(printed_, {}), now);
      if (events_.on_start) events_.on_start();
      return;
    }
    case SessionPayload::kOutput:
      if (events_.on_typed) events_.on_typed(message.payload);
      return;
    case SessionPayload::kSize: {
      const auto json = Json::parse(message.payload);
      if (!json || !events_.on_resized) return;
      const auto side = [&](const char* name) { return static_cast<std::uint16_t>(std::clamp<std::int64_t>((*json)[name].as_int().value_or(0), 1, 9999)); };
      return events_.on_resized(side("rows"), side("cols"));
    }
    case SessionPayload::kFlag: {
      std::uint32_t flag = 0;
      for (const char byte : message.payload.substr(0, 4)) flag = flag << 8 | static_cast<std::uint8_t>(byte);
      if (flag == kTerminate && events_.on_terminate) events_.on_terminate();
      return;
    }
    default: return;  // nothing that a terminal has a use for
  }
}

void Channel::receive(std::string_view bytes, Time now) {
  const auto message = wire::parse_session_message(bytes);
  if (!message || !is_open_ || is_closed_) return;
  if (message->type == "acknowledge") {
    const auto json = Json::parse(message->payload);
    const auto sequence = json ? (*json)["AcknowledgedMessageSequenceNumber"].as_int() : std::nullopt;
    if (sequence) std::erase_if(out_, [&](const Unacknowledged& one) { return one.message.sequence == *sequence; });
    return;
  }
  if (message->type != "input_stream_data") return;
  // One that came before is acknowledged again; one that comes too early is sent again later.
  if (message->sequence > next_in_) return;
  acknowledge(*message, now);
  if (message->sequence < next_in_) return;
  ++next_in_;
  input(*message, now);
}

void Channel::print(std::string_view bytes, Time now) {
  if (is_closed_) return;
  if (!is_ready_) {
    printed_ += bytes.substr(0, kPrintedMax - std::min(kPrintedMax, printed_.size()));
    return;
  }
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kPieceMax))) put(SessionPayload::kOutput, std::string(bytes.substr(0, kPieceMax)), now);
}

void Channel::end(std::string text, std::optional<int> code, Time now) {
  if (code && is_ready_) put(SessionPayload::kExitCode, std::to_string(*code), now);
  ended_ = std::move(text);
}

std::vector<std::string> Channel::take(Time now) {
  std::vector<std::string> out = std::exchange(replies_, {});
  std::size_t count = 0;
  for (Unacknowledged& one : out_) {
    if (++count > kWindow) break;
    if (std::exchange(one.is_sent, true)) continue;
    out.push_back(wire::encode_session_message(one.message));
  }
  if (ended_ && out_.empty() && printed_.empty() && is_open_ && !is_closed_) {
    is_closed_ = true;
    SessionMessage last{.type = "channel_closed", .created_ms = static_cast<std::uint64_t>(to_millis(now)), .sequence = 0, .flags = 0, .id = next_id_(), .payload = {}};
    last.payload = Json::object({{"MessageId", wire::session_message_id_text(last.id)}, {"CreatedDate", format_iso8601(now, true)}, {"DestinationId", session_}, {"SessionId", session_},
                                 {"MessageType", "channel_closed"}, {"SchemaVersion", 1}, {"Output", *ended_}}).dump();
    out.push_back(wire::encode_session_message(last));
  }
  return out;
}

void Channel::resend() {
  for (Unacknowledged& one : out_) one.is_sent = false;
}

}  // namespace reef::session
