#include "engine/edge/proxy.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "http/client.h"

namespace reef::edge {
namespace {

// https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
constexpr std::array<std::string_view, 9> kHopByHop{"connection", "keep-alive", "proxy-connection", "te", "trailer",
                                                    "transfer-encoding", "upgrade", "proxy-authorization", "proxy-authenticate"};

bool is_hop_by_hop(std::string_view name) { return std::find(kHopByHop.begin(), kHopByHop.end(), name) != kHopByHop.end(); }

struct Url {
  bool tls = false;
  std::string host, path;
  int port = 80;
};

Result<Url, Failure> parse_url(std::string_view text) {
  Url out;
  out.tls = text.starts_with("https://");
  if (!out.tls && !text.starts_with("http://")) return Err(Failure{fmt::format("'{}' is not an HTTP URL", text), EINVAL});
  text.remove_prefix(out.tls ? 8 : 7);
  const auto slash = text.find('/');
  const std::string_view authority = text.substr(0, slash);
  out.path = slash == std::string_view::npos ? std::string("/") : std::string(text.substr(slash));
  const auto colon = authority.rfind(':');
  out.host = authority.substr(0, colon);
  out.port = out.tls ? 443 : 80;
  if (colon != std::string_view::npos) {
    const auto port = parse_int<int>(authority.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return Err(Failure{fmt::format("'{}' has no valid port", authority), EINVAL});
    out.port = *port;
  }
  if (out.host.empty()) return Err(Failure{"the URL has no host", EINVAL});
  return out;
}

// One per loop: a client's connections belong to the loop that made them. Never destroyed, because the main thread's
// loop is gone before its thread-local objects would be.
http::Client& client() {
  thread_local auto* one = new http::Client(io::Reactor::current());
  return *one;
}

}  // namespace

Task<Result<http::Response, Failure>> forward(http::Request& request, ForwardTo to) {
  const Url url = CO_TRY(parse_url(to.url));
  http::Outgoing out;
  out.method = to.method.empty() ? request.method : to.method;
  out.host = url.host;
  out.port = url.port;
  out.tls = url.tls;
  out.target = url.path;
  if (!request.query.empty()) out.target += (url.path.find('?') == std::string::npos ? "?" : "&") + std::string(request.query);
  out.timeout = to.timeout;
  std::string forwarded_for(request.header("x-forwarded-for"));
  for (const auto& header : request.headers) {
    if (is_hop_by_hop(header.name) || header.name == "host" || header.name == "content-length" || header.name == "expect" ||
        header.name.starts_with("x-forwarded-"))
      continue;
    out.headers.emplace_back(header.name, header.value);
  }
  const std::string peer = request.peer.substr(0, request.peer.rfind(':'));
  out.headers.emplace_back("x-forwarded-for", forwarded_for.empty() ? peer : forwarded_for + ", " + peer);
  out.headers.emplace_back("x-forwarded-proto", request.is_tls ? "https" : "http");
  const auto host_colon = request.host.rfind(':');
  out.headers.emplace_back("x-forwarded-port", host_colon == std::string_view::npos ? (request.is_tls ? "443" : "80") : request.host.substr(host_colon + 1));
  for (auto& header : to.extra_headers) {
    std::erase_if(out.headers, [&](const auto& other) { return equals_ignoring_case(other.first, header.first); });
    out.headers.push_back(std::move(header));
  }
  const bool has_body = request.has_header("content-length") || request.has_header("transfer-encoding") || request.version == 20;
  if (has_body && request.body->size() != 0u) out.stream = request.body;
  auto reply = co_await client().send(std::move(out));
  if (!reply) co_return Err(reply.error());
  std::erase_if(reply->headers, [](const auto& header) { return is_hop_by_hop(header.first) || header.first == "content-length"; });
  co_return *std::move(reply);
}

}  // namespace reef::edge
