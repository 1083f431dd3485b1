// Queue names, URLs, ARNs and keys, and the receipt handles that name a lease.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/call.h"
#include "aws/error.h"
#include "engine/queue/queue.h"

namespace reef::service::sqs {

// One queue, wherever it is named from.
struct QueueName {
  std::string account, region, name;
  std::string key() const { return account + "/" + region + "/" + name; }
  std::string arn() const { return "arn:aws:sqs:" + region + ":" + account + ":" + name; }
  // As the caller reached us. Where the host names no region, queues of another than the first carry theirs in the path.
  std::string url(const aws::Call& call) const;
  bool is_fifo() const { return name.ends_with(".fifo"); }
};

// A queue URL of any host form, or a bare name; the region comes from the host when it is in there, else the caller.
aws::Reply<QueueName> parse_url(std::string_view url, const aws::Call& call);
std::optional<QueueName> parse_arn(std::string_view arn);
QueueName parse_key(std::string_view key);
// For CreateQueue.
// Of a message group, for deduplication, of a receive attempt: 1 to 128 printable characters.
bool is_fifo_id(std::string_view id);
aws::Reply<void> check_name(std::string_view name, bool is_fifo);

std::string encode_handle(const queue::Handle& handle, std::string_view queue_key);
aws::Reply<queue::Handle> decode_handle(std::string_view text, std::string_view queue_key);

}  // namespace reef::service::sqs
