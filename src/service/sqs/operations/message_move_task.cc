// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CancelMessageMoveTask.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
#include "base/encoding.h"
#include "service/sqs/errors.h"
#include "service/sqs/move_tasks.h"
#include "service/sqs/naming.h"
#include "service/sqs/operations.h"
#include "wire/json.h"

namespace reef::service::sqs::operations {
namespace {

aws::Error no_such_resource(std::string_view name) {
  return {errors::kResourceNotFoundException, "The resource that you specified for the " + std::string(name) + " parameter doesn't exist."};
}

}  // namespace

Task<Reply<model::StartMessageMoveTaskOutput>> start_message_move_task(Sqs& sqs, const model::StartMessageMoveTaskInput& in,
                                                                       const Call& call) {
  const auto source = parse_arn(in.source_arn);
  if (!source) co_return Err(invalid_parameter("You must use this format to specify the SourceArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>"));
  if (!co_await sqs.queues.settings(source->key())) co_return Err(no_such_resource("SourceArn"));
  MoveTask task{.source = source->key(), .destination = {}, .started_millis = to_millis(call.now)};
  if (in.destination_arn) {
    const auto destination = parse_arn(*in.destination_arn);
    if (!destination || !co_await sqs.queues.settings(destination->key())) co_return Err(no_such_resource("DestinationArn"));
    task.destination = destination->key();
  }
  const std::string key = source->key();
  const auto sources = co_await sqs.queues.select([&](const std::string&, const queue::Settings& settings) { return settings.dead_letter_queue == key; });
  if (sources.empty()) co_return Err(invalid_parameter("Source queue must be configured as a Dead Letter Queue."));
  if (in.max_number_of_messages_per_second) {
    if (*in.max_number_of_messages_per_second < 1 || *in.max_number_of_messages_per_second > 500)
      co_return Err(invalid_parameter("MaxNumberOfMessagesPerSecond must be between 1 and 500."));
    task.per_second_max = *in.max_number_of_messages_per_second;
  }
  const queue::Counts counts = CO_TRY(to_reply(co_await sqs.queues.counts(key)));
  task.to_move = static_cast<std::int64_t>(counts.waiting);
  const auto handle = co_await store::on(store::Shard::control(), [&]() -> Task<std::optional<std::string>> {
    auto started = sqs.moves->start(std::move(task));
    co_await store::Shard::control().committed();
    co_return started;
  });
  if (!handle)
    co_return Err(invalid_parameter("There is already a task running. Only one active task is allowed for a source queue arn at a given time."));
  co_return model::StartMessageMoveTaskOutput{.task_handle = *handle};
}

Task<Reply<model::CancelMessageMoveTaskOutput>> cancel_message_move_task(Sqs& sqs, const model::CancelMessageMoveTaskInput& in, const Call&) {
  const auto moved = co_await store::on(store::Shard::control(), [&]() -> Task<std::optional<std::int64_t>> {
    MoveTask* task = sqs.moves->find(in.task_handle);
    if (!task || task->status != "RUNNING") co_return std::nullopt;
    sqs.moves->cancel(*task);
    const std::int64_t so_far = task->moved;
    co_await store::Shard::control().committed();
    co_return so_far;
  });
  if (!moved) {
    const auto bytes = base64_decode(in.task_handle);
    const auto handle = wire::Json::parse(bytes.value_or(""));
    const auto source = handle ? parse_arn(handle->text("sourceArn")) : std::nullopt;
    if (!source || handle->text("taskId").empty()) co_return Err(invalid_parameter("Value for parameter TaskHandle is invalid."));
    if (!co_await sqs.queues.settings(source->key())) co_return Err(no_such_resource("SourceArn"));
    co_return Err(aws::Error(errors::kResourceNotFoundException, "Task does not exist."));
  }
  co_return model::CancelMessageMoveTaskOutput{.approximate_number_of_messages_moved = *moved};
}

Task<Reply<model::ListMessageMoveTasksOutput>> list_message_move_tasks(Sqs& sqs, const model::ListMessageMoveTasksInput& in, const Call&) {
  const auto source = parse_arn(in.source_arn);
  if (!source || !co_await sqs.queues.settings(source->key())) co_return Err(no_such_resource("SourceArn"));
  const std::int32_t count = in.max_results.value_or(1);
  if (count < 1 || count > 10) co_return Err(invalid_parameter("MaxResults must be between 1 and 10."));
  const auto tasks = co_await store::on(store::Shard::control(), [&]() -> Task<std::vector<MoveTask>> {
    co_return sqs.moves->of_source(source->key(), static_cast<std::size_t>(count));
  });
  model::ListMessageMoveTasksOutput out;
  auto& results = out.results.emplace();
  for (const MoveTask& task : tasks) {
    auto& entry = results.emplace_back();
    if (task.status == "RUNNING") entry.task_handle = task.handle;
    entry.status = task.status;
    entry.source_arn = parse_key(task.source).arn();
    if (!task.destination.empty()) entry.destination_arn = parse_key(task.destination).arn();
    if (task.per_second_max > 0) entry.max_number_of_messages_per_second = task.per_second_max;
    entry.approximate_number_of_messages_moved = task.moved;
    entry.approximate_number_of_messages_to_move = task.to_move;
    if (!task.failure.empty()) entry.failure_reason = task.failure;
    entry.started_timestamp = task.started_millis;
  }
  co_return out;
}

}  // namespace reef::service::sqs::operations
