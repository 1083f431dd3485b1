// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "engine/telemetry/log_pattern.h"
#include "service/logs/logs.h"

namespace reef::service::logs::operations {
namespace {

constexpr std::size_t kBatchBytesMax = 1'048'576, kBatchEventsMax = 10'000, kEventOverhead = 26;
constexpr std::size_t kPageEventsMax = 10'000, kPageBytesMax = 1'048'576;
constexpr std::int64_t kForEver = 253'402'300'799'999;

// Tokens name a place: "f/" or "b/", time, number; for merged streams also the stream.
std::string make_token(char direction, const telemetry::LogPosition& at) { return fmt::format("{}/{:014}/{}/{}", direction, at.millis, at.stream, at.number); }

std::optional<telemetry::LogPosition> read_token(const std::string& token, char& direction) {
  const auto parts = split(token, '/');
  if (parts.size() != 4 || parts[0].size() != 1) return std::nullopt;
  const auto millis = parse_int(parts[1]);
  const auto stream = parse_int<std::uint64_t>(parts[2]), number = parse_int<std::uint64_t>(parts[3]);
  if (!millis || !stream || !number) return std::nullopt;
  direction = parts[0][0];
  return telemetry::LogPosition{*millis, *stream, *number};
}

aws::Error bad_token() { return {errors::kInvalidParameterException, "The specified nextToken is invalid."}; }

}  // namespace

Task<Reply<model::PutLogEventsOutput>> PutLogEvents(LogsService& service, const model::PutLogEventsInput& in, const Call& call) {
  const std::string key = group_key(call, in.log_group_name);
  const telemetry::LogGroup* group = service.logs.find_group(key);
  if (!group) co_return Err(no_group());
  const telemetry::LogStream* stream = service.logs.find_stream(key, in.log_stream_name);
  if (!stream) co_return Err(no_stream());
  if (in.log_events.empty() || in.log_events.size() > kBatchEventsMax)
    co_return Err(aws::Error(errors::kInvalidParameterException, "A batch of log events must hold between 1 and 10000 events."));
  std::size_t bytes = 0;
  for (const auto& event : in.log_events) bytes += event.message.size() + kEventOverhead;
  if (bytes > kBatchBytesMax)
    co_return Err(aws::Error(errors::kInvalidParameterException, fmt::format("Upload too large: {} bytes exceeds limit of {}", bytes, kBatchBytesMax)));
  const std::int64_t now = to_millis(call.now);
  const std::int64_t too_old = now - 14ll * 86'400'000, too_new = now + 2ll * 3'600'000;
  const std::int64_t expired = group->retention_days ? now - group->retention_days * 86'400'000ll : 0;
  std::vector<telemetry::LogLine> lines;
  model::RejectedLogEventsInfo rejected;
  for (std::size_t i = 0; i < in.log_events.size(); ++i) {
    const auto& event = in.log_events[i];
    const auto index = static_cast<std::int32_t>(i);
    if (i && event.timestamp < in.log_events[i - 1].timestamp)
      co_return Err(aws::Error(errors::kInvalidParameterException, "Log events in a single PutLogEvents request must be in chronological order."));
    if (event.timestamp - in.log_events.front().timestamp > 86'400'000)
      co_return Err(aws::Error(errors::kInvalidParameterException, "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."));
    if (event.timestamp < expired) rejected.expired_log_event_end_index = index + 1;
    else if (event.timestamp < too_old) rejected.too_old_log_event_end_index = index + 1;
    else if (event.timestamp > too_new) rejected.too_new_log_event_start_index = rejected.too_new_log_event_start_index.value_or(index);
    else lines.push_back({.millis = event.timestamp, .message = event.message});
  }
  model::PutLogEventsOutput out;
  out.next_sequence_token = std::to_string(stream->id);
  if (rejected != model::RejectedLogEventsInfo{}) out.rejected_log_events_info = rejected;
  if (!lines.empty()) service.logs.append(key, in.log_stream_name, lines, call.now);
  co_await store::Shard::control().committed();
  co_return out;
}

Task<Reply<model::GetLogEventsOutput>> GetLogEvents(LogsService& service, const model::GetLogEventsInput& in, const Call& call) {
  const std::string name = CO_TRY(group_name(in.log_group_name, in.log_group_identifier));
  const std::string key = group_key(call, name);
  if (!service.logs.find_group(key)) co_return Err(no_group());
  if (!service.logs.find_stream(key, in.log_stream_name)) co_return Err(no_stream());
  bool forward = in.start_from_head.value_or(false);
  std::optional<telemetry::LogPosition> after;
  if (in.next_token) {
    char direction = 'f';
    after = read_token(*in.next_token, direction);
    if (!after) co_return Err(bad_token());
    forward = direction == 'f';
  }
  auto lines = service.logs.read(key, in.log_stream_name, in.start_time.value_or(0), in.end_time.value_or(kForEver), after, forward,
                                 static_cast<std::size_t>(in.limit.value_or(static_cast<std::int32_t>(kPageEventsMax))));
  if (!forward) std::reverse(lines.begin(), lines.end());
  model::GetLogEventsOutput out;
  auto& events = out.events.emplace();
  for (const telemetry::LogLine& line : lines) {
    auto& event = events.emplace_back();
    event.timestamp = line.millis;
    event.message = line.message;
    event.ingestion_time = line.ingested_millis;
  }
  // At an end of the stream the same token comes back: that is how clients know.
  const telemetry::LogPosition none = after.value_or(telemetry::LogPosition{forward ? 0 : kForEver, 0, 0});
  const telemetry::LogPosition first = lines.empty() ? none : telemetry::LogPosition{lines.front().millis, 0, lines.front().number};
  const telemetry::LogPosition last = lines.empty() ? none : telemetry::LogPosition{lines.back().millis, 0, lines.back().number};
  out.next_forward_token = make_token('f', last);
  out.next_backward_token = make_token('b', first);
  co_return out;
}

Task<Reply<model::FilterLogEventsOutput>> FilterLogEvents(LogsService& service, const model::FilterLogEventsInput& in, const Call& call) {
  const std::string name = CO_TRY(group_name(in.log_group_name, in.log_group_identifier));
  const std::string key = group_key(call, name);
  if (!service.logs.find_group(key)) co_return Err(no_group());
  if (in.log_stream_names && in.log_stream_name_prefix)
    co_return Err(aws::Error(errors::kInvalidParameterException, "logStreamNamePrefix and logStreamNames are mutually exclusive parameters."));
  auto pattern = telemetry::LogPattern::parse(in.filter_pattern.value_or(""));
  if (!pattern) {
    const bool is_as_aws_says = pattern.error().starts_with("Invalid character(s)") || pattern.error().starts_with("If a filter pattern");
    co_return Err(aws::Error(errors::kInvalidParameterException, (is_as_aws_says ? "" : "Invalid filter pattern: ") + pattern.error()));
  }
  std::optional<telemetry::LogPosition> after;
  if (in.next_token) {
    char direction = 'f';
    after = read_token(*in.next_token, direction);
    if (!after) co_return Err(bad_token());
  }
  std::vector<std::string> streams;
  if (in.log_stream_names) {
    for (const std::string& stream : *in.log_stream_names) {
      if (!service.logs.find_stream(key, stream)) co_return Err(no_stream());
      streams.push_back(stream);
    }
  } else {
    service.logs.each_stream(key, in.log_stream_name_prefix.value_or(""), [&](std::string_view stream, const telemetry::LogStream&) {
      streams.emplace_back(stream);
      return true;
    });
  }
  const std::size_t limit = static_cast<std::size_t>(in.limit.value_or(static_cast<std::int32_t>(kPageEventsMax)));
  model::FilterLogEventsOutput out;
  auto& events = out.events.emplace();
  std::size_t bytes = 0;
  telemetry::LogPosition last{};
  service.logs.merge(key, streams, in.start_time.value_or(0), in.end_time ? *in.end_time + 1 : kForEver, after,
                     [&](std::string_view stream, const telemetry::LogPosition& at, const telemetry::LogLine& line) {
                       if (events.size() == limit || bytes > kPageBytesMax) {
                         out.next_token = make_token('f', last);
                         return false;
                       }
                       last = at;
                       bytes += line.message.size() + kEventOverhead;
                       if (!pattern->matches(line.message)) return true;
                       auto& event = events.emplace_back();
                       event.log_stream_name = stream;
                       event.timestamp = line.millis;
                       event.message = line.message;
                       event.ingestion_time = line.ingested_millis;
                       event.event_id = fmt::format("{:020}{:020}{:016}", at.millis, at.number, at.stream);
                       return true;
                     });
  out.searched_log_streams.emplace();
  co_return out;
}

}  // namespace reef::service::logs::operations
