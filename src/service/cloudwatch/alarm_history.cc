#include "service/cloudwatch/alarm_history.h"

#include <algorithm>

#include "aws/protocol/codec.h"

namespace reef::service::cloudwatch {
namespace {

constexpr std::size_t kTail = 16, kDataMax = 4095, kSummaryMax = 255;

void append_u64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}
std::int64_t millis_of(std::string_view key) {
  std::uint64_t value = 0;
  for (std::size_t i = key.size() - kTail; i < key.size() - 8; ++i) value = value << 8 | static_cast<unsigned char>(key[i]);
  return static_cast<std::int64_t>(value);
}

std::string history_prefix(std::string_view scope, std::string_view alarm) {
  std::string key = "H";
  key.append(scope).append(1, '\0');
  if (!alarm.empty()) key.append(alarm).append(1, '\0');
  return key;
}

}  // namespace

void AlarmHistory::add(std::string_view scope, std::string_view alarm, bool is_composite, std::string_view type, std::string summary, const wire::Json& data, Time now) {
  aws::cloudwatch::AlarmHistoryItem item;
  item.alarm_name = std::string(alarm);
  item.alarm_type = is_composite ? "CompositeAlarm" : "MetricAlarm";
  item.timestamp = now;
  item.history_item_type = std::string(type);
  item.history_summary = summary.substr(0, kSummaryMax);
  item.history_data = data.dump().substr(0, kDataMax);
  std::string key = history_prefix(scope, alarm);
  append_u64(key, static_cast<std::uint64_t>(std::max<std::int64_t>(to_millis(now), 0)));
  // Later than any number that was given out before, also after a restart.
  next_ = std::max(next_ + 1, static_cast<std::uint64_t>(to_micros(now)));
  append_u64(key, next_);
  kv_.put(key, aws::to_json_text(item));
}

void AlarmHistory::each(std::string_view scope, std::string_view alarm, const std::function<void(const aws::cloudwatch::AlarmHistoryItem&)>& visit) {
  const std::string prefix = history_prefix(scope, alarm);
  const auto cursor = kv_.cursor();
  for (cursor->seek(prefix); cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
    if (cursor->key().size() < prefix.size() + kTail) continue;
    if (const auto item = aws::from_json_text<aws::cloudwatch::AlarmHistoryItem>(cursor->value())) visit(*item);
  }
}

void AlarmHistory::expire(Time now) {
  if (!kv_.opened()) return;
  const std::int64_t oldest = to_millis(now - kKept);
  store::KvBatch batch;
  const auto cursor = kv_.cursor();
  for (cursor->seek("H"); cursor->valid() && cursor->key().starts_with("H"); cursor->next())
    if (cursor->key().size() > kTail && millis_of(cursor->key()) < oldest) batch.erase(cursor->key());
  if (!batch.empty()) kv_.write(batch);
}

}  // namespace reef::service::cloudwatch
