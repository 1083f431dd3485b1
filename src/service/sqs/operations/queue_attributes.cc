// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
#include <algorithm>

#include <fmt/format.h>

#include "service/sqs/attributes.h"
#include "service/sqs/errors.h"
#include "service/sqs/operations.h"
#include "service/sqs/redrive.h"

namespace reef::service::sqs::operations {

Task<Reply<model::GetQueueAttributesOutput>> get_queue_attributes(Sqs& sqs, const model::GetQueueAttributesInput& in,
                                                                  const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  const queue::Settings settings = CO_TRY(to_reply(co_await sqs.queues.settings(name.key())));
  model::GetQueueAttributesOutput out;
  if (!in.attribute_names || in.attribute_names->empty()) co_return out;
  for (const std::string& wanted : *in.attribute_names)
    if (!is_queue_attribute(wanted))
      co_return Err(aws::Error(errors::kInvalidAttributeName, fmt::format("Unknown Attribute {}.", wanted)));
  const queue::Counts counts = CO_TRY(to_reply(co_await sqs.queues.counts(name.key())));
  TextMapOf all = describe_attributes(name, settings, read_extra(settings));
  all["ApproximateNumberOfMessages"] = std::to_string(counts.waiting);
  all["ApproximateNumberOfMessagesNotVisible"] = std::to_string(counts.leased);
  all["ApproximateNumberOfMessagesDelayed"] = std::to_string(counts.delayed);
  const auto& names = *in.attribute_names;
  const bool everything = std::find(names.begin(), names.end(), "All") != names.end();
  auto& attributes = out.attributes.emplace();
  for (auto& [key, value] : all)
    if (everything || std::find(names.begin(), names.end(), key) != names.end()) attributes.emplace(key, value);
  if (attributes.empty()) out.attributes.reset();
  co_return out;
}

Task<Reply<model::SetQueueAttributesOutput>> set_queue_attributes(Sqs& sqs, const model::SetQueueAttributesInput& in,
                                                                  const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  const TextMapOf attributes(in.attributes.begin(), in.attributes.end());
  CO_TRY(to_reply(co_await sqs.queues.settings(name.key())));
  CO_TRY(co_await check_dead_letter_queue(sqs.queues, attributes, name));
  aws::Reply<void> applied;
  CO_TRY(to_reply(co_await sqs.queues.change(name.key(), [&](queue::Settings& settings) {
    queue::Settings edited = settings;
    QueueExtra extra = read_extra(settings);
    applied = apply_attributes(attributes, name, edited, extra);
    if (!applied) return;
    extra.modified = to_seconds(call.now);
    write_extra(edited, extra);
    settings = std::move(edited);
  })));
  CO_TRY(std::move(applied));
  co_return model::SetQueueAttributesOutput{};
}

}  // namespace reef::service::sqs::operations
