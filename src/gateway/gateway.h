// The request path: identify, authenticate, decode, dispatch, encode. One Gateway serves all loops: it has no state
// of its own that changes.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aws/access_keys.h"
#include "aws/exchange_observer.h"
#include "gateway/authenticate.h"
#include "gateway/dispatcher.h"
#include "gateway/identify.h"
#include "gateway/registry.h"
#include "http/message.h"

namespace reef::gateway {

struct GatewaySettings {
  AuthSettings auth;
  std::uint64_t body_bytes_max = 16ull << 20;      // of calls whose input is not a stream
  std::uint64_t inflated_bytes_max = 64ull << 20;
};

// Looks at a request before it is taken for an AWS call: true when it is its own (health, execute-api hosts, function
// URLs). Then `serve` answers it.
struct SideDoor {
  std::function<bool(const http::Request&)> wants;
  http::Handler serve;
};

class Gateway {
 public:
  Gateway(Registry& registry, Dispatcher& dispatcher, const aws::AccessKeys& keys, const aws::ExchangeObservers& observers,
          GatewaySettings settings)
      : registry_(registry), dispatcher_(dispatcher), keys_(keys), observers_(observers), settings_(std::move(settings)) {}

  void add_side_door(SideDoor door) { side_doors_.push_back(std::move(door)); }
  Task<http::Response> handle(http::Request& request);

 private:
  struct Exchange;
  Task<http::Response> serve_call(http::Request& request);
  Task<http::Response> answer(Exchange& exchange);
  Task<aws::Reply<aws::Value>> run_call(Exchange& exchange);
  http::Response refuse(const aws::Error& error, const Exchange& exchange) const;

  Registry& registry_;
  Dispatcher& dispatcher_;
  const aws::AccessKeys& keys_;
  const aws::ExchangeObservers& observers_;
  GatewaySettings settings_;
  std::vector<SideDoor> side_doors_;
};

}  // namespace reef::gateway
