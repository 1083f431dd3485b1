// The daemon's side of a sandbox's network: connections that were redirected are asked about and relayed from the
// host, DNS queries are answered or forwarded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/reactor.h"

namespace reef::sandbox {

struct Destination {
  std::uint32_t address = 0;  // host byte order
  std::uint16_t port = 0;
  friend bool operator==(const Destination&, const Destination&) = default;
};

// Where a connection goes instead; nothing: it is reset.
using OutboundPolicy = std::function<std::optional<Destination>(std::string_view sandbox, Destination original)>;
// Takes a connection over instead of having it relayed: true when it did, and then owns the descriptor. On the
// thread of the sandbox.
using AdoptHook = std::function<bool(std::string_view sandbox, Destination original, int fd)>;
// A whole DNS reply to a whole query, or nothing to have it forwarded to the host's resolver.
using DnsHook = std::function<std::optional<std::string>(std::string_view sandbox, std::string_view query)>;

// Sandboxes reach the daemon's API at this address, whatever port it listens on.
inline constexpr std::uint32_t kApiAddress = 0xA9FE6401;  // 169.254.100.1
inline constexpr const char* kApiAddressText = "169.254.100.1";

// kApiAddress goes to 127.0.0.1:`api_port`; other link-local addresses are refused (a cloud host's metadata service
// is none of a function's business); everything else connects directly.
OutboundPolicy default_outbound_policy(int api_port);

// Names (lower case) that mean the daemon inside a sandbox: its own, and AWS's, whatever an SDK was told, so that nothing
// reaches the real services by mistake.
bool leads_here(std::string_view name);

// Answers A queries for names that lead here with kApiAddress, and AAAA queries with "no such record", as sandboxes have
// IPv4 only.
std::optional<std::string> default_dns(std::string_view sandbox, std::string_view query);

// Owns both descriptors. Lives on the reactor that makes it.
class Outbound {
 public:
  Outbound(io::Reactor& reactor, std::string sandbox, int tcp_listener, int dns_socket, OutboundPolicy policy,
           DnsHook dns, AdoptHook adopt);
  ~Outbound();

 private:
  class Listener;
  class Resolver;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Resolver> resolver_;
};

}  // namespace reef::sandbox
