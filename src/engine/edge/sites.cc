#include "engine/edge/sites.h"

namespace reef::edge {
namespace {

constexpr std::string_view kDomain = "domain";

std::string key_of(std::string_view kind, std::string_view id) { return std::string(kind) + "/" + to_lower(id); }

// "id/stage/rest" after a prefix.
Sites::Address read_path(std::string_view rest, bool with_marker) {
  Sites::Address out{.kind = "execute-api", .id = {}, .stage = {}, .path = {}};
  auto slash = rest.find('/');
  out.id = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  slash = rest.find('/');
  out.stage = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
  constexpr std::string_view kMarker = "/_user_request_";
  if (with_marker && rest.starts_with(kMarker)) rest.remove_prefix(kMarker.size());
  out.path = rest.empty() ? std::string("/") : std::string(rest);
  return out;
}

// What user pools publish: "/us-east-1_Ab12/.well-known/jwks.json". No bucket's name has an underscore.
std::optional<Sites::Address> read_pool_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  const auto slash = path.find('/', 1);
  if (slash == std::string_view::npos || !path.substr(slash).starts_with("/.well-known/") || path.substr(0, slash).find('_') == std::string_view::npos) return std::nullopt;
  return Sites::Address{.kind = "user-pool", .id = std::string(path.substr(1, slash - 1)), .stage = {}, .path = std::string(path.substr(slash))};
}

}  // namespace

void Sites::put(std::string_view kind, std::string_view id, std::shared_ptr<const Site> site) {
  sites_.write([&](auto& sites) {
    const bool is_new = sites.insert_or_assign(key_of(kind, id), std::move(site)).second;
    if (is_new && kind == kDomain) ++domains_;
  });
}
void Sites::erase(std::string_view kind, std::string_view id) {
  sites_.write([&](auto& sites) {
    if (sites.erase(key_of(kind, id)) > 0 && kind == kDomain) --domains_;
  });
}
void Sites::clear() {
  sites_.write([this](auto& sites) {
    sites.clear();
    domains_ = 0;
  });
}
std::optional<Sites::Address> Sites::find_address(const http::Request& request) const {
  if (auto address = address_of(request)) return address;
  if (domains_ == 0) return std::nullopt;
  const std::string_view host = request.host.substr(0, request.host.find(':'));
  if (!find(kDomain, host)) return std::nullopt;
  return Address{.kind = kDomain, .id = std::string(host), .stage = {}, .path = std::string(request.path.empty() ? "/" : request.path)};
}
std::shared_ptr<const Site> Sites::find(std::string_view kind, std::string_view id) const {
  return sites_.read([&](const auto& sites) -> std::shared_ptr<const Site> {
    const auto found = sites.find(key_of(kind, id));
    return found == sites.end() ? nullptr : found->second;
  });
}

std::optional<Sites::Address> Sites::address_of(const http::Request& request) {
  const std::string_view path = request.path;
  if (path.starts_with("/_aws/execute-api/")) return read_path(path.substr(18), false);
  if (path.starts_with("/restapis/") && path.find("/_user_request_") != std::string_view::npos) return read_path(path.substr(10), true);
  if (auto pool = read_pool_path(path)) return pool;
  if (constexpr std::string_view kDomains = "/_aws/cognito-domain/"; path.starts_with(kDomains)) {
    const std::string_view rest = path.substr(kDomains.size());
    const auto slash = rest.find('/');
    return Address{.kind = "user-pool-domain", .id = std::string(rest.substr(0, slash)), .stage = {}, .path = std::string(slash == std::string_view::npos ? "/" : rest.substr(slash))};
  }
  const std::string_view host = request.host.substr(0, request.host.find(':'));
  const auto dot = host.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view rest = host.substr(dot + 1);
  // "{id}-{vpce}.execute-api..." names the endpoint too.
  std::string_view id = host.substr(0, dot);
  if (const auto dash = id.find("-vpce-"); dash != std::string_view::npos) id = id.substr(0, dash);
  for (const std::string_view kind : {"execute-api", "lambda-url"})
    if (rest.starts_with(kind) && (rest.size() == kind.size() || rest[kind.size()] == '.'))
      return Address{.kind = kind, .id = std::string(id), .stage = {}, .path = std::string(path.empty() ? "/" : path)};
  if (rest.starts_with("auth.") && rest.find(".amazoncognito.") != std::string_view::npos)
    return Address{.kind = "user-pool-domain", .id = std::string(id), .stage = {}, .path = std::string(path.empty() ? "/" : path)};
  // "{name}-{number}.{region}.elb..." of an application load balancer, "{name}-{number}.elb.{region}..." of a network one.
  if (rest.starts_with("elb.") || rest.find(".elb.") != std::string_view::npos)
    return Address{.kind = "elb", .id = std::string(host.substr(0, dot)), .stage = {}, .path = std::string(path.empty() ? "/" : path)};
  return std::nullopt;
}

Task<http::Response> Sites::serve(http::Request& request) const {
  auto address = find_address(request);
  const auto site = address ? find(address->kind, address->id) : nullptr;
  if (!site) {
    http::Response response;
    response.status = 404;
    response.set("content-type", "application/json");
    response.body = R"({"message":"Not Found"})";
    co_return response;
  }
  SiteRequest to{.http = request, .id = std::move(address->id), .path = std::move(address->path), .stage = std::move(address->stage),
                 .domain = std::string(request.host.substr(0, request.host.find(':')))};
  co_return co_await site->serve(std::move(to));
}

}  // namespace reef::edge
