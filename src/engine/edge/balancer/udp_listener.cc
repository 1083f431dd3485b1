#include "engine/edge/balancer/udp_listener.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "engine/edge/balancer/scratch.h"

namespace reef::edge {
namespace {

constexpr std::size_t kFlowsMax = 50'000;
constexpr int kDatagramsPerTick = 256;
constexpr std::int64_t kSilentMicros = 120'000'000;

}  // namespace

// A client's socket to its target.
struct UdpListener::Flow final : io::FdHandler {
  Flow(UdpListener& of, std::string from, io::Fd to, std::shared_ptr<Target> chosen) : owner(of), client(std::move(from)), fd(std::move(to)), target(std::move(chosen)) {
    owner.loop_.reactor().watch(fd.get(), EPOLLIN, this);
  }
  ~Flow() override { owner.loop_.reactor().unwatch(fd.get(), this); }
  void on_ready(std::uint32_t) override {
    for (int i = 0; i < kDatagramsPerTick; ++i) {
      const auto n = ::recv(fd.get(), proxy_scratch(), kProxyScratchBytes, 0);
      if (n < 0) return;   // nothing more, or the target's port is closed: UDP tells nobody
      last = owner.loop_.now();
      ::sendto(owner.fd_.get(), proxy_scratch(), static_cast<std::size_t>(n), MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(client.data()),
               static_cast<socklen_t>(client.size()));
    }
  }
  UdpListener& owner;
  std::string client;
  io::Fd fd;
  std::shared_ptr<Target> target;
  std::int64_t last = 0;
};

UdpListener::UdpListener(BalancerLoop& loop, std::shared_ptr<ListenerSlot> slot, io::Fd fd) : loop_(loop), slot_(std::move(slot)), fd_(std::move(fd)) {
  loop_.reactor().watch(fd_.get(), EPOLLIN, this);
}

UdpListener::~UdpListener() { loop_.reactor().unwatch(fd_.get(), this); }

void UdpListener::on_ready(std::uint32_t) {
  for (int i = 0; i < kDatagramsPerTick; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto n = ::recvfrom(fd_.get(), proxy_scratch(), kProxyScratchBytes, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) return;
    Flow* const flow = flow_of({reinterpret_cast<const char*>(&from), size});
    if (!flow) continue;
    flow->last = loop_.now();
    slot_->bytes += static_cast<std::uint64_t>(n);
    ::send(flow->fd.get(), proxy_scratch(), static_cast<std::size_t>(n), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

UdpListener::Flow* UdpListener::flow_of(const std::string& client) {
  if (const auto found = flows_.find(client); found != flows_.end()) return found->second.get();
  const auto& groups = slot_->now->groups.back();
  if (groups.empty() || flows_.size() >= kFlowsMax) return nullptr;
  const auto& targets = groups.front()->targets->usable;
  if (targets.empty()) return nullptr;
  const bool sticky = groups.front()->settings && groups.front()->settings->stickiness == Stickiness::kSourceIp;
  const auto* address = reinterpret_cast<const sockaddr_in*>(client.data());
  const std::uint64_t hash = sticky ? std::hash<std::uint32_t>{}(address->sin_addr.s_addr) * 0x9E3779B97F4A7C15ull : loop_.random();
  const auto& target = targets[hash % targets.size()];
  auto socket = io::connect_udp(target->ip, target->port);
  if (!socket) return nullptr;
  ++slot_->new_connections;
  return flows_.emplace(client, std::make_unique<Flow>(*this, client, *std::move(socket), target)).first->second.get();
}

void UdpListener::expire(std::int64_t now) {
  std::erase_if(flows_, [now](const auto& entry) { return now - entry.second->last > kSilentMicros; });
}

void UdpListener::cut(const std::vector<std::shared_ptr<Target>>& targets) {
  std::erase_if(flows_, [&](const auto& entry) { return std::find(targets.begin(), targets.end(), entry.second->target) != targets.end(); });
}

}  // namespace reef::edge
