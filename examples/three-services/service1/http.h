// As much of HTTP/1.1 as the service needs: one request at a time on a connection, bodies with a length or chunked.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace service1 {

struct Message {
  std::string method, target;  // of requests
  int status = 0;              // of responses
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Serves until `stop` says so: each connection on a thread of its own.
int serve(int port, const std::function<Message(const Message&)>& handler, const volatile bool& stop);

// One request on a new connection; nothing when it cannot be made.
std::optional<Message> request(const std::string& host, int port, const Message& message);

}  // namespace service1
