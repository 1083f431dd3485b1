// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
#include "service/sqs/attributes.h"
#include "base/text.h"
#include "service/sqs/errors.h"
#include "service/sqs/redrive.h"
#include "service/sqs/operations.h"

namespace reef::service::sqs::operations {
namespace {

// The first attribute that was asked for with another value than the queue has.
std::string different_attribute(const TextMapOf& wanted, const QueueName& name, const queue::Settings& settings) {
  const TextMapOf has = describe_attributes(name, settings, read_extra(settings));
  for (const auto& [key, value] : wanted) {
    const auto found = has.find(key);
    const std::string_view current = found == has.end() ? std::string_view() : std::string_view(found->second);
    if (current != value && to_lower(current) != to_lower(value)) return key;
  }
  return {};
}

}  // namespace

Task<Reply<model::CreateQueueOutput>> create_queue(Sqs& sqs, const model::CreateQueueInput& in, const Call& call) {
  TextMapOf attributes;
  if (in.attributes) attributes.insert(in.attributes->begin(), in.attributes->end());
  const auto fifo = attributes.find("FifoQueue");
  const bool is_fifo = fifo != attributes.end() && to_lower(fifo->second) == "true";
  CO_TRY(check_name(in.queue_name, is_fifo));
  const QueueName name{.account = call.account, .region = call.region, .name = in.queue_name};
  queue::Settings settings{.is_fifo = is_fifo};
  QueueExtra extra{.created = to_seconds(call.now), .modified = to_seconds(call.now)};
  if (in.tags) extra.tags.insert(in.tags->begin(), in.tags->end());
  CO_TRY(apply_attributes(attributes, name, settings, extra));
  CO_TRY(co_await check_dead_letter_queue(sqs.queues, attributes, name));
  write_extra(settings, extra);
  const auto opened = co_await sqs.queues.open(name.key(), settings);
  if (!opened.created)
    if (const std::string different = different_attribute(attributes, name, opened.settings); !different.empty())
      co_return Err(to_error(queue::Refusal::kQueueExists, different));
  co_return model::CreateQueueOutput{.queue_url = name.url(call)};
}

}  // namespace reef::service::sqs::operations
