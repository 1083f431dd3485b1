// A request on its way through the mesh, and what an access log will say of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/edge/balancer/passage.h"
#include "engine/edge/mesh/access_format.h"
#include "engine/edge/mesh/figures.h"
#include "engine/edge/mesh/mesh_loop.h"
#include "engine/edge/mesh/replay_body.h"
#include "engine/edge/mesh/retry.h"
#include "engine/edge/mesh/trip_clock.h"

namespace reef::edge::mesh {

struct MeshLoop::Trip {
  std::shared_ptr<const MemberPlan> caller;
  std::shared_ptr<const Service> service;
  http::Request& request;
  int port = 0;                       // that the caller reached the service at
  const Route* route = nullptr;
  std::shared_ptr<const Node> node;
  std::shared_ptr<Target> target;     // of the last try
  Tracing::Position position;
  Time start{};
  std::int64_t began = 0;             // monotonic microseconds
  std::shared_ptr<TripClock> clock;
  std::shared_ptr<ReplayBody> body;   // null: none
  std::string head;                   // as HTTP/1.1 bytes
  std::string_view upgrade;           // the protocol that is asked for; empty: none
  std::shared_ptr<Passage> tunnel;    // when the target agreed to it
  int tries = 0;
  TryResult result;
  std::string_view target_name;
  std::string endpoint;
};

struct AccessEntry {
  struct Writer {
    std::shared_ptr<const AccessFormat> format;
    std::shared_ptr<const AccessSink> sink;   // null: the default
    std::string owner;
  };
  std::vector<Writer> writers;
  AccessFacts facts;
  std::int64_t began = 0;
  std::shared_ptr<ReplayBody> body;
  std::uint64_t known_size = 0;
};

}  // namespace reef::edge::mesh
