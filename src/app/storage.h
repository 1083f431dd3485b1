// The data folder: its lock and format, and the shards that live in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/result.h"
#include "engine/store/kv.h"
#include "engine/store/shard.h"
#include "io/reactor.h"
#include "io/socket.h"

namespace reef::app {

class Storage {
 public:
  // Locks the folder and makes reactors and shards with their journals; nothing is recovered yet.
  static Result<std::unique_ptr<Storage>, Failure> open(const Config& config, io::SystemClock& clock);
  // After every engine attached itself to the journals.
  Result<void, Failure> recover();
  // Clean stop: checkpoints, so that the next start replays nothing.
  void close();
  // Wipes one shard; on its own thread.
  void reset_shard(std::size_t index);

  std::vector<std::unique_ptr<io::Reactor>> reactors;
  std::vector<std::unique_ptr<store::Shard>> shards;
  std::unique_ptr<store::Kv> kv;
  std::string folder;

 private:
  io::Fd lock_;
};

}  // namespace reef::app
