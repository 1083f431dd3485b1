#include "engine/edge/balancer/handler.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/edge/balancer/cookies.h"
#include "engine/edge/balancer/passage.h"
#include "engine/edge/balancer/rewrite.h"
#include "engine/edge/balancer/sign_in.h"
#include "engine/edge/balancer/token_check.h"
#include "http/connection.h"
#include "http/http2_client.h"
#include "wire/form.h"

namespace reef::edge {
namespace {

constexpr int kTriesMax = 3;

struct SplitAddress {
  std::string_view ip, port;
  std::string_view cipher, protocol, domain, certificate;   // of its TLS
  std::string_view identity;   // complete header lines
};
std::string_view cut(std::string_view& text, char at) {
  const auto found = text.find(at);
  const std::string_view out = text.substr(0, found);
  text.remove_prefix(found == std::string_view::npos ? text.size() : found + 1);
  return out;
}
// As ClientConnection::hand_over puts it together.
SplitAddress split_peer(std::string_view whole) {
  std::string_view peer = cut(whole, '\n'), tls = cut(whole, '\n');
  const std::string_view identity = whole, cipher = cut(tls, '\t'), protocol = cut(tls, '\t'), domain = cut(tls, '\t');
  const auto colon = peer.rfind(':');
  std::string_view ip = peer.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  return {ip, colon == std::string_view::npos ? std::string_view{} : peer.substr(colon + 1), cipher, protocol, domain, tls, identity};
}

struct MessageRequest final : RuleRequest {
  const http::Request* message = nullptr;
  bool any_header(std::string_view lower_name, const std::function<bool(std::string_view)>& visit) const override {
    return std::any_of(message->headers.begin(), message->headers.end(),
                       [&](const http::HeaderView& header) { return header.name == lower_name && visit(header.value); });
  }
};

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
    note_outcome(*group, *passage->target, passage->failure || passage->status >= 500, loop.reactor().now());
    if (passage->has_head) break;
    const bool unsent = *passage->failure == UpstreamFailure::kConnect || *passage->failure == UpstreamFailure::kConnectLate;
    const bool again = !has_body && tries + 1 < (unsent ? kTriesMax : 2) && (unsent || (*passage->failure == UpstreamFailure::kClosed && is_idempotent(request.method)));
    if (!again) co_return make_error(status_of(*passage->failure));
  }
  chosen_target = passage->target;
  Counters& counters = passage->target->sides[loop.index()].counters;
  ++counters.requests;
  counters.count_status(passage->status);
  co_return take_reply(passage, request.method == "HEAD");
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
    note_outcome(*group, *target, !reply || reply->status >= 500, loop.reactor().now());
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

namespace {

std::shared_ptr<AccessEntry> begin_entry(const ListenerPlan& plan, const http::Request& request, BalancerLoop& loop) {
  const SplitAddress peer = split_peer(request.peer);
  auto out = std::make_shared<AccessEntry>();
  out->type = request.version == 20 ? "h2" : request.is_tls ? "https" : "http";
  out->began = loop.reactor().now();
  out->began_at = io::monotonic_micros();
  out->balancer = plan.label;
  out->client = request.peer.substr(0, request.peer.find('\n'));
  out->connection = connection_id(out->client, plan.id);
  out->method = request.method;
  out->url = fmt::format("{}://{}:{}{}", request.is_tls ? "https" : "http", request.host.substr(0, request.host.rfind(':')), plan.port, request.target);
  out->version = request.version == 20 ? "HTTP/2.0" : request.version == 10 ? "HTTP/1.0" : "HTTP/1.1";
  out->user_agent = request.header("user-agent");
  out->cipher = peer.cipher;
  out->protocol = peer.protocol;
  out->domain = peer.domain;
  if (const auto chosen = parse_int<std::size_t>(peer.certificate); chosen && *chosen < plan.certificates.size()) out->certificate = plan.certificates[*chosen];
  out->received = request.body->size().value_or(0);
  return out;
}

// A reply's body on its way, which ends the entry when it does.
class LoggedBody final : public http::Body {
 public:
  LoggedBody(std::unique_ptr<http::Body> inner, std::shared_ptr<AccessEntry> entry, std::shared_ptr<TrafficLog> log, io::Reactor& reactor)
      : inner_(std::move(inner)), entry_(std::move(entry)), log_(std::move(log)), reactor_(reactor) {}
  ~LoggedBody() override { log_->add(access_line(*entry_, reactor_.now(), io::monotonic_micros())); }
  Task<Result<std::string_view, Failure>> read() override {
    auto piece = co_await inner_->read();
    if (piece) entry_->sent += piece->size();
    co_return piece;
  }
  std::optional<std::uint64_t> size() const override { return inner_->size(); }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return inner_->trailers(); }

 private:
  std::unique_ptr<http::Body> inner_;
  std::shared_ptr<AccessEntry> entry_;
  std::shared_ptr<TrafficLog> log_;
  io::Reactor& reactor_;
};

void log_reply(std::shared_ptr<AccessEntry> entry, const std::shared_ptr<TrafficLog>& log, const http::Request& request, http::Response& reply, io::Reactor& reactor) {
  constexpr int kClientGone = 460;
  entry->status = request.peer_gone ? kClientGone : reply.status;
  if (reply.stream) {
    reply.stream = std::make_unique<LoggedBody>(std::move(reply.stream), std::move(entry), log, reactor);
    return;
  }
  entry->sent = reply.body.size();
  log->add(access_line(*entry, reactor.now(), io::monotonic_micros()));
}

}  // namespace

Task<http::Response> BalancerLoop::serve(std::shared_ptr<ListenerSlot> slot, http::Request& request) {
  const std::shared_ptr<const LoopListener> listener = slot->now;
  std::shared_ptr<AccessEntry> entry;
  if (listener->plan.access_log) entry = begin_entry(listener->plan, request, *this);
  http::Response out = co_await serve_as(listener, request, entry.get());
  if (entry) log_reply(std::move(entry), listener->plan.access_log, request, out, reactor_);
  const ReplyChanges& changes = listener->plan.replies;
  if (!changes.shows_server) std::erase_if(out.headers, [](const auto& header) { return equals_ignoring_case(header.first, "server"); });
  for (const auto& [name, value] : changes.headers) out.set(name, value);
  co_return out;
}

namespace {

MessageRequest rule_request(const http::Request& request, std::string_view source) {
  MessageRequest out;
  out.message = &request;
  out.method = request.method;
  out.host = request.host.substr(0, request.host.starts_with('[') ? request.host.find("]:") + 1 : request.host.find(':'));
  out.path = request.path;
  out.query = request.query;
  out.source = source;
  return out;
}

}  // namespace

Task<http::Response> BalancerLoop::serve_as(std::shared_ptr<const LoopListener> listener, http::Request& request, AccessEntry* entry) {
  if (listener->signs_in && request.path == kSignInReturnPath) {
    const wire::Form query(request.query);
    for (const RuleActions& actions : listener->plan.actions) {
      if (!actions.sign_in) continue;
      const auto state = read_state(*actions.sign_in->keys, query.value("state"), reactor_.now());
      if (!state) co_return make_error(401);
      if (state->rule == actions.sign_in->rule) co_return co_await finish_sign_in(*actions.sign_in, *state, request, listener->plan.port, web(), reactor_.now());
    }
    co_return make_error(401);
  }
  const SplitAddress peer = split_peer(request.peer);
  std::size_t rule = listener->index->find(rule_request(request, peer.ip));
  if (rule == RuleIndex::kNone) rule = listener->plan.actions.size() - 1;
  const auto with = listener->plan.actions[rule].sign_in;
  if (entry) entry->priority = listener->plan.actions[rule].priority, entry->actions = with ? "authenticate" : actions_text(listener->plan.actions[rule]);
  if (const auto check = listener->plan.actions[rule].token_check) {
    if (const int status = co_await check_token(*check, std::string(request.header("authorization")), key_sets(), reactor_.now())) co_return make_error(status);
  }
  if (!with) co_return co_await serve_rule(std::move(listener), rule, request, entry);
  SignedIn user = co_await sign_in(*with, request, listener->plan.port, web(), reactor_.now());
  if (user.answer) co_return *std::move(user.answer);
  if (entry) entry->actions = actions_text(listener->plan.actions[rule]);
  // Only the balancer says who a user is.
  std::erase_if(request.headers, [](const http::HeaderView& header) { return header.name.starts_with("x-amzn-oidc-"); });
  for (auto& [name, value] : user.headers) {
    name = to_lower(name);
    request.headers.push_back({name, value});
  }
  http::Response out = co_await serve_rule(std::move(listener), rule, request, entry);
  for (const std::string& cookie : user.cookies) out.add("Set-Cookie", cookie);
  co_return out;
}

Task<http::Response> BalancerLoop::serve_rule(std::shared_ptr<const LoopListener> listener, std::size_t rule, http::Request& request, AccessEntry* entry) {
  const SplitAddress peer = split_peer(request.peer);
  const MessageRequest asked = rule_request(request, peer.ip);
  const RuleActions& actions = listener->plan.actions[rule];
  if (actions.redirect) {
    auto out = own_answer(actions.redirect->status, "text/html", error_page(actions.redirect->status));
    out.set("Location", make_location(*actions.redirect, request.is_tls ? "https" : "http", asked.host, listener->plan.port, asked.path, asked.query));
    if (entry) entry->redirect_url = *out.find("location");
    co_return out;
  }
  if (actions.fixed)
    co_return own_answer(actions.fixed->status, actions.fixed->content_type.empty() ? std::string() : actions.fixed->content_type + "; charset=utf-8", actions.fixed->body);
  const Forward& forward = *actions.forward;
  const auto& groups = listener->groups[rule];
  if (groups.empty()) co_return make_error(503);
  Rewritten rewritten;
  if (actions.rewrites) {
    auto made = rewrite(*actions.rewrites, asked.host, request.target);
    if (!made) co_return make_error(500);
    rewritten = *std::move(made);
    if (rewritten.host) request.host = *rewritten.host;
    if (rewritten.target) {
      request.target = *rewritten.target;
      const auto question = request.target.find('?');
      request.path = request.target.substr(0, question);
      request.query = question == std::string_view::npos ? std::string_view{} : request.target.substr(question + 1);
    }
  }
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
  if (entry) {
    entry->trace = trace;
    entry->group = settings->id;
    if (settings->version == HttpVersion::kGrpc) entry->type = "grpcs";
    entry->sent_at = io::monotonic_micros();
  }
  if (!settings->function.empty()) co_return co_await function_target(settings, request, peer.ip);
  const std::uint64_t sticky = settings->stickiness != Stickiness::kNone ? read_target_cookie(cookie, *settings, reactor_.now()) : 0;
  if (!is_one_word(request.method) || !is_one_word(request.target) || !is_one_word(request.host)) co_return make_error(400);
  const HeadSettings& heads = listener->plan.heads;
  const HeadContext context{.client_ip = peer.ip, .client_port = peer.port, .listener_port = listener->port_text, .is_tls = request.is_tls, .identity = peer.identity};
  RequestFacts facts{.host = request.host, .host_header = request.host, .host_headers = 1};
  facts.host_is_rewritten = rewritten.host.has_value();
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
  if (entry && target) {
    entry->target = fmt::format("{}:{}", target->ip, target->port);
    entry->target_status = response.status;
    entry->replied_at = io::monotonic_micros();
  }
  if (target) add_cookies(response, make_cookies(*settings, *target, sticky, sets_cookie(response, settings->app_cookie), sets_group ? &forward : nullptr, index, reactor_.now()));
  co_return response;
}

}  // namespace reef::edge
