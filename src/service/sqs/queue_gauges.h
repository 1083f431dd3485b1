// How many messages each queue holds and how old the oldest is: measured once a minute, as AWS publishes it.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
#pragma once

#include <map>
#include <string>

#include "engine/metrics/counters.h"
#include "engine/queue/queues.h"

namespace reef::service::sqs {

class QueueGauges {
 public:
  // A queue that was empty for so long is not measured any more.
  static constexpr Duration kActive = 6h;

  QueueGauges(queue::Queues& queues, metrics::Counters& counters) : queues_(queues), counters_(counters) {}
  void start();
  void stop() { stopping_ = true; }

 private:
  void arm();
  Task<void> measure();
  queue::Queues& queues_;
  metrics::Counters& counters_;
  std::map<std::string, Time> active_;  // when it was last seen with messages, or first seen
  bool stopping_ = false;
};

}  // namespace reef::service::sqs
