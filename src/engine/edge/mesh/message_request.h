// A request as the routes of the mesh look at it.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "engine/edge/mesh/routes.h"
#include "http/message.h"

namespace reef::edge::mesh {

struct MessageRequest final : RouteRequest {
  MessageRequest(const http::Request& request, int asked_port) : message(request) {
    method = request.method;
    host = request.host.substr(0, request.host.find(':'));
    path = request.path;
    query = request.query;
    port = asked_port;
  }
  bool any_header(std::string_view lower_name, const std::function<bool(std::string_view)>& visit) const override {
    return std::any_of(message.headers.begin(), message.headers.end(),
                       [&](const http::HeaderView& header) { return header.name == lower_name && visit(header.value); });
  }
  const http::Request& message;
};

// What the mesh itself answers.
inline http::Response plain(int status, std::string_view text) {
  http::Response out;
  out.status = status;
  out.set("content-type", "text/plain");
  out.body = text;
  return out;
}

}  // namespace reef::edge::mesh
