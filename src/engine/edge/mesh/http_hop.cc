// One HTTP request from a caller to a service: route, node, endpoint, tries, reply.
#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/balancer/passage.h"
#include "engine/edge/mesh/mesh_loop.h"
#include "engine/edge/mesh/message_request.h"
#include "http/upgrade.h"
#include "engine/edge/mesh/trip.h"
#include "http/http2_client.h"

namespace reef::edge::mesh {
namespace {

constexpr std::size_t kTunnelBacklogMax = 256 * 1024;
constexpr Duration kDefaultIdle = 300s;     // of a stream, as Envoy's
constexpr Duration kDefaultTimeout = 15s;   // of a request, in App Mesh and Service Connect alike

// What belongs to one connection, or is written anew for the next one.
bool stays_behind(std::string_view name) {
  constexpr std::string_view kNames[] = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "proxy-connection", "te", "host", "expect",
                                         "x-amzn-trace-id", "traceparent"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// A reply on its way: keeps what it needs, and tells when it has been passed on whole, or was dropped.
class WatchedBody final : public http::Body {
 public:
  // `done` is given the body's bytes, and the body for its trailers.
  using Done = std::function<void(std::uint64_t passed, const http::Body& inner)>;
  WatchedBody(std::unique_ptr<http::Body> inner, std::shared_ptr<TripClock> clock, std::shared_ptr<ReplayBody> request, Done done)
      : inner_(std::move(inner)), clock_(std::move(clock)), request_(std::move(request)), done_(std::move(done)) {}
  ~WatchedBody() override {
    done_(passed_, *inner_);
    inner_.reset();
  }
  Task<Result<std::string_view, Failure>> read() override {
    auto piece = co_await inner_->read();
    if (piece) passed_ += piece->size();
    clock_->touch();
    co_return piece;
  }
  std::optional<std::uint64_t> size() const override { return inner_->size(); }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return inner_->trailers(); }

 private:
  std::unique_ptr<http::Body> inner_;
  std::shared_ptr<TripClock> clock_;
  std::shared_ptr<ReplayBody> request_;
  Done done_;
  std::uint64_t passed_ = 0;
};

// A connection that has changed its protocol, between the caller and the target.
class Tunnel final : public http::Upgrade {
 public:
  using Done = std::function<void(std::uint64_t received, std::uint64_t sent)>;
  Tunnel(std::unique_ptr<http::Body> from_target, std::shared_ptr<Passage> passage, std::shared_ptr<TripClock> clock, Done done)
      : inner_(std::move(from_target)), passage_(std::move(passage)), clock_(std::move(clock)), done_(std::move(done)) {}
  ~Tunnel() override {
    passage_->cut();
    done_(received_, sent_);
  }
  Task<Result<std::string_view, Failure>> read() override {
    auto piece = co_await inner_->read();
    if (piece) sent_ += piece->size();
    clock_->touch();
    co_return piece;
  }
  Task<bool> write(std::string_view bytes) override {
    if (!passage_->upstream) co_return false;
    received_ += bytes.size();
    clock_->touch();
    passage_->upstream->send(bytes, false);
    while (passage_->upstream && passage_->upstream->backlog() > kTunnelBacklogMax) co_await passage_->drained;
    co_return passage_->upstream != nullptr;
  }
  void end() override { passage_->cut(); }

 private:
  std::unique_ptr<http::Body> inner_;
  std::shared_ptr<Passage> passage_;
  std::shared_ptr<TripClock> clock_;
  Done done_;
  std::uint64_t received_ = 0, sent_ = 0;
};

// The protocol that an HTTP/1.1 request wants to change to.
std::string_view wanted_upgrade(const http::Request& request) {
  if (request.version != 11 || !request.has_header("upgrade")) return {};
  for (const std::string_view word : split(request.header("connection"), ','))
    if (equals_ignoring_case(trim(word), "upgrade")) return request.header("upgrade");
  return {};
}

}  // namespace

void MeshLoop::note(Trip& trip, int status, std::string_view error) {
  const std::int64_t took = io::monotonic_micros() - trip.began;
  Figures& figures = figures_of(trip.caller->name, trip.service->plan.shown, trip.target_name);
  ++figures.requests;
  const bool failed = status >= 500 || status == 0 || (trip.result.grpc_status && *trip.result.grpc_status != 0);
  if (failed) ++figures.errors;
  if (trip.tries > 1) figures.retries += static_cast<std::uint64_t>(trip.tries - 1);
  figures.latency.add(took);
  if (shared_.tracing.end)
    shared_.tracing.end({.caller = trip.caller->name, .service = trip.service->plan.shown, .target = trip.target_name, .endpoint = trip.endpoint, .method = trip.request.method,
                  .path = trip.request.path, .account = trip.caller->account, .region = trip.caller->region, .root = trip.position.root, .parent = trip.position.parent,
                  .id = trip.position.id, .status = status, .retries = trip.tries > 0 ? trip.tries - 1 : 0, .error = error, .start = trip.start, .took = Duration(took), .caller_group = trip.caller->group, .owner = trip.service->plan.owner, .group = trip.service->plan.group});
}

Task<http::Response> MeshLoop::pass(std::shared_ptr<const MemberPlan> caller, std::string origin, std::shared_ptr<const Service> service, int port, http::Request& request) {
  Trip trip{.caller = std::move(caller), .service = std::move(service), .request = request, .port = port};
  trip.began = io::monotonic_micros();
  trip.start = reactor().now();
  if (shared_.tracing.begin) trip.position = shared_.tracing.begin(request.header("x-amzn-trace-id"), request.header("traceparent"), trip.start);
  http::Response out;
  std::string_view error = find_way(trip, port, out);
  const auto node = trip.node;
  auto place = NodeState::Place::kNone;
  if (error.empty()) place = co_await node->state->enter(reactor());
  if (error.empty() && place == NodeState::Place::kNone) {
    out = plain(503, "upstream connect error or disconnect/reset before headers. reset reason: overflow");
    out.set("x-envoy-overloaded", "true");
    error = "overflow";
  }
  if (error.empty()) error = co_await try_all(trip, origin, out);
  note(trip, out.status, error);
  const auto entry = begin_entry(trip, origin, error, out);
  if (!error.empty()) answer_in_kind(request, out);
  if (trip.tunnel) {
    out.stream = std::make_unique<Tunnel>(std::move(out.stream), trip.tunnel, trip.clock, [this, entry, node, place](std::uint64_t received, std::uint64_t sent) {
      if (entry) {
        entry->known_size = received;
        entry->facts.sent = sent;
        write(*entry, nullptr);
      }
      node->state->leave(place);
    });
    co_return out;
  }
  if (out.stream) {
    out.stream = std::make_unique<WatchedBody>(std::move(out.stream), trip.clock, trip.body, [this, entry, node, place](std::uint64_t passed, const http::Body& body) {
      if (entry) {
        entry->facts.sent = passed;
        write(*entry, &body);
      }
      node->state->leave(place);
    });
    co_return out;
  }
  if (entry) {
    entry->facts.sent = out.body.size();
    write(*entry, nullptr);
  }
  if (node) node->state->leave(place);
  co_return out;
}

std::string_view MeshLoop::find_way(Trip& trip, int port, http::Response& out) {
  MessageRequest asked(trip.request, port);
  trip.route = trip.service->routes->find(asked);
  if (!trip.route) {
    out = plain(404, "no route");
    return "no-route";
  }
  const WeightedNode* const weighted = choose_node(trip.route->to, loop_.random());
  trip.node = weighted ? view_->node(weighted->node) : nullptr;
  if (!trip.node) {
    out = plain(503, "no healthy upstream");
    return "no-node";
  }
  trip.target_name = trip.node->plan.name;
  const Duration timeout = trip.route->request_timeout.value_or(trip.node->plan.request_timeout.value_or(kDefaultTimeout));
  const Duration idle = trip.route->idle_timeout.value_or(trip.node->plan.idle_timeout.value_or(kDefaultIdle));
  trip.clock = std::make_shared<TripClock>(reactor(), TripClock::Limits{.total = timeout, .per_try = trip.route->retry.per_try_timeout, .idle = idle});
  if (trip.node->group->version == HttpVersion::kHttp1) trip.upgrade = wanted_upgrade(trip.request);
  // What follows an upgrade is the rest of the request: it takes as long as it likes.
  if (!trip.upgrade.empty()) return {};
  if (trip.request.body->size() == 0) trip.clock->request_ended();
  else
    trip.body = std::make_shared<ReplayBody>(*trip.request.body, [weak = std::weak_ptr(trip.clock)](bool is_end) {
      const auto clock = weak.lock();
      if (!clock) return;
      clock->touch();
      if (is_end) clock->request_ended();
    });
  return {};
}

// Before a further try: the node as it is by now, and where its endpoints are all gone, as after a deployment has shifted
// its traffic, where a request that comes now would go.
void MeshLoop::renew(Trip& trip) {
  auto service = trip.service;
  const Route* route = trip.route;
  auto node = view_->node(trip.node->plan.id);
  if (!node || node->targets.empty()) {
    service = view_->service(trip.service->plan.id);
    MessageRequest asked(trip.request, trip.port);
    route = service ? service->routes->find(asked) : nullptr;
    const WeightedNode* const weighted = route ? choose_node(route->to, loop_.random()) : nullptr;
    node = weighted ? view_->node(weighted->node) : nullptr;
  }
  if (!node || node->group->version != trip.node->group->version) return;
  trip.service = std::move(service);
  trip.route = route;
  trip.node = std::move(node);
  trip.target_name = trip.node->plan.name;
}

// One try after the other, until there is a reply or no time, policy or endpoint for a further one.
Task<std::string_view> MeshLoop::try_all(Trip& trip, const std::string& origin, http::Response& out) {
  for (;;) {
    const Node& node = *trip.node;
    const auto target = choose(node, trip.target.get());
    if (!target) {
      out = plain(503, "no healthy upstream");
      co_return "no-endpoint";
    }
    trip.target = target;
    ++trip.tries;
    trip.endpoint = fmt::format("{}:{}", target->ip, target->port);
    trip.result = {};
    // Connections are shared by callers, whose networks may differ.
    if (!shared_.dialer.admits(origin, target->ip, target->port)) {
      trip.result.outcome = TryOutcome::kNotConnected;
      out = plain(503, "upstream connect error or disconnect/reset before headers. reset reason: connection failure");
      if (!retries(trip.route->retry, trip.result, trip.tries)) break;
      renew(trip);
      continue;
    }
    const auto reached = via(*trip.caller, trip.service->plan, node, target);
    if (node.group->version == HttpVersion::kHttp1) out = co_await try_http1(trip, node, reached);
    else out = co_await try_http2(trip, reached);
    node.state->note(target->id, is_endpoint_failure(trip.result), node.targets.size(), reactor().now());
    if (trip.clock->is_late() || !retries(trip.route->retry, trip.result, trip.tries) || (trip.body && !trip.body->can_rewind())) break;
    out = {};
    if (trip.body) trip.body->rewind();
    renew(trip);
  }
  switch (trip.result.outcome) {
    case TryOutcome::kReply: co_return {};
    case TryOutcome::kNotConnected: co_return "not-connected";
    case TryOutcome::kLate: co_return trip.clock->is_idle() ? "idle" : "timeout";
    case TryOutcome::kBroken:
    case TryOutcome::kStreamRefused: co_return "broken";
  }
  co_return {};
}

Task<http::Response> MeshLoop::try_http1(Trip& trip, const Node& node, const std::shared_ptr<Target>& target) {
  http::Request& request = trip.request;
  if (trip.head.empty()) {
    std::string& head = trip.head;
    head.reserve(512);
    head.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\nhost: ").append(request.host).append("\r\n");
    for (const http::HeaderView& header : request.headers)
      if (!stays_behind(header.name)) head.append(header.name).append(": ").append(header.value).append("\r\n");
    if (!trip.position.amzn.empty()) head.append("x-amzn-trace-id: ").append(trip.position.amzn).append("\r\n");
    if (!trip.position.traceparent.empty()) head.append("traceparent: ").append(trip.position.traceparent).append("\r\n");
    if (const auto size = request.body->size(); !size) head += "transfer-encoding: chunked\r\n";
    else if (*size > 0 || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") head.append("content-length: ").append(std::to_string(*size)).append("\r\n");
    if (!trip.upgrade.empty()) head.append("connection: upgrade\r\nupgrade: ").append(trip.upgrade).append("\r\n");
    head += "\r\n";
  }
  auto passage = std::make_shared<Passage>(loop_);
  const bool is_head = request.method == "HEAD";
  passage->begin(target, node.group, trip.head, !trip.body, is_head);
  trip.clock->begin_try([weak = std::weak_ptr(passage)] {
    if (const auto late = weak.lock()) late->cut();
  });
  if (trip.body) send_body(passage, *trip.body, !request.body->size(), nullptr).detach();
  stay_awake();
  while (!passage->has_head && !passage->failure) co_await passage->changed;
  stay_awake();
  if (passage->has_head) {
    trip.clock->got_head();
    trip.result.status = passage->status;
    auto reply = take_reply(passage, is_head);
    if (passage->status != 101) {
      if (!trip.upgrade.empty()) trip.clock->request_ended();
      co_return reply;
    }
    if (trip.upgrade.empty() || passage->ended) {   // nobody asked for it
      passage->cut();
      trip.result.outcome = TryOutcome::kBroken;
      co_return plain(503, "upstream connect error or disconnect/reset before headers. reset reason: protocol error");
    }
    reply.set("connection", "upgrade");
    reply.set("upgrade", trip.upgrade);
    trip.tunnel = passage;
    co_return reply;
  }
  trip.clock->end_try();
  if (trip.clock->try_is_late()) {
    trip.result.outcome = TryOutcome::kLate;
    co_return plain(504, trip.clock->is_idle() ? "stream timeout" : "upstream request timeout");
  }
  switch (*passage->failure) {
    case UpstreamFailure::kConnect:
    case UpstreamFailure::kConnectLate: trip.result.outcome = TryOutcome::kNotConnected; break;
    case UpstreamFailure::kClosed:
    case UpstreamFailure::kBadReply:
    case UpstreamFailure::kBroken: trip.result.outcome = TryOutcome::kBroken; break;
  }
  co_return plain(503, trip.result.outcome == TryOutcome::kNotConnected ? "upstream connect error or disconnect/reset before headers. reset reason: connection failure"
                                                                        : "upstream connect error or disconnect/reset before headers. reset reason: connection termination");
}

Task<http::Response> MeshLoop::try_http2(Trip& trip, const std::shared_ptr<Target>& target) {
  http::Request& request = trip.request;
  http::Http2Request sent;
  sent.method = request.method;
  sent.path = request.target;
  sent.authority = request.host;
  sent.body = trip.body.get();
  for (const http::HeaderView& header : request.headers)
    if (!stays_behind(header.name)) sent.headers.emplace_back(header.name, header.value);
  if (request.header("te").find("trailers") != std::string_view::npos) sent.headers.emplace_back("te", "trailers");
  if (!trip.position.amzn.empty()) sent.headers.emplace_back("x-amzn-trace-id", trip.position.amzn);
  if (!trip.position.traceparent.empty()) sent.headers.emplace_back("traceparent", trip.position.traceparent);
  auto& connection = target->sides[loop_.index()].http2;
  if (!connection || !connection->is_open()) {
    const auto fd = co_await shared_.dialer.dial(target->ip, target->port);
    if (!fd) {
      trip.result.outcome = TryOutcome::kNotConnected;
      co_return plain(503, "upstream connect error or disconnect/reset before headers. reset reason: connection failure");
    }
    connection = http::Http2Client::start(reactor(), *fd, nullptr, 10s);
  }
  const auto kept = connection;
  sent.cancellation = std::make_shared<http::Http2Cancellation>();
  trip.clock->begin_try([cancellation = sent.cancellation] {
    if (cancellation->end) cancellation->end();
  });
  auto reply = co_await kept->send(std::move(sent));
  if (!reply) {
    trip.clock->end_try();
    if (trip.clock->try_is_late()) {
      trip.result.outcome = TryOutcome::kLate;
      co_return plain(504, trip.clock->is_idle() ? "stream timeout" : "upstream request timeout");
    }
    trip.result.outcome = reply.error().code == ECONNREFUSED ? TryOutcome::kNotConnected : TryOutcome::kBroken;
    co_return plain(503, "upstream connect error or disconnect/reset before headers. reset reason: connection termination");
  }
  trip.clock->got_head();
  http::Response out = *std::move(reply);
  trip.result.status = out.status;
  if (const std::string* status = out.find("grpc-status")) trip.result.grpc_status = parse_int<int>(*status);
  co_return out;
}

}  // namespace reef::edge::mesh
