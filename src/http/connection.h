// One served connection, from its first bytes to its end; internal to the server.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "http/message.h"
#include "http/server.h"
#include "http/socket_stream.h"

namespace reef::http {

// What the connections of one server share.
struct ServerShared {
  io::Reactor& reactor;
  Handler handler;
  ServerOptions options;
  bool draining = false;
  std::list<struct Connection*> connections;
  std::function<void()> on_drained;

  std::int64_t deadline_in(Duration timeout) const { return io::monotonic_micros() + timeout.count(); }
};

struct Connection {
  Connection(std::shared_ptr<ServerShared> server, int fd, std::string peer_name)
      : shared(std::move(server)), stream(shared->reactor, fd), peer(std::move(peer_name)) {
    place = shared->connections.insert(shared->connections.end(), this);
  }
  ~Connection() {
    shared->connections.erase(place);
    if (shared->draining && shared->connections.empty() && shared->on_drained) shared->on_drained();
  }
  std::shared_ptr<ServerShared> shared;
  SocketStream stream;
  std::string peer;
  std::string input;   // received and not yet consumed; empty while idle
  bool idle = false;   // between two requests
  std::list<Connection*>::iterator place;
};

// Serve until the connection ends; `connection.input` holds what was read while the protocol was found out.
Task<void> serve_http1(Connection& connection);
Task<void> serve_http2(Connection& connection);

// A per-thread buffer for one read at a time: nothing may be awaited while its contents matter.
constexpr std::size_t kReadBytes = 64 * 1024;
char* read_scratch();

// Appends "HTTP/1.1 200 OK\r\n" and headers, Date and Connection included; the blank line too.
void append_response_head(std::string& out, const Response& response, std::optional<std::uint64_t> length, bool chunked,
                          bool close);
// The Date header's value, formatted once a second.
std::string_view current_http_date();

}  // namespace reef::http
