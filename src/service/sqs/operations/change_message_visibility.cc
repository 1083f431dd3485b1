// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
#include "service/sqs/batch.h"
#include "service/sqs/errors.h"
#include "service/sqs/limits.h"
#include "service/sqs/naming.h"
#include "service/sqs/operations.h"

namespace reef::service::sqs::operations {
namespace {

aws::Reply<std::pair<queue::Handle, Duration>> read_change(const std::string& handle, std::int64_t seconds, const QueueName& name) {
  if (seconds < 0 || seconds > kVisibilitySecondsMax)
    return Err(invalid_value(std::to_string(seconds), "VisibilityTimeout", "Must be between 0 and 43200, if provided."));
  return std::pair(TRY(decode_handle(handle, name.key())), Duration(std::chrono::seconds(seconds)));
}

}  // namespace

Task<Reply<model::ChangeMessageVisibilityOutput>> change_message_visibility(Sqs& sqs, const model::ChangeMessageVisibilityInput& in,
                                                                            const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  const auto change = CO_TRY(read_change(in.receipt_handle, in.visibility_timeout, name));
  std::vector<std::pair<queue::Handle, Duration>> changes{change};
  const auto changed = CO_TRY(to_reply(co_await sqs.queues.change_lease(name.key(), std::move(changes))));
  CO_TRY(to_reply(changed.front(), in.receipt_handle));
  co_return model::ChangeMessageVisibilityOutput{};
}

Task<Reply<model::ChangeMessageVisibilityBatchOutput>> change_message_visibility_batch(
    Sqs& sqs, const model::ChangeMessageVisibilityBatchInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  CO_TRY(check_batch(in.entries, "ChangeMessageVisibilityBatchRequestEntry"));
  model::ChangeMessageVisibilityBatchOutput out;
  std::vector<std::pair<queue::Handle, Duration>> changes;
  std::vector<const model::ChangeMessageVisibilityBatchRequestEntry*> entries;
  for (const auto& entry : in.entries) {
    const auto change = read_change(entry.receipt_handle, entry.visibility_timeout.value_or(0), name);
    if (!change) {
      out.failed.push_back(failed_entry(entry.id, change.error()));
      continue;
    }
    changes.push_back(*change);
    entries.push_back(&entry);
  }
  const auto changed = CO_TRY(to_reply(co_await sqs.queues.change_lease(name.key(), std::move(changes))));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (changed[i]) out.successful.push_back({.id = entries[i]->id});
    else out.failed.push_back(failed_entry(entries[i]->id, to_error(changed[i].error(), entries[i]->receipt_handle)));
  }
  co_return out;
}

}  // namespace reef::service::sqs::operations
