#include "http.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace service1 {
namespace {

constexpr std::size_t kBodyBytesMax = 1 << 20, kHeadBytesMax = 16 << 10;

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const timeval limit{30, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  }
  ~Connection() { ::close(fd_); }

  std::optional<Message> read() {
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (buffer_.size() > kHeadBytesMax || !more()) return std::nullopt;
    Message message = parse_head(buffer_.substr(0, end + 2));
    buffer_.erase(0, end + 4);
    if (message.headers["transfer-encoding"] == "chunked") return read_chunks(message) ? std::optional(message) : std::nullopt;
    const std::size_t size = std::strtoul(message.headers["content-length"].c_str(), nullptr, 10);
    if (size > kBodyBytesMax) return std::nullopt;
    while (buffer_.size() < size)
      if (!more()) return std::nullopt;
    message.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return message;
  }
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  // Whether something arrives before `stop`.
  bool wait(const volatile bool& stop) {
    while (!stop && buffer_.empty()) {
      pollfd waiting{fd_, POLLIN, 0};
      if (::poll(&waiting, 1, 100) != 0) break;
    }
    return !stop;
  }

 private:
  bool more() {
    char bytes[8192];
    const ssize_t size = ::recv(fd_, bytes, sizeof(bytes), 0);
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }
  bool read_chunks(Message& message) {
    for (;;) {
      std::size_t end;
      while ((end = buffer_.find("\r\n")) == std::string::npos)
        if (!more()) return false;
      const std::size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      buffer_.erase(0, end + 2);
      if (message.body.size() + size > kBodyBytesMax) return false;
      while (buffer_.size() < size + 2)
        if (!more()) return false;
      message.body += buffer_.substr(0, size);
      buffer_.erase(0, size + 2);
      if (size == 0) return true;
    }
  }
  static Message parse_head(const std::string& head) {
    Message message;
    std::size_t at = head.find("\r\n");
    const std::string first = head.substr(0, at);
    if (first.starts_with("HTTP/")) message.status = std::atoi(first.c_str() + 9);
    const auto space = first.find(' '), second = first.find(' ', space + 1);
    message.method = first.substr(0, space);
    if (second != std::string::npos) message.target = first.substr(space + 1, second - space - 1);
    while ((at += 2) < head.size()) {
      const std::size_t end = head.find("\r\n", at), colon = head.find(':', at);
      if (colon < end) {
        std::string name = head.substr(at, colon - at);
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
        const auto value = head.find_first_not_of(' ', colon + 1);
        message.headers[name] = value < end ? head.substr(value, end - value) : "";
      }
      at = end;
    }
    return message;
  }
  int fd_;
  std::string buffer_;
};

std::string head(const std::string& first, const Message& message) {
  std::string out = first + "\r\n";
  for (const auto& [name, value] : message.headers) out += name + ": " + value + "\r\n";
  return out + "content-length: " + std::to_string(message.body.size()) + "\r\n\r\n";
}

}  // namespace

int serve(int port, const std::function<Message(const Message&)>& handler, const volatile bool& stop) {
  const int listener = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool v6 = listener >= 0;
  const int fd = v6 ? listener : ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1, off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (v6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(static_cast<std::uint16_t>(port));
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = six.sin6_port;
  if ((v6 ? ::bind(fd, reinterpret_cast<sockaddr*>(&six), sizeof(six)) : ::bind(fd, reinterpret_cast<sockaddr*>(&four), sizeof(four))) < 0 || ::listen(fd, 1024) < 0) {
    std::perror("listen");
    return 1;
  }
  std::printf("listening on port %d\n", port);
  std::fflush(stdout);
  std::atomic<int> busy = 0;
  while (!stop) {
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, 100) <= 0) continue;
    const int accepted = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) continue;
    ++busy;
    std::thread([accepted, &handler, &stop, &busy] {
      {
        Connection connection(accepted);
        while (connection.wait(stop)) {
          const auto message = connection.read();
          if (!message) break;
          Message answer = handler(*message);
          const bool last = stop || message->headers.contains("connection") && message->headers.at("connection") == "close";
          answer.headers["connection"] = last ? "close" : "keep-alive";
          if (!connection.write(head("HTTP/1.1 " + std::to_string(answer.status) + " -", answer) + answer.body) || last) break;
        }
      }
      --busy;
    }).detach();
  }
  // Requests under way are answered.
  ::close(fd);
  for (int i = 0; i < 100 && busy > 0; ++i) ::usleep(50'000);
  return 0;
}

std::optional<Message> request(const std::string& host, int port, const Message& message) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return std::nullopt;
  int fd = -1;
  for (const addrinfo* one = found; one && fd < 0; one = one->ai_next) {
    fd = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ::connect(fd, one->ai_addr, one->ai_addrlen) == 0) break;
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
  ::freeaddrinfo(found);
  if (fd < 0) return std::nullopt;
  Connection connection(fd);
  if (!connection.write(head(message.method + " " + message.target + " HTTP/1.1", message) + message.body)) return std::nullopt;
  return connection.read();
}

}  // namespace service1
