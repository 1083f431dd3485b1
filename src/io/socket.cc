#include "io/socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace reef::io {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family() const { return storage.ss_family; }
};

// Numeric addresses only: looking names up would block the loop.
Result<Address, Failure> numeric_address(const std::string& text, int port) {
  Address out;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    out.size = sizeof *v4;
    return out;
  }
  std::string bare = text;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') bare = bare.substr(1, bare.size() - 2);
  if (::inet_pton(AF_INET6, bare.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    out.size = sizeof *v6;
    return out;
  }
  return Err(Failure{fmt::format("'{}' is not a numeric address", text), EINVAL});
}

}  // namespace

void Fd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Failure last_error(std::string what) {
  const int code = errno;
  return {fmt::format("{}: {}", what, std::strerror(code)), code};
}

namespace {
// On the loopback there is no congestion to control: the plainest algorithm costs the least per segment. Accepted
// connections inherit it. Where it may not be chosen, the default serves.
void calm_loopback(int fd, const std::string& address) {
  if (address.starts_with("127.")) ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}
}  // namespace

Result<Fd, Failure> listen_tcp(const std::string& address, int port, bool reuse_port) {
  const Address at = TRY(numeric_address(address, port));
  Fd fd(::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Err(last_error("socket"));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (reuse_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  calm_loopback(fd.get(), address);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at.storage), at.size) != 0)
    return Err(last_error(fmt::format("listen on {}:{}", address, port)));
  if (::listen(fd.get(), 4096) != 0) return Err(last_error(fmt::format("listen on {}:{}", address, port)));
  return fd;
}

Result<Fd, Failure> connect_tcp(const std::string& address, int port, const std::string& source) {
  const Address at = TRY(numeric_address(address, port));
  Fd fd(::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Err(last_error("socket"));
  set_no_delay(fd.get());
  calm_loopback(fd.get(), address);
  if (!source.empty())
    if (const auto from = numeric_address(source, 0); from && from->family() == at.family()) {
      const int on = 1;   // the port is chosen when connecting, so that it need differ per destination only
      ::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from->storage), from->size);
    }
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&at.storage), at.size) != 0 && errno != EINPROGRESS)
    return Err(last_error(fmt::format("connect to {}:{}", address, port)));
  return fd;
}

int connect_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

Fd accept_connection(int listener) {
  return Fd(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int local_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

std::string peer_name(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
    ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return fmt::format("{}:{}", text, ntohs(v4->sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    return fmt::format("[{}]:{}", text, ntohs(v6->sin6_port));
  }
  return {};
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace reef::io
