#include "http/server.h"

#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "http/connection.h"
#include "io/socket.h"

namespace reef::http {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr char kTlsHandshake = 0x16;

// Finds out what the client speaks and serves it.
Task<void> serve(std::unique_ptr<Connection> connection) {
  ServerShared& shared = *connection->shared;
  SocketStream& stream = connection->stream;
  const std::int64_t deadline = shared.deadline_in(shared.options.head_timeout);
  if (stream.transport().negotiated_protocol() == "h2") co_return co_await serve_http2(*connection);
  if (stream.transport().is_tls() || !connection->input.empty()) co_return co_await serve_http1(*connection);
  if (!co_await stream.readable(shared.deadline_in(shared.options.idle_timeout))) co_return;
  char first = 0;
  if (shared.options.tls && stream.transport().peek(&first, 1) == 1 && first == kTlsHandshake) {
    io::TlsContext* tls = shared.options.tls();
    if (!tls) co_return;
    stream.transport().start_server_tls(*tls);
    if (!co_await stream.handshake(deadline)) co_return;
    if (stream.transport().negotiated_protocol() == "h2") {
      co_await serve_http2(*connection);
      co_return;
    }
  }
  while (kPreface.starts_with(connection->input) && connection->input.size() < kPreface.size()) {
    const long n = co_await stream.read(read_scratch(), kReadBytes, connection->input.empty() ? shared.deadline_in(shared.options.idle_timeout) : deadline);
    if (n <= 0) co_return;
    connection->input.append(read_scratch(), static_cast<std::size_t>(n));
  }
  if (connection->input.starts_with(kPreface)) co_await serve_http2(*connection);
  else co_await serve_http1(*connection);
}

class Listener final : public io::FdHandler {
 public:
  Listener(std::shared_ptr<ServerShared> shared, io::Fd fd) : shared_(std::move(shared)), fd_(std::move(fd)) {
    shared_->reactor.watch(fd_.get(), EPOLLIN, this);
  }
  ~Listener() override {
    if (paused_) shared_->reactor.cancel(paused_);
    else shared_->reactor.unwatch(fd_.get(), this);
  }

  void on_ready(std::uint32_t) override {
    constexpr int kPerTick = 64;
    for (int i = 0; i < kPerTick; ++i) {
      io::Fd accepted = io::accept_connection(fd_.get());
      if (!accepted) {
        if (errno == EMFILE || errno == ENFILE) pause();
        return;
      }
      if (shared_->connections.size() >= shared_->options.connections_max) continue;  // closed at once
      io::set_no_delay(accepted.get());
      std::string peer = io::peer_name(accepted.get());
      serve(std::make_unique<Connection>(shared_, accepted.release(), std::move(peer))).detach();
    }
  }

 private:
  // Out of descriptors: the socket stays readable, so the loop would spin on it.
  void pause() {
    log::warn("no descriptor left for a new connection; waiting for some to close", {{"open", shared_->connections.size()}});
    shared_->reactor.unwatch(fd_.get(), this);
    paused_ = shared_->reactor.after(200ms, [this] {
      paused_ = 0;
      shared_->reactor.watch(fd_.get(), EPOLLIN, this);
    });
  }
  std::shared_ptr<ServerShared> shared_;
  io::Fd fd_;
  io::Reactor::TimerId paused_ = 0;
};

}  // namespace

char* read_scratch() {
  // Never value-initialised: it is only ever read where the kernel wrote.
  thread_local const std::unique_ptr<char[]> scratch(new char[kReadBytes]);
  return scratch.get();
}

std::string_view current_http_date() {
  thread_local std::string text;
  thread_local std::int64_t second = -1;
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  if (to_seconds(now) != second) {
    second = to_seconds(now);
    text = format_http_date(now);
  }
  return text;
}

void append_response_head(std::string& out, const Response& response, std::optional<std::uint64_t> length, bool chunked,
                          bool close) {
  char number[24];
  const auto append_number = [&](std::uint64_t value) {
    out.append(number, std::to_chars(number, number + sizeof number, value).ptr);
  };
  out += "HTTP/1.1 ";
  append_number(static_cast<std::uint64_t>(response.status));
  out += ' ';
  out += reason_phrase(response.status);
  bool has_date = false;
  for (const auto& [name, value] : response.headers) {
    if (equals_ignoring_case(name, "date")) has_date = true;
    // A line break in a value would let a handler's input forge headers.
    if (value.find_first_of("\r\n") != std::string::npos) continue;
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  if (length && !response.find("content-length")) {
    out += "\r\nContent-Length: ";
    append_number(*length);
  }
  if (chunked) out += "\r\nTransfer-Encoding: chunked";
  if (!has_date) {
    out += "\r\nDate: ";
    out += current_http_date();
  }
  if (close) out += "\r\nConnection: close";
  out += "\r\n\r\n";
}

struct Server::Impl {
  std::shared_ptr<ServerShared> shared;
  std::vector<std::unique_ptr<Listener>> listeners;
  io::Reactor::TimerId sweep_timer = 0, drain_timer = 0;

  // Deadlines are checked once a second for all connections, which costs less than a timer for each.
  void sweep() {
    sweep_timer = shared->reactor.after(1s, [this] {
      const std::int64_t now = io::monotonic_micros();
      for (Connection* connection : shared->connections) connection->stream.expire(now);
      sweep();
    });
  }
  void close_connections(bool only_idle) {
    for (Connection* connection : shared->connections)
      if (!only_idle || connection->idle) connection->stream.close();
  }
};

Server::Server(io::Reactor& reactor, Handler handler, ServerOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->shared = std::make_shared<ServerShared>(ServerShared{reactor, std::move(handler), std::move(options)});
  impl_->sweep();
}

Server::~Server() {
  impl_->shared->reactor.cancel(impl_->sweep_timer);
  impl_->shared->reactor.cancel(impl_->drain_timer);
  impl_->shared->on_drained = nullptr;
  impl_->listeners.clear();
  impl_->close_connections(false);
}

Result<int, Failure> Server::listen(const std::string& address, int port, bool reuse_port) {
  io::Fd fd = TRY(io::listen_tcp(address, port, reuse_port));
  const int actual = io::local_port(fd.get());
  impl_->listeners.push_back(std::make_unique<Listener>(impl_->shared, std::move(fd)));
  return actual;
}

void Server::adopt_listener(int fd) {
  impl_->listeners.push_back(std::make_unique<Listener>(impl_->shared, io::Fd(fd)));
}

void Server::adopt_connection(int fd, std::string peer) {
  io::Fd owned(fd);
  if (impl_->shared->draining || impl_->shared->connections.size() >= impl_->shared->options.connections_max) return;
  io::set_no_delay(owned.get());
  serve(std::make_unique<Connection>(impl_->shared, owned.release(), std::move(peer))).detach();
}

void Server::adopt(io::Transport&& transport, std::string peer, std::string unread) {
  if (impl_->shared->draining || impl_->shared->connections.size() >= impl_->shared->options.connections_max) return;
  auto connection = std::make_unique<Connection>(impl_->shared, transport.fd(), std::move(peer));
  connection->stream.transport().take(transport);
  transport.adopt(-1);   // it had the same descriptor
  connection->stream.assume_readable();
  connection->input = std::move(unread);
  serve(std::move(connection)).detach();
}

void Server::drain(Duration deadline, std::function<void()> done) {
  impl_->shared->draining = true;
  impl_->listeners.clear();
  if (impl_->shared->connections.empty()) return done();
  impl_->shared->on_drained = std::move(done);
  impl_->close_connections(true);
  impl_->drain_timer = impl_->shared->reactor.after(deadline, [this] { impl_->close_connections(false); });
}

std::size_t Server::connections() const { return impl_->shared->connections.size(); }

}  // namespace reef::http
