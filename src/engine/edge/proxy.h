// Forwards a request to an HTTP server elsewhere and streams its reply back.
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "http/message.h"

namespace reef::edge {

struct ForwardTo {
  std::string url;               // "http://host:port/path"; the query is that of the request
  std::string method;            // empty: the request's own
  Duration timeout = 30s;
  std::vector<std::pair<std::string, std::string>> extra_headers;
};

// Hop-by-hop headers are dropped and X-Forwarded-For, -Proto and -Port added. The failure's code is ETIMEDOUT when
// the server was too slow.
Task<Result<http::Response, Failure>> forward(http::Request& request, ForwardTo to);

}  // namespace reef::edge
