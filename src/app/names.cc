#include "app/names.h"

#include <fstream>

#include <fmt/format.h>

#include "wire/json.h"

namespace reef::app {
namespace {

constexpr int kPort = 4553, kPortsTried = 64;
constexpr Duration kResolversLook = 2s;

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The system's own resolvers; those that were there before `atoll dns install`, if it was used.
std::vector<std::string> resolvers(const std::string& path, const std::string& own_address, int own_port) {
  std::string text = read_file(path + ".before-atoll");
  if (text.empty()) text = read_file(path);
  auto servers = naming::parse_resolv_conf(text);
  // systemd-resolved: its own upstreams, or it and we would ask each other.
  if (servers == std::vector<std::string>{"127.0.0.53"})
    if (const std::string known = read_file("/run/systemd/resolve/resolv.conf"); !known.empty()) {
      servers = naming::parse_resolv_conf(known);
      std::erase_if(servers, [](const std::string& one) { return one.starts_with("127."); });
    }
  if (own_port == 53) std::erase(servers, own_address);
  return servers;
}

bool is_free(const std::string& address, int port) { return io::bind_udp(address, port, false) && io::listen_tcp(address, port, false); }

}  // namespace

// The loops share the port among themselves, which would also let a second daemon share it unnoticed: hence the look.
Result<int, Failure> Names::choose_port(const Config& config) const {
  if (config.dns_port > 0) {
    if (is_free(config.address, config.dns_port)) return config.dns_port;
    return Err(Failure{fmt::format("{}:{} (DNS) cannot be listened on: choose another with --dns-port, or none with --dns-port -2", config.address, config.dns_port)});
  }
  if (config.dns_port == -1 && config.port == 4566)
    for (int port = kPort; port < kPort + kPortsTried; ++port)
      if (is_free(config.address, port)) return port;
  // Any that is free for both protocols.
  for (int i = 0; i < kPortsTried; ++i) {
    const auto socket = TRY(io::bind_udp(config.address, 0, false));
    const int port = io::local_port(socket.get());
    if (io::listen_tcp(config.address, port, false)) return port;
  }
  return Err(Failure{"no free port for DNS"});
}

Result<void, Failure> Names::listen(const Config& config) {
  address_ = config.address;
  if (config.dns_port != -2) port_ = TRY(choose_port(config));
  resolv_conf_ = config.resolv_conf;
  upstream_names_ = resolvers(resolv_conf_, address_, port_);
  for (const auto& reactor : storage_.reactors) {
    upstreams_.push_back(std::make_unique<naming::Upstream>(*reactor, upstream_names_));
    if (config.dns_port == -2) continue;
    servers_.push_back(std::make_unique<naming::Server>(*reactor, zones_.view(), *upstreams_.back()));
    TRY(servers_.back()->listen(address_, port_));
  }
  resolver_ = std::make_unique<naming::Resolver>(zones_.view(), *upstreams_.front());
  health_checks_.set_resolver(resolver_.get());
  // Many changes of one tick are one new view.
  host_names_.set_watcher([this] {
    if (!stale_.exchange(true)) storage_.reactors.front()->post([this] { take_host_names(); });
  });
  take_host_names();
  storage_.reactors.front()->after(kResolversLook, [this] { follow_resolvers(); });
  return {};
}

void Names::follow_resolvers() {
  storage_.reactors.front()->after(kResolversLook, [this] { follow_resolvers(); });
  auto now = resolvers(resolv_conf_, address_, port_);
  if (now == upstream_names_) return;
  upstream_names_ = std::move(now);
  for (std::size_t i = 0; i < upstreams_.size(); ++i) storage_.reactors[i]->post([one = upstreams_[i].get(), names = upstream_names_] { one->set_servers(names); });
}

namespace {

constexpr std::uint32_t kLoopback = 127, kInside = 240;  // first bytes of addresses

// A records of this machine as a sandbox reaches them.
void translate(std::vector<wire::dns::Record>& records) {
  for (auto& record : records) {
    if (record.type != wire::dns::kA || record.data.size() != 4 || static_cast<unsigned char>(record.data[0]) != kLoopback) continue;
    if (record.data == std::string_view("\x7f\0\0\1", 4)) {
      record.data.resize(4);
      wire::dns::put32(record.data.data(), sandbox::kApiAddress);
    } else {
      record.data[0] = static_cast<char>(kInside);
    }
  }
}

}  // namespace

sandbox::OutboundPolicy Names::with_loopback_range(sandbox::OutboundPolicy policy) {
  return [policy = std::move(policy)](std::string_view id, sandbox::Destination original) -> std::optional<sandbox::Destination> {
    if (original.address >> 24 == kInside) return sandbox::Destination{kLoopback << 24 | (original.address & 0xFFFFFF), original.port};
    return policy(id, original);
  };
}

std::optional<std::string> Names::answer_sandbox(std::string_view packet, std::string_view network) {
  wire::dns::Query query;
  const auto parsed = wire::dns::parse_query(packet, query);
  // Sandboxes have IPv4 only, and the API's own names are reached at an address of their own.
  if (parsed != wire::dns::kNoError || query.type == wire::dns::kAaaa) return sandbox::default_dns({}, packet);
  if (naming::is_endpoint_name(query.qname())) {
    std::string name = wire::dns::name_to_text(query.qname());
    if (name.ends_with('.')) name.pop_back();
    if (!host_names_.needs_address(name)) return sandbox::default_dns({}, packet);
  }
  char buffer[1400];
  naming::Reply reply{.out = buffer, .limit = sizeof buffer};
  const auto outcome = naming::answer(*zones_.view(network)->load(), query, *parsed, false, true, thread_random(), reply);
  if (outcome == naming::Outcome::kForward || outcome == naming::Outcome::kDropped) return sandbox::default_dns({}, packet);
  auto message = wire::dns::parse_message({buffer, reply.size});
  if (!message) return std::string(buffer, reply.size);
  translate(message->answers);
  message->additional.clear();
  return wire::dns::build_message(*message, query.edns.has_value());
}

// Names of balancers and the like, as DNS answers them. On the control shard.
void Names::take_host_names() {
  stale_ = false;
  const auto now = host_names_.all();
  bool changed = std::erase_if(taken_, [&](const auto& one) {
    if (now.contains(one.first)) return false;
    zones_.set_host(one.first, {});
    return true;
  }) > 0;
  for (const auto& [name, address] : now) {
    Taken& taken = taken_[name];
    taken.health->healthy = host_names_.is_healthy(name);
    if (taken.address == address) continue;
    taken.address = address;
    zones_.set_host(name, {address}, taken.health);
    changed = true;
  }
  if (changed) zones_.publish();
}

Task<http::Response> Names::describe() const {
  wire::Json out = wire::Json::object({{"address", address_}, {"port", port_}});
  wire::Json& upstream = out.set("upstream", wire::Json::array());
  const auto names = co_await store::on(store::Shard::control(), [this]() -> Task<std::vector<std::string>> { co_return upstream_names_; });
  for (const std::string& name : names) upstream.push_back(name);
  http::Response response;
  response.set("content-type", "application/json");
  response.body = out.dump();
  co_return response;
}

}  // namespace reef::app
