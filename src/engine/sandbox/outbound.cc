#include "engine/sandbox/outbound.h"

#include <arpa/inet.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <list>
#include <map>
#include <sstream>

#include "engine/sandbox/dns_question.h"
#include "engine/sandbox/relay.h"

namespace reef::sandbox {
namespace {

constexpr std::size_t kConnectionsMax = 1024;  // per sandbox, as many as it may have files open
constexpr std::size_t kQueriesMax = 256;

sockaddr_in to_sockaddr(Destination destination) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(destination.address);
  address.sin_port = htons(destination.port);
  return address;
}

// The first IPv4 name server of the host; re-read per query, as laptops move between networks.
std::optional<Destination> host_resolver() {
  std::ifstream file("/etc/resolv.conf");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string keyword, text;
    in_addr address{};
    if (words >> keyword >> text && keyword == "nameserver" && ::inet_pton(AF_INET, text.c_str(), &address) == 1)
      return Destination{ntohl(address.s_addr), 53};
  }
  return std::nullopt;
}

void reset(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  ::close(fd);
}

}  // namespace

OutboundPolicy default_outbound_policy(int api_port) {
  return [api_port](std::string_view, Destination original) -> std::optional<Destination> {
    constexpr std::uint32_t kLoopback = 0x7F000001;
    if (original.address == kApiAddress && original.port == 53) {
      const auto resolver = host_resolver();  // DNS over TCP
      return resolver;
    }
    if (original.address == kApiAddress) return Destination{kLoopback, static_cast<std::uint16_t>(api_port)};
    // A function that was told "localhost" means the machine it was developed on.
    if (original.address >> 24 == 127 && original.port == api_port) return Destination{kLoopback, original.port};
    const bool is_link_local = original.address >> 16 == 0xA9FE, is_loopback = original.address >> 24 == 127;
    if (is_link_local || is_loopback || original.address >> 24 == 0) return std::nullopt;
    return original;
  };
}

bool leads_here(std::string_view name) {
  constexpr std::string_view kBelow[] = {"localhost.localstack.cloud", "localhost", "amazonaws.com", "amazonaws.com.cn", "on.aws", "api.aws"};
  return std::ranges::any_of(kBelow, [&](std::string_view suffix) {
    if (name.size() == suffix.size()) return name == suffix && suffix != "localhost";
    return name.ends_with(suffix) && name[name.size() - suffix.size() - 1] == '.';
  });
}

std::optional<std::string> default_dns(std::string_view, std::string_view query) {
  const auto question = parse_question(query);
  if (!question) return std::nullopt;
  const bool is_ours = leads_here(question->name);
  if (question->type == kDnsAaaa) return answer(query, *question, std::nullopt);
  if (is_ours && question->type == kDnsA) return answer(query, *question, kApiAddress);
  if (is_ours) return answer(query, *question, std::nullopt);
  return std::nullopt;
}

class Outbound::Listener final : public io::FdHandler {
 public:
  Listener(io::Reactor& reactor, std::string sandbox, int fd, OutboundPolicy policy, AdoptHook adopt)
      : reactor_(reactor), sandbox_(std::move(sandbox)), fd_(fd), policy_(std::move(policy)), adopt_(std::move(adopt)) {
    reactor_.watch(fd_, EPOLLIN, this);
  }
  ~Listener() override {
    reactor_.unwatch(fd_, this);
    ::close(fd_);
    *alive_ = false;
  }
  void on_ready(std::uint32_t) override {
    for (int i = 0; i < 64; ++i) {
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      relay(fd);
    }
  }

 private:
  void relay(int from) {
    sockaddr_in original{};
    socklen_t size = sizeof(original);
    if (relays_.size() >= kConnectionsMax || ::getsockopt(from, SOL_IP, SO_ORIGINAL_DST, &original, &size) < 0) return reset(from);
    const Destination destination{ntohl(original.sin_addr.s_addr), ntohs(original.sin_port)};
    if (adopt_ && adopt_(sandbox_, destination, from)) return;
    const auto target = policy_(sandbox_, destination);
    if (!target) return reset(from);
    const int to = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (to < 0) return reset(from);
    const int on = 1;
    ::setsockopt(from, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const sockaddr_in address = to_sockaddr(*target);
    if (::connect(to, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0 && errno != EINPROGRESS) {
      ::close(to);
      return reset(from);
    }
    const auto at = relays_.emplace(relays_.end());
    *at = std::make_unique<Relay>(reactor_, from, to, [this, at, alive = alive_] {
      if (*alive) relays_.erase(at);
    });
  }

  io::Reactor& reactor_;
  std::string sandbox_;
  int fd_;
  OutboundPolicy policy_;
  AdoptHook adopt_;
  std::list<std::unique_ptr<Relay>> relays_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class Outbound::Resolver final : public io::FdHandler {
 public:
  Resolver(io::Reactor& reactor, std::string sandbox, int fd, DnsHook hook)
      : reactor_(reactor), sandbox_(std::move(sandbox)), fd_(fd), hook_(std::move(hook)) {
    reactor_.watch(fd_, EPOLLIN, this);
  }
  ~Resolver() override {
    reactor_.unwatch(fd_, this);
    ::close(fd_);
    for (auto& [id, query] : forwarded_) reactor_.cancel(query->timer);
  }
  void on_ready(std::uint32_t) override {
    char buffer[2048];
    for (int i = 0; i < 64; ++i) {
      sockaddr_in from{};
      socklen_t size = sizeof(from);
      const ssize_t got = ::recvfrom(fd_, buffer, sizeof(buffer), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 0) return;
      const std::string_view query(buffer, static_cast<std::size_t>(got));
      if (const auto reply = hook_(sandbox_, query))
        send(*reply, from);
      else
        forward(query, from);
    }
  }

 private:
  struct Query final : io::FdHandler {
    Resolver& resolver;
    std::uint64_t id;
    int fd;
    sockaddr_in client;
    io::Reactor::TimerId timer = 0;
    Query(Resolver& r, std::uint64_t i, int f, sockaddr_in c) : resolver(r), id(i), fd(f), client(c) {
      resolver.reactor_.watch(fd, EPOLLIN, this);
    }
    ~Query() override {
      resolver.reactor_.unwatch(fd, this);
      ::close(fd);
    }
    void on_ready(std::uint32_t) override {
      char buffer[4096];
      const ssize_t got = ::recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
      if (got > 0) resolver.send({buffer, static_cast<std::size_t>(got)}, client);
      resolver.reactor_.cancel(timer);
      // Not from inside its own call: at once, but next tick.
      timer = resolver.reactor_.after(Duration(0), [&r = resolver, i = id] { r.forwarded_.erase(i); });
    }
  };

  void send(std::string_view reply, const sockaddr_in& to) {
    ::sendto(fd_, reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  }
  void forward(std::string_view query, const sockaddr_in& client) {
    const auto upstream = host_resolver();
    if (!upstream || forwarded_.size() >= kQueriesMax) return;
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    const sockaddr_in address = to_sockaddr(*upstream);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0 ||
        ::send(fd, query.data(), query.size(), MSG_NOSIGNAL) < 0) {
      ::close(fd);
      return;
    }
    const std::uint64_t id = ++last_id_;
    auto& entry = forwarded_[id] = std::make_unique<Query>(*this, id, fd, client);
    entry->timer = reactor_.after(5s, [this, id] { forwarded_.erase(id); });
  }

  io::Reactor& reactor_;
  std::string sandbox_;
  int fd_;
  DnsHook hook_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Query>> forwarded_;
};

Outbound::Outbound(io::Reactor& reactor, std::string sandbox, int tcp_listener, int dns_socket, OutboundPolicy policy, DnsHook dns, AdoptHook adopt)
    : listener_(std::make_unique<Listener>(reactor, sandbox, tcp_listener, std::move(policy), std::move(adopt))),
      resolver_(std::make_unique<Resolver>(reactor, sandbox, dns_socket, std::move(dns))) {}
Outbound::~Outbound() = default;

}  // namespace reef::sandbox
