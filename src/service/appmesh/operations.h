// The handlers: the same five for each kind of resource, and tags.
#pragma once

#include "service/appmesh/appmesh.h"

namespace reef::service::appmesh::operations {

#define APPMESH_KINDS(V) V(Mesh, Meshes) V(VirtualNode, VirtualNodes) V(VirtualRouter, VirtualRouters) V(Route, Routes) V(VirtualService, VirtualServices) V(VirtualGateway, VirtualGateways) V(GatewayRoute, GatewayRoutes)
#define APPMESH_HANDLER(Name) Task<Reply<model::Name##Output>> Name(AppMesh& appmesh, const model::Name##Input& in, const Call& call);
#define APPMESH_FIVE(One, Many) \
  APPMESH_HANDLER(Create##One) APPMESH_HANDLER(Describe##One) APPMESH_HANDLER(Update##One) APPMESH_HANDLER(Delete##One) APPMESH_HANDLER(List##Many)
APPMESH_KINDS(APPMESH_FIVE)
APPMESH_HANDLER(TagResource)
APPMESH_HANDLER(UntagResource)
APPMESH_HANDLER(ListTagsForResource)
#undef APPMESH_FIVE
#undef APPMESH_HANDLER

}  // namespace reef::service::appmesh::operations
