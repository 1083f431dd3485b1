#include "service/ecs/usage_gauges.h"

#include <algorithm>

#include "base/text.h"

namespace reef::service::ecs {
namespace {

// By the user's clock, at seconds 5, 15, ... 55 of each minute, so that an alarm finds its minute filled.
constexpr std::int64_t kEverySeconds = 10, kFirstSecond = 5;
// When the user moves the clock, little real time has passed: too little to measure anything anew.
constexpr std::int64_t kLeastMicros = 200'000;

}  // namespace

Reservation reservation_of(const model::TaskDefinition& definition) {
  Reservation out;
  if (definition.cpu) out.cpu_units = parse_double(*definition.cpu).value_or(0);
  if (definition.memory) out.memory_mib = parse_double(*definition.memory).value_or(0);
  double cpu = 0, memory = 0;
  for (const auto& one : *definition.container_definitions) {
    cpu += one.cpu.value_or(0);
    memory += one.memory_reservation.value_or(one.memory.value_or(0));
  }
  if (out.cpu_units == 0) out.cpu_units = cpu;
  if (out.memory_mib == 0) out.memory_mib = memory;
  return out;
}

void UsageGauges::arm() {
  store::Shard& shard = store::Shard::control();
  const std::int64_t now = to_seconds(shard.now());
  const std::int64_t next = now - now % kEverySeconds + kFirstSecond;
  shard.reactor().at(from_seconds(next > now ? next : next + kEverySeconds), [this] {
    if (ecs_.is_stopping) return;
    measure();
    arm();
  });
}

void UsageGauges::measure() {
  std::map<std::string, Last, std::less<>> seen;
  for (const auto& [key, service] : ecs_.services) {
    for (const auto& [id, member] : service->machine.members()) {
      const auto task = ecs_.all_tasks.find(id);
      if (task == ecs_.all_tasks.end() || task->second->task.last_status != "RUNNING") continue;
      const StoredDefinition* definition = find_definition(ecs_, service->account, service->region, *task->second->task.task_definition_arn);
      if (!definition) continue;
      const Reservation reserved = reservation_of(definition->definition);
      const sandbox::Usage usage = ecs_.tasks.usage(id);
      const std::int64_t now = to_micros(sandbox::workload_time());
      Last& last = seen[id];
      if (const auto before = last_.find(id); before != last_.end()) last = before->second;
      const bool is_first = last.at == 0;
      if (is_first || now - last.at >= kLeastMicros) {
        const double cores = is_first ? 0 : static_cast<double>((usage.processor - last.processor).count()) / static_cast<double>(now - last.at);
        last = {now, usage.processor, reserved.cpu_units > 0 ? std::max(cores, 0.0) * 1024 / reserved.cpu_units * 100 : 0};
      }
      const double memory = reserved.memory_mib > 0 ? static_cast<double>(usage.memory_bytes) / (reserved.memory_mib * 1024 * 1024) * 100 : 0;
      const metrics::Subject subject{service->account, service->region, "AWS/ECS", {{"ClusterName", service->cluster}, {"ServiceName", service->name}}};
      if (!is_first && reserved.cpu_units > 0) ecs_.counters.add(subject, {{"CPUUtilization", last.cpu_percent, metrics::Unit::kPercent}});
      if (reserved.memory_mib > 0) ecs_.counters.add(subject, {{"MemoryUtilization", memory, metrics::Unit::kPercent}});
    }
  }
  last_ = std::move(seen);
}

}  // namespace reef::service::ecs
