// The user's logs: groups of streams of timed lines. Groups and streams are records of the control shard, lines live
// in the key-value store in order of time. Everything here runs on the control shard.
//
// Keys of lines: "logs/", group id, stream id, time in ms, a running number (8 bytes each, big-endian).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "base/time.h"
#include "engine/store/kv.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::telemetry {

struct LogGroup {
  std::uint64_t id = 0;
  Time created{};
  std::int32_t retention_days = 0;  // 0: for ever
  std::int64_t stored_bytes = 0;
  std::string extra;                // the owner's own, opaque here
};

struct LogStream {
  std::uint64_t id = 0;
  Time created{};
  std::optional<Time> last_ingested;
  std::optional<std::int64_t> first_millis, last_millis;  // of its lines
};

struct LogLine {
  std::int64_t millis = 0;           // the line's own time
  std::int64_t ingested_millis = 0;
  std::uint64_t number = 0;          // with the time and stream, its place
  std::string message;
};

// A place in one stream, or among the merged streams of a group.
struct LogPosition {
  std::int64_t millis = 0;
  std::uint64_t stream = 0;
  std::uint64_t number = 0;
  auto operator<=>(const LogPosition&) const = default;
};

class Logs {
 public:
  explicit Logs(store::Kv& kv) : kv_(kv) {}

  void start();   // after recovery
  void forget();  // everything was wiped

  // `group` is a key of the owner's choice: "000000000000/us-east-1//aws/lambda/f".
  LogGroup* find_group(std::string_view group);
  bool create_group(std::string_view group, std::string extra, Time now);  // false: there is one
  bool remove_group(std::string_view group);
  void save_group(std::string_view group);
  // Names and groups whose key starts with `prefix`, in order.
  void each_group(std::string_view prefix, const std::function<bool(std::string_view, const LogGroup&)>& visit) const;

  LogStream* find_stream(std::string_view group, std::string_view stream);
  bool create_stream(std::string_view group, std::string_view stream, Time now);
  bool remove_stream(std::string_view group, std::string_view stream);
  void each_stream(std::string_view group, std::string_view prefix, const std::function<bool(std::string_view, const LogStream&)>& visit) const;

  // Adds lines to a stream that exists. Durable once the shard's commit resumed.
  void append(std::string_view group, std::string_view stream, const std::vector<LogLine>& lines, Time now);
  // For output of functions and the like: makes the group and stream when they are missing.
  void append_anyway(std::string_view group, std::string_view stream, std::string message, Time now);

  // Up to `limit` lines of one stream with a time in [from, to), from a position on (exclusive), forward or backward.
  std::vector<LogLine> read(std::string_view group, std::string_view stream, std::int64_t from, std::int64_t to,
                            std::optional<LogPosition> after, bool forward, std::size_t limit);
  // Lines of several streams merged by time. The visitor returns false to stop.
  void merge(std::string_view group, const std::vector<std::string>& streams, std::int64_t from, std::int64_t to, std::optional<LogPosition> after,
             const std::function<bool(std::string_view stream, const LogPosition&, const LogLine&)>& visit);

  // Erases what is older than its group's retention.
  void expire(Time now);

 private:
  struct Group {
    LogGroup group;
    std::map<std::string, LogStream, std::less<>> streams;
  };
  void arm_expiry();
  void resume_erasing();
  Task<void> erase_lines(std::uint64_t group, std::uint64_t stream);
  std::uint64_t new_id();
  void reserve_numbers();
  void save_stream(std::string_view group, std::string_view stream);
  store::Kv& kv_;
  std::map<std::string, Group, std::less<>> groups_;
  std::uint64_t next_id_ = 1, next_number_ = 1;
  std::uint64_t numbers_end_ = 0;  // those before are reserved
};

}  // namespace reef::telemetry
