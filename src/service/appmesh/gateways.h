// Virtual gateways that listen: each has an address of this machine, in 127.63.0.0/16, and a name.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/edge/certificates.h"
#include "engine/edge/host_names.h"
#include "engine/edge/mesh/gateway.h"
#include "service/appmesh/appmesh.h"

namespace reef::service::appmesh {

class Gateways {
 public:
  Gateways(AppMesh& appmesh, Parts& parts) : appmesh_(appmesh), names_(parts.get<edge::HostNames>()), certificates_(parts.get<edge::Certificates>()) {}
  // Listens as the virtual gateway and its routes say now.
  void put(const Entity& gateway);
  // The gateway that a changed entity is, or belongs to.
  void refresh(const Entity& changed);
  void clear();

 private:
  struct One {
    std::string name;   // "front.shop.mesh.internal"
    std::unique_ptr<edge::mesh::Gateway> gateway;
  };
  std::string address_for(std::string_view arn) const;
  AppMesh& appmesh_;
  edge::HostNames& names_;
  edge::Certificates& certificates_;
  std::map<std::string, One, std::less<>> all_;   // by ARN
};

}  // namespace reef::service::appmesh
