// One request on its way to a target and its reply on the way back, for coroutines: what the handlers of balancers and of
// the mesh send through an Upstream.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/edge/balancer/loop.h"
#include "http/message.h"

namespace reef::edge {

// Resumed when something about the exchange changes; one waiter.
struct Signal {
  std::coroutine_handle<> waiter;
  void raise(io::Reactor& reactor) {
    if (waiter) reactor.post([handle = std::exchange(waiter, nullptr)] { handle.resume(); });
  }
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) { waiter = handle; }
  void await_resume() const {}
};

// Shared by the reply's body, which outlives the handler, and by the coroutine that sends the request's body.
struct Passage final : Exchange, std::enable_shared_from_this<Passage> {
  explicit Passage(BalancerLoop& balancer_loop) : loop(balancer_loop) { wants_decoded = true; }
  ~Passage() override { stop(); }

  void begin(const std::shared_ptr<Target>& chosen, const std::shared_ptr<const GroupSettings>& group, std::string_view bytes, bool complete, bool is_head);
  // Nobody waits for the reply any more.
  void stop();
  void release();
  // Gives a try up: as when the target had not answered.
  void give_up(UpstreamFailure why);
  // Breaks it off, in the middle of the reply too.
  void cut();

  void on_reply_head(const wire::Http1Head& head, std::string_view bytes) override;
  void on_reply_body(std::string_view bytes) override;
  void on_reply_flush() override { changed.raise(loop.reactor()); }
  void on_reply_end() override;
  void on_reply_failed(UpstreamFailure why) override;
  void on_request_drained() override { drained.raise(loop.reactor()); }

  BalancerLoop& loop;
  Upstream* upstream = nullptr;
  std::shared_ptr<Target> target;
  std::string received, head_bytes;
  wire::Http1Head parsed;
  std::vector<std::pair<std::string, std::string>> trailers;
  int status = 0;
  std::optional<std::uint64_t> length;
  bool has_head = false, ended = false, counted = false;
  std::optional<UpstreamFailure> failure;
  Signal changed, drained;
};

// The reply's body, which lets go of the target when it is dropped.
std::unique_ptr<http::Body> make_passage_body(std::shared_ptr<Passage> passage);
// The reply as a message: its head without what belongs to the connection, and its body, streamed when it is not all here.
http::Response take_reply(const std::shared_ptr<Passage>& passage, bool is_head_request);
// Sends the rest of a request's body while the reply may be arriving.
Task<void> send_body(std::shared_ptr<Passage> passage, http::Body& body, bool chunked, Later<bool>* done);

}  // namespace reef::edge
