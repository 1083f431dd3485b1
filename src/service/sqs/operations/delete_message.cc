// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
#include "service/sqs/batch.h"
#include "service/sqs/errors.h"
#include "service/sqs/naming.h"
#include "service/sqs/operations.h"

namespace reef::service::sqs::operations {
namespace {

// Deleting what is gone already succeeds.
aws::Reply<void> outcome(const Result<void, queue::Refusal>& result, const std::string& handle) {
  if (result || result.error() == queue::Refusal::kNoSuchMessage) return {};
  return Err(to_error(result.error(), handle));
}

}  // namespace

Task<Reply<model::DeleteMessageOutput>> delete_message(Sqs& sqs, const model::DeleteMessageInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  const queue::Handle handle = CO_TRY(decode_handle(in.receipt_handle, name.key()));
  std::vector<queue::Handle> handles{handle};
  const auto removed = CO_TRY(to_reply(co_await sqs.queues.remove(name.key(), std::move(handles))));
  CO_TRY(outcome(removed.front(), in.receipt_handle));
  sqs.counters.add({name.account, name.region, "AWS/SQS", {{"QueueName", name.name}}}, {{"NumberOfMessagesDeleted", 1}});
  co_return model::DeleteMessageOutput{};
}

Task<Reply<model::DeleteMessageBatchOutput>> delete_message_batch(Sqs& sqs, const model::DeleteMessageBatchInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  CO_TRY(check_batch(in.entries, "DeleteMessageBatchRequestEntry"));
  model::DeleteMessageBatchOutput out;
  std::vector<queue::Handle> handles;
  std::vector<const model::DeleteMessageBatchRequestEntry*> entries;
  for (const auto& entry : in.entries) {
    const auto handle = decode_handle(entry.receipt_handle, name.key());
    if (!handle) {
      out.failed.push_back(failed_entry(entry.id, handle.error()));
      continue;
    }
    handles.push_back(*handle);
    entries.push_back(&entry);
  }
  const auto removed = CO_TRY(to_reply(co_await sqs.queues.remove(name.key(), std::move(handles))));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (const auto done = outcome(removed[i], entries[i]->receipt_handle); done) out.successful.push_back({.id = entries[i]->id});
    else out.failed.push_back(failed_entry(entries[i]->id, done.error()));
  }
  if (!out.successful.empty())
    sqs.counters.add({name.account, name.region, "AWS/SQS", {{"QueueName", name.name}}}, {{"NumberOfMessagesDeleted", static_cast<double>(out.successful.size())}});
  co_return out;
}

}  // namespace reef::service::sqs::operations
