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

// The same for a gRPC call, as its client understands it.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details and grpc's http-grpc-status-mapping
inline void answer_in_kind(const http::Request& request, http::Response& own) {
  if (!request.header("content-type").starts_with("application/grpc")) return;
  const int status = own.status == 400 ? 13 : own.status == 401 ? 16 : own.status == 403 ? 7 : own.status == 404 ? 12 : own.status == 429 || (own.status >= 502 && own.status <= 504) ? 14 : 2;
  own.status = 200;
  own.set("content-type", "application/grpc");
  own.set("grpc-status", std::to_string(status));
  own.set("grpc-message", std::exchange(own.body, {}));   // words of this mesh: nothing in them needs escaping
}

}  // namespace reef::edge::mesh
