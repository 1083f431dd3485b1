// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html
#include "service/sqs/errors.h"
#include "service/sqs/naming.h"
#include "service/sqs/operations.h"

namespace reef::service::sqs::operations {

Task<Reply<model::GetQueueUrlOutput>> get_queue_url(Sqs& sqs, const model::GetQueueUrlInput& in, const Call& call) {
  const QueueName name{.account = in.queue_owner_aws_account_id.value_or(call.account), .region = call.region, .name = in.queue_name};
  CO_TRY(to_reply(co_await sqs.queues.settings(name.key())));
  co_return model::GetQueueUrlOutput{.queue_url = name.url(call)};
}

}  // namespace reef::service::sqs::operations
