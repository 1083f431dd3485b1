// The HTTP requests that API destinations and their connections make: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/client.h"
#include "service/eventbridge/connections.h"

namespace reef::service::eventbridge {

struct Endpoint {
  bool tls = false;
  std::string host, path, query;  // path with its first slash; query without "?"
  int port = 0;
};
std::optional<Endpoint> parse_endpoint(std::string_view url);

// OAuthParameters of a connection. Nothing for what is no URL.
std::optional<http::Outgoing> token_request(const wire::Json& oauth);
// `bearer`: of OAuth connections. Path parameters take the place of `*` in the endpoint; values like $.detail.id are parts of
// the event.
std::optional<http::Outgoing> destination_request(const ApiDestination& destination, const Connection& connection, const std::string& bearer,
                                                  const model::Target& target, const std::string& event, std::string input);

}  // namespace reef::service::eventbridge
