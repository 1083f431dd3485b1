// App Mesh: meshes and what is in them, as records on the control shard; what they mean is told to engine/edge/mesh, whole
// for a mesh, after each change. The seven kinds of resources differ in their specs only, which are kept as they came.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "aws/caller.h"
#include "aws/models/appmesh.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "aws/unmodelled_errors.h"
#include "engine/edge/mesh/mesh.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "wire/json.h"

namespace reef::naming {
class Zones;
}

namespace reef::service::appmesh {

namespace model = aws::appmesh;
namespace errors = aws::appmesh::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

struct Kind {
  std::string_view name;           // "VirtualNode"
  std::string_view member;         // "virtualNode": in replies and ARNs
  std::string_view name_member;    // "virtualNodeName"
  std::string_view list_member;    // "virtualNodes"
  std::string_view parent_member;  // of a router's or a gateway's routes; empty: in the mesh itself
  std::string_view parent;         // "virtualRouter"
};
extern const Kind kMesh, kVirtualNode, kVirtualRouter, kRoute, kVirtualService, kVirtualGateway, kGatewayRoute;
extern const Kind* const kKinds[7];

struct Entity {
  const Kind* kind = nullptr;
  std::string account, region, mesh, parent, name, token;
  model::ResourceMetadata metadata;
  wire::Json spec;
  std::vector<model::TagRef> tags;
  const std::string& arn() const { return metadata.arn; }
};

class Gateways;   // gateways.h

struct AppMesh {
  explicit AppMesh(Parts& parts);
  ~AppMesh();
  void start();
  void stop();
  void reset();

  aws::Caller& caller;
  edge::mesh::Mesh& mesh;
  naming::Zones& zones;
  std::unique_ptr<Gateways> gateways;
  std::map<std::string, Entity, std::less<>> entities;   // by ARN
  // What each mesh has in the engine, by the mesh's ARN.
  struct Published {
    std::set<std::string> nodes, services, identities;
  };
  std::map<std::string, Published, std::less<>> published;
  // How the endpoints of each node of the engine are found.
  struct Discovery {
    std::string account, region;
    model::ServiceDiscovery how;
    std::uint32_t round = 0;
  };
  std::map<std::string, Discovery, std::less<>> discoveries;
  io::Reactor::TimerId discovery_timer = 0;
  bool is_stopping = false;
};

// --- records ---------------------------------------------------------------------------------------------------------
std::string make_arn(const Kind& kind, const std::string& account, const std::string& region, std::string_view mesh, std::string_view parent, std::string_view name);
void save(const Entity& entity);
void erase_record(const Entity& entity);
void load_all(AppMesh& appmesh);
const Entity* find(const AppMesh& appmesh, const Kind& kind, const Entity& beside, std::string_view name, std::string_view parent = {});
// All of a kind in a mesh; of one parent when that is given.
std::vector<const Entity*> all_of(const AppMesh& appmesh, const Kind& kind, const Entity& in_mesh, std::string_view parent = {});
std::string mesh_arn(const Entity& entity);

// --- checks ----------------------------------------------------------------------------------------------------------
// What is wrong with a spec, or refers to what is not there.
Reply<void> check_spec(const AppMesh& appmesh, const Entity& entity);
// Whether something else needs it.
Reply<void> check_unused(const AppMesh& appmesh, const Entity& entity);

// --- what the engine is told -----------------------------------------------------------------------------------------
void publish(AppMesh& appmesh, const Entity& changed);
// Looks endpoints up now, and again and again.
void look_for_endpoints(AppMesh& appmesh);
// "<node's ARN>#<port>": the engine has one for each listener.
std::string engine_node(std::string_view node_arn, std::int64_t port);
edge::mesh::Protocol protocol_of(std::string_view name);
Duration read_duration(const model::Duration& duration);

template <class T>
T spec_of(const Entity& entity) {
  auto out = aws::from_json<T>(entity.spec);
  return out ? *std::move(out) : T{};
}

}  // namespace reef::service::appmesh
