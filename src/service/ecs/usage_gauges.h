// CPUUtilization and MemoryUtilization of services, as AWS/ECS publishes them: measured, in percent of what their tasks
// reserve. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
#pragma once

#include <map>
#include <string>

#include "service/ecs/ecs.h"

namespace reef::service::ecs {

// What a task reserves: units of 1/1024 of a processor, and MiB.
struct Reservation {
  double cpu_units = 0, memory_mib = 0;
};
Reservation reservation_of(const model::TaskDefinition& definition);

class UsageGauges {
 public:
  explicit UsageGauges(Ecs& ecs) : ecs_(ecs) {}
  void start() { arm(); }

 private:
  struct Last {
    std::int64_t at = 0;  // real time, microseconds
    std::chrono::microseconds processor{};
    double cpu_percent = 0;
  };
  void arm();
  void measure();
  Ecs& ecs_;
  std::map<std::string, Last, std::less<>> last_;  // by task
};

}  // namespace reef::service::ecs
