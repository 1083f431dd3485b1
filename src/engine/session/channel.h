// One interactive session from the side of the machine: shakes hands with the client, hands on what is typed, sends what is
// printed until it is acknowledged, and says when it is over. A pure machine: it is told what came and what to print, and
// `take` gives what to send.
//
// Always true: what is typed is handed on once and in order; what is printed before the client is ready is kept.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "wire/session_message.h"

namespace reef::session {

// What the client asks of the program at the other end.
struct ChannelEvents {
  std::function<void()> on_start;                                              // hands were shaken
  std::function<void(std::string_view bytes)> on_typed;
  std::function<void(std::uint16_t rows, std::uint16_t columns)> on_resized;
  std::function<void()> on_terminate;
};

class Channel {
 public:
  // `next_id`: 16 new bytes each.
  Channel(std::string session, std::string token, ChannelEvents events, std::function<std::string()> next_id)
      : session_(std::move(session)), token_(std::move(token)), events_(std::move(events)), next_id_(std::move(next_id)) {}

  // The first message, which is text: false when its token is not the one that was handed out.
  bool open(std::string_view text, Time now);
  void receive(std::string_view bytes, Time now);
  void print(std::string_view bytes, Time now);
  // The program ended: the client is told once everything printed has arrived. `code`: for clients that want to know.
  void end(std::string text, std::optional<int> code, Time now);

  // What to send now, each as one binary message. Call it after each of the above.
  std::vector<std::string> take(Time now);
  // A client that is not ready drops what comes, without a word. While something waits for its acknowledgement, call
  // `resend` every now and then, by a clock that nobody freezes, and `take` after it.
  bool waits() const { return !out_.empty() && !is_closed_; }
  void resend();
  bool is_over() const { return is_closed_; }  // everything was said

 private:
  struct Unacknowledged {
    wire::SessionMessage message;
    bool is_sent = false;
  };
  void put(wire::SessionPayload type, std::string payload, Time now);
  void acknowledge(const wire::SessionMessage& message, Time now);
  void input(const wire::SessionMessage& message, Time now);

  std::string session_, token_;
  ChannelEvents events_;
  std::function<std::string()> next_id_;
  bool is_open_ = false, is_ready_ = false, is_closed_ = false;
  Time opened_{};
  std::int64_t next_in_ = 0, next_out_ = 0;
  std::deque<Unacknowledged> out_;
  std::vector<std::string> replies_;
  std::string printed_;               // before the client was ready
  std::optional<std::string> ended_;  // with this to say
};

}  // namespace reef::session
