#include "engine/naming/server.h"

#include <sys/epoll.h>

namespace reef::naming {

namespace dns = wire::dns;

namespace {

constexpr int kBatchesMax = 16;  // in one turn of the loop
constexpr std::size_t kConnectionsMax = 256, kWaitingMax = 32;
constexpr Duration kIdleMax = 10s;

}  // namespace

// Queries of one connection are answered as they come ready, each with its length before it.
class Server::Connection final : public io::FdHandler, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server& server, io::Fd fd) : server_(server), fd_(std::move(fd)) {}
  ~Connection() override { stop(); }
  void start() {
    server_.reactor_.watch(fd_.get(), EPOLLIN, this);
    touch();
  }
  void stop() {
    if (!fd_) return;
    server_.reactor_.unwatch(fd_.get(), this);
    server_.reactor_.cancel(timer_);
    fd_.reset();
  }
  void on_ready(std::uint32_t events) override {
    const auto keep = self_;
    touch();
    if (events & EPOLLOUT) write();
    if (fd_ && (events & ~static_cast<std::uint32_t>(EPOLLOUT))) read();
  }
  std::shared_ptr<Connection> self_;  // holds itself while it is open

 private:
  void touch() {
    server_.reactor_.cancel(timer_);
    timer_ = server_.reactor_.after(kIdleMax, [this] { server_.close(this); });
  }
  void read() {
    char buffer[4096];
    for (;;) {
      const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) break;
      if (n <= 0) return server_.close(this);
      in_.append(buffer, static_cast<std::size_t>(n));
      if (in_.size() > 2 * dns::kMessageMax) break;
    }
    while (fd_ && waiting_ < kWaitingMax && in_.size() >= 2 && in_.size() >= 2u + dns::get16(in_.data())) {
      const std::string packet = in_.substr(2, dns::get16(in_.data()));
      in_.erase(0, 2 + packet.size());
      ++waiting_;
      server_.resolver_.resolve(packet, true, [self = self_](std::string_view reply) { self->reply(reply); });
    }
  }
  void reply(std::string_view reply) {
    --waiting_;
    if (!fd_) return;
    if (reply.empty()) return server_.close(this);
    char size[2];
    dns::put16(size, static_cast<std::uint16_t>(reply.size()));
    out_.append(size, 2).append(reply);
    write();
    // What waited for its turn.
    if (fd_ && in_.size() >= 2) server_.reactor_.post([self = self_] { if (self && self->fd_) self->read(); });
  }
  void write() {
    while (!out_.empty()) {
      const ssize_t n = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) break;
      if (n <= 0) return server_.close(this);
      out_.erase(0, static_cast<std::size_t>(n));
    }
    server_.reactor_.rewatch(fd_.get(), out_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT, this);
  }
  Server& server_;
  io::Fd fd_;
  std::string in_, out_;
  std::size_t waiting_ = 0;
  io::Reactor::TimerId timer_ = 0;
};

Server::Server(io::Reactor& reactor, std::shared_ptr<const ViewCell> view, Upstream& upstream) : reactor_(reactor), resolver_(std::move(view), upstream) {}

Server::~Server() {
  *alive_ = false;
  if (udp_fd_) reactor_.unwatch(udp_fd_.get(), &udp_);
  if (tcp_fd_) reactor_.unwatch(tcp_fd_.get(), &tcp_);
  while (!connections_.empty()) close(*connections_.begin());
}

Result<void, Failure> Server::listen(const std::string& address, int port) {
  udp_fd_ = TRY(io::bind_udp(address, port, true));
  port_ = io::local_port(udp_fd_.get());
  tcp_fd_ = TRY(io::listen_tcp(address, port_, true));
  reactor_.watch(udp_fd_.get(), EPOLLIN, &udp_);
  reactor_.watch(tcp_fd_.get(), EPOLLIN, &tcp_);
  return {};
}

void Server::serve_datagrams() {
  for (int round = 0; round < kBatchesMax; ++round) {
    const int count = batch_.receive(udp_fd_.get());
    for (int i = 0; i < count; ++i) {
      const std::string_view packet = batch_.datagram(i);
      Reply reply{.out = batch_.reply_buffer(), .limit = io::DatagramBatch::kOutSize};
      const Outcome outcome = resolver_.answer(packet, false, reply);
      if (outcome == Outcome::kAnswered) batch_.reply(i, reply.size);
      if (outcome != Outcome::kForward && outcome != Outcome::kContinue) continue;
      resolver_.finish_elsewhere(packet, outcome, reply, false, [this, alive = alive_, peer = batch_.peer(i)](std::string_view late) {
        if (*alive && !late.empty()) io::send_datagram(udp_fd_.get(), peer, late);
      });
    }
    batch_.flush(udp_fd_.get());
    if (count < io::DatagramBatch::kCount) return;
  }
}

void Server::accept() {
  while (io::Fd fd = io::accept_connection(tcp_fd_.get())) {
    if (connections_.size() >= kConnectionsMax) continue;
    const auto connection = std::make_shared<Connection>(*this, std::move(fd));
    connection->self_ = connection;
    connections_.insert(connection.get());
    connection->start();
  }
}

void Server::close(Connection* connection) {
  connections_.erase(connection);
  connection->stop();
  connection->self_.reset();
}

}  // namespace reef::naming
