#include "service/sqs/move_tasks.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "engine/store/records.h"
#include "service/sqs/naming.h"
#include "service/sqs/stored_message.h"
#include "wire/json.h"

namespace reef::service::sqs {
namespace {

constexpr std::string_view kPrefix = "sqs/move-task/";
constexpr std::uint32_t kBatch = 10;

wire::Json to_json(const MoveTask& task) {
  return wire::Json::object({{"handle", task.handle}, {"source", task.source}, {"destination", task.destination},
                             {"perSecondMax", task.per_second_max}, {"status", task.status}, {"failure", task.failure},
                             {"moved", task.moved}, {"toMove", task.to_move}, {"started", task.started_millis}});
}

MoveTask from_json(const wire::Json& json) {
  return {.handle = json.text("handle"), .source = json.text("source"), .destination = json.text("destination"),
          .per_second_max = static_cast<std::int32_t>(json["perSecondMax"].as_int().value_or(0)), .status = json.text("status"),
          .failure = json.text("failure"), .moved = json["moved"].as_int().value_or(0), .to_move = json["toMove"].as_int().value_or(0),
          .started_millis = json["started"].as_int().value_or(0)};
}

}  // namespace

void MoveTasks::resume() {
  store::Shard::control().records().scan(kPrefix, [this](std::string_view, const std::string& value) {
    if (const auto json = wire::Json::parse(value)) {
      MoveTask task = from_json(*json);
      std::string handle = task.handle;
      tasks_.emplace(std::move(handle), std::move(task));
    }
    return true;
  });
  for (auto& [handle, task] : tasks_)
    if (task.status == "RUNNING" || task.status == "CANCELLING") run(handle).detach();
}

void MoveTasks::save(const MoveTask& task) {
  store::Shard::control().records().put(std::string(kPrefix) + task.handle, to_json(task).dump());
}

std::optional<std::string> MoveTasks::start(MoveTask task) {
  for (const auto& [handle, other] : tasks_)
    if (other.source == task.source && (other.status == "RUNNING" || other.status == "CANCELLING")) return std::nullopt;
  task.handle = base64_encode(wire::Json::object({{"taskId", make_uuid(thread_random())}, {"sourceArn", parse_key(task.source).arn()}}).dump());
  save(task);
  std::string handle = task.handle;
  tasks_.emplace(handle, std::move(task));
  run(handle).detach();
  return handle;
}

MoveTask* MoveTasks::find(std::string_view handle) {
  const auto found = tasks_.find(handle);
  return found == tasks_.end() ? nullptr : &found->second;
}

void MoveTasks::cancel(MoveTask& task) {
  task.status = "CANCELLING";
  save(task);
}

std::vector<MoveTask> MoveTasks::of_source(std::string_view key, std::size_t count_max) const {
  std::vector<MoveTask> out;
  for (const auto& [handle, task] : tasks_)
    if (task.source == key) out.push_back(task);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.started_millis > b.started_millis; });
  if (out.size() > count_max) out.resize(count_max);
  return out;
}

// Copies first and removes afterwards: a crash in between duplicates, it never loses. False: nothing is left.
Task<bool> MoveTasks::move_some(MoveTask task, std::uint32_t count, std::int64_t& moved, std::string& failure) {
  auto received = co_await queues_.receive(task.source, {.count_max = count, .lease = 30s, .wait = 0s});
  if (!received) {
    failure = "AWS.SimpleQueueService.NonExistentQueue";
    co_return false;
  }
  if (received->empty()) co_return false;
  std::vector<queue::Handle> handles;
  for (queue::Message& message : *received) {
    StoredMessage stored = decode(message.payload);
    std::string target = task.destination;
    if (target.empty())
      if (const auto source = parse_arn(stored.dead_letter_source)) target = source->key();
    if (target.empty()) {
      failure = "CouldNotDetermineMessageSource";
      co_return false;
    }
    // To the destination it is a new message.
    stored.dead_letter_source.clear();
    stored.received_before = 0;
    stored.id = make_uuid(thread_random());
    std::vector<queue::NewMessage> messages;
    messages.push_back({.payload = encode(stored), .group = stored.group.empty() ? "moved" : stored.group,
                        .dedup_id = stored.dedup_id.empty() ? stored.id : stored.dedup_id + stored.id, .id = stored.id, .delay = 0s});
    const auto sent = co_await queues_.send(target, std::move(messages));
    if (!sent) {
      failure = "AWS.SimpleQueueService.NonExistentQueue";
      co_return false;
    }
    handles.push_back(message.handle);
    ++moved;
  }
  static_cast<void>(co_await queues_.remove(task.source, std::move(handles)));
  co_return true;
}

Task<void> MoveTasks::run(std::string handle) {
  store::Shard& shard = store::Shard::control();
  co_await shard.enter();
  for (;;) {
    MoveTask* task = find(handle);
    if (!task || stopping_) co_return;
    if (task->status == "CANCELLING") {
      task->status = "CANCELLED";
      save(*task);
      co_return;
    }
    const std::uint32_t count = task->per_second_max > 0 ? std::min<std::uint32_t>(kBatch, static_cast<std::uint32_t>(task->per_second_max)) : kBatch;
    std::int64_t moved = 0;
    std::string failure;
    const bool more = co_await move_some(*task, count, moved, failure);
    task = find(handle);
    if (!task) co_return;
    task->moved += moved;
    if (!more && task->status == "RUNNING") {
      task->status = failure.empty() ? "COMPLETED" : "FAILED";
      task->failure = failure;
    }
    save(*task);
    co_await shard.committed();
    if (!more && task->status != "CANCELLING") co_return;
    if (task->per_second_max > 0) co_await shard.reactor().sleep(Duration(1'000'000ll * count / task->per_second_max));
  }
}

}  // namespace reef::service::sqs
