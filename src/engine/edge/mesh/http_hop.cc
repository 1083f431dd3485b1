// One HTTP request from a caller to a service: route, node, endpoint, tries, reply.
#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/balancer/passage.h"
#include "engine/edge/mesh/mesh_loop.h"
#include "engine/edge/mesh/message_request.h"
#include "engine/edge/mesh/replay_body.h"
#include "engine/edge/mesh/retry.h"
#include "engine/edge/mesh/trip_clock.h"
#include "http/http2_client.h"

namespace reef::edge::mesh {
namespace {

constexpr Duration kDefaultTimeout = 15s;   // of a request, in App Mesh and Service Connect alike

// What belongs to one connection, or is written anew for the next one.
bool stays_behind(std::string_view name) {
  constexpr std::string_view kNames[] = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "proxy-connection", "te", "host", "expect",
                                         "x-amzn-trace-id", "traceparent"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// Tells when a reply has been passed on whole, or was dropped.
class WatchedBody final : public http::Body {
 public:
  WatchedBody(std::unique_ptr<http::Body> inner, std::pair<std::shared_ptr<void>, std::shared_ptr<void>> kept, std::function<void()> done) : inner_(std::move(inner)), kept_(std::move(kept)), done_(std::move(done)) {}
  ~WatchedBody() override {
    inner_.reset();
    if (done_) done_();
  }
  Task<Result<std::string_view, Failure>> read() override { return inner_->read(); }
  std::optional<std::uint64_t> size() const override { return inner_->size(); }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return inner_->trailers(); }

 private:
  std::unique_ptr<http::Body> inner_;
  std::pair<std::shared_ptr<void>, std::shared_ptr<void>> kept_;
  std::function<void()> done_;
};

}  // namespace

struct MeshLoop::Trip {
  std::shared_ptr<const MemberPlan> caller;
  std::shared_ptr<const Service> service;
  http::Request& request;
  const Route* route = nullptr;
  std::shared_ptr<const Node> node;
  Tracing::Position position;
  Time start{};
  std::int64_t began = 0;             // monotonic microseconds
  std::shared_ptr<TripClock> clock;
  std::shared_ptr<ReplayBody> body;   // null: none
  std::string head;                   // as HTTP/1.1 bytes
  int tries = 0;
  TryResult result;
  std::string_view target_name;
  std::string endpoint;
};

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
  Trip trip{.caller = std::move(caller), .service = std::move(service), .request = request};
  trip.began = io::monotonic_micros();
  trip.start = reactor().now();
  if (shared_.tracing.begin) trip.position = shared_.tracing.begin(request.header("x-amzn-trace-id"), request.header("traceparent"), trip.start);
  http::Response out;
  const std::string_view error = find_way(trip, port, out);
  if (!error.empty()) {
    note(trip, out.status, error);
    answer_in_kind(request, out);
    co_return out;
  }
  const auto node = trip.node;
  const auto place = co_await node->state->enter(reactor());
  if (place == NodeState::Place::kNone) {
    out = plain(503, "upstream connect error or disconnect/reset before headers. reset reason: overflow");
    out.set("x-envoy-overloaded", "true");
    note(trip, 503, "overflow");
    answer_in_kind(request, out);
    co_return out;
  }
  out = co_await try_all(trip, origin);
  if (out.stream) out.stream = std::make_unique<WatchedBody>(std::move(out.stream), std::pair(trip.body, trip.clock), [node, place] { node->state->leave(place); });
  else node->state->leave(place);
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
  trip.clock = std::make_shared<TripClock>(reactor(), timeout, trip.route->retry.per_try_timeout);
  if (trip.request.body->size() == 0) trip.clock->request_ended();
  else
    trip.body = std::make_shared<ReplayBody>(*trip.request.body, [weak = std::weak_ptr(trip.clock)] {
      if (const auto clock = weak.lock()) clock->request_ended();
    });
  return {};
}

// One try after the other, until there is a reply or no time, policy or endpoint for a further one.
Task<http::Response> MeshLoop::try_all(Trip& trip, const std::string& origin) {
  const Node& node = *trip.node;
  http::Response out;
  std::shared_ptr<Target> target;
  std::string_view error;
  for (;;) {
    target = choose(node, target.get());
    if (!target) {
      error = "no-endpoint";
      out = plain(503, "no healthy upstream");
      break;
    }
    ++trip.tries;
    trip.endpoint = fmt::format("{}:{}", target->ip, target->port);
    trip.result = {};
    // Connections are shared by callers, whose networks may differ.
    if (!shared_.dialer.admits(origin, target->ip, target->port)) {
      trip.result.outcome = TryOutcome::kNotConnected;
      out = plain(503, "upstream connect error or disconnect/reset before headers. reset reason: connection failure");
      if (!retries(trip.route->retry, trip.result, trip.tries)) break;
      continue;
    }
    const auto reached = via(*trip.caller, trip.service->plan, node, target);
    if (node.group->version == HttpVersion::kHttp1) out = co_await try_http1(trip, node, reached);
    else out = co_await try_http2(trip, reached);
    node.state->note(target->id, is_endpoint_failure(trip.result), node.targets.size(), reactor().now());
    if (trip.clock->is_late() || !retries(trip.route->retry, trip.result, trip.tries) || (trip.body && !trip.body->can_rewind())) break;
    out = {};
    if (trip.body) trip.body->rewind();
  }
  if (trip.result.outcome != TryOutcome::kReply) error = trip.result.outcome == TryOutcome::kLate ? "timeout" : trip.result.outcome == TryOutcome::kNotConnected ? "not-connected" : "broken";
  note(trip, out.status, error);
  if (!error.empty()) answer_in_kind(trip.request, out);
  co_return out;
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
    co_return take_reply(passage, is_head);
  }
  trip.clock->end_try();
  if (trip.clock->try_is_late()) {
    trip.result.outcome = TryOutcome::kLate;
    co_return plain(504, "upstream request timeout");
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
      co_return plain(504, "upstream request timeout");
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
