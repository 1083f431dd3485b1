// The answers of the admin endpoints.
#pragma once

#include <string>
#include <utility>

#include "http/message.h"
#include "wire/json.h"

namespace reef::app {

inline http::Response json_reply(const wire::Json& body, int status = 200) {
  http::Response out;
  out.status = status;
  out.set("content-type", "application/json");
  out.body = body.dump();
  return out;
}
inline http::Response problem(std::string message, int status = 400) { return json_reply(wire::Json::object({{"message", std::move(message)}}), status); }

}  // namespace reef::app
