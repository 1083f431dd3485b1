#include "engine/edge/mesh/gateway.h"

#include <algorithm>

#include "engine/edge/mesh/mesh.h"
#include "engine/edge/mesh/message_request.h"

namespace reef::edge::mesh {
namespace {

bool same(const std::vector<io::PemPair>& a, const std::vector<io::PemPair>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const io::PemPair& x, const io::PemPair& y) { return x.certificate == y.certificate && x.key == y.key; });
}

std::string rewritten(const Route& route, std::string_view path) {
  if (route.rewrite.path) return *route.rewrite.path;
  if (!route.rewrite.prefix || !route.match.path || route.match.path->kind != TextMatch::Kind::kPrefix) return std::string(path);
  std::string out = *route.rewrite.prefix + std::string(path.substr(std::min(path.size(), route.match.path->text.size())));
  if (!out.starts_with('/')) out.insert(0, "/");
  return out;
}

http::Response refused(const http::Request& request, int status, std::string_view why) {
  auto out = plain(status, why);
  answer_in_kind(request, out);
  return out;
}

}  // namespace

Gateway::Gateway(Mesh& mesh, io::Reactor& reactor) : mesh_(mesh), reactor_(reactor) { mesh_.gateways.push_back(this); }
Gateway::~Gateway() { std::erase(mesh_.gateways, this); }

int Gateway::port_of(int declared) const {
  for (const Listening& one : listening_)
    if (one.settings.port == declared) return one.port;
  return 0;
}

Result<void, Failure> Gateway::apply(GatewayPlan plan) {
  routes_ = std::make_shared<const Routes>(plan.routes);
  const bool moved = plan.address != plan_.address;
  plan_ = std::move(plan);
  listening_.remove_if([&](const Listening& one) {
    return moved || std::none_of(plan_.listeners.begin(), plan_.listeners.end(), [&](const GatewayListener& now) {
             return now.port == one.settings.port && now.needs_tls == one.settings.needs_tls && same(now.certificates, one.settings.certificates);
           });
  });
  for (const GatewayListener& one : plan_.listeners)
    if (port_of(one.port) == 0) TRY(listen(one));
  return {};
}

Result<void, Failure> Gateway::listen(const GatewayListener& settings) {
  Listening made{.settings = settings, .tls = nullptr, .server = nullptr};
  if (!settings.certificates.empty()) made.tls = TRY(io::TlsContext::server(io::ServerTls{.certificates = settings.certificates, .ciphers = {}, .trusted_pem = {}}));
  http::ServerOptions options;
  if (made.tls) options.tls = [context = made.tls] { return context.get(); };
  made.server = std::make_unique<http::Server>(
      reactor_, [this, port = settings.port](http::Request& request) { return serve(port, request); }, std::move(options));
  auto port = made.server->listen(plan_.address, settings.port, false);
  if (!port && port.error().code == EACCES) port = made.server->listen(plan_.address, settings.port + 8000, false);
  made.port = TRY(std::move(port));
  listening_.push_back(std::move(made));
  return {};
}

Task<http::Response> Gateway::serve(int declared_port, http::Request& request) {
  const auto routes = routes_;   // may be replaced meanwhile
  for (const Listening& one : listening_)
    if (one.settings.port == declared_port && one.settings.needs_tls && !request.is_tls) {
      auto out = plain(400, "this listener speaks TLS only");
      out.close = true;
      co_return out;
    }
  MessageRequest asked(request, declared_port);
  asked.scheme = request.is_tls ? "https" : "http";
  const Route* const route = routes->find(asked);
  if (!route) co_return refused(request, 404, "no route");
  const GatewayTarget target = plan_.targets[static_cast<std::size_t>(route - routes->all().data())];
  MeshLoop& loop = mesh_.here();
  const auto service = loop.view().service(target.service);
  const auto caller = loop.view().identity(plan_.identity);
  if (!service || !caller) co_return refused(request, 503, "no healthy upstream");
  const int port = target.port != 0 ? target.port : service->plan.ports.empty() ? 0 : service->plan.ports.front();
  const std::string path = rewritten(*route, request.path), whole = request.query.empty() ? path : path + "?" + std::string(request.query);
  request.target = whole;
  request.path = std::string_view(whole).substr(0, path.size());
  request.query = request.query.empty() ? std::string_view{} : std::string_view(whole).substr(path.size() + 1);
  if (!route->rewrite.keeps_host) request.host = target.service_name;
  co_return co_await loop.pass(caller, {}, service, port, request);
}

}  // namespace reef::edge::mesh
