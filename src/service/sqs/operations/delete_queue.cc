// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
#include "service/sqs/errors.h"
#include "service/sqs/naming.h"
#include "service/sqs/operations.h"

namespace reef::service::sqs::operations {

Task<Reply<model::DeleteQueueOutput>> delete_queue(Sqs& sqs, const model::DeleteQueueInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  CO_TRY(to_reply(co_await sqs.queues.drop(name.key())));
  co_return model::DeleteQueueOutput{};
}

}  // namespace reef::service::sqs::operations
