#include "engine/edge/web.h"

#include "base/text.h"

namespace reef::edge {
namespace {

bool is_this_machine(std::string_view host) {
  // "127.example.com" is a name like any other.
  const bool is_loopback = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host.ends_with(".localhost") || is_loopback || host == "169.254.100.1";
}

// The request as a site gets it; `body` and `names` are what it points into.
void fill(http::Request& to, const http::Outgoing& from, http::Body& body, std::vector<std::string>& names) {
  to.method = from.method;
  to.target = from.target;
  const auto question = to.target.find('?');
  to.path = to.target.substr(0, question);
  to.query = question == std::string_view::npos ? std::string_view{} : to.target.substr(question + 1);
  to.host = from.host;
  to.is_tls = from.tls;
  to.peer = "127.0.0.1:0";
  to.body = &body;
  names.reserve(from.headers.size());
  for (const auto& [name, value] : from.headers) to.headers.push_back({names.emplace_back(to_lower(name)), value});
}

}  // namespace

std::optional<ProviderUrl> parse_provider_url(std::string_view url) {
  ProviderUrl out;
  if (url.starts_with("https://")) url.remove_prefix(8);
  else if (url.starts_with("http://")) out.tls = false, out.port = 80, url.remove_prefix(7);
  else return std::nullopt;
  const auto slash = url.find_first_of("/?#");
  std::string_view authority = url.substr(0, slash);
  if (slash != std::string_view::npos) out.target = url.substr(slash);
  if (out.target.empty() || out.target[0] != '/') out.target.insert(0, "/");
  if (out.target.find('#') != std::string::npos) return std::nullopt;
  if (const auto colon = authority.rfind(':'); colon != std::string_view::npos) {
    const auto port = parse_int<int>(authority.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    out.port = *port;
    authority = authority.substr(0, colon);
  }
  out.host = authority;
  const auto is_plain = [](std::string_view text) {
    for (const char c : text)
      if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '@' || c == '\\') return false;
    return true;
  };
  if (out.host.empty() || !is_plain(out.host) || !is_plain(out.target)) return std::nullopt;
  // Secrets cross no network in the clear.
  if (!out.tls && !is_this_machine(out.host)) return std::nullopt;
  return out;
}

Task<Result<http::Response, Failure>> Web::send(http::Outgoing request) {
  if (sites_) {
    http::Request local;
    std::vector<std::string> names;
    const auto body = http::make_body(request.body);
    fill(local, request, *body, names);
    const auto address = Sites::address_of(local);
    if (address && sites_->find(address->kind, address->id)) co_return co_await sites_->serve(local);
  }
  co_return co_await client_.send(std::move(request));
}

Task<Result<std::string, Failure>> Web::read(std::string url, std::size_t bytes_max, Duration patience) {
  const auto to = parse_provider_url(url);
  if (!to) co_return Err(Failure{"this is no HTTPS URL"});
  http::Outgoing request{.host = to->host, .port = to->port, .tls = to->tls, .target = to->target, .timeout = patience};
  request.headers = {{"Accept", "application/json"}};
  auto reply = CO_TRY(co_await send(std::move(request)));
  if (reply.status != 200) co_return Err(Failure{"the answer has status " + std::to_string(reply.status)});
  if (!reply.stream) co_return std::move(reply.body);
  co_return co_await http::read_all(*reply.stream, bytes_max);
}

}  // namespace reef::edge
