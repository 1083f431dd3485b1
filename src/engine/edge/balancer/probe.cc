#include "engine/edge/balancer/probe.h"

#include <fmt/format.h>

#include "base/text.h"
#include "http/http2_client.h"
#include "http/socket_stream.h"
#include "io/tls.h"
#include "wire/http1.h"

namespace reef::edge {
namespace {

constexpr std::size_t kReplyHeadMax = 64 * 1024, kMessageKept = 64;
// HealthCheckResponse{status: SERVING}, in its frame. https://github.com/grpc/grpc/blob/master/doc/health-checking.md
constexpr std::string_view kServing("\0\0\0\0\x02\x08\x01", 7);

const io::TlsContext& tls() {
  static const std::unique_ptr<io::TlsContext> context = *io::TlsContext::unverified_client();
  return *context;
}

// What the check comes to while the connection lasts; the caller ends the connection when time is up.
Task<CheckResult> converse(http::SocketStream& stream, const std::string& ip, int port, const HealthSettings& settings) {
  CheckResult failed{CheckResult::Kind::kFailed, 0, false};
  if (co_await stream.connected(0) != 0) co_return failed;
  if (settings.protocol == CheckProtocol::kHttps || settings.protocol == CheckProtocol::kTls) {
    stream.transport().start_client_tls(tls(), {});
    if (!co_await stream.handshake(0)) co_return failed;
  }
  if (settings.protocol == CheckProtocol::kTcp || settings.protocol == CheckProtocol::kTls) co_return CheckResult{CheckResult::Kind::kAnswer, 0, true};
  const std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\nUser-Agent: {}\r\nAccept-Encoding: gzip, compressed\r\n\r\n", settings.path, ip, port, settings.agent);
  if (!co_await stream.write(request, settings.timeout)) co_return failed;
  std::string reply;
  wire::Http1Head head;
  for (;;) {
    char bytes[2048];
    const long n = co_await stream.read(bytes, sizeof bytes, 0);
    if (n <= 0) co_return failed;
    reply.append(bytes, static_cast<std::size_t>(n));
    for (;;) {
      const auto parsed = wire::parse_response_head(reply, kReplyHeadMax, head);
      if (parsed.status == wire::Http1Status::kIncomplete) break;
      if (parsed.status != wire::Http1Status::kComplete) co_return failed;
      if (head.status >= 200) co_return CheckResult{CheckResult::Kind::kAnswer, head.status, settings.matcher.matches(head.status)};
      reply.erase(0, parsed.consumed);
    }
  }
}

// Over HTTP/2: a GET, or the call of a gRPC method with an empty message, whose answer is the code in the trailers.
Task<CheckResult> converse_http2(io::Reactor& reactor, int fd, std::string ip, int port, HealthSettings settings, bool& late) {
  const auto client = http::Http2Client::start(reactor, fd, settings.protocol == CheckProtocol::kHttps ? &tls() : nullptr, settings.timeout);
  const auto timer = reactor.after(settings.timeout, [&] {
    late = true;
    client->close();
  });
  http::Http2Request request{.method = settings.is_grpc ? "POST" : "GET", .authority = fmt::format("{}:{}", ip, port), .path = settings.path};
  request.headers = {{"user-agent", settings.agent}};
  std::unique_ptr<http::Body> body;
  if (settings.is_grpc) {
    request.headers.emplace_back("content-type", "application/grpc");
    request.headers.emplace_back("te", "trailers");
    body = http::make_body(std::string(5, '\0'));
    request.body = body.get();
  }
  CheckResult result;
  std::string message;
  auto reply = co_await client->send(std::move(request));
  if (reply) {
    std::string code;
    if (const std::string* given = reply->find("grpc-status")) code = *given;
    if (settings.is_grpc && reply->stream) {
      while (true) {
        const auto piece = co_await reply->stream->read();
        if (!piece || piece->empty()) break;
        if (message.size() < kMessageKept) message += *piece;
      }
      for (const auto& [name, value] : reply->stream->trailers())
        if (name == "grpc-status") code = value;
    }
    result.kind = CheckResult::Kind::kAnswer;
    result.status = settings.is_grpc ? static_cast<int>(parse_int<int>(code).value_or(-1)) : reply->status;
    if (settings.is_grpc && result.status < 0) result.kind = CheckResult::Kind::kFailed;
    else result.passed = settings.matcher.matches(result.status) && (!settings.is_grpc || !settings.is_envoy || message.substr(0, kServing.size()) == kServing);
    reply->stream.reset();
  }
  reactor.cancel(timer);
  client->close();
  co_return result;
}

}  // namespace

Task<CheckResult> probe(io::Reactor& reactor, const Dialer& dialer, std::string group, std::string ip, int port, HealthSettings settings) {
  const std::int64_t began = io::monotonic_micros();
  const auto fd = co_await dialer.dial(ip, port, std::move(group));
  if (!fd && fd.error().code == kRefusedByNetwork) co_return CheckResult{CheckResult::Kind::kTimeout, 0, false};
  if (!fd) co_return CheckResult{};
  bool late = false;
  if (settings.is_http2 && (settings.protocol == CheckProtocol::kHttp || settings.protocol == CheckProtocol::kHttps)) {
    CheckResult result = co_await converse_http2(reactor, *fd, ip, port, settings, late);
    if (late) result = {CheckResult::Kind::kTimeout, 0, false};
    co_return result;
  }
  http::SocketStream stream(reactor, *fd);
  const auto timer = reactor.after(settings.timeout - Duration(io::monotonic_micros() - began), [&] {
    late = true;
    stream.close();
  });
  CheckResult result = co_await converse(stream, ip, port, settings);
  reactor.cancel(timer);
  if (late) result = {CheckResult::Kind::kTimeout, 0, false};
  co_return result;
}

}  // namespace reef::edge
