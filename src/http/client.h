// Sends HTTP/1.1 requests over kept-alive connections. One Client per reactor.
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "http/message.h"
#include "io/reactor.h"

namespace reef::http {

struct Outgoing {
  std::string method = "GET";
  std::string host;  // a numeric address, or a name that the system resolves
  int port = 80;
  bool tls = false;  // verified against the system's certificates
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers;  // Host is added when missing
  std::string body;
  Body* stream = nullptr;  // instead of `body`; chunked unless its size is known
  Duration timeout = 30s;  // whole exchange until the reply's head; then between two pieces of its body
};

class Client {
 public:
  // Trusts the certificates of `trusted_pem` besides the system's.
  explicit Client(io::Reactor& reactor, std::string trusted_pem = {});
  ~Client();
  // A reply with any status is a value. The reply's body is in `stream`, unread.
  Task<Result<Response, Failure>> send(Outgoing request);

 struct Impl;  // public for the bodies of replies

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace reef::http
