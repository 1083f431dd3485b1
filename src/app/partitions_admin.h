// `atoll partition`, `heal` and `partitions` on the daemon's side: /_atoll/partitions.
#pragma once

#include "engine/network/networks.h"
#include "gateway/gateway.h"

namespace reef::app {

// Brings back the partitions that were there when the daemon ended. On the control shard, after recovery.
void restore_partitions(network::Networks& networks);

gateway::SideDoor make_partitions_admin(network::Networks& networks);

}  // namespace reef::app
