// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
#include "service/sqs/errors.h"
#include "service/sqs/naming.h"
#include "service/sqs/operations.h"

namespace reef::service::sqs::operations {

Task<Reply<model::PurgeQueueOutput>> purge_queue(Sqs& sqs, const model::PurgeQueueInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  CO_TRY(to_reply(co_await sqs.queues.purge(name.key()), name.name));
  co_return model::PurgeQueueOutput{};
}

}  // namespace reef::service::sqs::operations
