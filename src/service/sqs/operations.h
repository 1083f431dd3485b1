// SQS's handlers, one file each (or one per single and batch pair) under operations/.
#pragma once

#include "service/sqs/sqs.h"

namespace reef::service::sqs::operations {

#define SQS_OPERATION(function, Name) Task<Reply<model::Name##Output>> function(Sqs& sqs, const model::Name##Input& in, const Call& call)

SQS_OPERATION(add_permission, AddPermission);
SQS_OPERATION(cancel_message_move_task, CancelMessageMoveTask);
SQS_OPERATION(change_message_visibility, ChangeMessageVisibility);
SQS_OPERATION(change_message_visibility_batch, ChangeMessageVisibilityBatch);
SQS_OPERATION(create_queue, CreateQueue);
SQS_OPERATION(delete_message, DeleteMessage);
SQS_OPERATION(delete_message_batch, DeleteMessageBatch);
SQS_OPERATION(delete_queue, DeleteQueue);
SQS_OPERATION(get_queue_attributes, GetQueueAttributes);
SQS_OPERATION(get_queue_url, GetQueueUrl);
SQS_OPERATION(list_dead_letter_source_queues, ListDeadLetterSourceQueues);
SQS_OPERATION(list_message_move_tasks, ListMessageMoveTasks);
SQS_OPERATION(list_queue_tags, ListQueueTags);
SQS_OPERATION(list_queues, ListQueues);
SQS_OPERATION(purge_queue, PurgeQueue);
SQS_OPERATION(receive_message, ReceiveMessage);
SQS_OPERATION(remove_permission, RemovePermission);
SQS_OPERATION(send_message, SendMessage);
SQS_OPERATION(send_message_batch, SendMessageBatch);
SQS_OPERATION(set_queue_attributes, SetQueueAttributes);
SQS_OPERATION(start_message_move_task, StartMessageMoveTask);
SQS_OPERATION(tag_queue, TagQueue);
SQS_OPERATION(untag_queue, UntagQueue);

#undef SQS_OPERATION

}  // namespace reef::service::sqs::operations
