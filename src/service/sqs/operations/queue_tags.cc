// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_TagQueue.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_UntagQueue.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueueTags.html
#include "service/sqs/attributes.h"
#include "service/sqs/errors.h"
#include "service/sqs/limits.h"
#include "service/sqs/operations.h"

namespace reef::service::sqs::operations {

Task<Reply<model::TagQueueOutput>> tag_queue(Sqs& sqs, const model::TagQueueInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  bool too_many = false;
  CO_TRY(to_reply(co_await sqs.queues.change(name.key(), [&](queue::Settings& settings) {
    QueueExtra extra = read_extra(settings);
    for (const auto& [key, value] : in.tags) extra.tags.insert_or_assign(key, value);
    too_many = extra.tags.size() > kTagsMax;
    if (!too_many) write_extra(settings, extra);
  })));
  if (too_many) co_return Err(invalid_parameter("Too many tags added for queue " + name.name + "."));
  co_return model::TagQueueOutput{};
}

Task<Reply<model::UntagQueueOutput>> untag_queue(Sqs& sqs, const model::UntagQueueInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  CO_TRY(to_reply(co_await sqs.queues.change(name.key(), [&](queue::Settings& settings) {
    QueueExtra extra = read_extra(settings);
    for (const std::string& key : in.tag_keys) extra.tags.erase(key);
    write_extra(settings, extra);
  })));
  co_return model::UntagQueueOutput{};
}

Task<Reply<model::ListQueueTagsOutput>> list_queue_tags(Sqs& sqs, const model::ListQueueTagsInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  const queue::Settings settings = CO_TRY(to_reply(co_await sqs.queues.settings(name.key())));
  QueueExtra extra = read_extra(settings);
  model::ListQueueTagsOutput out;
  if (!extra.tags.empty()) out.tags.emplace().insert(extra.tags.begin(), extra.tags.end());
  co_return out;
}

}  // namespace reef::service::sqs::operations
