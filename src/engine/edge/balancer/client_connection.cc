#include "engine/edge/balancer/client_connection.h"

#include <sys/epoll.h>

#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/balancer/client_identity.h"
#include "engine/edge/balancer/cookies.h"
#include "engine/edge/balancer/rewrite.h"
#include "engine/edge/balancer/scratch.h"
#include "engine/edge/balancer/sign_in.h"
#include "io/socket.h"

namespace reef::edge {
namespace {

constexpr std::size_t kHeadMax = 64 * 1024, kTargetMax = 16 * 1024;
constexpr std::size_t kRequestBacklogMax = 256 * 1024;
constexpr int kReadsPerTick = 16;
constexpr std::size_t kRetryBytesMax = 128 * 1024;
constexpr int kForwardedForMax = 30;

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

struct HeadRequest final : RuleRequest {
  std::string_view bytes;
  const wire::Http1Head* head = nullptr;
  bool any_header(std::string_view lower_name, const std::function<bool(std::string_view)>& visit) const override {
    for (const wire::Http1Field& field : head->fields)
      if (field.name_size == lower_name.size() && equals_ignoring_case(bytes.substr(field.name_at, field.name_size), lower_name) &&
          visit(bytes.substr(field.value_at, field.value_size)))
        return true;
    return false;
  }
};

}  // namespace

// What is known of a request while its head is at hand.
struct ClientConnection::Routing {
  std::string_view bytes;              // the head
  const wire::Http1Head& head;
  RequestFacts facts;
  HeadRequest asked;
};

ClientConnection::ClientConnection(BalancerLoop& loop, std::shared_ptr<ListenerSlot> slot, int fd)
    : loop_(loop), slot_(std::move(slot)), transport_(fd) {
  const std::string peer = io::peer_name(fd);
  const auto colon = peer.rfind(':');
  if (colon != std::string::npos) {
    ip_ = peer.substr(0, colon);
    port_ = peer.substr(colon + 1);
    if (ip_.starts_with('[')) ip_ = ip_.substr(1, ip_.size() - 2);
  }
  opened_ = last_activity_ = loop_.now();
  ++slot_->new_connections;
  ++slot_->active;
  if (slot_->now->tls) {
    state_ = State::kHandshake;
    transport_.start_server_tls(*slot_->now->tls);
  }
  loop_.reactor().watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, this);
}

ClientConnection::~ClientConnection() { close(); }

void ClientConnection::on_ready(std::uint32_t events) {
  if (state_ == State::kClosed) return;
  last_activity_ = loop_.now();
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) can_read_ = true;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) hung_up_ = true;   // no further edge will come
  if (state_ == State::kHandshake) {
    const long done = transport_.handshake();
    if (done == io::kWouldBlock) return;
    if (slot_->now->plan.connection_log) log_connection(done == 1);
    if (done == io::kBroken) return close();
    identity_ = make_identity_lines(transport_, slot_->now->plan);
    if (transport_.negotiated_protocol() == "h2") return hand_over({});
    state_ = State::kHead;
    can_read_ = true;
  }
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && request_complete_ && (state_ == State::kWaiting || state_ == State::kReplying)) {
    // The client has gone; there is nobody to answer (460 in the logs).
    ++slot_->client_resets;
    return close();
  }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) && is_backed_up()) flush();
  if (can_read_) read();
}

// Reads while there is somewhere to put what comes.
void ClientConnection::read() {
  char* const scratch = proxy_scratch();
  for (int reads = 0; can_read_ && state_ != State::kClosed; ++reads) {
    // One sender may not keep the loop for itself.
    if (reads == kReadsPerTick) return loop_.resume_later(*this);
    const bool wants = state_ == State::kHead || state_ == State::kLingering ||
                       ((state_ == State::kTunnel || !request_complete_) && upstream_ && upstream_->backlog() < kRequestBacklogMax);
    if (!wants) return;
    const long n = transport_.read(scratch, kProxyScratchBytes);
    if (n == io::kWouldBlock) {
      can_read_ = false;
      return;
    }
    if (n <= 0) {
      if (state_ != State::kHead && state_ != State::kLingering) ++slot_->client_resets;
      return close();
    }
    if (static_cast<std::size_t>(n) < kProxyScratchBytes && !transport_.is_tls() && !hung_up_) can_read_ = false;
    slot_->bytes += static_cast<std::uint64_t>(n);
    if (state_ != State::kLingering) take({scratch, static_cast<std::size_t>(n)});
  }
}

void ClientConnection::take(std::string_view bytes) {
  std::string joined;
  if (!input_.empty()) {
    input_ += bytes;
    joined = std::exchange(input_, {});
    bytes = joined;
  }
  if (state_ == State::kTunnel) return upstream_->send(bytes, false);
  while (!bytes.empty() && state_ != State::kClosed && state_ != State::kLingering) {
    if (!request_complete_) {
      const std::size_t size = take_body(bytes);
      if (entry_) entry_->received += size;
      if (state_ == State::kClosed || state_ == State::kLingering) return;
      // What was sent is kept for a second try, as long as it is little.
      can_retry_ = can_retry_ && !reply_began_ && request_.size() + size <= kRetryBytesMax;
      if (can_retry_) request_.append(bytes, 0, size);
      if (upstream_) upstream_->send(bytes.substr(0, size), request_complete_);
      bytes.remove_prefix(size);
      continue;
    }
    if (state_ != State::kHead) break;   // pipelined behind the request in progress
    thread_local wire::Http1Head head;
    const auto parsed = wire::parse_request_head(bytes, kHeadMax, head);
    if (parsed.status == wire::Http1Status::kIncomplete) break;
    if (parsed.status != wire::Http1Status::kComplete) {
      auto clean = repair_head(bytes, parsed);
      if (state_ == State::kClosed || state_ == State::kLingering) return;
      if (!clean) break;
      joined = *std::move(clean);
      bytes = joined;
      continue;
    }
    Routing routing{.bytes = bytes.substr(0, parsed.consumed), .head = head, .facts = {}, .asked = {}};
    listener_ = slot_->now;
    request_began_ = last_activity_;
    body_ = head.chunked ? BodyMode::kChunked : head.content_length > 0 ? BodyMode::kLength : BodyMode::kNone;
    left_ = head.content_length;
    if (head.chunked) decoder_ = {};
    request_complete_ = body_ == BodyMode::kNone;
    // HTTP/2 needs TLS here, so its preface in clear is an unknown version.
    const std::string_view method = routing.bytes.substr(0, head.method_size);
    is_head_ = method == "HEAD";
    is_http10_ = head.minor_version == 0;
    is_idempotent_ = is_idempotent(method);
    keeps_alive_ = head.keep_alive && !slot_->closing && last_activity_ - opened_ < listener_->plan.client_keep_alive.count();
    routing.facts = read_facts(routing.bytes, head);
    const RequestFacts& facts = routing.facts;
    if (listener_->plan.access_log) begin_entry(routing.bytes, &head, &facts);
    if (facts.host_headers != 1 && !(is_http10_ && facts.host_headers == 0)) {
      keeps_alive_ = false;
      return answer_error(400);
    }
    if (facts.target.size() > kTargetMax) {
      keeps_alive_ = false;
      return answer_error(414);
    }
    if (!check_desync(routing.bytes, head)) return;
    if (method == "TRACE" || method == "CONNECT") {
      keeps_alive_ = false;
      return answer_error(405);
    }
    if (facts.has_forwarded_for && std::count(facts.forwarded_for.begin(), facts.forwarded_for.end(), ',') >= kForwardedForMax) {
      keeps_alive_ = false;
      return answer_error(463);
    }
    HeadRequest& asked = routing.asked;
    asked.bytes = routing.bytes;
    asked.head = &head;
    asked.method = method;
    asked.host = facts.host.substr(0, facts.host.starts_with('[') ? facts.host.find("]:") + 1 : facts.host.find(':'));
    const auto question = facts.target.find('?');
    asked.path = facts.target.substr(0, question);
    asked.query = question == std::string_view::npos ? std::string_view{} : facts.target.substr(question + 1);
    asked.source = ip_;
    std::size_t rule = listener_->index->find(asked);
    if (rule == RuleIndex::kNone) rule = listener_->plan.actions.size() - 1;
    const RuleActions& actions = listener_->plan.actions[rule];
    const std::string_view rest = bytes.substr(parsed.consumed);
    if (entry_) entry_->priority = actions.priority, entry_->actions = actions_text(actions);
    if (actions.sign_in || actions.token_check || (listener_->signs_in && asked.path == kSignInReturnPath)) return hand_over(bytes);
    if (actions.forward) {
      for (const auto& group : listener_->groups[rule])
        if (group->settings && (!group->settings->function.empty() || group->settings->version != HttpVersion::kHttp1)) return hand_over(bytes);
      const std::size_t body_size = request_complete_ ? 0 : take_body(rest);
      if (state_ == State::kClosed || state_ == State::kLingering) return;
      if (entry_) entry_->received += body_size;
      bytes = rest.substr(body_size);
      forward(routing, rule, rest.substr(0, body_size));
      continue;
    }
    // The balancer answers itself; a body that is still to come would only be thrown away.
    keeps_alive_ = keeps_alive_ && request_complete_;
    bytes = rest;
    if (actions.redirect) {
      const Redirect& redirect = *actions.redirect;
      const std::string location =
          make_location(redirect, transport_.is_tls() ? "https" : "http", asked.host, listener_->plan.port, asked.path, asked.query);
      if (entry_) entry_->redirect_url = location;
      answer(redirect.status, "text/html", error_page(redirect.status), "Location: " + location + "\r\n");
    } else {
      const FixedAnswer& fixed = *actions.fixed;
      answer(fixed.status, fixed.content_type.empty() ? std::string() : fixed.content_type + "; charset=utf-8", fixed.body);
    }
  }
  if (state_ != State::kClosed && state_ != State::kLingering && !bytes.empty()) input_ = bytes;
}

// How much of `bytes` belongs to the request's body.
std::size_t ClientConnection::take_body(std::string_view bytes) {
  if (body_ == BodyMode::kLength) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= size;
    request_complete_ = left_ == 0;
    return size;
  }
  std::string_view rest = bytes, data;
  for (;;) {
    const auto event = decoder_.next(rest, data);
    if (event == wire::ChunkedDecoder::Event::kData) continue;
    if (event == wire::ChunkedDecoder::Event::kBad) {
      keeps_alive_ = false;
      if (state_ == State::kHead || state_ == State::kWaiting) answer_error(400);
      else close();
      return bytes.size();
    }
    request_complete_ = event == wire::ChunkedDecoder::Event::kEnd;
    return bytes.size() - rest.size();
  }
}

void ClientConnection::forward(const Routing& routing, std::size_t rule, std::string_view body) {
  const Forward& forward = *listener_->plan.actions[rule].forward;
  const auto& groups = listener_->groups[rule];
  RequestFacts facts = routing.facts;
  Rewritten rewritten;
  if (const auto& rewrites = listener_->plan.actions[rule].rewrites) {
    auto made = rewrite(*rewrites, routing.asked.host, facts.target);
    if (!made) return answer_error(500);
    rewritten = *std::move(made);
    if (rewritten.target) facts.target = *rewritten.target;
    if (rewritten.host) facts.host = *rewritten.host, facts.host_is_rewritten = true;
  }
  rule_ = rule;
  chosen_group_ = 0;
  sets_group_cookie_ = false;
  if (groups.size() > 1) {
    std::optional<std::size_t> stuck;
    if (forward.stickiness) stuck = read_group_cookie(facts.cookie, forward.groups, loop_.reactor().now());
    chosen_group_ = stuck ? *stuck : choose_group(forward.groups, loop_.random());
    sets_group_cookie_ = forward.stickiness && !stuck;
  }
  if (groups.empty()) return answer_error(503);
  group_ = groups[chosen_group_];
  sticky_ = group_->settings && group_->settings->stickiness != Stickiness::kNone ? read_target_cookie(facts.cookie, *group_->settings, loop_.reactor().now()) : 0;
  is_upgrade_ = routing.head.upgrade && !facts.upgrade.empty();
  const HeadContext context{.client_ip = ip_, .client_port = port_, .listener_port = listener_->port_text, .is_tls = transport_.is_tls(), .identity = identity_, .is_upgrade = is_upgrade_};
  const std::string trace = make_trace(facts.trace, to_seconds(loop_.reactor().now()), loop_.random(), loop_.random());
  if (entry_) {
    entry_->trace = trace;
    if (group_->settings) entry_->group = group_->settings->id;
    if (is_upgrade_) entry_->type = transport_.is_tls() ? "wss" : "ws";
  }
  request_.clear();
  append_request_head(request_, routing.bytes, routing.head, facts, listener_->plan.heads, context, trace);
  request_ += body;
  can_retry_ = true;
  tries_ = 0;
  state_ = State::kWaiting;
  dispatch();
}

// Sends `request_` to the next target.
void ClientConnection::dispatch() {
  if (!group_->settings) return answer_error(503);
  const std::shared_ptr<Target>* chosen = nullptr;
  // Another try goes to another target, if there is one.
  for (int i = 0; i < 4; ++i) {
    chosen = choose_target(*group_, tries_ == 0 ? sticky_ : 0, loop_.reactor().now(), loop_.random());
    if (!chosen || tries_ == 0 || *chosen != target_) break;
  }
  if (!chosen) return answer_error(503);
  target_ = *chosen;
  ++tries_;
  target_->outstanding.fetch_add(1, std::memory_order_relaxed);
  if (entry_) entry_->target = fmt::format("{}:{}", target_->ip, target_->port), entry_->sent_at = io::monotonic_micros();
  upstream_ = &loop_.take_upstream(target_, group_->settings);
  upstream_->start(*this, request_, request_complete_, is_head_);
}

void ClientConnection::hand_over(std::string_view unread) {
  const std::string rest(unread);
  entry_.reset();   // the server of coroutines writes its own
  loop_.reactor().unwatch(transport_.fd(), this);
  io::Transport moved(-1);
  moved.take(transport_);
  state_ = State::kClosed;
  --slot_->active;
  loop_.bury(*this);
  // The peer's name is all that the server gives back with a request: what logs and targets are told of the connection follows it.
  std::string peer = fmt::format("{}:{}\n{}\t{}\t{}\t{}\n{}", ip_, port_, moved.tls_cipher(), moved.tls_version(), moved.server_name(), moved.certificate(), identity_);
  loop_.hand_over(std::move(moved), slot_, std::move(peer), rest);
}

void ClientConnection::expire(std::int64_t now) {
  if (state_ == State::kClosed) return;
  const std::int64_t idle = now - last_activity_;
  if (state_ == State::kLingering) {
    if (idle > Duration(2s).count()) close();
    return;
  }
  const Duration limit = slot_->now->plan.idle_timeout;
  if (state_ == State::kHead && input_.empty()) {
    // Idle connections hold no buffers.
    if (request_.capacity() > 0) request_ = {};
    if (idle >= limit.count() || (slot_->closing)) close();
    return;
  }
  if (idle < limit.count()) return;
  if (state_ == State::kHead) {
    listener_ = slot_->now;
    keeps_alive_ = is_head_ = false;
    return answer_error(408);
  }
  keeps_alive_ = false;
  if (state_ == State::kWaiting) answer_error(request_complete_ ? 504 : 408);
  else close();
}

void ClientConnection::close() {
  if (state_ == State::kClosed) return;
  constexpr int kClientGone = 460;
  if (entry_) end_entry(entry_->target_status >= 0 ? entry_->target_status : kClientGone);
  state_ = State::kClosed;
  --slot_->active;
  if (upstream_) {
    upstream_->abandon();
    upstream_ = nullptr;
    target_->outstanding.fetch_sub(1, std::memory_order_relaxed);
  }
  loop_.reactor().unwatch(transport_.fd(), this);
  transport_.close();
  loop_.bury(*this);
}

}  // namespace reef::edge
