#include "engine/edge/balancer/upstream.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "engine/edge/balancer/loop.h"
#include "engine/edge/balancer/scratch.h"
#include "io/socket.h"

namespace reef::edge {
namespace {

constexpr std::size_t kReplyHeadMax = 64 * 1024;
constexpr int kReadsPerTick = 16;
constexpr Duration kConnectTimeout = 10s;
constexpr Duration kIdleTimeout = 55s;

Task<void> dial(const Dialer& dialer, Upstream& upstream, std::shared_ptr<Target> target, std::string group) {
  auto fd = co_await dialer.dial(target->ip, target->port, std::move(group));
  upstream.on_dialled(fd ? *fd : -1, fd ? 0 : fd.error().code);
}

}  // namespace

Upstream::Upstream(BalancerLoop& loop, std::shared_ptr<Target> target, std::shared_ptr<const GroupSettings> group)
    : loop_(loop), target_(std::move(target)), group_(std::move(group)), transport_(-1) {}

Upstream::~Upstream() { close(); }

void Upstream::start(Exchange& exchange, std::string_view bytes, bool complete, bool is_head_request) {
  exchange_ = &exchange;
  mode_ = BodyMode::kHead;
  request_complete_ = complete;
  is_head_request_ = is_head_request;
  body_done_ = paused_ = false;
  ++requests_;
  if (state_ == State::kOpen) {
    send(bytes, complete);
    return;
  }
  output_.assign(bytes);
  output_at_ = 0;
  waits_for_drain_ = true;
  deadline_ = loop_.now() + kConnectTimeout.count();
  dial(loop_.dialer(), *this, target_, group_ ? group_->id : std::string()).detach();
}

void Upstream::on_dialled(int fd, int error) {
  if (state_ == State::kClosed) {   // abandoned meanwhile
    if (fd >= 0) ::close(fd);
    loop_.bury(*this);
    return;
  }
  if (fd < 0) {
    // Not inside start(): whoever started does not expect to be called back yet. Until then this counts as dialling.
    loop_.reactor().post([this, error] {
      if (state_ == State::kClosed) loop_.bury(*this);
      // On AWS the packets of a connection that groups refuse are dropped: it times out.
      else fail(error == kRefusedByNetwork ? UpstreamFailure::kConnectLate : UpstreamFailure::kConnect);
    });
    return;
  }
  transport_.adopt(fd);
  state_ = State::kConnecting;
  loop_.reactor().watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, this);
}

void Upstream::connected() {
  if (const int error = io::connect_error(transport_.fd()); error != 0) return fail(UpstreamFailure::kConnect);
  state_ = State::kOpen;
  if (group_->protocol == TargetProtocol::kHttps) {
    transport_.start_client_tls(loop_.target_tls(), {});
    state_ = State::kHandshake;
  }
}

void Upstream::on_ready(std::uint32_t events) {
  if (state_ == State::kConnecting) {
    if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
    connected();
    if (state_ == State::kClosed || state_ == State::kConnecting) return;
  }
  if (state_ == State::kHandshake) {
    const long done = transport_.handshake();
    if (done == io::kBroken) return fail(UpstreamFailure::kConnect);
    if (done != 1) return;
    state_ = State::kOpen;
    can_read_ = true;
  }
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) can_read_ = true;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) hung_up_ = true;   // no further edge will come
  if (!exchange_) {
    // An idle connection has nothing to say: its target closes it.
    char byte;
    if (!can_read_ || transport_.read(&byte, 1) == io::kWouldBlock) {
      can_read_ = false;
      return;
    }
    loop_.forget_idle(*this);
    close();
    loop_.bury(*this);
    return;
  }
  deadline_ = 0;
  if (backlog() > 0) flush();
  if (can_read_ && exchange_ && state_ == State::kOpen) read();
}

void Upstream::send(std::string_view bytes, bool complete) {
  request_complete_ = complete;
  if (state_ == State::kOpen && backlog() == 0) {
    const long n = transport_.write(bytes.data(), bytes.size());
    // A broken write shows when reading: the target may have replied before it closed.
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    if (n == io::kBroken || bytes.empty()) return;
  }
  if (output_at_ > 0) {
    output_.erase(0, output_at_);
    output_at_ = 0;
  }
  output_ += bytes;
  waits_for_drain_ = true;
}

void Upstream::flush() {
  while (backlog() > 0) {
    const long n = transport_.write(output_.data() + output_at_, backlog());
    if (n == io::kWouldBlock) return;
    if (n == io::kBroken) {
      output_.clear();
      output_at_ = 0;
      return;
    }
    output_at_ += static_cast<std::size_t>(n);
  }
  output_.clear();
  output_at_ = 0;
  if (output_.capacity() > 16 * 1024) output_.shrink_to_fit();
  if (std::exchange(waits_for_drain_, false) && exchange_ && !request_complete_) exchange_->on_request_drained();
}

void Upstream::resume() {
  paused_ = false;
  if (can_read_ && exchange_ && state_ == State::kOpen) read();
}

void Upstream::read() {
  char* const scratch = proxy_scratch();
  for (int reads = 0; exchange_ && !paused_ && state_ == State::kOpen; ++reads) {
    // One sender may not keep the loop for itself.
    if (reads == kReadsPerTick) {
      loop_.resume_later(*this);
      break;
    }
    const long n = transport_.read(scratch, kProxyScratchBytes);
    if (n == io::kWouldBlock) {
      can_read_ = false;
      break;
    }
    if (n <= 0) {
      can_read_ = false;
      if (mode_ == BodyMode::kUntilClose || (mode_ == BodyMode::kTunnel && n == 0)) {
        keeps_alive_ = false;
        end_reply();
      } else {
        fail(mode_ != BodyMode::kHead ? UpstreamFailure::kBroken : partial_.empty() ? UpstreamFailure::kClosed : UpstreamFailure::kBadReply);
      }
      return;
    }
    // A short read of a plain socket emptied it; the next edge will come.
    if (static_cast<std::size_t>(n) < kProxyScratchBytes && !transport_.is_tls() && !hung_up_) can_read_ = false;
    deliver({scratch, static_cast<std::size_t>(n)});
    if (!can_read_) break;
  }
  if (exchange_) exchange_->on_reply_flush();
}

void Upstream::deliver(std::string_view bytes) {
  std::string joined;
  if (!partial_.empty()) {
    partial_ += bytes;
    joined = std::exchange(partial_, {});
    bytes = joined;
  }
  while (!bytes.empty() && exchange_) {
    if (mode_ == BodyMode::kHead) {
      thread_local wire::Http1Head head;
      const auto parsed = wire::parse_response_head(bytes, kReplyHeadMax, head);
      if (parsed.status == wire::Http1Status::kIncomplete) {
        partial_ = bytes;
        return;
      }
      if (parsed.status != wire::Http1Status::kComplete) return fail(UpstreamFailure::kBadReply);
      const std::string_view head_bytes = bytes.substr(0, parsed.consumed);
      bytes.remove_prefix(parsed.consumed);
      begin_body(head);
      exchange_->on_reply_head(head, head_bytes);
      if (exchange_ && body_done_) {
        keeps_alive_ = keeps_alive_ && bytes.empty();
        return end_reply();
      }
      continue;
    }
    bytes.remove_prefix(deliver_body(bytes));
    if (exchange_ && body_done_) {
      // Bytes beyond the reply belong to nothing: such a connection is not used again.
      keeps_alive_ = keeps_alive_ && bytes.empty();
      return end_reply();
    }
  }
}

void Upstream::begin_body(const wire::Http1Head& head) {
  if (head.status == 101) {
    mode_ = BodyMode::kTunnel;
    return;
  }
  if (head.status < 200) return;
  keeps_alive_ = head.keep_alive && !exchange_->is_last;
  if (is_head_request_ || head.status == 204 || head.status == 304 || (head.has_length && head.content_length == 0)) {
    mode_ = BodyMode::kNone;
    body_done_ = true;
  } else if (head.chunked) {
    mode_ = BodyMode::kChunked;
    decoder_ = {};
  } else if (head.has_length) {
    mode_ = BodyMode::kLength;
    left_ = head.content_length;
  } else {
    mode_ = BodyMode::kUntilClose;
    keeps_alive_ = false;
  }
}

std::size_t Upstream::deliver_body(std::string_view bytes) {
  if (mode_ == BodyMode::kLength) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= size;
    body_done_ = left_ == 0;
    exchange_->on_reply_body(bytes.substr(0, size));
    return size;
  }
  if (mode_ != BodyMode::kChunked) {
    exchange_->on_reply_body(bytes);
    return bytes.size();
  }
  const bool decoded = exchange_->wants_decoded;
  std::string_view rest = bytes, data;
  for (;;) {
    const auto event = decoder_.next(rest, data);
    if (event == wire::ChunkedDecoder::Event::kData) {
      if (decoded) exchange_->on_reply_body(data);
      if (!exchange_) return bytes.size();
      continue;
    }
    if (event == wire::ChunkedDecoder::Event::kBad) {
      fail(UpstreamFailure::kBroken);
      return bytes.size();
    }
    body_done_ = event == wire::ChunkedDecoder::Event::kEnd;
    break;
  }
  const std::size_t size = bytes.size() - rest.size();
  if (!decoded) exchange_->on_reply_body(bytes.substr(0, size));
  return size;
}

void Upstream::end_reply() {
  Exchange* const exchange = std::exchange(exchange_, nullptr);
  if (keeps_alive_ && request_complete_ && backlog() == 0 && mode_ != BodyMode::kTunnel) {
    deadline_ = loop_.now() + kIdleTimeout.count();
    loop_.keep_upstream(*this);
  } else {
    close();
    loop_.bury(*this);
  }
  exchange->on_reply_end();
}

void Upstream::fail(UpstreamFailure failure) {
  Exchange* const exchange = std::exchange(exchange_, nullptr);
  const bool was_closed = state_ == State::kClosed;
  close();
  if (!was_closed || exchange) loop_.bury(*this);
  if (exchange) exchange->on_reply_failed(failure);
}

void Upstream::abandon() {
  exchange_ = nullptr;
  const bool dialling = state_ == State::kDialling;
  close();
  if (!dialling) loop_.bury(*this);   // else when the dial comes back
}

void Upstream::expire(std::int64_t now) {
  if (deadline_ == 0 || now < deadline_) return;
  if (exchange_) {
    if (state_ == State::kDialling || state_ == State::kConnecting || state_ == State::kHandshake) {
      deadline_ = 0;
      Exchange* const exchange = std::exchange(exchange_, nullptr);
      abandon();
      exchange->on_reply_failed(UpstreamFailure::kConnectLate);
    }
    return;
  }
  if (state_ != State::kOpen) return;
  loop_.forget_idle(*this);
  close();
  loop_.bury(*this);
}

void Upstream::close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  if (transport_.fd() < 0) return;
  loop_.reactor().unwatch(transport_.fd(), this);
  loop_.dialer().closing(transport_.fd());
  transport_.close();
}

}  // namespace reef::edge
