#include "engine/sandbox/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/sandbox/netlink_message.h"
#include "engine/sandbox/nft.h"

namespace reef::sandbox {
namespace {

Failure failed(const char* step, int error) {
  return {fmt::format("{}: {}", step, std::strerror(error)), error};
}

// Sends `batch` and reads one acknowledgement per message that asked for one.
Result<void, Failure> talk(int protocol, const std::string& batch, int acks, const char* step) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return Err(failed(step, errno));
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(fd, batch.data(), batch.size(), 0, reinterpret_cast<sockaddr*>(&kernel), sizeof(kernel)) < 0)
    return Err(failed(step, errno));
  alignas(nlmsghdr) char buffer[16384];
  while (acks > 0) {
    const ssize_t size = ::recv(fd, buffer, sizeof(buffer), 0);
    if (size < 0) return Err(failed(step, errno));
    auto left = static_cast<std::uint32_t>(size);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_type != NLMSG_ERROR) continue;
      const int error = -static_cast<nlmsgerr*>(NLMSG_DATA(message))->error;
      if (error != 0) return Err(failed(step, error));
      --acks;
    }
  }
  return {};
}

Result<void, Failure> bring_up_lo(std::uint32_t address) {
  std::string bytes;
  NetlinkWriter out(bytes);
  constexpr int kLo = 1;  // always the first link of a namespace
  ifinfomsg link{};
  link.ifi_index = kLo;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  out.begin(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, link);
  out.end();
  ifaddrmsg own{};
  own.ifa_family = AF_INET;
  own.ifa_prefixlen = 32;
  own.ifa_index = kLo;
  out.begin(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, own);
  out.raw32(IFA_LOCAL, address);
  out.raw32(IFA_ADDRESS, address);
  out.end();
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_scope = RT_SCOPE_LINK;
  route.rtm_type = RTN_UNICAST;
  out.begin(RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, route);
  out.raw32(RTA_OIF, kLo);
  out.raw32(RTA_PREFSRC, address);
  out.end();
  return talk(NETLINK_ROUTE, bytes, 3, "configure lo");
}

Result<int, Failure> bind_socket(int type, std::uint16_t port) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Err(failed("socket", errno));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0 ||
      (type == SOCK_STREAM && ::listen(fd, 1024) < 0)) {
    const int error = errno;
    ::close(fd);
    return Err(failed("listen inside the sandbox", error));
  }
  return fd;
}

}  // namespace

Result<NetworkFds, Failure> set_up_network(const std::string& address, const std::vector<std::uint16_t>& ports, std::uint16_t host_port) {
  constexpr std::uint16_t kTcpPort = 61001, kDnsPort = 61053;
  in_addr own{};
  if (::inet_pton(AF_INET, address.c_str(), &own) != 1) return Err(Failure{"not an IPv4 address: " + address});
  TRY(bring_up_lo(own.s_addr));
  // As in containers elsewhere: whoever listens on :80 needs no right of root for it. Without it only those ports fail.
  if (const int fd = ::open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC); fd >= 0) {
    static_cast<void>(!::write(fd, "0", 1));
    ::close(fd);
  }
  // Table, two chains and seven rules, or eight, are acknowledged.
  TRY(talk(NETLINK_NETFILTER, redirect_batch({own.s_addr, kTcpPort, kDnsPort, host_port}), host_port ? 11 : 10, "nftables redirect"));
  NetworkFds fds;
  fds.tcp_listener = TRY(bind_socket(SOCK_STREAM, kTcpPort));
  fds.dns_socket = TRY(bind_socket(SOCK_DGRAM, kDnsPort));
  for (std::uint16_t port : ports) fds.listeners.push_back(TRY(bind_socket(SOCK_STREAM, port)));
  return fds;
}

}  // namespace reef::sandbox
