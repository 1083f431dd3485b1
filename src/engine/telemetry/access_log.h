// Access logs of API stages: one line per request, by a format that names its values: "$context.requestId $context.status".
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/telemetry/logs.h"

namespace reef::telemetry {

class AccessLogFormat {
 public:
  // Any text is a format: what is not "$context.name" stands for itself.
  explicit AccessLogFormat(std::string_view text);
  // `value` gives what a name ("identity.sourceIp") stands for; "" is written as "-".
  std::string render(const std::function<std::string(std::string_view name)>& value) const;

 private:
  struct Part {
    bool is_name;
    std::string text;
  };
  std::vector<Part> parts_;
};

// A stage's log: its format, and the group and stream as Logs knows them.
struct AccessLogTarget {
  AccessLogFormat format;
  std::string group, stream;
};
// Of "arn:aws:logs:<region>:<account>:log-group:<name>[:*]"; nothing when it is no log group.
std::optional<AccessLogTarget> access_log_target(std::string_view destination_arn, std::string_view format, std::string stream);

// Lines of any loop into streams of CloudWatch Logs, a batch per tick.
class AccessLogWriter {
 public:
  explicit AccessLogWriter(Logs& logs) : logs_(logs) {}
  // When there is no such group the line is dropped, as on AWS.
  void write(const AccessLogTarget& target, std::string line);

 private:
  Logs& logs_;
};

}  // namespace reef::telemetry
