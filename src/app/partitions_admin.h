// `atoll partition`, `heal` and `partitions` on the daemon's side: /_atoll/partitions.
#pragma once

#include "engine/network/networks.h"
#include "gateway/gateway.h"

namespace reef::app {

gateway::SideDoor make_partitions_admin(network::Networks& networks);

}  // namespace reef::app
