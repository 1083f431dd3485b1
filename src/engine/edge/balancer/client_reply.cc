// The way back: replies of targets, the balancer's own answers, and the end of a request.
#include <fmt/format.h>

#include <algorithm>

#include "engine/edge/balancer/client_connection.h"
#include "engine/edge/balancer/cookies.h"
#include "http/connection.h"

namespace reef::edge {
namespace {

constexpr int kConnectTries = 3;

// What goes to the client next, gathered while one read of a target is looked at.
std::string& reply_scratch() {
  thread_local std::string scratch;
  return scratch;
}

}  // namespace

void ClientConnection::on_reply_head(const wire::Http1Head& head, std::string_view bytes) {
  std::string& out = reply_scratch();
  if (head.status < 200 && head.status != 101) {
    if (!is_http10_) append_reply_head(out, bytes, head, {}, {});
    return;
  }
  reply_began_ = true;
  state_ = head.status == 101 ? State::kTunnel : State::kReplying;
  count_reply(head.status);
  if (entry_) entry_->target_status = head.status, entry_->replied_at = io::monotonic_micros();
  const bool has_body = !is_head_ && head.status != 204 && head.status != 304 && head.status != 101;
  const bool until_close = has_body && !head.chunked && !head.has_length;
  reply_chunks_ = until_close && !is_http10_;
  // An old client cannot be sent chunks: its body ends with the connection.
  wants_decoded = head.chunked && is_http10_;
  if ((until_close || head.chunked) && is_http10_) keeps_alive_ = false;
  std::string cookies;
  if (group_->settings->stickiness != Stickiness::kNone || sets_group_cookie_)
    cookies = make_cookies(*group_->settings, *target_, sticky_, group_->settings->stickiness == Stickiness::kAppCookie && sets_cookie(bytes, head, group_->settings->app_cookie),
                           sets_group_cookie_ ? &*listener_->plan.actions[rule_].forward : nullptr, chosen_group_, loop_.reactor().now());
  const bool has_changes = !listener_->plan.replies.shows_server || !listener_->plan.replies.headers.empty();
  append_reply_head(out, bytes, head, {.keeps_alive = keeps_alive_, .chunk = reply_chunks_, .unchunk = wants_decoded, .is_upgrade = head.status == 101, .extra = cookies, .changes = has_changes ? &listener_->plan.replies : nullptr},
                    http::current_http_date());
}

void ClientConnection::on_reply_body(std::string_view bytes) {
  std::string& out = reply_scratch();
  constexpr std::size_t kCopyMax = 8 * 1024;
  if (reply_chunks_) {
    fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
    out += bytes;
    out += "\r\n";
    if (out.size() > kCopyMax) flush_scratch();
  } else if (bytes.size() <= kCopyMax) {
    out += bytes;
  } else {
    flush_scratch();
    if (state_ != State::kClosed) send(bytes);
  }
  if (is_backed_up() && upstream_) upstream_->pause();
}

void ClientConnection::on_reply_flush() {
  flush_scratch();
  if (is_backed_up() && upstream_) upstream_->pause();
}

void ClientConnection::on_reply_end() {
  upstream_ = nullptr;
  target_->outstanding.fetch_sub(1, std::memory_order_relaxed);
  if (reply_chunks_) reply_scratch() += "0\r\n\r\n";
  flush_scratch();
  if (state_ == State::kClosed) return;
  if (state_ == State::kTunnel) {
    keeps_alive_ = false;
  } else {
    target_->sides[loop_.index()].counters.latency_micros += static_cast<std::uint64_t>(std::max<std::int64_t>(0, loop_.now() - request_began_));
    // The target replied before it had the whole request: what is left of it has nowhere to go.
    if (!request_complete_) keeps_alive_ = false;
  }
  finish_request();
}

void ClientConnection::on_reply_failed(UpstreamFailure failure) {
  upstream_ = nullptr;
  target_->outstanding.fetch_sub(1, std::memory_order_relaxed);
  if (reply_began_) flush_scratch();
  reply_scratch().clear();
  if (state_ == State::kClosed) return;
  ++target_->sides[loop_.index()].counters.connection_errors;
  target_->recent_requests.fetch_add(1, std::memory_order_relaxed);
  target_->recent_errors.fetch_add(1, std::memory_order_relaxed);
  note_outcome(*group_, *target_, true, loop_.reactor().now());
  if (reply_began_) return close();   // the client sees a body that ends too early
  switch (failure) {
    case UpstreamFailure::kConnect: return retry_or_answer(502, true);
    case UpstreamFailure::kConnectLate: return retry_or_answer(504, true);
    case UpstreamFailure::kClosed: return retry_or_answer(502, false);
    case UpstreamFailure::kBadReply:
    case UpstreamFailure::kBroken: return answer_error(502);
  }
}

void ClientConnection::retry_or_answer(int status, bool nothing_was_sent) {
  // A target that is just being stopped refuses or drops connections before its checks notice.
  const bool again = can_retry_ && (nothing_was_sent ? tries_ < kConnectTries : is_idempotent_ && tries_ < 2);
  if (again) dispatch();
  else answer_error(status);
}

void ClientConnection::on_request_drained() {
  if (can_read_) read();
}

void ClientConnection::count_reply(int status) {
  Counters& counters = target_->sides[loop_.index()].counters;
  ++counters.requests;
  counters.count_status(status);
  if (group_->settings->outlier_failures > 0) note_outcome(*group_, *target_, status >= 500, loop_.reactor().now());
  if (group_->settings->mitigates_anomalies) {
    target_->recent_requests.fetch_add(1, std::memory_order_relaxed);
    if (status >= 500) target_->recent_errors.fetch_add(1, std::memory_order_relaxed);
  }
}

void ClientConnection::answer(int status, std::string_view content_type, std::string_view body, std::string_view extra) {
  slot_->counters.count_status(status);
  ++slot_->counters.requests;
  if (entry_) entry_->status = status;
  if (!request_complete_) keeps_alive_ = false;
  std::string& out = reply_scratch();
  const ReplyChanges& changes = (listener_ ? listener_ : slot_->now)->plan.replies;
  append_answer(out, status, content_type, body, std::string(extra) + changes.lines, keeps_alive_, is_head_, http::current_http_date(), changes.shows_server);
  flush_scratch();
  if (state_ != State::kClosed) finish_request();
}

void ClientConnection::answer_error(int status) {
  if (upstream_) {
    upstream_->abandon();
    upstream_ = nullptr;
    target_->outstanding.fetch_sub(1, std::memory_order_relaxed);
  }
  answer(status, "text/html", error_page(status));
}

void ClientConnection::finish_request() {
  if (entry_) end_entry(entry_->status ? entry_->status : entry_->target_status);
  reply_began_ = reply_chunks_ = is_upgrade_ = wants_decoded = false;
  target_.reset();
  group_.reset();
  if (!keeps_alive_ || slot_->closing) {
    if (!is_backed_up()) linger();
    else state_ = State::kLingering;   // closed when it is sent
    return;
  }
  state_ = State::kHead;
  // The next request may be here already; not from within the callbacks of this one.
  if (!input_.empty() || can_read_) loop_.resume_later(*this);
}

void ClientConnection::resume() {
  if (state_ == State::kHead && !input_.empty()) {
    const std::string bytes = std::exchange(input_, {});
    take(bytes);
  }
  if (can_read_) read();
}

void ClientConnection::send(std::string_view bytes) {
  slot_->bytes += bytes.size();
  if (entry_) entry_->sent += bytes.size();
  while (!is_backed_up() && !bytes.empty()) {
    const long n = transport_.write(bytes.data(), bytes.size());
    if (n == io::kBroken) {
      ++slot_->client_resets;
      return close();
    }
    if (n == io::kWouldBlock) break;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  if (bytes.empty()) return;
  if (!is_backed_up()) {
    output_.clear();
    output_at_ = 0;
  }
  output_ += bytes;
}

void ClientConnection::flush_scratch() {
  std::string& out = reply_scratch();
  if (out.empty()) return;
  if (state_ != State::kClosed) send(out);
  out.clear();
}

void ClientConnection::flush() {
  while (is_backed_up()) {
    const long n = transport_.write(output_.data() + output_at_, output_.size() - output_at_);
    if (n == io::kWouldBlock) return;
    if (n == io::kBroken) {
      ++slot_->client_resets;
      return close();
    }
    output_at_ += static_cast<std::size_t>(n);
  }
  output_.clear();
  output_.shrink_to_fit();
  output_at_ = 0;
  if (state_ == State::kLingering) linger();
  else if (upstream_) upstream_->resume();
}

// Closing with bytes unread resets the connection, and the client would lose the reply: so what still comes is
// swallowed for a moment.
void ClientConnection::linger() {
  if (state_ == State::kClosed) return;
  state_ = State::kLingering;
  transport_.end();
  if (request_complete_ && input_.empty() && !can_read_) return close();
  last_activity_ = loop_.now();
  if (can_read_) read();
}

}  // namespace reef::edge
