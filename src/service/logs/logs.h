// CloudWatch Logs over engine/telemetry: groups, streams, lines, retention, tags.
#pragma once

#include <string>

#include "aws/models/logs.h"
#include "aws/service.h"
#include "engine/telemetry/logs.h"

namespace reef::service::logs {

namespace model = aws::logs;
namespace errors = aws::logs::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

struct LogsService {
  explicit LogsService(Parts& parts) : logs(parts.get<telemetry::Logs>()) {}
  void start() { logs.start(); }
  void reset() { logs.forget(); }
  telemetry::Logs& logs;
};

inline std::string group_key(const Call& call, std::string_view name) { return call.account + "/" + call.region + "/" + std::string(name); }

namespace operations {

#define LOGS_OPERATIONS(V)                                                                                               \
  V(CreateLogGroup) V(DeleteLogGroup) V(DescribeLogGroups) V(ListLogGroups) V(CreateLogStream) V(DeleteLogStream)        \
  V(DescribeLogStreams) V(PutRetentionPolicy) V(DeleteRetentionPolicy) V(TagResource) V(UntagResource)                   \
  V(ListTagsForResource) V(TagLogGroup) V(UntagLogGroup) V(ListTagsLogGroup) V(PutLogEvents) V(GetLogEvents)             \
  V(FilterLogEvents)
#define LOGS_OPERATION(Name) Task<Reply<model::Name##Output>> Name(LogsService& service, const model::Name##Input& in, const Call& call);
LOGS_OPERATIONS(LOGS_OPERATION)
#undef LOGS_OPERATION

}  // namespace operations

// The group's own part of LogGroup::extra.
struct GroupExtra {
  std::map<std::string, std::string, std::less<>> tags;
  std::string kms_key_id, log_class = "STANDARD";
};
GroupExtra read_extra(const telemetry::LogGroup& group);
std::string write_extra(const GroupExtra& extra);
// A group's name or ARN, as the Identifier parameters take either.
Reply<std::string> group_name(const std::optional<std::string>& name, const std::optional<std::string>& identifier);
aws::Error no_group();
aws::Error no_stream();

}  // namespace reef::service::logs
