// What SQS serves, and nothing else.
#include "aws/resource.h"
#include "aws/service.h"
#include "service/sqs/move_tasks.h"
#include "service/sqs/operations.h"
#include "service/sqs/queue_gauges.h"
#include "service/sqs/resources.h"
#include "service/sqs/stored_message.h"

namespace reef::service {
namespace sqs {

Sqs::Sqs(Parts& parts) : queues(parts.get<queue::Queues>()), caller(parts.get<aws::Caller>()), counters(parts.get<metrics::Counters>()), moves(std::make_unique<MoveTasks>(queues)),
      gauges(std::make_unique<QueueGauges>(queues, counters)) {
  queues.set_dead_letter_mark([](std::string_view source_key, std::string payload, std::uint32_t receive_count) {
    StoredMessage message = decode(payload);
    message.dead_letter_source = parse_key(source_key).arn();
    message.received_before += receive_count;
    return encode(message);
  });
}
Sqs::~Sqs() = default;
void Sqs::start() {
  moves->resume();
  gauges->start();
}
void Sqs::stop() {
  moves->stop();
  gauges->stop();
}

namespace {

using aws::serve;
namespace ops = aws::sqs::ops;

const aws::ServiceDefinition kSqs{
    .model = &aws::sqs::kModel,
    .placement = aws::Placement::kAnyLoop,
    .operations =
        {
            serve<operations::add_permission>(ops::kAddPermission),
            serve<operations::cancel_message_move_task>(ops::kCancelMessageMoveTask),
            serve<operations::change_message_visibility>(ops::kChangeMessageVisibility),
            serve<operations::change_message_visibility_batch>(ops::kChangeMessageVisibilityBatch),
            serve<operations::create_queue>(ops::kCreateQueue),
            serve<operations::delete_message>(ops::kDeleteMessage),
            serve<operations::delete_message_batch>(ops::kDeleteMessageBatch),
            serve<operations::delete_queue>(ops::kDeleteQueue),
            serve<operations::get_queue_attributes>(ops::kGetQueueAttributes),
            serve<operations::get_queue_url>(ops::kGetQueueUrl),
            serve<operations::list_dead_letter_source_queues>(ops::kListDeadLetterSourceQueues),
            serve<operations::list_message_move_tasks>(ops::kListMessageMoveTasks),
            serve<operations::list_queue_tags>(ops::kListQueueTags),
            serve<operations::list_queues>(ops::kListQueues),
            serve<operations::purge_queue>(ops::kPurgeQueue),
            serve<operations::receive_message>(ops::kReceiveMessage),
            serve<operations::remove_permission>(ops::kRemovePermission),
            serve<operations::send_message>(ops::kSendMessage),
            serve<operations::send_message_batch>(ops::kSendMessageBatch),
            serve<operations::set_queue_attributes>(ops::kSetQueueAttributes),
            serve<operations::start_message_move_task>(ops::kStartMessageMoveTask),
            serve<operations::tag_queue>(ops::kTagQueue),
            serve<operations::untag_queue>(ops::kUntagQueue),
        },
    .resources = {&resources::kQueue, &resources::kQueuePolicy},
};

}  // namespace
}  // namespace sqs

std::unique_ptr<aws::Service> make_sqs(Parts& parts) {
  return std::make_unique<aws::ServiceOf<sqs::Sqs>>(sqs::kSqs, parts);
}

}  // namespace reef::service
