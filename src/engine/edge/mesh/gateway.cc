#include "engine/edge/mesh/gateway.h"

#include <sys/epoll.h>

#include <algorithm>

#include "engine/edge/mesh/mesh.h"
#include "engine/edge/mesh/message_request.h"
#include "io/socket.h"

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

// Takes connections and gives them to the loops in turn.
class Gateway::Acceptor final : public io::FdHandler {
 public:
  Acceptor(Gateway& gateway, io::Fd listener, GatewayDoor made) : door(std::make_shared<const GatewayDoor>(std::move(made))), gateway_(gateway), listener_(std::move(listener)) {
    gateway_.reactor_.watch(listener_.get(), EPOLLIN, this);
  }
  ~Acceptor() override { gateway_.reactor_.unwatch(listener_.get(), this); }
  void on_ready(std::uint32_t) override {
    while (auto client = io::accept_connection(listener_.get())) {
      std::string peer = io::peer_name(client.get());
      gateway_.mesh_.on_next_loop([id = gateway_.id_, door = door, fd = client.release(), peer = std::move(peer)](MeshLoop& loop) mutable { loop.adopt_outsider(id, door, fd, std::move(peer)); });
    }
  }
  const std::shared_ptr<const GatewayDoor> door;

 private:
  Gateway& gateway_;
  io::Fd listener_;
};

Gateway::Gateway(Mesh& mesh, io::Reactor& reactor) : mesh_(mesh), reactor_(reactor), id_(mesh.next_gateway()) { mesh_.gateways.push_back(this); }

Gateway::~Gateway() {
  std::erase(mesh_.gateways, this);
  listening_.clear();
  mesh_.on_every_loop([id = id_](MeshLoop& loop) { loop.remove_gateway(id); });
}

int Gateway::port_of(int declared) const {
  for (const auto& one : listening_)
    if (one->door->settings.port == declared) return one->door->port;
  return 0;
}

Result<void, Failure> Gateway::apply(GatewayPlan plan) {
  routes_ = std::make_shared<const Routes>(plan.routes);
  const bool moved = plan.address != plan_.address;
  plan_ = std::move(plan);
  listening_.remove_if([&](const auto& one) {
    const GatewayListener& was = one->door->settings;
    return moved || std::none_of(plan_.listeners.begin(), plan_.listeners.end(), [&](const GatewayListener& now) {
             return now.port == was.port && now.needs_tls == was.needs_tls && same(now.certificates, was.certificates);
           });
  });
  Result<void, Failure> out;
  for (const GatewayListener& one : plan_.listeners)
    if (port_of(one.port) == 0)
      if (auto listened = listen(one); !listened) out = std::move(listened);
  publish();
  return out;
}

void Gateway::publish() {
  auto view = std::make_shared<GatewayView>(GatewayView{.id = id_, .plan = plan_, .routes = routes_, .doors = {}});
  for (const auto& one : listening_) view->doors.push_back(one->door);
  mesh_.on_every_loop([view = std::shared_ptr<const GatewayView>(std::move(view))](MeshLoop& loop) { loop.put_gateway(view); });
}

Result<void, Failure> Gateway::listen(const GatewayListener& settings) {
  GatewayDoor made{.settings = settings, .port = settings.port, .tls = nullptr};
  if (!settings.certificates.empty()) made.tls = TRY(io::TlsContext::server(io::ServerTls{.certificates = settings.certificates, .ciphers = {}, .trusted_pem = {}}));
  auto listener = io::listen_tcp(plan_.address, settings.port, false);
  if (!listener && listener.error().code == EACCES) listener = io::listen_tcp(plan_.address, made.port = settings.port + 8000, false);
  if (!listener) return Err(std::move(listener.error()));
  listening_.push_back(std::make_unique<Acceptor>(*this, *std::move(listener), std::move(made)));
  return {};
}

// --- on each loop ----------------------------------------------------------------------------------------------------

void MeshLoop::put_gateway(std::shared_ptr<const GatewayView> view) {
  Outside& outside = outside_[view->id];
  outside.now = std::move(view);
  std::erase_if(outside.servers, [&](const auto& one) { return std::find(outside.now->doors.begin(), outside.now->doors.end(), one.first) == outside.now->doors.end(); });
}

void MeshLoop::remove_gateway(std::uint64_t id) { outside_.erase(id); }

void MeshLoop::adopt_outsider(std::uint64_t gateway, const std::shared_ptr<const GatewayDoor>& door, int fd, std::string peer) {
  io::Fd owned(fd);
  const auto found = outside_.find(gateway);
  if (found == outside_.end()) return;
  auto& server = found->second.servers[door];
  if (!server) {
    http::ServerOptions options;
    if (door->tls) options.tls = [context = door->tls] { return context.get(); };
    server = std::make_unique<http::Server>(
        reactor(), [this, gateway, door](http::Request& request) { return serve_outsider(gateway, door, request); }, std::move(options));
  }
  server->adopt_connection(owned.release(), std::move(peer));
}

Task<http::Response> MeshLoop::serve_outsider(std::uint64_t gateway, std::shared_ptr<const GatewayDoor> door, http::Request& request) {
  const auto found = outside_.find(gateway);
  if (found == outside_.end()) co_return refused(request, 503, "no healthy upstream");
  const auto view = found->second.now;   // may be replaced meanwhile
  if (door->settings.needs_tls && !request.is_tls) {
    auto out = plain(400, "this listener speaks TLS only");
    out.close = true;
    co_return out;
  }
  MessageRequest asked(request, door->settings.port);
  asked.scheme = request.is_tls ? "https" : "http";
  const Route* const route = view->routes->find(asked);
  if (!route) co_return refused(request, 404, "no route");
  const GatewayTarget target = view->plan.targets[static_cast<std::size_t>(route - view->routes->all().data())];
  const auto service = view_->service(target.service);
  const auto caller = view_->identity(view->plan.identity);
  if (!service || !caller) co_return refused(request, 503, "no healthy upstream");
  const int port = target.port != 0 ? target.port : service->plan.ports.empty() ? 0 : service->plan.ports.front();
  const std::string path = rewritten(*route, request.path), whole = request.query.empty() ? path : path + "?" + std::string(request.query);
  request.target = whole;
  request.path = std::string_view(whole).substr(0, path.size());
  request.query = request.query.empty() ? std::string_view{} : std::string_view(whole).substr(path.size() + 1);
  if (!route->rewrite.keeps_host) request.host = target.service_name;
  co_return co_await pass(caller, {}, service, port, request);
}

}  // namespace reef::edge::mesh
