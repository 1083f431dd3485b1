// What happened to alarms: configuration, states, actions. In the key-value store for two weeks.
//
// Keys: "H", account/region, NUL, alarm name, NUL, time in ms (u64, big-endian), running number (u64, big-endian).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "aws/models/cloudwatch.h"
#include "engine/store/kv.h"
#include "wire/json.h"

namespace reef::service::cloudwatch {

class AlarmHistory {
 public:
  static constexpr Duration kKept = std::chrono::hours(14 * 24);

  explicit AlarmHistory(store::Kv& kv) : kv_(kv) {}

  // `type`: "ConfigurationUpdate", "StateUpdate" or "Action".
  void add(std::string_view scope, std::string_view alarm, bool is_composite, std::string_view type, std::string summary, const wire::Json& data, Time now);
  // Of one alarm, or of all with an empty name; oldest first.
  void each(std::string_view scope, std::string_view alarm, const std::function<void(const aws::cloudwatch::AlarmHistoryItem&)>& visit);
  // Drops what is too old.
  void expire(Time now);

 private:
  store::Kv& kv_;
  std::uint64_t next_ = 0;
};

}  // namespace reef::service::cloudwatch
