// How one running system is set up: the options of `atoll start`.
#pragma once

#include <string>
#include <vector>

#include "engine/store/shard.h"
#include "gateway/authenticate.h"

namespace reef::app {

struct Config {
  std::string address = "127.0.0.1";
  int port = 4566;
  std::string data = ".atoll";
  store::Durability durability = store::Durability::kProcess;
  gateway::AuthSettings auth;
  int dns_port = -1;        // -1: 4553 or the next that is free, any free one when `port` is 0; -2: no DNS server
  std::string resolv_conf = "/etc/resolv.conf";  // names the resolvers of what no zone here knows
  std::size_t shards = 0;   // 0: one per core, at most 8; a data folder keeps the number it was made with
  std::string tier = "auto";  // of the sandboxes: auto, t0, t1, t2
};

}  // namespace reef::app
