// A task definition as the engine runs it, and what of one cannot be run here.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/ecs/ecs.h"

namespace reef::service::ecs {
namespace {

template <class T>
bool given(const std::optional<std::vector<T>>& list) { return list && !list->empty(); }

// The first field of a container that is not supported; "" when all are.
std::string unsupported_field(const model::ContainerDefinition& one) {
  if (given(one.volumes_from)) return "volumesFrom";
  if (one.disable_networking.value_or(false)) return "disableNetworking";
  if (one.privileged.value_or(false)) return "privileged";
  if (given(one.dns_servers)) return "dnsServers";
  if (given(one.dns_search_domains)) return "dnsSearchDomains";
  if (given(one.docker_security_options)) return "dockerSecurityOptions";
  if (one.interactive.value_or(false)) return "interactive";
  if (one.pseudo_terminal.value_or(false)) return "pseudoTerminal";
  if (given(one.system_controls)) return "systemControls";
  if (given(one.resource_requirements)) return "resourceRequirements";
  if (one.firelens_configuration) return "firelensConfiguration";
  if (given(one.credential_specs)) return "credentialSpecs";
  if (one.log_configuration && one.log_configuration->log_driver != "awslogs")
    return fmt::format("logConfiguration with the driver {}", one.log_configuration->log_driver);
  if (one.log_configuration && given(one.log_configuration->secret_options)) return "logConfiguration.secretOptions";
  if (given(one.port_mappings))
    for (const model::PortMapping& port : *one.port_mappings)
      if (port.container_port_range) return "portMappings.containerPortRange";
  if (one.linux_parameters) {
    const model::LinuxParameters& parameters = *one.linux_parameters;
    if (given(parameters.devices)) return "linuxParameters.devices";
    if (parameters.capabilities && given(parameters.capabilities->add)) return "linuxParameters.capabilities.add";
    if (parameters.shared_memory_size) return "linuxParameters.sharedMemorySize";
    if (parameters.max_swap) return "linuxParameters.maxSwap";
    if (parameters.swappiness) return "linuxParameters.swappiness";
  }
  if (given(one.ulimits))
    for (const model::Ulimit& limit : *one.ulimits)
      if (limit.name != "nofile" && limit.name != "nproc") return "ulimits with the name " + limit.name;
  return {};
}

std::string unsupported_field(const model::TaskDefinition& one) {
  if (one.pid_mode && !one.pid_mode->empty()) return "pidMode";
  if (one.ipc_mode && !one.ipc_mode->empty()) return "ipcMode";
  if (given(one.inference_accelerators)) return "inferenceAccelerators";
  if (one.network_mode == "none") return "networkMode none";
  if (one.runtime_platform && one.runtime_platform->operating_system_family && one.runtime_platform->operating_system_family->starts_with("WINDOWS"))
    return "runtimePlatform.operatingSystemFamily " + *one.runtime_platform->operating_system_family;
  if (given(one.volumes))
    for (const model::Volume& volume : *one.volumes) {
      if (volume.efs_volume_configuration) return "volumes.efsVolumeConfiguration";
      if (volume.fsx_windows_file_server_volume_configuration) return "volumes.fsxWindowsFileServerVolumeConfiguration";
      if (volume.s3files_volume_configuration) return "volumes.s3filesVolumeConfiguration";
      if (volume.configured_at_launch.value_or(false)) return "volumes.configuredAtLaunch";
      if (volume.docker_volume_configuration && volume.docker_volume_configuration->driver.value_or("local") != "local")
        return "volumes.dockerVolumeConfiguration with the driver " + *volume.docker_volume_configuration->driver;
    }
  return {};
}

task::ContainerRule make_rule(const model::ContainerDefinition& one, const std::vector<model::ContainerDefinition>& all) {
  task::ContainerRule rule{.essential = one.essential.value_or(true)};
  if (one.depends_on)
    for (const model::ContainerDependency& dependency : *one.depends_on)
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].name != dependency.container_name) continue;
        const std::string& condition = dependency.condition;
        rule.depends_on.push_back({i, condition == "COMPLETE" ? task::Reach::kComplete : condition == "SUCCESS" ? task::Reach::kSuccess
                                      : condition == "HEALTHY" ? task::Reach::kHealthy : task::Reach::kStart});
      }
  if (one.links)
    for (const std::string& link : *one.links)
      for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].name == link.substr(0, link.find(':'))) rule.depends_on.push_back({i, task::Reach::kStart});
  if (one.start_timeout) rule.start_timeout = std::chrono::seconds(*one.start_timeout);
  if (one.health_check && !(one.health_check->command.size() == 1 && one.health_check->command[0] == "NONE"))
    rule.health = task::HealthRule{.interval = std::chrono::seconds(one.health_check->interval.value_or(30)),
                                   .timeout = std::chrono::seconds(one.health_check->timeout.value_or(5)),
                                   .grace = std::chrono::seconds(one.health_check->start_period.value_or(0)), .retries = one.health_check->retries.value_or(3)};
  if (one.restart_policy && one.restart_policy->enabled) {
    rule.restart = task::RestartRule{.least_run = std::chrono::seconds(one.restart_policy->restart_attempt_period.value_or(300)), .ignored_codes = {}};
    if (const auto& codes = one.restart_policy->ignored_exit_codes) rule.restart->ignored_codes.assign(codes->begin(), codes->end());
  }
  return rule;
}

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html#ECS-Type-ContainerDefinition-links
void add_links(task::ContainerPlan& plan, const model::ContainerDefinition& one, const std::vector<model::ContainerDefinition>& all) {
  if (!one.links) return;
  for (const std::string& link : *one.links) {
    const auto colon = link.find(':');
    const std::string name = link.substr(0, colon), alias = colon == std::string::npos ? "" : link.substr(colon + 1);
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].name == name) plan.links.push_back({i, alias.empty() || alias == name ? name : alias + " " + name});
  }
}

Reply<void> check_links(const model::TaskDefinition& definition) {
  const auto& all = *definition.container_definitions;
  for (const model::ContainerDefinition& one : all) {
    if (!given(one.links)) continue;
    if (definition.network_mode.value_or("bridge") != "bridge")
      return Err(aws::Error(errors::kClientException, fmt::format("Links are not supported when networkMode={}.", *definition.network_mode)));
    for (const std::string& link : *one.links)
      if (std::none_of(all.begin(), all.end(), [&](const auto& other) { return other.name == link.substr(0, link.find(':')) && other.name != one.name; }))
        return Err(aws::Error(errors::kClientException, fmt::format("Container '{}' links to '{}', which is not a container of the task definition.", one.name.value_or(""), link)));
  }
  return {};
}

void add_mounts(task::ContainerPlan& plan, const model::ContainerDefinition& one) {
  if (one.mount_points)
    for (const model::MountPoint& mount : *one.mount_points)
      plan.mounts.push_back({mount.source_volume.value_or(""), mount.container_path.value_or(""), mount.read_only.value_or(false)});
  if (one.linux_parameters && one.linux_parameters->tmpfs)
    for (const model::Tmpfs& tmpfs : *one.linux_parameters->tmpfs) plan.scratches.push_back({tmpfs.container_path, static_cast<std::uint64_t>(tmpfs.size) << 20});
  if (one.extra_hosts)
    for (const model::HostEntry& host : *one.extra_hosts) plan.hosts.push_back(host.ip_address + " " + host.hostname);
  if (one.ulimits)
    for (const model::Ulimit& limit : *one.ulimits) (limit.name == "nofile" ? plan.open_files : plan.pids) = static_cast<std::uint32_t>(limit.hard_limit);
}

}  // namespace

Reply<void> check_supported(const model::TaskDefinition& definition) {
  TRY(check_links(definition));
  // Nothing leads UDP into a network of a task's own.
  if (definition.network_mode != "host")
    for (const model::ContainerDefinition& one : *definition.container_definitions)
      if (given(one.port_mappings))
        for (const model::PortMapping& port : *one.port_mappings)
          if (port.protocol == "udp") return Err(aws::not_implemented(fmt::format("portMappings with the protocol udp of the container {}, outside the network mode host,", one.name.value_or(""))));
  if (const std::string field = unsupported_field(definition); !field.empty()) return Err(aws::not_implemented(field + " of a task definition"));
  for (const model::ContainerDefinition& one : *definition.container_definitions)
    if (const std::string field = unsupported_field(one); !field.empty())
      return Err(aws::not_implemented(fmt::format("{} of the container {}", field, one.name.value_or(""))));
  return {};
}

Reply<task::TaskPlan> make_plan(const StoredTask& stored, const model::TaskDefinition& definition, std::vector<std::vector<std::pair<std::string, std::string>>> environments) {
  task::TaskPlan plan{.id = stored.id};
  const std::string mode = definition.network_mode.value_or("bridge");
  plan.network = mode == "awsvpc" ? task::Network::kOwn : mode == "host" ? task::Network::kHost : task::Network::kBridge;
  if (definition.volumes)
    for (const model::Volume& volume : *definition.volumes)
      plan.volumes.push_back({volume.name.value_or(""), volume.host && volume.host->source_path ? *volume.host->source_path : ""});
  if (definition.ephemeral_storage) plan.written_bytes = static_cast<std::uint64_t>(definition.ephemeral_storage->size_in_gi_b) << 30;
  const auto& all = *definition.container_definitions;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const model::ContainerDefinition& one = all[i];
    const auto image = image::parse_reference(one.image.value_or(""));
    if (!image) return Err(aws::Error("CannotPullContainerError", fmt::format("invalid reference format: {}", one.image.value_or("")), 400));
    task::ContainerPlan container{.name = one.name.value_or(""), .image = *image, .entry_point = one.entry_point, .command = one.command,
                                  .env = std::move(environments[i]), .user = one.user.value_or(""), .working_folder = one.working_directory.value_or(""),
                                  .hostname = one.hostname.value_or(""), .rule = make_rule(one, all)};
    if (one.health_check) container.probe = one.health_check->command;
    if (one.port_mappings)
      for (const model::PortMapping& port : *one.port_mappings)
        container.ports.push_back({static_cast<std::uint16_t>(port.container_port.value_or(0)), static_cast<std::uint16_t>(port.host_port.value_or(0)), port.protocol == "udp"});
    container.read_only = one.readonly_root_filesystem.value_or(false);
    if (one.memory) container.memory_bytes = static_cast<std::uint64_t>(*one.memory) << 20;
    else if (definition.memory) container.memory_bytes = static_cast<std::uint64_t>(parse_int(*definition.memory).value_or(0)) << 20;
    // What a task has of processors, each of its containers may use: what a container asks for is only its part under
    // contention. 1024 units are one core.
    const auto cpu = stored.task.cpu ? parse_int(*stored.task.cpu) : std::nullopt;
    container.cpu_milli = cpu.value_or(0) > 0 ? std::max<std::uint32_t>(10, static_cast<std::uint32_t>(*cpu * 1000 / 1024)) : 0;
    container.stop_patience = std::chrono::seconds(one.stop_timeout.value_or(30));
    if (stored.task.overrides && stored.task.overrides->container_overrides)
      for (const model::ContainerOverride& over : *stored.task.overrides->container_overrides) {
        if (over.name != one.name) continue;
        if (over.command) container.command = over.command;
        if (over.memory) container.memory_bytes = static_cast<std::uint64_t>(*over.memory) << 20;
      }
    add_mounts(container, one);
    add_links(container, one, all);
    plan.containers.push_back(std::move(container));
  }
  return plan;
}

}  // namespace reef::service::ecs
