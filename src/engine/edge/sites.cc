#include "engine/edge/sites.h"

namespace reef::edge {
namespace {

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

}  // namespace

void Sites::put(std::string_view kind, std::string_view id, std::shared_ptr<const Site> site) {
  sites_.write([&](auto& sites) { sites.insert_or_assign(key_of(kind, id), std::move(site)); });
}
void Sites::erase(std::string_view kind, std::string_view id) {
  sites_.write([&](auto& sites) { sites.erase(key_of(kind, id)); });
}
void Sites::clear() {
  sites_.write([](auto& sites) { sites.clear(); });
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
  // "{name}-{number}.{region}.elb..." of an application load balancer, "{name}-{number}.elb.{region}..." of a network one.
  if (rest.starts_with("elb.") || rest.find(".elb.") != std::string_view::npos)
    return Address{.kind = "elb", .id = std::string(host.substr(0, dot)), .stage = {}, .path = std::string(path.empty() ? "/" : path)};
  return std::nullopt;
}

}  // namespace reef::edge
