// One client's HTTP/1.1 connection to a listener: reads requests, routes each, passes it to a target and the reply
// back. HTTP/2 and what needs more than passing on (functions, sign-in) is handed to http::Server.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "engine/edge/balancer/loop.h"
#include "wire/http1.h"

namespace reef::edge {

class ClientConnection final : public io::FdHandler, public Exchange {
 public:
  ClientConnection(BalancerLoop& loop, std::shared_ptr<ListenerSlot> slot, int fd);
  ~ClientConnection() override;

  void on_ready(std::uint32_t events) override;
  void expire(std::int64_t now);
  // Looks at what arrived while a reply was on its way.
  void resume();

  void on_reply_head(const wire::Http1Head& head, std::string_view bytes) override;
  void on_reply_body(std::string_view bytes) override;
  void on_reply_flush() override;
  void on_reply_end() override;
  void on_reply_failed(UpstreamFailure failure) override;
  void on_request_drained() override;

 private:
  friend class BalancerLoop;
  enum class State { kHandshake, kHead, kWaiting, kReplying, kTunnel, kLingering, kClosed };
  enum class BodyMode { kNone, kLength, kChunked };
  struct Routing;

  void read();
  void take(std::string_view bytes);
  std::size_t take_body(std::string_view bytes);
  // False when the connection was handed over or closed.
  bool handle_head(std::string_view bytes, std::size_t head_size);
  void forward(const Routing& routing, std::size_t rule, std::string_view rest);
  void dispatch();
  void retry_or_answer(int status, bool nothing_was_sent);
  void hand_over(std::string_view unread);
  void answer(int status, std::string_view content_type, std::string_view body, std::string_view extra = {});
  void answer_error(int status);
  void finish_request();
  void send(std::string_view bytes);
  void flush_scratch();
  void flush();
  bool is_backed_up() const { return output_.size() - output_at_ > 0; }
  void linger();
  void close();
  // A head that the strict parser refused: what to look at instead, or nothing after it was answered or has to wait.
  std::optional<std::string> repair_head(std::string_view bytes, const wire::Http1Result& parsed);
  // False when the request was answered.
  bool check_desync(std::string_view bytes, const wire::Http1Head& head);
  void count_reply(int status);
  // For the access log, when there is one: `head` is null for what could not be read.
  void begin_entry(std::string_view bytes, const wire::Http1Head* head, const RequestFacts* facts);
  void end_entry(int status);
  void log_connection(bool succeeded);

  BalancerLoop& loop_;
  std::shared_ptr<ListenerSlot> slot_;
  std::shared_ptr<const LoopListener> listener_;   // of the request in progress
  io::Transport transport_;
  std::string ip_, port_;
  std::string identity_;         // header lines about its TLS connection
  std::string input_;            // received and not yet looked at
  std::string output_;           // not yet sent, from output_at_
  std::size_t output_at_ = 0;
  std::string request_;          // as sent to the target, for a second try
  Upstream* upstream_ = nullptr;
  std::shared_ptr<LoopGroup> group_;
  std::shared_ptr<Target> target_;
  std::uint64_t sticky_ = 0;
  std::size_t chosen_group_ = 0, rule_ = 0;
  wire::ChunkedDecoder decoder_;
  std::uint64_t left_ = 0;
  std::int64_t last_activity_ = 0, opened_ = 0, request_began_ = 0;
  State state_ = State::kHead;
  BodyMode body_ = BodyMode::kNone;
  int tries_ = 0;
  bool can_read_ = false, hung_up_ = false, keeps_alive_ = true, is_head_ = false, is_http10_ = false, is_idempotent_ = false, request_complete_ = true;
  bool can_retry_ = false, reply_chunks_ = false, is_upgrade_ = false, sets_group_cookie_ = false, reply_began_ = false;
  std::optional<DesyncVerdict> repaired_;   // of the head at the start of what is looked at
  std::unique_ptr<AccessEntry> entry_;   // of the request in progress
  std::list<std::unique_ptr<ClientConnection>>::iterator place_;
};

}  // namespace reef::edge
