// One HTTP/1.1 connection to a target, on one loop: sends a request, reads its reply, and is kept for the next one.
// A state machine on readiness, without coroutines: what passes here passes for every request.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "engine/edge/balancer/target.h"
#include "io/reactor.h"
#include "io/tls.h"
#include "wire/http1.h"

namespace reef::edge {

class BalancerLoop;

enum class UpstreamFailure {
  kConnect,      // refused or unreachable
  kConnectLate,
  kClosed,       // gone before any byte of a reply
  kBadReply,
  kBroken,       // gone in the middle of a reply
};

// Whoever waits for a reply. Bytes are valid during the call only.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void on_reply_head(const wire::Http1Head& head, std::string_view bytes) = 0;   // 1xx too
  virtual void on_reply_body(std::string_view bytes) = 0;
  virtual void on_reply_flush() {}   // everything that arrived at once has been handed over
  virtual void on_reply_end() = 0;   // the upstream has let go of the exchange
  virtual void on_reply_failed(UpstreamFailure failure) = 0;
  virtual void on_request_drained() {}   // what was sent has left: more of the body may come
  bool wants_decoded = false;        // chunked bodies decoded, rather than as they are on the wire
  bool is_last = false;         // the connection is not to be used again after this request
};

class Upstream final : public io::FdHandler {
 public:
  Upstream(BalancerLoop& loop, std::shared_ptr<Target> target, std::shared_ptr<const GroupSettings> group);
  ~Upstream() override;

  // Sends `bytes`: the head and what there is of the body. `complete` when that is all of it.
  void start(Exchange& exchange, std::string_view bytes, bool complete, bool is_head_request);
  void send(std::string_view bytes, bool complete);
  std::size_t backlog() const { return output_.size() - output_at_; }
  // Back-pressure of the reply.
  void pause() { paused_ = true; }
  void resume();
  bool is_paused() const { return paused_; }
  // Nobody wants the reply any more: the connection ends.
  void abandon();
  // After a 101: bytes pass both ways until one side ends.
  bool is_tunnel() const { return mode_ == BodyMode::kTunnel; }

  void on_ready(std::uint32_t events) override;
  void on_dialled(int fd, int error);
  void expire(std::int64_t now);
  const std::shared_ptr<Target>& target() const { return target_; }
  const wire::ChunkedDecoder& decoder() const { return decoder_; }
  bool was_reused() const { return requests_ > 1; }

 private:
  friend class BalancerLoop;
  enum class State { kDialling, kConnecting, kHandshake, kOpen, kClosed };
  enum class BodyMode { kHead, kNone, kLength, kChunked, kUntilClose, kTunnel };

  void connected();
  void flush();
  void read();
  void deliver(std::string_view bytes);
  // How many bytes of the reply's body `bytes` begins with; handles the body's end.
  std::size_t deliver_body(std::string_view bytes);
  void begin_body(const wire::Http1Head& head);
  void end_reply();
  void fail(UpstreamFailure failure);
  void close();

  BalancerLoop& loop_;
  std::shared_ptr<Target> target_;
  std::shared_ptr<const GroupSettings> group_;
  io::Transport transport_;
  Exchange* exchange_ = nullptr;
  std::string output_;         // not yet sent, from output_at_
  std::size_t output_at_ = 0;
  std::string partial_;        // of a head
  wire::ChunkedDecoder decoder_;
  std::uint64_t left_ = 0;
  std::int64_t deadline_ = 0;  // of connecting, or of being idle
  std::uint32_t requests_ = 0;
  State state_ = State::kDialling;
  BodyMode mode_ = BodyMode::kHead;
  bool can_read_ = false, hung_up_ = false, paused_ = false, request_complete_ = false, is_head_request_ = false, keeps_alive_ = true, body_done_ = false;
  bool waits_for_drain_ = false, is_buried_ = false;
  std::list<std::unique_ptr<Upstream>>::iterator place_;
};

}  // namespace reef::edge
