// Requests to the web of whoever is configured with a URL: to this machine's own sites (user pools, APIs) without a
// connection, to others over HTTP. One per loop.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/edge/sites.h"
#include "http/client.h"

namespace reef::edge {

// "https://host[:port]/path[?query]"; plain http only to this machine.
struct ProviderUrl {
  bool tls = true;
  std::string host;
  int port = 443;
  std::string target;
};
std::optional<ProviderUrl> parse_provider_url(std::string_view url);

class Web {
 public:
  // `sites` may be null.
  Web(io::Reactor& reactor, std::string trusted_pem, const Sites* sites) : client_(reactor, std::move(trusted_pem)), sites_(sites) {}
  Task<Result<http::Response, Failure>> send(http::Outgoing request);
  // The text of a reply with status 200 of at most `bytes_max`.
  Task<Result<std::string, Failure>> read(std::string url, std::size_t bytes_max, Duration patience);

 private:
  http::Client client_;
  const Sites* sites_;
};

}  // namespace reef::edge
