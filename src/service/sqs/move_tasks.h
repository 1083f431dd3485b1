// Message move tasks: messages of a dead letter queue on their way back, a few at a time, at most one task per
// source. They run on the control shard; their records outlive the process, and a task that was running goes on.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "base/time.h"
#include "engine/queue/queues.h"

namespace reef::service::sqs {

struct MoveTask {
  std::string handle;
  std::string source, destination;   // keys; no destination: each message's own source queue
  std::int32_t per_second_max = 0;   // 0: as fast as it goes
  std::string status = "RUNNING";    // RUNNING CANCELLING CANCELLED COMPLETED FAILED
  std::string failure;
  std::int64_t moved = 0, to_move = 0;
  std::int64_t started_millis = 0;
};

class MoveTasks {
 public:
  explicit MoveTasks(queue::Queues& queues) : queues_(queues) {}

  // All on the control shard.
  void resume();
  void stop() { stopping_ = true; }
  // Nothing when a task of that source is running already.
  std::optional<std::string> start(MoveTask task);
  MoveTask* find(std::string_view handle);
  void cancel(MoveTask& task);
  std::vector<MoveTask> of_source(std::string_view key, std::size_t count_max) const;  // newest first

 private:
  Task<void> run(std::string handle);
  Task<bool> move_some(MoveTask task, std::uint32_t count, std::int64_t& moved, std::string& failure);
  void save(const MoveTask& task);
  queue::Queues& queues_;
  std::map<std::string, MoveTask, std::less<>> tasks_;
  bool stopping_ = false;
};

}  // namespace reef::service::sqs
