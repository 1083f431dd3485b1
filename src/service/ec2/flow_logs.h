// Flow logs at work: what passed is added up for each of them, and delivered to CloudWatch Logs or S3 after each interval.
// On the control shard.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aws/caller.h"
#include "engine/network/connections.h"
#include "engine/network/flow_table.h"
#include "engine/telemetry/logs.h"
#include "service/ec2/state.h"

namespace reef::service::ec2 {

class FlowLogs {
 public:
  FlowLogs(Parts& parts, network::Networks& networks);
  // A flow log was made, changed or deleted.
  void changed(const Change& change);
  void clear();
  void stop() { stopping_ = true; }

 private:
  struct Running {
    std::string account, region;
    model::FlowLog log;
    network::FlowFormat format;
    network::FlowTable table;
    Time began{};
  };
  using RunningPtr = std::shared_ptr<Running>;
  void add(std::vector<network::FlowPart> parts);
  void wait(const RunningPtr& running);
  Task<void> deliver(RunningPtr running);
  Task<void> put_object(RunningPtr running, std::vector<network::FlowTable::Line> lines, Time now);

  network::Networks& networks_;
  network::Connections& connections_;
  telemetry::Logs& logs_;
  aws::Caller& caller_;
  std::map<std::string, RunningPtr> running_;
  std::atomic<bool> is_recording_{false};  // any at all: otherwise connections cost nothing here
  bool stopping_ = false;
};

}  // namespace reef::service::ec2
