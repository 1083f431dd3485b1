// Serves HTTP/1.1 and HTTP/2 (prior knowledge or ALPN), plain and TLS, on one listening socket: the first bytes
// of a connection decide. One Server per reactor; several share a port by SO_REUSEPORT.
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "http/message.h"
#include "io/reactor.h"

namespace reef::io {
class TlsContext;
class Transport;
}

namespace reef::http {

struct ServerOptions {
  std::uint32_t head_bytes_max = 64 * 1024;
  std::uint32_t connections_max = 20'000;      // per reactor; further ones are closed at once
  Duration head_timeout = 30s;                 // from the first byte of a request to the end of its head
  Duration body_timeout = 30s;                 // between two pieces of a body
  Duration idle_timeout = 300s;                // keep-alive without a request
  Duration send_timeout = 60s;                 // a client that does not read
  std::function<io::TlsContext*()> tls;        // asked at the first TLS connection; absent: TLS is refused
};

class Server {
 public:
  Server(io::Reactor& reactor, Handler handler, ServerOptions options = {});
  ~Server();

  // "127.0.0.1", 4566; port 0 takes a free one. Several calls listen on several addresses.
  Result<int, Failure> listen(const std::string& address, int port, bool reuse_port = true);
  // Serves a listening socket that somebody else made (for instance inside a sandbox's network namespace).
  void adopt_listener(int fd);
  // Serves a connection that somebody else accepted, on the server's own thread. Owns it.
  void adopt_connection(int fd, std::string peer);
  // The same for a connection that has been used: TLS may be established, and `unread` was received already.
  void adopt(io::Transport&& transport, std::string peer, std::string unread);
  // Closes listeners and idle connections; `done` runs when the last request was answered, or at `deadline`.
  void drain(Duration deadline, std::function<void()> done);
  std::size_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reef::http
