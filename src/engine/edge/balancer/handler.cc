#include "engine/edge/balancer/handler.h"

#include <algorithm>

#include "engine/edge/balancer/cookies.h"
#include "http/connection.h"
#include "http/http2_client.h"

namespace reef::edge {
namespace {

constexpr std::size_t kReplyBacklogMax = 256 * 1024, kRequestBacklogMax = 256 * 1024;
constexpr int kTriesMax = 3;

struct SplitAddress {
  std::string_view ip, port;
  std::string_view identity;   // complete header lines
};
SplitAddress split_peer(std::string_view peer) {
  const auto line = peer.find('\n');
  const std::string_view identity = line == std::string_view::npos ? std::string_view{} : peer.substr(line + 1);
  peer = peer.substr(0, line);
  const auto colon = peer.rfind(':');
  std::string_view ip = peer.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  return {ip, colon == std::string_view::npos ? std::string_view{} : peer.substr(colon + 1), identity};
}

struct MessageRequest final : RuleRequest {
  const http::Request* message = nullptr;
  bool any_header(std::string_view lower_name, const std::function<bool(std::string_view)>& visit) const override {
    return std::any_of(message->headers.begin(), message->headers.end(),
                       [&](const http::HeaderView& header) { return header.name == lower_name && visit(header.value); });
  }
};

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

// One request on its way to a target and its reply on the way back. Shared by the reply's body, which outlives the
// handler, and by the coroutine that sends the request's body.
struct Passage final : Exchange, std::enable_shared_from_this<Passage> {
  explicit Passage(BalancerLoop& balancer_loop) : loop(balancer_loop) { wants_decoded = true; }
  ~Passage() override { stop(); }

  void stop() {
    if (upstream) std::exchange(upstream, nullptr)->abandon();
    release();
  }
  void release() {
    if (std::exchange(counted, false)) target->outstanding.fetch_sub(1, std::memory_order_relaxed);
  }
  void begin(const std::shared_ptr<Target>& chosen, const std::shared_ptr<const GroupSettings>& group, std::string_view bytes, bool complete, bool is_head) {
    target = chosen;
    failure.reset();
    counted = true;
    target->outstanding.fetch_add(1, std::memory_order_relaxed);
    upstream = &loop.take_upstream(target, group);
    upstream->start(*this, bytes, complete, is_head);
  }

  void on_reply_head(const wire::Http1Head& head, std::string_view bytes) override {
    if (head.status < 200) return;
    status = head.status;
    length = head.has_length ? std::optional(head.content_length) : std::nullopt;
    head_bytes = bytes;
    parsed = head;
    has_head = true;
    changed.raise(loop.reactor());
  }
  void on_reply_body(std::string_view bytes) override {
    received += bytes;
    if (received.size() > kReplyBacklogMax && upstream) upstream->pause();
  }
  void on_reply_flush() override { changed.raise(loop.reactor()); }
  void on_reply_end() override {
    if (upstream) trailers = upstream->decoder().trailers();
    upstream = nullptr;
    ended = true;
    release();
    changed.raise(loop.reactor());
    drained.raise(loop.reactor());
  }
  void on_reply_failed(UpstreamFailure why) override {
    upstream = nullptr;
    failure = why;
    release();
    ++target->sides[loop.index()].counters.connection_errors;
    changed.raise(loop.reactor());
    drained.raise(loop.reactor());
  }
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

class PassageBody final : public http::Body {
 public:
  explicit PassageBody(std::shared_ptr<Passage> passage) : passage_(std::move(passage)) {}
  ~PassageBody() override { passage_->stop(); }
  Task<Result<std::string_view, Failure>> read() override {
    for (;;) {
      if (!passage_->received.empty()) {
        piece_ = std::exchange(passage_->received, {});
        if (passage_->upstream)
          passage_->loop.reactor().post([kept = passage_] {
            if (kept->upstream) kept->upstream->resume();
          });
        co_return std::string_view(piece_);
      }
      if (passage_->ended) co_return std::string_view{};
      if (passage_->failure) co_return Err(Failure{"the target's reply broke off", EIO});
      co_await passage_->changed;
    }
  }
  std::optional<std::uint64_t> size() const override { return passage_->length; }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return passage_->trailers; }

 private:
  std::shared_ptr<Passage> passage_;
  std::string piece_;
};

std::string chunk(std::string_view bytes) {
  char size[24];
  const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  std::string out(size, end);
  out += "\r\n";
  out += bytes;
  return out += "\r\n";
}

// Sends the rest of a request's body while the reply may be arriving.
Task<void> send_body(std::shared_ptr<Passage> passage, http::Body& body, bool chunked, Later<bool>* done) {
  for (;;) {
    const auto piece = co_await body.read();
    if (!piece || !passage->upstream) {
      // A client that broke off: the target must not take what it got for the whole.
      if (!piece && passage->upstream && !passage->has_head) {
        std::exchange(passage->upstream, nullptr)->abandon();
        passage->failure = UpstreamFailure::kBroken;
        passage->changed.raise(passage->loop.reactor());
      }
      break;
    }
    const bool last = piece->empty();
    if (chunked) passage->upstream->send(last ? std::string("0\r\n\r\n") : chunk(*piece), last);
    else passage->upstream->send(*piece, last);
    if (last) break;
    while (passage->upstream && passage->upstream->backlog() > kRequestBacklogMax) co_await passage->drained;
  }
  if (done) done->set(true);
}

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

int status_of(UpstreamFailure failure) { return failure == UpstreamFailure::kConnectLate ? 504 : 502; }

// What goes into a request line must not be able to end it.
bool is_one_word(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
}

bool sets_cookie(const http::Response& response, std::string_view name) {
  return !name.empty() && std::any_of(response.headers.begin(), response.headers.end(), [&](const auto& header) {
    return equals_ignoring_case(header.first, "set-cookie") && header.second.starts_with(name) && header.second.substr(name.size()).starts_with('=');
  });
}

// `lines` are complete Set-Cookie lines.
void add_cookies(http::Response& response, std::string_view lines) {
  constexpr std::string_view kName = "Set-Cookie: ";
  while (!lines.empty()) {
    const auto end = lines.find("\r\n");
    response.headers.emplace_back("Set-Cookie", lines.substr(kName.size(), end - kName.size()));
    lines.remove_prefix(end + 2);
  }
}

http::Response own_answer(int status, std::string_view content_type, std::string body) {
  http::Response out;
  out.status = status;
  out.set("Server", "awselb/2.0");
  if (!content_type.empty()) out.set("Content-Type", content_type);
  out.body = std::move(body);
  return out;
}

}  // namespace

http::Response make_error(int status) { return own_answer(status, "text/html", error_page(status)); }

Task<http::Response> forward_http1(BalancerLoop& loop, std::shared_ptr<LoopGroup> group, std::uint64_t sticky, http::Request& request, std::string head,
                                   std::shared_ptr<Target>& chosen_target) {
  const bool has_body = request.body->size() != 0;
  const bool chunked = has_body && !request.body->size();
  auto passage = std::make_shared<Passage>(loop);
  std::shared_ptr<Target> last;
  for (int tries = 0;; ++tries) {
    const std::shared_ptr<Target>* chosen = group->settings ? choose_target(*group, tries == 0 ? sticky : 0, loop.reactor().now(), loop.random()) : nullptr;
    if (!chosen) co_return make_error(503);
    passage->begin(*chosen, group->settings, head, !has_body, request.method == "HEAD");
    // HTTP/2 clients may go on sending while they read the reply; the others have sent everything before that.
    Later<bool> sent;
    if (has_body && request.version == 20) send_body(passage, *request.body, chunked, nullptr).detach();
    else if (has_body) {
      send_body(passage, *request.body, chunked, &sent).detach();
      co_await sent;
    }
    while (!passage->has_head && !passage->failure) co_await passage->changed;
    if (passage->has_head) break;
    const bool unsent = *passage->failure == UpstreamFailure::kConnect || *passage->failure == UpstreamFailure::kConnectLate;
    const bool again = !has_body && tries + 1 < (unsent ? kTriesMax : 2) && (unsent || (*passage->failure == UpstreamFailure::kClosed && is_idempotent(request.method)));
    if (!again) co_return make_error(status_of(*passage->failure));
  }
  chosen_target = passage->target;
  Counters& counters = passage->target->sides[loop.index()].counters;
  ++counters.requests;
  counters.count_status(passage->status);
  http::Response out;
  out.status = passage->status;
  for (const wire::Http1Field& field : passage->parsed.fields) {
    const std::string_view bytes = passage->head_bytes;
    const std::string_view name = bytes.substr(field.name_at, field.name_size);
    if (equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "keep-alive") || equals_ignoring_case(name, "transfer-encoding") ||
        equals_ignoring_case(name, "upgrade") || equals_ignoring_case(name, "proxy-connection"))
      continue;
    out.headers.emplace_back(name, bytes.substr(field.value_at, field.value_size));
  }
  // A small reply that is here already needs no stream.
  if (passage->ended) {
    out.body = std::move(passage->received);
    if (request.method == "HEAD" || passage->trailers.empty()) co_return out;
  }
  if (request.method != "HEAD") out.stream = std::make_unique<PassageBody>(passage);
  co_return out;
}

Task<http::Response> forward_http2(BalancerLoop& loop, std::shared_ptr<LoopGroup> group, std::uint64_t sticky, http::Request& request, std::string head,
                                   std::shared_ptr<Target>& chosen_target) {
  wire::Http1Head parsed;
  if (wire::parse_request_head(head, head.size() + 1, parsed).status != wire::Http1Status::kComplete) co_return make_error(400);
  http::Http2Request sent;
  sent.method = request.method;
  sent.path = head.substr(parsed.target_at, parsed.target_size);
  sent.body = request.body;
  for (const wire::Http1Field& field : parsed.fields) {
    std::string name = to_lower(std::string_view(head).substr(field.name_at, field.name_size));
    std::string value = head.substr(field.value_at, field.value_size);
    if (name == "host") sent.authority = std::move(value);
    else if (name != "transfer-encoding") sent.headers.emplace_back(std::move(name), std::move(value));
  }
  if (request.header("te").find("trailers") != std::string_view::npos) sent.headers.emplace_back("te", "trailers");
  const bool has_body = request.body->size() != 0;
  for (int tries = 0;; ++tries) {
    const auto settings = group->settings;
    const std::shared_ptr<Target>* chosen = settings ? choose_target(*group, tries == 0 ? sticky : 0, loop.reactor().now(), loop.random()) : nullptr;
    if (!chosen) co_return make_error(503);
    const std::shared_ptr<Target> target = *chosen;
    auto& connection = target->sides[loop.index()].http2;
    if (!connection || !connection->is_open()) {
      const auto fd = co_await loop.dialer().dial(target->ip, target->port, settings->id);
      const bool is_tls = settings->protocol == TargetProtocol::kHttps;
      if (fd) connection = http::Http2Client::start(loop.reactor(), *fd, is_tls ? &loop.target_tls() : nullptr, 10s);
      else if (tries + 1 < kTriesMax) continue;
      else co_return make_error(fd.error().code == kRefusedByNetwork ? 504 : 502);
    }
    const auto kept = connection;
    target->outstanding.fetch_add(1, std::memory_order_relaxed);
    auto reply = co_await kept->send(sent);
    target->outstanding.fetch_sub(1, std::memory_order_relaxed);
    Counters& counters = target->sides[loop.index()].counters;
    if (!reply) {
      ++counters.connection_errors;
      const bool unsent = reply.error().code == ECONNREFUSED;
      if (!has_body && tries + 1 < (unsent ? kTriesMax : 2) && (unsent || is_idempotent(request.method))) continue;
      co_return make_error(502);
    }
    ++counters.requests;
    counters.count_status(reply->status);
    chosen_target = target;
    co_return *std::move(reply);
  }
}

Task<http::Response> BalancerLoop::serve(std::shared_ptr<ListenerSlot> slot, http::Request& request) {
  const std::shared_ptr<const LoopListener> listener = slot->now;
  http::Response out = co_await serve_as(listener, request);
  const ReplyChanges& changes = listener->plan.replies;
  if (!changes.shows_server) std::erase_if(out.headers, [](const auto& header) { return equals_ignoring_case(header.first, "server"); });
  for (const auto& [name, value] : changes.headers) out.set(name, value);
  co_return out;
}

Task<http::Response> BalancerLoop::serve_as(std::shared_ptr<const LoopListener> listener, http::Request& request) {
  const SplitAddress peer = split_peer(request.peer);
  MessageRequest asked;
  asked.message = &request;
  asked.method = request.method;
  asked.host = request.host.substr(0, request.host.starts_with('[') ? request.host.find("]:") + 1 : request.host.find(':'));
  asked.path = request.path;
  asked.query = request.query;
  asked.source = peer.ip;
  std::size_t rule = listener->index->find(asked);
  if (rule == RuleIndex::kNone) rule = listener->plan.actions.size() - 1;
  const RuleActions& actions = listener->plan.actions[rule];
  if (actions.redirect) {
    auto out = own_answer(actions.redirect->status, "text/html", error_page(actions.redirect->status));
    out.set("Location", make_location(*actions.redirect, request.is_tls ? "https" : "http", asked.host, listener->plan.port, asked.path, asked.query));
    co_return out;
  }
  if (actions.fixed)
    co_return own_answer(actions.fixed->status, actions.fixed->content_type.empty() ? std::string() : actions.fixed->content_type + "; charset=utf-8", actions.fixed->body);
  const Forward& forward = *actions.forward;
  const auto& groups = listener->groups[rule];
  if (groups.empty()) co_return make_error(503);
  const std::string_view cookie = request.header("cookie");
  std::size_t index = 0;
  bool sets_group = false;
  if (groups.size() > 1) {
    const auto stuck = forward.stickiness ? read_group_cookie(cookie, forward.groups, reactor_.now()) : std::nullopt;
    index = stuck ? *stuck : choose_group(forward.groups, random());
    sets_group = forward.stickiness && !stuck;
  }
  const std::shared_ptr<LoopGroup> group = groups[index];
  const auto settings = group->settings;
  if (!settings) co_return make_error(503);
  // gRPC is spoken over HTTP/2 alone, and by POST.
  if (settings->version == HttpVersion::kGrpc && (request.version != 20 || request.method != "POST")) co_return own_answer(464, "text/html", error_page(464));
  const std::string trace = make_trace(request.header("x-amzn-trace-id"), to_seconds(reactor_.now()), random(), random());
  if (!settings->function.empty()) co_return co_await function_target(settings, request, peer.ip);
  const std::uint64_t sticky = settings->stickiness != Stickiness::kNone ? read_target_cookie(cookie, *settings, reactor_.now()) : 0;
  if (!is_one_word(request.method) || !is_one_word(request.target) || !is_one_word(request.host)) co_return make_error(400);
  const HeadSettings& heads = listener->plan.heads;
  const HeadContext context{.client_ip = peer.ip, .client_port = peer.port, .listener_port = listener->port_text, .is_tls = request.is_tls, .identity = peer.identity};
  RequestFacts facts{.host = request.host, .host_header = request.host, .host_headers = 1};
  facts.has_forwarded_for = request.has_header("x-forwarded-for");
  facts.forwarded_for = request.header("x-forwarded-for");
  std::string out_head;
  out_head.reserve(1024);
  out_head.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  append_balancer_fields(out_head, facts, heads, context, trace);
  std::string cookies;   // HTTP/2 may split them
  for (const http::HeaderView& header : request.headers) {
    if (header.name == "cookie") {
      cookies.append(cookies.empty() ? "" : "; ").append(header.value);
      continue;
    }
    if (header.name == "transfer-encoding" || header.name == "content-length" || header.name == "expect" || !passes(header.name, heads, context)) continue;
    out_head.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (!cookies.empty()) out_head.append("Cookie: ").append(cookies).append("\r\n");
  if (const auto size = request.body->size(); !size) out_head += "Transfer-Encoding: chunked\r\n";
  else if (*size > 0 || request.has_header("content-length")) out_head += "Content-Length: " + std::to_string(*size) + "\r\n";
  out_head += "\r\n";
  std::shared_ptr<Target> target;
  http::Response response = settings->version != HttpVersion::kHttp1 ? co_await forward_http2(*this, group, sticky, request, std::move(out_head), target)
                                                                     : co_await forward_http1(*this, group, sticky, request, std::move(out_head), target);
  if (target) add_cookies(response, make_cookies(*settings, *target, sticky, sets_cookie(response, settings->app_cookie), sets_group ? &forward : nullptr, index, reactor_.now()));
  co_return response;
}

}  // namespace reef::edge
