// Connects what functions print to the log groups that users read.
#pragma once

#include <string>

#include "engine/function/function.h"
#include "engine/telemetry/logs.h"

namespace reef::app {

class FunctionLogs final : public function::LogSink {
 public:
  explicit FunctionLogs(telemetry::Logs& logs) : logs_(logs) {}
  void write(const function::Version& version, std::string_view stream, Time time, std::string_view message) override {
    logs_.append_anyway(version.account + "/" + version.region + "/" + version.log_group, stream, std::string(message), time);
  }

 private:
  telemetry::Logs& logs_;
};

}  // namespace reef::app
