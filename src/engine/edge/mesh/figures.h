// What passed between one caller and one service.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "engine/edge/mesh/histogram.h"

namespace reef::edge::mesh {

struct Figures {
  std::string caller, service, target;   // as they are called; target: the node that answered, "" when none did
  std::uint64_t requests = 0;            // and connections, with TCP
  std::uint64_t errors = 0;              // 5xx, and what was not answered at all
  std::uint64_t retries = 0, denied = 0;
  Histogram latency;                     // until the reply's head, in microseconds
  void add(const Figures& other) {
    requests += other.requests, errors += other.errors, retries += other.retries, denied += other.denied;
    latency.add(other.latency);
  }
};

// One hop that ended, as its span tells it.
struct Hop {
  std::string_view caller, service, target, endpoint, method, path;
  std::string_view account, region;
  std::string_view root, parent, id;     // of the trace
  int status = 0, retries = 0;
  std::string_view error;                // "denied", "no-endpoint", ...; empty when there was a reply
  Time start{};
  Duration took{0};
  std::string_view caller_group, owner, group;   // of the caller's and the service's plans
};

// Who keeps the traces of a system. On any loop.
struct Tracing {
  struct Position {
    std::string root, parent, id;
    std::string amzn, traceparent;       // what the next one is sent
  };
  std::function<Position(std::string_view amzn, std::string_view traceparent, Time now)> begin;
  std::function<void(const Hop&)> end;
};

}  // namespace reef::edge::mesh
