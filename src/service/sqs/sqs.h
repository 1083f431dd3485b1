// What SQS's handlers may touch.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "aws/caller.h"
#include "aws/models/sqs.h"
#include "base/parts.h"
#include "base/task.h"
#include "engine/metrics/counters.h"
#include "engine/queue/queues.h"

namespace reef::service::sqs {

namespace model = aws::sqs;
namespace errors = aws::sqs::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

class MoveTasks;
class QueueGauges;

struct Sqs {
  explicit Sqs(Parts& parts);
  ~Sqs();
  void start();
  void stop();

  queue::Queues& queues;
  aws::Caller& caller;
  metrics::Counters& counters;
  std::unique_ptr<MoveTasks> moves;
  std::unique_ptr<QueueGauges> gauges;
};

}  // namespace reef::service::sqs
