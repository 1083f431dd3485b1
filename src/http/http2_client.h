// A client's HTTP/2 connection: many requests at once, bodies streamed both ways, trailers. On one loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/task.h"
#include "http/message.h"
#include "io/reactor.h"
#include "io/tls.h"

namespace reef::http {

// Ends a request from outside, before or after its reply's head: whoever waits for it gets a Failure. `end` is set by send().
struct Http2Cancellation {
  std::function<void()> end;
};

struct Http2Request {
  std::string method, scheme = "http", authority, path;
  std::vector<std::pair<std::string, std::string>> headers;   // names in lower case
  Body* body = nullptr;   // null: none. Read until the reply's end at most: it must live as long as the reply's body
  std::shared_ptr<Http2Cancellation> cancellation = nullptr;   // null: the request is not cancelled
};

class Http2Client {
 public:
  // Takes a socket that is connected or connecting, and speaks TLS on it when `tls` is given.
  static std::shared_ptr<Http2Client> start(io::Reactor& reactor, int fd, const io::TlsContext* tls, Duration connect_timeout);
  virtual ~Http2Client() = default;

  // Comes back with the reply's head; its body streams. A Failure with code ECONNREFUSED means that nothing was sent,
  // ECONNRESET that the connection ended before a reply. Dropping the reply's body cancels the request.
  virtual Task<Result<Response, Failure>> send(Http2Request request) = 0;
  // Takes further requests.
  virtual bool is_open() const = 0;
  virtual void close() = 0;
};

}  // namespace reef::http
