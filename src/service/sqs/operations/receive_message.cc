// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
#include <algorithm>

#include "base/digest.h"
#include "base/encoding.h"
#include "service/sqs/errors.h"
#include "service/sqs/limits.h"
#include "service/sqs/naming.h"
#include "service/sqs/operations.h"
#include "service/sqs/outgoing.h"
#include "service/sqs/stored_message.h"

namespace reef::service::sqs::operations {
namespace {

bool wants(const std::optional<std::vector<std::string>>& names, std::string_view name) {
  return names && std::any_of(names->begin(), names->end(), [&](const std::string& n) { return n == "All" || n == name; });
}

// "All", ".*", "*", "prefix.*" or a name.
bool wants_attribute(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& wanted) {
    if (wanted == "All" || wanted == ".*" || wanted == "*") return true;
    if (wanted.ends_with(".*")) return name.starts_with(std::string_view(wanted).substr(0, wanted.size() - 2));
    return name == wanted;
  });
}

model::Message to_model(const queue::Message& received, const model::ReceiveMessageInput& in, const QueueName& name, bool is_inside) {
  StoredMessage stored = decode(received.payload);
  model::Message out;
  const auto system = [&](std::string_view attribute, std::string value) {
    if (!value.empty() && (wants(in.attribute_names, attribute) || wants(in.message_system_attribute_names, attribute))) {
      if (!out.attributes) out.attributes.emplace();
      out.attributes->emplace(attribute, std::move(value));
    }
  };
  if (in.attribute_names || in.message_system_attribute_names) {
    system("SenderId", stored.sender_id);
    system("SentTimestamp", std::to_string(to_millis(received.sent_at)));
    system("ApproximateReceiveCount", std::to_string(received.receive_count + stored.received_before));
    system("ApproximateFirstReceiveTimestamp", std::to_string(to_millis(received.first_received_at)));
    system("AWSTraceHeader", stored.trace_header.empty() && is_inside ? stored.hop_trace : stored.trace_header);
    system("DeadLetterQueueSourceArn", stored.dead_letter_source);
    system("MessageGroupId", stored.group);
    system("MessageDeduplicationId", stored.dedup_id);
    if (name.is_fifo()) system("SequenceNumber", sequence_number(received.handle.sequence));
  }
  if (in.message_attribute_names && !in.message_attribute_names->empty()) {
    std::erase_if(stored.attributes, [&](const StoredAttribute& attribute) {
      return !wants_attribute(*in.message_attribute_names, attribute.name);
    });
    if (!stored.attributes.empty()) {
      out.md5_of_message_attributes = md5_of_attributes(stored.attributes);
      auto& attributes = out.message_attributes.emplace();
      for (StoredAttribute& attribute : stored.attributes) {
        auto& value = attributes[attribute.name];
        if (attribute.is_binary()) value.binary_value = std::move(attribute.value);
        else value.string_value = std::move(attribute.value);
        value.data_type = std::move(attribute.type);
      }
    }
  }
  out.message_id = std::move(stored.id);
  out.md5_of_body = hex_encode(stored.md5_of_body);
  out.receipt_handle = encode_handle(received.handle, name.key());
  out.body = std::move(stored.body);
  return out;
}

}  // namespace

Task<Reply<model::ReceiveMessageOutput>> receive_message(Sqs& sqs, const model::ReceiveMessageInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  const std::int64_t count = in.max_number_of_messages.value_or(1);
  if (count < 1 || count > static_cast<std::int64_t>(kBatchEntriesMax))
    co_return Err(invalid_value(std::to_string(count), "MaxNumberOfMessages", "Must be between 1 and 10, if provided."));
  if (in.wait_time_seconds && (*in.wait_time_seconds < 0 || *in.wait_time_seconds > kWaitSecondsMax))
    co_return Err(invalid_value(std::to_string(*in.wait_time_seconds), "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided."));
  if (in.visibility_timeout && (*in.visibility_timeout < 0 || *in.visibility_timeout > kVisibilitySecondsMax))
    co_return Err(invalid_value(std::to_string(*in.visibility_timeout), "VisibilityTimeout", "Must be between 0 and 43200, if provided."));
  queue::ReceiveOptions options{.count_max = static_cast<std::uint32_t>(count)};
  if (in.receive_request_attempt_id && name.is_fifo()) {
    if (!is_fifo_id(*in.receive_request_attempt_id))
      co_return Err(invalid_value(*in.receive_request_attempt_id, "ReceiveRequestAttemptId", "ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length."));
    options.attempt = *in.receive_request_attempt_id;
  }
  if (call.http_request) options.abandoned = call.http_request->abandonment();
  if (in.visibility_timeout) options.lease = std::chrono::seconds(*in.visibility_timeout);
  if (in.wait_time_seconds) options.wait = std::chrono::seconds(*in.wait_time_seconds);
  const std::vector<queue::Message> received = CO_TRY(to_reply(co_await sqs.queues.receive(name.key(), options)));
  sqs.counters.add({name.account, name.region, "AWS/SQS", {{"QueueName", name.name}}},
                   {{"NumberOfMessagesReceived", static_cast<double>(received.size())}, {"NumberOfEmptyReceives", received.empty() ? 1.0 : 0.0}});
  model::ReceiveMessageOutput out;
  if (received.empty()) co_return out;
  auto& messages = out.messages.emplace();
  messages.reserve(received.size());
  for (const queue::Message& message : received) messages.push_back(to_model(message, in, name, call.http_request == nullptr));
  co_return out;
}

}  // namespace reef::service::sqs::operations
