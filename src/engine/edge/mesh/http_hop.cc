// One HTTP request from a caller to a service: route, node, endpoint, tries, reply.
#include <algorithm>

#include <fmt/format.h>

#include "engine/edge/balancer/passage.h"
#include "engine/edge/mesh/mesh.h"
#include "engine/edge/mesh/message_request.h"
#include "engine/edge/mesh/replay_body.h"
#include "engine/edge/mesh/retry.h"
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
  WatchedBody(std::unique_ptr<http::Body> inner, std::shared_ptr<void> kept, std::function<void()> done) : inner_(std::move(inner)), kept_(std::move(kept)), done_(std::move(done)) {}
  ~WatchedBody() override {
    inner_.reset();
    if (done_) done_();
  }
  Task<Result<std::string_view, Failure>> read() override { return inner_->read(); }
  std::optional<std::uint64_t> size() const override { return inner_->size(); }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return inner_->trailers(); }

 private:
  std::unique_ptr<http::Body> inner_;
  std::shared_ptr<void> kept_;
  std::function<void()> done_;
};

}  // namespace

struct Mesh::Trip {
  std::shared_ptr<const MemberPlan> caller;
  std::shared_ptr<const Service> service;
  http::Request& request;
  const Route* route = nullptr;
  std::shared_ptr<Node> node;
  std::string target;                 // "/path?query" as it is sent
  Tracing::Position position;
  Time start{};
  std::int64_t began = 0, deadline = 0, try_deadline = 0;   // monotonic microseconds; 0: none
  std::shared_ptr<ReplayBody> body;   // null: none
  std::string head;                   // as HTTP/1.1 bytes
  int tries = 0;
  TryResult result;
  std::string_view target_name;
  std::string endpoint;
};

void Mesh::note(Trip& trip, int status, std::string_view error) {
  const std::int64_t took = io::monotonic_micros() - trip.began;
  Figures& figures = figures_of(trip.caller->name, trip.service->plan.shown, trip.target_name);
  ++figures.requests;
  const bool failed = status >= 500 || status == 0 || (trip.result.grpc_status && *trip.result.grpc_status != 0);
  if (failed) ++figures.errors;
  if (trip.tries > 1) figures.retries += static_cast<std::uint64_t>(trip.tries - 1);
  figures.latency.add(took);
  if (tracing_.end)
    tracing_.end({.caller = trip.caller->name, .service = trip.service->plan.shown, .target = trip.target_name, .endpoint = trip.endpoint, .method = trip.request.method,
                  .path = trip.request.path, .account = trip.caller->account, .region = trip.caller->region, .root = trip.position.root, .parent = trip.position.parent,
                  .id = trip.position.id, .status = status, .retries = trip.tries > 0 ? trip.tries - 1 : 0, .error = error, .start = trip.start, .took = Duration(took), .caller_group = trip.caller->group, .owner = trip.service->plan.owner, .group = trip.service->plan.group});
}

Task<http::Response> Mesh::serve(http::Request& request) {
  const auto parts = split(request.peer, '\n');
  const auto caller = parts.size() == 3 ? member(parts[0]) : nullptr;
  const auto found = caller ? service(parts[1]) : nullptr;
  if (!found) co_return plain(503, "the service or its caller has left the mesh");
  const int port = parse_int<int>(parts[2]).value_or(0);
  co_return co_await pass(caller, std::string(parts[0]), found, port, request);
}

Task<http::Response> Mesh::pass(std::shared_ptr<const MemberPlan> caller, std::string member, std::shared_ptr<const Service> service, int port, http::Request& request) {
  Trip trip{.caller = std::move(caller), .service = std::move(service), .request = request};
  trip.began = io::monotonic_micros();
  trip.start = loop().reactor().now();
  if (tracing_.begin) trip.position = tracing_.begin(request.header("x-amzn-trace-id"), request.header("traceparent"), trip.start);
  MessageRequest asked(request, port);
  trip.route = trip.service->routes->find(asked);
  if (!trip.route) {
    note(trip, 404, "no-route");
    co_return plain(404, "no route");
  }
  const WeightedNode* const weighted = choose_node(trip.route->to, loop().random());
  trip.node = weighted ? find_node(weighted->node) : nullptr;
  if (!trip.node) {
    note(trip, 503, "no-node");
    co_return plain(503, "no healthy upstream");
  }
  trip.target_name = trip.node->plan.name;
  const Duration timeout = trip.route->request_timeout.value_or(trip.node->plan.request_timeout.value_or(kDefaultTimeout));
  if (timeout.count() > 0) trip.deadline = trip.began + timeout.count();
  if (request.body->size() != 0) trip.body = std::make_shared<ReplayBody>(*request.body);
  const auto node = trip.node;
  if (!co_await enter(node)) {
    note(trip, 503, "overflow");
    auto out = plain(503, "upstream connect error or disconnect/reset before headers. reset reason: overflow");
    out.set("x-envoy-overloaded", "true");
    co_return out;
  }
  http::Response out;
  std::shared_ptr<Target> target;
  std::string_view error;
  const std::string in_name = member.empty() ? std::string() : "task:" + member;
  for (;;) {
    target = choose(*node, target.get());
    if (!target) {
      error = "no-endpoint";
      out = plain(503, "no healthy upstream");
      break;
    }
    ++trip.tries;
    trip.endpoint = fmt::format("{}:{}", target->ip, target->port);
    const std::int64_t now = io::monotonic_micros();
    const std::int64_t per_try = trip.route->retry.per_try_timeout.count();
    trip.try_deadline = trip.deadline;
    if (per_try > 0 && (trip.deadline == 0 || now + per_try < trip.deadline)) trip.try_deadline = now + per_try;
    trip.result = {};
    // Connections are shared by callers, whose networks may differ.
    if (!in_name.empty() && !dialer_.admits(in_name, target->ip, target->port)) {
      trip.result.outcome = TryOutcome::kNotConnected;
      out = plain(503, "upstream connect error or disconnect/reset before headers. reset reason: connection failure");
      if (!retries(trip.route->retry, trip.result, trip.tries)) break;
      continue;
    }
    const auto reached = via(*trip.caller, trip.service->plan, *node, target);
    if (node->group->version == HttpVersion::kHttp1) out = co_await try_http1(trip, *node, reached);
    else out = co_await try_http2(trip, *node, reached);
    node->outliers.note(target->id, is_endpoint_failure(trip.result), node->targets.size(), loop().reactor().now());
    const bool has_time = trip.deadline == 0 || io::monotonic_micros() < trip.deadline;
    if (!has_time || !retries(trip.route->retry, trip.result, trip.tries) || (trip.body && !trip.body->can_rewind())) break;
    out = {};
    if (trip.body) trip.body->rewind();
  }
  if (trip.result.outcome != TryOutcome::kReply) error = trip.result.outcome == TryOutcome::kLate ? "timeout" : trip.result.outcome == TryOutcome::kNotConnected ? "not-connected" : "broken";
  note(trip, out.status, error);
  if (out.stream)
    out.stream = std::make_unique<WatchedBody>(std::move(out.stream), trip.body, [this, node] { leave(node); });
  else leave(node);
  co_return out;
}

Task<http::Response> Mesh::try_http1(Trip& trip, Node& node, const std::shared_ptr<Target>& target) {
  http::Request& request = trip.request;
  if (trip.head.empty()) {
    std::string& head = trip.head;
    head.reserve(512);
    head.append(request.method).append(" ").append(trip.target.empty() ? request.target : std::string_view(trip.target)).append(" HTTP/1.1\r\nhost: ").append(request.host).append("\r\n");
    for (const http::HeaderView& header : request.headers)
      if (!stays_behind(header.name)) head.append(header.name).append(": ").append(header.value).append("\r\n");
    if (!trip.position.amzn.empty()) head.append("x-amzn-trace-id: ").append(trip.position.amzn).append("\r\n");
    if (!trip.position.traceparent.empty()) head.append("traceparent: ").append(trip.position.traceparent).append("\r\n");
    if (const auto size = request.body->size(); !size) head += "transfer-encoding: chunked\r\n";
    else if (*size > 0 || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") head.append("content-length: ").append(std::to_string(*size)).append("\r\n");
    head += "\r\n";
  }
  io::Reactor& reactor = loop().reactor();
  auto passage = std::make_shared<Passage>(loop());
  const bool is_head = request.method == "HEAD";
  passage->begin(target, node.group, trip.head, !trip.body, is_head);
  io::Reactor::TimerId timer = 0;
  if (trip.try_deadline > 0)
    timer = reactor.after(Duration(std::max<std::int64_t>(0, trip.try_deadline - io::monotonic_micros())), [weak = std::weak_ptr(passage)] {
      if (const auto late = weak.lock()) late->give_up(UpstreamFailure::kConnectLate);
    });
  if (trip.body) send_body(passage, *trip.body, !request.body->size(), nullptr).detach();
  stay_awake();
  while (!passage->has_head && !passage->failure) co_await passage->changed;
  stay_awake();
  reactor.cancel(timer);
  if (passage->has_head) {
    trip.result.status = passage->status;
    co_return take_reply(passage, is_head);
  }
  if (trip.try_deadline > 0 && io::monotonic_micros() >= trip.try_deadline) {
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

namespace {

// A call that its caller may stop waiting for.
struct Http2Call {
  std::optional<Result<http::Response, Failure>> reply;
  Later<bool> done;
  bool is_abandoned = false;
};

Task<void> send_http2(std::shared_ptr<Http2Call> call, std::shared_ptr<http::Http2Client> client, http::Http2Request request, std::shared_ptr<ReplayBody> body) {
  auto reply = co_await client->send(std::move(request));
  static_cast<void>(body);
  if (call->is_abandoned) co_return;   // dropping the reply cancels it
  call->reply.emplace(std::move(reply));
  call->done.set(true);
}

}  // namespace

Task<http::Response> Mesh::try_http2(Trip& trip, Node&, const std::shared_ptr<Target>& target) {
  http::Request& request = trip.request;
  http::Http2Request sent;
  sent.method = request.method;
  sent.path = trip.target.empty() ? std::string(request.target) : trip.target;
  sent.authority = request.host;
  sent.body = trip.body.get();
  for (const http::HeaderView& header : request.headers)
    if (!stays_behind(header.name)) sent.headers.emplace_back(header.name, header.value);
  if (request.header("te").find("trailers") != std::string_view::npos) sent.headers.emplace_back("te", "trailers");
  if (!trip.position.amzn.empty()) sent.headers.emplace_back("x-amzn-trace-id", trip.position.amzn);
  if (!trip.position.traceparent.empty()) sent.headers.emplace_back("traceparent", trip.position.traceparent);
  io::Reactor& reactor = loop().reactor();
  auto& connection = target->sides[0].http2;
  if (!connection || !connection->is_open()) {
    const auto fd = co_await dialer_.dial(target->ip, target->port);
    if (!fd) {
      trip.result.outcome = TryOutcome::kNotConnected;
      co_return plain(503, "upstream connect error or disconnect/reset before headers. reset reason: connection failure");
    }
    connection = http::Http2Client::start(reactor, *fd, nullptr, 10s);
  }
  auto call = std::make_shared<Http2Call>();
  io::Reactor::TimerId timer = 0;
  if (trip.try_deadline > 0)
    timer = reactor.after(Duration(std::max<std::int64_t>(0, trip.try_deadline - io::monotonic_micros())), [weak = std::weak_ptr(call)] {
      if (const auto late = weak.lock()) late->done.set(false);
    });
  send_http2(call, connection, std::move(sent), trip.body).detach();
  const bool came = co_await call->done;
  reactor.cancel(timer);
  if (!came) {
    call->is_abandoned = true;
    trip.result.outcome = TryOutcome::kLate;
    co_return plain(504, "upstream request timeout");
  }
  if (!*call->reply) {
    trip.result.outcome = call->reply->error().code == ECONNREFUSED ? TryOutcome::kNotConnected : TryOutcome::kBroken;
    co_return plain(503, "upstream connect error or disconnect/reset before headers. reset reason: connection termination");
  }
  http::Response out = *std::move(*call->reply);
  trip.result.status = out.status;
  if (const std::string* status = out.find("grpc-status")) trip.result.grpc_status = parse_int<int>(*status);
  co_return out;
}

}  // namespace reef::edge::mesh
