// What tasks use, in the shape of Docker's statistics.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-examples.html
#include <unistd.h>

#include <fstream>

#include "service/ecs/metadata.h"

namespace reef::service::ecs {
namespace {

using wire::Json;

// All that the machine's processors did since it started, in nanoseconds.
std::int64_t machine_nanos() {
  std::ifstream file("/proc/stat");
  std::string word;
  file >> word;
  std::int64_t ticks = 0, value = 0;
  for (int i = 0; i < 8 && file >> value; ++i) ticks += value;
  return ticks * (1'000'000'000 / std::max(1L, ::sysconf(_SC_CLK_TCK)));
}

Json processor_json(const StatsSample& sample) {
  return Json::object({{"cpu_usage", Json::object({{"total_usage", sample.processor_nanos}})},
                       {"system_cpu_usage", sample.machine_nanos}, {"online_cpus", ::sysconf(_SC_NPROCESSORS_ONLN)}});
}

Json interface_json(const task::InterfaceUsage& one) {
  return Json::object({{"rx_bytes", one.received_bytes}, {"rx_packets", one.received_packets}, {"rx_errors", one.received_errors}, {"rx_dropped", one.received_dropped},
                       {"tx_bytes", one.sent_bytes}, {"tx_packets", one.sent_packets}, {"tx_errors", one.sent_errors}, {"tx_dropped", one.sent_dropped}});
}

}  // namespace

// Null for a container that does not run, as the agent answers.
Json stats_json(Ecs& ecs, const StoredTask& task, std::size_t index) {
  const auto usage = ecs.tasks.usage(task.id, index);
  if (!usage) return {};
  const model::Container& container = (*task.task.containers)[index];
  StatsSample now{.at = store::Shard::control().now(), .processor_nanos = usage->now.processor.count() * 1000, .machine_nanos = machine_nanos()};
  StatsSample& kept = ecs.stats_samples[container.runtime_id.value_or("")];
  const StatsSample before = std::exchange(kept, now);
  const std::uint64_t limit = usage->memory_limit_bytes ? usage->memory_limit_bytes
                                                        : static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  Json networks = Json::object();
  for (const task::InterfaceUsage& one : usage->interfaces) networks.set(one.name, interface_json(one));
  return Json::object({{"read", format_iso8601(now.at, true)}, {"preread", format_iso8601(before.at, true)}, {"pids_stats", Json::object()}, {"blkio_stats", Json::object()}, {"num_procs", 0},
                       {"storage_stats", Json::object()}, {"cpu_stats", processor_json(now)}, {"precpu_stats", processor_json(before)},
                       {"memory_stats", Json::object({{"usage", usage->now.memory_bytes}, {"max_usage", std::max(usage->memory_peak_bytes, usage->now.memory_bytes)}, {"limit", limit}, {"stats", Json::object()}})},
                       {"name", container.name.value_or("")}, {"id", container.runtime_id.value_or("")}, {"networks", std::move(networks)}});
}

Json task_stats_json(Ecs& ecs, const StoredTask& task) {
  Json out = Json::object();
  for (std::size_t i = 0; i < task.task.containers->size(); ++i) out.set((*task.task.containers)[i].runtime_id.value_or(""), stats_json(ecs, task, i));
  return out;
}

}  // namespace reef::service::ecs
