// The mesh of a running system: what connects its engine to sandboxes, traces and the admin endpoint.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/edge/authority.h"
#include "engine/edge/certificates.h"
#include "engine/edge/mesh/mesh.h"
#include "engine/edge/private_authorities.h"
#include "engine/metrics/counters.h"
#include "engine/sandbox/outbound.h"
#include "engine/task/tasks.h"
#include "engine/telemetry/spans.h"
#include "gateway/gateway.h"

namespace reef::app {

// Hops become spans of the traces that requests carry; those of Service Connect metrics in AWS/ECS, too.
edge::mesh::Tracing make_tracing(telemetry::Spans& spans, metrics::Counters& counters);
// Identities of workloads ("spiffe://shop/orders") come from the local authority, valid for an hour and made anew after half of
// it; what has an ARN from the certificates of this system. "<ARN of a private authority>#orders.local,spiffe://shop/orders" is issued by
// that authority.
edge::mesh::SecretSource make_secrets(edge::Authority& authority, edge::Certificates& certificates, edge::PrivateAuthorities& private_authorities);
// The reply to a query for a name of the mesh that the sandbox's task belongs to.
std::optional<std::string> answer_mesh(const edge::mesh::Mesh& mesh, const task::Tasks& tasks, std::string_view sandbox, std::string_view query);
// Whether the mesh took the connection.
bool adopt_mesh(edge::mesh::Mesh& mesh, const task::Tasks& tasks, std::string_view sandbox, sandbox::Destination original, int fd);
// GET /_atoll/mesh: who calls whom.
gateway::SideDoor make_mesh_admin(const edge::mesh::Mesh& mesh);

}  // namespace reef::app
