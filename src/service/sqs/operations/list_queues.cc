// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListDeadLetterSourceQueues.html
#include <algorithm>

#include "base/encoding.h"
#include "service/sqs/errors.h"
#include "service/sqs/limits.h"
#include "service/sqs/naming.h"
#include "service/sqs/operations.h"

namespace reef::service::sqs::operations {
namespace {

struct Page {
  std::vector<std::string> urls;
  std::optional<std::string> next_token;
};

// The token is the last key of the page before. Without MaxResults all of the first thousand come, without a token.
aws::Reply<Page> page_of(std::vector<std::string> keys, std::optional<std::int32_t> max_results,
                         const std::optional<std::string>& token, const Call& call) {
  if (max_results && (*max_results < 1 || *max_results > static_cast<std::int32_t>(kListResultsMax)))
    return Err(invalid_parameter("MaxResults is an invalid value: must be between 1 and 1000."));
  if (token && !token->empty()) {
    const auto after = base64url_decode(*token);
    if (!after) return Err(invalid_parameter("Invalid or expired next token."));
    keys.erase(keys.begin(), std::upper_bound(keys.begin(), keys.end(), *after));
  }
  const std::size_t count = max_results ? static_cast<std::size_t>(*max_results) : kListResultsMax;
  Page out;
  for (std::size_t i = 0; i < std::min(count, keys.size()); ++i) out.urls.push_back(parse_key(keys[i]).url(call));
  if (max_results && keys.size() > count) out.next_token = base64url_encode(keys[count - 1]);
  return out;
}

}  // namespace

Task<Reply<model::ListQueuesOutput>> list_queues(Sqs& sqs, const model::ListQueuesInput& in, const Call& call) {
  const std::string prefix = call.account + "/" + call.region + "/" + in.queue_name_prefix.value_or("");
  Page page = CO_TRY(page_of(co_await sqs.queues.list(prefix), in.max_results, in.next_token, call));
  model::ListQueuesOutput out{.next_token = std::move(page.next_token)};
  if (!page.urls.empty()) out.queue_urls = std::move(page.urls);
  co_return out;
}

Task<Reply<model::ListDeadLetterSourceQueuesOutput>> list_dead_letter_source_queues(
    Sqs& sqs, const model::ListDeadLetterSourceQueuesInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  CO_TRY(to_reply(co_await sqs.queues.settings(name.key())));
  const std::string key = name.key();
  const auto sources = co_await sqs.queues.select(
      [&key](const std::string&, const queue::Settings& settings) { return settings.dead_letter_queue == key; });
  std::vector<std::string> keys;
  for (const auto& [source, settings] : sources) keys.push_back(source);
  Page page = CO_TRY(page_of(std::move(keys), in.max_results, in.next_token, call));
  model::ListDeadLetterSourceQueuesOutput out{};
  out.queue_urls = std::move(page.urls);
  out.next_token = std::move(page.next_token);
  co_return out;
}

}  // namespace reef::service::sqs::operations
