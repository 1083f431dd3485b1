// Tasks that belong to a virtual node of App Mesh. Their proxy does not run: what it would do is done to the
// connections of their sandboxes by the mesh.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ProxyConfiguration.html
#pragma once

#include <string>

#include "service/ecs/ecs.h"

namespace reef::service::ecs {

// What is wrong with the proxy configuration of a definition that is being registered.
Reply<void> check_proxy(const model::TaskDefinition& definition);
// The proxy's container; nullptr when there is none.
const model::ContainerDefinition* proxy_of(const model::TaskDefinition& definition);
// The definition without its proxy's container, when that runs Envoy for App Mesh.
model::TaskDefinition without_proxy(model::TaskDefinition definition);
// The ARN of the virtual node that the proxy's environment names; empty: none.
std::string virtual_node_of(const model::TaskDefinition& definition, const std::string& account, const std::string& region);

}  // namespace reef::service::ecs
