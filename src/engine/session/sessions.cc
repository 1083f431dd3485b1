#include "engine/session/sessions.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "io/socket.h"
#include "wire/websocket.h"

namespace reef::session {
namespace {

constexpr Duration kResend = 200ms, kInvited = 60s, kHangsUp = 5s;
constexpr std::size_t kHeadMax = 16 << 10, kMessageMax = 1 << 20, kConnectionsMax = 256;
constexpr std::string_view kPath = "/v1/data-channel/";

std::string header(std::string_view head, std::string_view name) {
  for (std::string_view line : split(head, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !equals_ignoring_case(line.substr(0, colon), name)) continue;
    line.remove_prefix(colon + 1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    return std::string(line);
  }
  return {};
}

std::string message_id() {
  std::string out;
  for (int i = 0; i < 2; ++i)
    for (std::uint64_t bits = thread_random().next(), byte = 0; byte < 8; ++byte, bits >>= 8) out += static_cast<char>(bits);
  return out;
}

}  // namespace

struct Sessions::Session {
  Session(std::string name, std::string secret, ChannelEvents what)
      : id(std::move(name)), on_terminate(what.on_terminate), channel(id, std::move(secret), std::move(what), message_id) {}
  std::string id;
  std::function<void()> on_terminate;
  Channel channel;
  Connection* connection = nullptr;
  io::Reactor::TimerId timer = 0;
  bool has_ended = false;  // the program did
};

struct Sessions::Connection final : io::FdHandler {
  Connection(Sessions& sessions, io::Fd socket) : owner(sessions), fd(std::move(socket)), reader(kMessageMax) {}
  Sessions& owner;
  io::Fd fd;
  std::string head, out;
  wire::WebSocketReader reader;
  std::shared_ptr<Session> session;
  bool is_open = false, ends = false;

  void on_ready(std::uint32_t events) override {
    const auto keep = owner.connections_.at(this);
    if (events & EPOLLOUT) write();
    if (events & ~static_cast<std::uint32_t>(EPOLLOUT)) read();
  }

  void read() {
    char buffer[16384];
    const ssize_t size = ::recv(fd.get(), buffer, sizeof(buffer), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return owner.close(*this);
    if (session) reader.add({buffer, static_cast<std::size_t>(size)});
    else head.append(buffer, static_cast<std::size_t>(size));
    if (!session && !shake_hands()) return;
    while (auto message = reader.next()) take(*message);
    if (reader.failed()) return owner.close(*this);
    if (session) owner.flush(*session);
  }

  // Whether there is a session now.
  bool shake_hands() {
    const auto end = head.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (head.size() > kHeadMax) owner.close(*this);
      return false;
    }
    std::string_view target = std::string_view(head).substr(0, head.find("\r\n"));
    const std::string key = header(std::string_view(head).substr(0, end), "sec-websocket-key");
    std::string id;
    if (target.starts_with("GET ") && target.substr(4).starts_with(kPath)) {
      target.remove_prefix(4 + kPath.size());
      id = target.substr(0, target.find_first_of("? "));
    }
    const auto found = owner.sessions_.find(id);
    if (found == owner.sessions_.end() || found->second->connection || key.empty()) {
      out += "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
      ends = true;
      write();
      return false;
    }
    session = found->second;
    session->connection = this;
    reactor().cancel(std::exchange(session->timer, 0));  // somebody came
    out += fmt::format("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n", wire::websocket_accept(key));
    reader.add(std::string_view(head).substr(end + 4));
    head.clear();
    write();
    return session != nullptr;
  }

  void take(const wire::WebSocketMessage& message) {
    const Time now = owner.reactor().now();
    switch (message.kind) {
      case wire::WebSocketKind::kText:
        if (!is_open && !session->channel.open(message.payload, now)) return refuse();
        is_open = true;
        return;
      case wire::WebSocketKind::kBinary: return session->channel.receive(message.payload, now);
      case wire::WebSocketKind::kPing: out += wire::websocket_frame(wire::WebSocketKind::kPong, message.payload); return;
      case wire::WebSocketKind::kPong: return;
      case wire::WebSocketKind::kClose: return refuse();
    }
  }
  void refuse() {
    out += wire::websocket_frame(wire::WebSocketKind::kClose, "");
    ends = true;
  }

  void write() {
    while (!out.empty()) {
      const ssize_t size = ::send(fd.get(), out.data(), out.size(), MSG_NOSIGNAL);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno != EAGAIN) return owner.close(*this);
      if (size <= 0) break;
      out.erase(0, static_cast<std::size_t>(size));
    }
    if (out.empty() && ends) return owner.close(*this);
    owner.reactor().rewatch(fd.get(), out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT, this);
  }
};

struct Sessions::Listener final : io::FdHandler {
  Listener(Sessions& sessions, io::Fd socket) : owner(sessions), fd(std::move(socket)) {}
  Sessions& owner;
  io::Fd fd;
  void on_ready(std::uint32_t) override { owner.accept(); }
};

Sessions::Sessions() = default;
Sessions::~Sessions() = default;
io::Reactor& Sessions::reactor() { return store::Shard::control().reactor(); }

void Sessions::stop() {
  for (const auto& [id, session] : sessions_) reactor().cancel(session->timer);
  for (const auto& [key, connection] : connections_) reactor().unwatch(connection->fd.get(), connection.get());
  if (listener_) reactor().unwatch(listener_->fd.get(), listener_.get());
  sessions_.clear();
  connections_.clear();
  listener_.reset();
}

Result<Invitation, Failure> Sessions::invite(const std::string& id, ChannelEvents events) {
  if (!listener_) {
    listener_ = std::make_unique<Listener>(*this, TRY(io::listen_tcp("127.0.0.1", 0, false)));
    reactor().watch(listener_->fd.get(), EPOLLIN, listener_.get());
  }
  Invitation out{.url = fmt::format("ws://127.0.0.1:{}{}{}?role=publish_subscribe", io::local_port(listener_->fd.get()), kPath, id), .token = make_token(thread_random(), 64)};
  const auto session = std::make_shared<Session>(id, out.token, std::move(events));
  sessions_[id] = session;
  session->timer = reactor().after(kInvited, [this, id] {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    found->second->timer = 0;
    if (!found->second->connection) drop(id);
  });
  return out;
}

void Sessions::accept() {
  while (io::Fd fd = io::accept_connection(listener_->fd.get())) {
    if (connections_.size() >= kConnectionsMax) continue;
    io::set_no_delay(fd.get());
    const auto connection = std::make_shared<Connection>(*this, std::move(fd));
    connections_[connection.get()] = connection;
    reactor().watch(connection->fd.get(), EPOLLIN, connection.get());
  }
}

void Sessions::flush(Session& session) {
  Connection* connection = session.connection;
  if (!connection) return;
  for (const std::string& message : session.channel.take(reactor().now())) connection->out += wire::websocket_frame(wire::WebSocketKind::kBinary, message);
  const bool waits = session.channel.waits();
  const std::string id = session.id;
  // The client hangs up by itself once it has heard the last word; one that does not is left.
  if (session.channel.is_over() && session.timer == 0)
    session.timer = reactor().after(kHangsUp, [this, id] {
      const auto found = sessions_.find(id);
      if (found == sessions_.end()) return;
      found->second->timer = 0;
      if (found->second->connection) close(*found->second->connection);
    });
  if (waits && session.timer == 0)
    session.timer = reactor().after(kResend, [this, id] {
      const auto found = sessions_.find(id);
      if (found == sessions_.end()) return;
      found->second->timer = 0;
      found->second->channel.resend();
      flush(*found->second);
    });
  connection->write();  // may end it all
}

void Sessions::print(std::string_view id, std::string_view bytes) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const auto session = found->second;
  session->channel.print(bytes, reactor().now());
  flush(*session);
}

void Sessions::end(std::string_view id, std::string text, std::optional<int> code) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const auto session = found->second;
  session->has_ended = true;
  session->channel.end(std::move(text), code, reactor().now());
  if (session->connection) flush(*session);
  else drop(id);
}

void Sessions::drop(std::string_view id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const auto session = found->second;
  sessions_.erase(found);
  reactor().cancel(session->timer);
  if (!session->has_ended && session->on_terminate) session->on_terminate();
}

void Sessions::close(Connection& connection) {
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  const auto keep = found->second;
  connections_.erase(found);
  reactor().unwatch(connection.fd.get(), &connection);
  connection.fd.reset();
  if (!connection.session) return;
  connection.session->connection = nullptr;
  drop(connection.session->id);
}

}  // namespace reef::session
