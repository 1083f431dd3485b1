// A span for every call and hop: who did what, when, for how long, and within which trace. Kept in one bounded ring
// per shard, written only by that shard's thread, so that recording costs no lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "base/time.h"
#include "engine/store/shard.h"

namespace reef::telemetry {

// A position within a trace, as it travels in headers, messages and function invocations.
struct TraceContext {
  std::string root;         // "1-67b0a1c2-0123456789abcdef01234567"
  std::string parent;       // 16 hexadecimal digits; the span that caused this one
  bool sampled = true;

  // "Root=1-...;Parent=...;Sampled=1"
  std::string amzn_header() const;
  // "00-<32 hex>-<16 hex>-01"
  std::string traceparent() const;
  // From either header's value; a new trace when both are empty or malformed.
  static TraceContext read(std::string_view amzn_header, std::string_view traceparent, Time now);
};
std::string new_span_id();

struct Span {
  std::string trace, id, parent;
  std::string name;          // "sqs.SendMessage", "lambda.invoke orders", "http GET /orders"
  std::string account, region;
  Time start{};
  Duration duration{0};
  int status = 0;            // HTTP status, or 0
  std::string error;         // code, or empty
};

// Calls of one operation since the start.
struct CallCounts {
  std::uint64_t calls = 0, client_errors = 0, server_errors = 0, micros = 0;
};

class Spans {
 public:
  static constexpr std::size_t kKeptPerShard = 8192;

  Spans();
  // On a shard's own thread.
  void record(Span span);
  // Counts a call of `operation`, which must outlive the process ("sqs", "SendMessage").
  void count_call(std::string_view service, std::string_view operation, int status, Duration took);

  // The newest spans that `wanted` accepts, oldest first; from any shard.
  Task<std::vector<Span>> select(std::function<bool(const Span&)> wanted, std::size_t count_max);
  Task<std::map<std::string, CallCounts>> calls();

 private:
  struct Ring {
    std::vector<Span> spans;
    std::size_t next = 0;
    std::map<std::pair<const char*, const char*>, CallCounts> calls;
  };
  std::vector<Ring> rings_;
};

}  // namespace reef::telemetry
