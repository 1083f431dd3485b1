// Queue attributes: AWS's text form, checked, and the engine's settings they become.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "aws/error.h"
#include "aws/call.h"
#include "base/time.h"
#include "engine/queue/queue.h"
#include "service/sqs/naming.h"

namespace reef::service::sqs {

using TextMapOf = std::map<std::string, std::string, std::less<>>;

// What a queue has beyond the engine's settings; kept in Settings::extra.
struct QueueExtra {
  TextMapOf attributes;  // as they were given: Policy, RedrivePolicy, KmsMasterKeyId, ...
  TextMapOf tags;
  std::int64_t created = 0, modified = 0;  // epoch seconds
};
QueueExtra read_extra(const queue::Settings& settings);
void write_extra(queue::Settings& settings, const QueueExtra& extra);

// Checks `attributes` and applies them; whether a queue is FIFO is in the settings already. An empty value removes an attribute that can
// be absent (Policy, RedrivePolicy, ...).
aws::Reply<void> apply_attributes(const TextMapOf& attributes, const QueueName& name, queue::Settings& settings,
                                  QueueExtra& extra);

// Every attribute of the queue but the counts, as GetQueueAttributes gives it.
TextMapOf describe_attributes(const QueueName& name, const queue::Settings& settings, const QueueExtra& extra);
// Whether GetQueueAttributes knows that name.
bool is_queue_attribute(std::string_view name);

}  // namespace reef::service::sqs
