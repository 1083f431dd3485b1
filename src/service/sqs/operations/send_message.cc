// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
#include <fmt/format.h>

#include "service/sqs/batch.h"
#include "service/sqs/errors.h"
#include "service/sqs/limits.h"
#include "service/sqs/operations.h"
#include "service/sqs/outgoing.h"

namespace reef::service::sqs::operations {
namespace {

aws::Reply<void> check_fifo(const Outgoing& outgoing, const queue::Settings& settings) {
  if (!settings.is_fifo) return {};
  if (outgoing.message.group.empty()) return Err(invalid_parameter("The request must contain the parameter MessageGroupId."));
  if (outgoing.message.dedup_id.empty() && !settings.dedup_by_content) return Err(missing_deduplication());
  return {};
}

// In a batch an oversized message is worded differently.
aws::Error in_batch(aws::Error error) {
  constexpr std::string_view kSingle = "One or more parameters are invalid.";
  if (error.message.starts_with(kSingle)) error.message.replace(0, kSingle.size(), "One or more parameters cannot be validated.");
  return error;
}

// Fills the members that a single reply and a batch's entry have in common.
template <class Output>
void fill(Output& out, Outgoing& outgoing, const queue::Sent& sent, bool is_fifo) {
  out.md5_of_message_body = outgoing.md5_of_body_hex;
  out.message_id = sent.is_duplicate ? sent.original_id : outgoing.message.id;
  if (!outgoing.md5_of_attributes_hex.empty()) out.md5_of_message_attributes = outgoing.md5_of_attributes_hex;
  if (!outgoing.md5_of_system_attributes_hex.empty()) out.md5_of_message_system_attributes = outgoing.md5_of_system_attributes_hex;
  if (is_fifo) out.sequence_number = sequence_number(sent.sequence);
}

}  // namespace

Task<Reply<model::SendMessageOutput>> send_message(Sqs& sqs, const model::SendMessageInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  Outgoing outgoing = CO_TRY(prepare(in, name, call));
  aws::Reply<void> finished;
  const auto sent = co_await sqs.queues.send(name.key(), [&](const queue::Settings& settings, std::vector<queue::NewMessage>& out) {
    auto message = finish(outgoing, settings);
    if (message) out.push_back(*std::move(message));
    else finished = Err(std::move(message).error());
    return finished.has_value();
  });
  CO_TRY(std::move(finished));
  const std::vector<queue::Sent> results = CO_TRY(to_reply(sent));
  model::SendMessageOutput out;
  fill(out, outgoing, results.front(), name.is_fifo());
  sqs.counters.add({name.account, name.region, "AWS/SQS", {{"QueueName", name.name}}},
                   {{"NumberOfMessagesSent", 1}, {"SentMessageSize", static_cast<double>(outgoing.bytes), metrics::Unit::kBytes}});
  co_return out;
}

Task<Reply<model::SendMessageBatchOutput>> send_message_batch(Sqs& sqs, const model::SendMessageBatchInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  CO_TRY(check_batch(in.entries, "SendMessageBatchRequestEntry"));
  model::SendMessageBatchOutput out;
  std::vector<Outgoing> outgoing;
  std::vector<const std::string*> ids;
  std::size_t total = 0;
  for (const auto& entry : in.entries) {
    auto prepared = prepare(entry, name, call);
    if (!prepared) {
      // A missing body fails the call, as the API's own check does; other faults fail their entry.
      if (prepared.error().query_code == "MissingParameter") co_return std::unexpected(std::move(prepared).error());
      out.failed.push_back(failed_entry(entry.id, prepared.error()));
      continue;
    }
    total += prepared->bytes;
    outgoing.push_back(*std::move(prepared));
    ids.push_back(&entry.id);
  }
  if (total > kMessageBytesMax)
    co_return Err(aws::Error(errors::kBatchRequestTooLong,
                             fmt::format("Batch requests cannot be longer than {} bytes. You have sent {} bytes.", kMessageBytesMax, total)));
  std::vector<std::size_t> accepted;
  aws::Reply<void> whole;
  const auto sent = co_await sqs.queues.send(name.key(), [&](const queue::Settings& settings, std::vector<queue::NewMessage>& messages) {
    // What a FIFO queue must have in every entry fails the call; other faults fail their entry.
    for (const Outgoing& one : outgoing)
      if (whole = check_fifo(one, settings); !whole) return false;
    for (std::size_t i = 0; i < outgoing.size(); ++i) {
      auto message = finish(outgoing[i], settings);
      if (!message) {
        out.failed.push_back(failed_entry(*ids[i], in_batch(message.error())));
        continue;
      }
      messages.push_back(*std::move(message));
      accepted.push_back(i);
    }
    return true;
  });
  CO_TRY(std::move(whole));
  const std::vector<queue::Sent> results = CO_TRY(to_reply(sent));
  for (std::size_t k = 0; k < accepted.size(); ++k) {
    auto& entry = out.successful.emplace_back();
    entry.id = *ids[accepted[k]];
    fill(entry, outgoing[accepted[k]], results[k], name.is_fifo());
    sqs.counters.add({name.account, name.region, "AWS/SQS", {{"QueueName", name.name}}},
                     {{"NumberOfMessagesSent", 1}, {"SentMessageSize", static_cast<double>(outgoing[accepted[k]].bytes), metrics::Unit::kBytes}});
  }
  co_return out;
}

}  // namespace reef::service::sqs::operations
