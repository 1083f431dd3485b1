// What a dead letter queue and its source ask of each other when a policy is set.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
#pragma once

#include <string>

#include "base/task.h"
#include "service/sqs/attributes.h"
#include "service/sqs/sqs.h"

namespace reef::service::sqs {

// The form of a RedrivePolicy for a queue of that name; applied to the settings. An empty value removes it.
aws::Reply<void> apply_redrive(const std::string& value, const QueueName& name, queue::Settings& settings);
// The form of a RedriveAllowPolicy.
aws::Reply<void> check_redrive_allow(const std::string& value);
// Whether the queue that the RedrivePolicy among `attributes` names exists and lets `source` use it.
Task<aws::Reply<void>> check_dead_letter_queue(queue::Queues& queues, const TextMapOf& attributes, const QueueName& source);

}  // namespace reef::service::sqs
