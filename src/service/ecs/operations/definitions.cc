// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html and the other operations on them.
#include <fmt/format.h>

#include "base/text.h"
#include "service/ecs/app_mesh.h"
#include "service/ecs/operations.h"
#include "service/ecs/operations/pages.h"

namespace reef::service::ecs::operations {
namespace {

aws::Error client_error(std::string message) { return {errors::kClientException, std::move(message)}; }

// "1 vCPU" is 1024 units, "2 GB" 2048 MiB.
Reply<std::optional<std::string>> normal_size(const std::optional<std::string>& given, std::string_view unit, std::string_view name) {
  if (!given || given->empty()) return std::optional<std::string>();
  const std::string text = to_lower(trim(*given));
  if (parse_int(text)) return std::optional<std::string>(text);
  if (text.ends_with(unit))
    if (const auto number = parse_double(trim(std::string_view(text).substr(0, text.size() - unit.size())))) return std::optional<std::string>(std::to_string(static_cast<int>(*number * 1024)));
  return Err(client_error(fmt::format("Invalid '{}' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.", name)));
}

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
bool is_fargate_size(int cpu, int memory) {
  const auto within = [&](int least, int most, int step) { return memory >= least && memory <= most && memory % step == 0; };
  switch (cpu) {
    case 256: return memory == 512 || memory == 1024 || memory == 2048;
    case 512: return within(1024, 4096, 1024);
    case 1024: return within(2048, 8192, 1024);
    case 2048: return within(4096, 16384, 1024);
    case 4096: return within(8192, 30720, 1024);
    case 8192: return within(16384, 61440, 4096);
    case 16384: return within(32768, 122880, 8192);
    default: return false;
  }
}

Reply<void> check_dependencies(const std::vector<model::ContainerDefinition>& all) {
  const auto index_of = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; }) - all.begin());
  };
  for (const auto& one : all) {
    if (!one.depends_on) continue;
    for (const auto& dependency : *one.depends_on) {
      const std::size_t other = index_of(dependency.container_name);
      if (other == all.size()) return Err(client_error(fmt::format("Container '{}' depends on the container '{}', which is not part of the task definition.", *one.name, dependency.container_name)));
      if (dependency.condition == "HEALTHY" && !all[other].health_check)
        return Err(client_error(fmt::format("Container '{}' needs the container '{}' to be HEALTHY, which has no healthCheck.", *one.name, dependency.container_name)));
      if ((dependency.condition == "COMPLETE" || dependency.condition == "SUCCESS") && all[other].essential.value_or(true))
        return Err(client_error("A container dependency with the condition COMPLETE or SUCCESS cannot be set on an essential container."));
    }
  }
  std::vector<int> seen(all.size(), 0);
  const std::function<bool(std::size_t)> is_circular = [&](std::size_t i) {
    if (seen[i] == 1) return true;
    if (seen[i] == 2) return false;
    seen[i] = 1;
    if (all[i].depends_on)
      for (const auto& dependency : *all[i].depends_on)
        if (is_circular(index_of(dependency.container_name))) return true;
    seen[i] = 2;
    return false;
  };
  for (std::size_t i = 0; i < all.size(); ++i)
    if (is_circular(i)) return Err(client_error("A circular dependency was found in the container definitions."));
  return {};
}

Reply<void> check_containers(const model::TaskDefinition& definition) {
  const auto& all = *definition.container_definitions;
  if (all.empty()) return Err(client_error("Container list cannot be empty."));
  bool any_essential = false;
  const bool is_fargate = definition.requires_compatibilities &&
                          std::find(definition.requires_compatibilities->begin(), definition.requires_compatibilities->end(), "FARGATE") != definition.requires_compatibilities->end();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const model::ContainerDefinition& one = all[i];
    if (!one.name || one.name->empty()) return Err(client_error("Container.name should not be null or empty."));
    if (!one.image || one.image->empty()) return Err(client_error("Container.image should not be null or empty."));
    any_essential = any_essential || one.essential.value_or(true);
    for (std::size_t j = 0; j < i; ++j)
      if (all[j].name == one.name) return Err(client_error(fmt::format("Container.name should be unique: {}", *one.name)));
    if (!one.memory && !one.memory_reservation && !definition.memory)
      return Err(client_error(fmt::format("Invalid setting for container '{}'. At least one of 'memory' or 'memoryReservation' must be specified.", *one.name)));
    if (is_fargate && one.port_mappings)
      for (const auto& port : *one.port_mappings)
        if (port.host_port && *port.host_port != 0 && port.host_port != port.container_port)
          return Err(client_error("When networkMode=awsvpc, the host ports and container ports in port mappings must match."));
    if (one.mount_points)
      for (const auto& mount : *one.mount_points) {
        const bool known = definition.volumes && std::any_of(definition.volumes->begin(), definition.volumes->end(), [&](const auto& volume) { return volume.name == mount.source_volume; });
        if (!known) return Err(client_error(fmt::format("Unknown volume '{}'.", mount.source_volume.value_or(""))));
      }
    if (one.log_configuration && one.log_configuration->log_driver == "awslogs" && (!one.log_configuration->options || !one.log_configuration->options->contains("awslogs-group")))
      return Err(client_error(fmt::format("Log driver awslogs requires options: awslogs-region, awslogs-group")));
  }
  if (!any_essential) return Err(client_error("At least one container in a task must be essential."));
  if (is_fargate) {
    if (definition.network_mode != "awsvpc") return Err(client_error("Fargate only supports network mode 'awsvpc'."));
    if (!definition.cpu || !definition.memory) return Err(client_error("Fargate requires that 'cpu' and 'memory' be defined at the task level."));
    if (!is_fargate_size(parse_int<int>(*definition.cpu).value_or(0), parse_int<int>(*definition.memory).value_or(0)))
      return Err(client_error("No Fargate configuration exists for given values: " + *definition.cpu + " CPU, " + *definition.memory + " memory. See the Amazon ECS documentation for the valid values."));
  }
  return check_dependencies(all);
}

// What AWS fills in.
void fill_defaults(std::vector<model::ContainerDefinition>& containers, const std::string& mode) {
  for (model::ContainerDefinition& one : containers) {
    if (!one.cpu) one.cpu = 0;
    if (!one.essential) one.essential = true;
    if (!one.environment) one.environment.emplace();
    if (!one.mount_points) one.mount_points.emplace();
    if (!one.volumes_from) one.volumes_from.emplace();
    if (!one.system_controls) one.system_controls.emplace();
    if (!one.port_mappings) one.port_mappings.emplace();
    for (model::PortMapping& port : *one.port_mappings) {
      if (!port.protocol) port.protocol = "tcp";
      if (!port.host_port) port.host_port = mode == "awsvpc" || mode == "host" ? port.container_port.value_or(0) : 0;
    }
    if (one.health_check) {
      if (!one.health_check->interval) one.health_check->interval = 30;
      if (!one.health_check->timeout) one.health_check->timeout = 5;
      if (!one.health_check->retries) one.health_check->retries = 3;
    }
  }
}

}  // namespace

Task<Reply<model::RegisterTaskDefinitionOutput>> RegisterTaskDefinition(Ecs& ecs, const model::RegisterTaskDefinitionInput& in, const Call& call) {
  StoredDefinition stored;
  model::TaskDefinition& out = stored.definition;
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; };
  if (in.family.empty() || in.family.size() > 255 || !std::all_of(in.family.begin(), in.family.end(), is_word)) co_return Err(client_error("Invalid family name: only alphanumeric characters, dashes and underscores are allowed, at most 255."));
  out.container_definitions = in.container_definitions;
  out.family = in.family;
  out.task_role_arn = in.task_role_arn;
  out.execution_role_arn = in.execution_role_arn;
  out.network_mode = in.network_mode;
  out.volumes = in.volumes.value_or(std::vector<model::Volume>{});
  out.placement_constraints = in.placement_constraints.value_or(std::vector<model::TaskDefinitionPlacementConstraint>{});
  out.requires_compatibilities = in.requires_compatibilities;
  out.cpu = CO_TRY(normal_size(in.cpu, "vcpu", "cpu"));
  out.memory = CO_TRY(normal_size(in.memory, "gb", "memory"));
  out.pid_mode = in.pid_mode;
  out.ipc_mode = in.ipc_mode;
  out.proxy_configuration = in.proxy_configuration;
  out.inference_accelerators = in.inference_accelerators;
  out.ephemeral_storage = in.ephemeral_storage;
  out.runtime_platform = in.runtime_platform;
  out.enable_fault_injection = in.enable_fault_injection;
  CO_TRY(check_containers(out));
  CO_TRY(check_proxy(out));
  CO_TRY(check_supported(out));
  fill_defaults(*out.container_definitions, out.network_mode.value_or("bridge"));
  if (!out.network_mode && out.requires_compatibilities) out.network_mode = "bridge";
  out.compatibilities = out.network_mode == "awsvpc" ? std::vector<std::string>{"EC2", "FARGATE"} : std::vector<std::string>{"EXTERNAL", "EC2"};
  out.status = "ACTIVE";
  out.registered_at = call.now;
  out.registered_by = call.principal.arn;
  auto& family = ecs.families[scope(call, in.family)];
  out.revision = family.empty() ? 1 : family.rbegin()->first + 1;
  out.task_definition_arn = call.arn("ecs", fmt::format("task-definition/{}:{}", in.family, *out.revision));
  if (in.tags) stored.tags = *in.tags;
  save(call.account, call.region, stored);
  family.emplace(*out.revision, stored);
  co_await committed();
  co_return model::RegisterTaskDefinitionOutput{.task_definition = stored.definition, .tags = stored.tags};
}

Task<Reply<model::DescribeTaskDefinitionOutput>> DescribeTaskDefinition(Ecs& ecs, const model::DescribeTaskDefinitionInput& in, const Call& call) {
  const StoredDefinition* found = find_definition(ecs, call.account, call.region, in.task_definition);
  if (!found) co_return Err(client_error("Unable to describe task definition."));
  model::DescribeTaskDefinitionOutput out;
  out.task_definition = found->definition;
  if (in.include && std::find(in.include->begin(), in.include->end(), "TAGS") != in.include->end()) out.tags = found->tags;
  co_return out;
}

Task<Reply<model::DeregisterTaskDefinitionOutput>> DeregisterTaskDefinition(Ecs& ecs, const model::DeregisterTaskDefinitionInput& in, const Call& call) {
  StoredDefinition* found = last_part(in.task_definition).find(':') == std::string_view::npos ? nullptr : find_definition(ecs, call.account, call.region, in.task_definition);
  if (!found) co_return Err(client_error(last_part(in.task_definition).find(':') == std::string_view::npos ? "Revision is missing." : "Unable to describe task definition."));
  if (found->definition.status != "ACTIVE") co_return Err(client_error("The specified task definition is inactive. Specify an active task definition and try again."));
  found->definition.status = "INACTIVE";
  found->definition.deregistered_at = call.now;
  save(call.account, call.region, *found);
  model::DeregisterTaskDefinitionOutput out{.task_definition = found->definition};
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteTaskDefinitionsOutput>> DeleteTaskDefinitions(Ecs& ecs, const model::DeleteTaskDefinitionsInput& in, const Call& call) {
  model::DeleteTaskDefinitionsOutput out;
  out.task_definitions.emplace();
  out.failures.emplace();
  for (const std::string& wanted : in.task_definitions) {
    StoredDefinition* found = last_part(wanted).find(':') == std::string_view::npos ? nullptr : find_definition(ecs, call.account, call.region, wanted);
    if (!found) {
      out.failures->push_back({.arn = wanted, .reason = "The specified task definition identifier is not valid", .detail = {}});
      continue;
    }
    if (found->definition.status == "ACTIVE") {
      out.failures->push_back({.arn = *found->definition.task_definition_arn, .reason = "The specified task definition is still in ACTIVE status. Please deregister the target and try again.", .detail = {}});
      continue;
    }
    model::TaskDefinition gone = found->definition;
    gone.status = "DELETE_IN_PROGRESS";
    gone.delete_requested_at = call.now;
    erase_record(call.account, call.region, gone);
    const auto family = ecs.families.find(scope(call, *gone.family));
    family->second.erase(*gone.revision);
    if (family->second.empty()) ecs.families.erase(family);
    out.task_definitions->push_back(std::move(gone));
  }
  co_await committed();
  co_return out;
}

Task<Reply<model::ListTaskDefinitionsOutput>> ListTaskDefinitions(Ecs& ecs, const model::ListTaskDefinitionsInput& in, const Call& call) {
  std::vector<std::string> arns;
  for (const auto& [key, family] : ecs.families) {
    if (!key.starts_with(scope(call, ""))) continue;
    if (in.family_prefix && last_part(key) != *in.family_prefix) continue;
    for (const auto& [revision, one] : family)
      if (one.definition.status == in.status.value_or("ACTIVE")) arns.push_back(*one.definition.task_definition_arn);
  }
  if (in.sort == "DESC") std::reverse(arns.begin(), arns.end());
  co_return cut_page<model::ListTaskDefinitionsOutput>(std::move(arns), in.next_token, in.max_results, &model::ListTaskDefinitionsOutput::task_definition_arns);
}

Task<Reply<model::ListTaskDefinitionFamiliesOutput>> ListTaskDefinitionFamilies(Ecs& ecs, const model::ListTaskDefinitionFamiliesInput& in, const Call& call) {
  std::vector<std::string> names;
  const std::string wanted = in.status.value_or("ALL");
  for (const auto& [key, family] : ecs.families) {
    if (!key.starts_with(scope(call, "")) || !last_part(key).starts_with(in.family_prefix.value_or(""))) continue;
    const bool active = std::any_of(family.begin(), family.end(), [](const auto& one) { return one.second.definition.status == "ACTIVE"; });
    if (wanted == "ALL" || (wanted == "ACTIVE") == active) names.emplace_back(last_part(key));
  }
  co_return cut_page<model::ListTaskDefinitionFamiliesOutput>(std::move(names), in.next_token, in.max_results, &model::ListTaskDefinitionFamiliesOutput::families);
}

}  // namespace reef::service::ecs::operations
