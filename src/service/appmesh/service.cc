// What App Mesh serves, and nothing else.
#include "aws/resource.h"
#include "service/appmesh/gateways.h"
#include "service/appmesh/operations.h"
#include "service/appmesh/resources.h"

namespace reef::service {
namespace appmesh {
namespace {

#define APPMESH_ROW(Name) aws::serve<operations::Name>(aws::appmesh::ops::k##Name),
#define APPMESH_FIVE(One, Many) APPMESH_ROW(Create##One) APPMESH_ROW(Describe##One) APPMESH_ROW(Update##One) APPMESH_ROW(Delete##One) APPMESH_ROW(List##Many)

const aws::ServiceDefinition kAppMesh{
    .model = &aws::appmesh::kModel,
    .placement = aws::Placement::kControl,
    .operations = {APPMESH_KINDS(APPMESH_FIVE) APPMESH_ROW(TagResource) APPMESH_ROW(UntagResource) APPMESH_ROW(ListTagsForResource)},
    .resources = {&resources::kMesh, &resources::kVirtualService, &resources::kVirtualNode, &resources::kVirtualRouter, &resources::kRoute, &resources::kVirtualGateway, &resources::kGatewayRoute},
};

#undef APPMESH_FIVE
#undef APPMESH_ROW

}  // namespace

AppMesh::AppMesh(Parts& parts)
    : caller(parts.get<aws::Caller>()), mesh(parts.get<edge::mesh::Mesh>()), zones(parts.get<naming::Zones>()), gateways(std::make_unique<Gateways>(*this, parts)) {}

AppMesh::~AppMesh() = default;

void AppMesh::start() {
  load_all(*this);
  for (const auto& [arn, entity] : entities)
    if (entity.kind == &kMesh) publish(*this, entity);
  for (const auto& [arn, entity] : entities)
    if (entity.kind == &kVirtualGateway) gateways->put(entity);
  look_for_endpoints(*this);
}

void AppMesh::stop() {
  is_stopping = true;
  store::Shard::control().reactor().cancel(std::exchange(discovery_timer, 0));
  gateways->clear();
}

void AppMesh::reset() {
  entities.clear();
  published.clear();
  discoveries.clear();
  gateways->clear();
}

}  // namespace appmesh

std::unique_ptr<aws::Service> make_appmesh(Parts& parts) { return std::make_unique<aws::ServiceOf<appmesh::AppMesh>>(appmesh::kAppMesh, parts); }

}  // namespace reef::service
