// The outcome of a health check, read by every thread that answers queries, written where the check runs.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "base/text.h"

namespace reef::naming {

struct HealthCell {
  std::atomic<bool> healthy{true};
};

// Cells by check id. A record set may name a check before the check is there: it is healthy until told otherwise. On the
// control shard; the cells are read anywhere.
class HealthCells {
 public:
  std::shared_ptr<HealthCell> cell(std::string_view id) {
    const auto found = cells_.find(id);
    if (found != cells_.end()) return found->second;
    return cells_.emplace(std::string(id), std::make_shared<HealthCell>()).first->second;
  }
  void clear() { cells_.clear(); }

 private:
  TextMap<std::shared_ptr<HealthCell>> cells_;
};

}  // namespace reef::naming
