// What forgets its state when everything is wiped. Engines that hold more than journal records add themselves.
#pragma once

#include <functional>
#include <vector>

#include "base/task.h"

namespace reef::store {

struct ResetHooks {
  // Run one after the other on the control shard, before the journals and the key-value store are emptied.
  std::vector<std::function<Task<void>()>> hooks;
};

}  // namespace reef::store
