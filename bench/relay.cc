// The least a proxy can cost: every connection has an upstream connection of its own, bytes go over as they come, nothing
// is parsed, balanced, measured or logged. What bench/balancer.py prints for it is the kernel's part of every proxy.
//
//   bench_relay PORT UPSTREAM_PORT UPSTREAM_PORT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set(int fd, int level, int option) {
  int one = 1;
  setsockopt(fd, level, option, &one, sizeof one);
}

int must(int result, const char* what) {
  if (result >= 0) return result;
  perror(what);
  exit(1);
}

int listen_on(int port) {
  int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
  set(fd, SOL_SOCKET, SO_REUSEADDR);
  set(fd, SOL_SOCKET, SO_REUSEPORT);
  auto address = loopback(port);
  must(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
  must(listen(fd, 4096), "listen");
  return fd;
}

int dial(int port) {
  int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  auto address = loopback(port);
  must(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), "connect");
  set(fd, IPPROTO_TCP, TCP_NODELAY);
  return fd;
}

void relay(int port, std::array<int, 2> upstreams) {
  int poll = must(epoll_create1(0), "epoll_create1");
  int listener = listen_on(port);
  std::vector<int> peers(65536, -1);
  auto watch = [&](int fd) {
    epoll_event event{.events = EPOLLIN | (fd == listener ? 0U : EPOLLET), .data = {.fd = fd}};
    must(epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  };
  watch(listener);
  std::array<epoll_event, 256> events;
  std::array<char, 16384> bytes;
  size_t accepted = 0;
  for (;;) {
    int ready = epoll_wait(poll, events.data(), events.size(), -1);
    for (int i = 0; i < ready; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        for (int client; (client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
          set(client, IPPROTO_TCP, TCP_NODELAY);
          int upstream = dial(upstreams[accepted++ % 2]);
          peers[client] = upstream, peers[upstream] = client;
          watch(client), watch(upstream);
        }
        continue;
      }
      ssize_t got = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got > 0) {
        send(peers[fd], bytes.data(), static_cast<size_t>(got), MSG_NOSIGNAL);
      } else if (got == 0 && peers[fd] >= 0) {
        int peer = std::exchange(peers[fd], -1);
        peers[peer] = -1;
        close(peer), close(fd);
      }
    }
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return fprintf(stderr, "usage: bench_relay PORT UPSTREAM_PORT UPSTREAM_PORT\n"), 2;
  std::array<int, 2> upstreams{atoi(words[2]), atoi(words[3])};
  std::thread second(relay, atoi(words[1]), upstreams);
  relay(atoi(words[1]), upstreams);
}
