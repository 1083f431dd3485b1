#include "service/sqs/queue_gauges.h"

#include <algorithm>

#include "service/sqs/naming.h"

namespace reef::service::sqs {

void QueueGauges::start() { arm(); }

// Shortly before the minute ends: an alarm that looks at it then has the newest figures.
void QueueGauges::arm() {
  store::Shard& shard = store::Shard::control();
  const std::int64_t now = to_seconds(shard.now());
  const std::int64_t in_minute = now % 60;
  shard.reactor().at(from_seconds(now - in_minute + (in_minute < 55 ? 55 : 115)), [this] {
    if (stopping_) return;
    measure().detach();
    arm();
  });
}

Task<void> QueueGauges::measure() {
  const std::vector<std::string> keys = co_await queues_.list("");
  const Time now = store::Shard::control().now();
  std::map<std::string, Time> active;
  for (const std::string& key : keys) {
    if (stopping_) co_return;
    const auto counts = co_await queues_.counts(key);
    if (!counts) continue;
    const bool has_messages = counts->waiting + counts->leased + counts->delayed > 0;
    const auto before = active_.find(key);
    const Time last = has_messages || before == active_.end() ? now : before->second;
    active.emplace(key, last);
    if (now - last > kActive) continue;
    double age = 0;
    if (counts->waiting > 0)
      if (const auto oldest = co_await queues_.peek(key, 1); oldest && !oldest->empty())
        age = static_cast<double>(std::max<std::int64_t>(to_seconds(now) - to_seconds(oldest->front().sent_at), 0));
    const QueueName name = parse_key(key);
    counters_.add({name.account, name.region, "AWS/SQS", {{"QueueName", name.name}}},
                  {{"ApproximateNumberOfMessagesVisible", static_cast<double>(counts->waiting)},
                   {"ApproximateNumberOfMessagesNotVisible", static_cast<double>(counts->leased)},
                   {"ApproximateNumberOfMessagesDelayed", static_cast<double>(counts->delayed)},
                   {"ApproximateAgeOfOldestMessage", age, metrics::Unit::kSeconds}});
  }
  active_ = std::move(active);
}

}  // namespace reef::service::sqs
