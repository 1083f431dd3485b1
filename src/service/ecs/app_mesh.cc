#include "service/ecs/app_mesh.h"

#include <algorithm>

#include <fmt/format.h>

namespace reef::service::ecs {

const model::ContainerDefinition* proxy_of(const model::TaskDefinition& definition) {
  if (!definition.proxy_configuration) return nullptr;
  for (const model::ContainerDefinition& one : *definition.container_definitions)
    if (one.name == definition.proxy_configuration->container_name) return &one;
  return nullptr;
}

namespace {

bool is_envoy(const model::ContainerDefinition& container) { return container.image.value_or("").find("aws-appmesh-envoy") != std::string::npos; }

}  // namespace

Reply<void> check_proxy(const model::TaskDefinition& definition) {
  if (!definition.proxy_configuration) return {};
  const auto invalid = [](std::string message) { return Err(aws::Error(errors::kClientException, std::move(message))); };
  if (definition.proxy_configuration->type.value_or("APPMESH") != "APPMESH") return invalid("Proxy configuration type must be APPMESH.");
  if (definition.network_mode != "awsvpc") return invalid("proxyConfiguration is only supported when networkMode=awsvpc.");
  const model::ContainerDefinition* const proxy = proxy_of(definition);
  if (!proxy) return invalid(fmt::format("The proxy container {} does not exist in the task definition.", definition.proxy_configuration->container_name));
  const auto& all = *definition.container_definitions;
  if (is_envoy(*proxy) && std::none_of(all.begin(), all.end(), [&](const auto& one) { return &one != proxy && one.essential.value_or(true); }))
    return Err(aws::not_implemented("a task with no essential container but App Mesh's Envoy (virtual gateways listen without a task)"));
  return {};
}

model::TaskDefinition without_proxy(model::TaskDefinition definition) {
  const model::ContainerDefinition* const proxy = proxy_of(definition);
  if (!proxy || !is_envoy(*proxy)) return definition;
  const std::string name = *proxy->name;
  std::erase_if(*definition.container_definitions, [&](const auto& one) { return one.name == name; });
  // Nobody waits for what does not run.
  for (model::ContainerDefinition& one : *definition.container_definitions)
    if (one.depends_on) std::erase_if(*one.depends_on, [&](const auto& dependency) { return dependency.container_name == name; });
  return definition;
}

// "mesh/shop/virtualNode/orders", or a whole ARN, in APPMESH_RESOURCE_ARN or its predecessor.
// https://docs.aws.amazon.com/app-mesh/latest/userguide/envoy-config.html
std::string virtual_node_of(const model::TaskDefinition& definition, const std::string& account, const std::string& region) {
  const model::ContainerDefinition* const proxy = proxy_of(definition);
  if (!proxy || !proxy->environment) return {};
  for (const std::string_view name : {"APPMESH_RESOURCE_ARN", "APPMESH_VIRTUAL_NODE_NAME"})
    for (const model::KeyValuePair& pair : *proxy->environment)
      if (pair.name == name && pair.value && !pair.value->empty()) return pair.value->starts_with("arn:") ? *pair.value : fmt::format("arn:aws:appmesh:{}:{}:{}", region, account, *pair.value);
  return {};
}

}  // namespace reef::service::ecs
