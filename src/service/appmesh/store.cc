#include <fmt/format.h>

#include "service/appmesh/appmesh.h"

namespace reef::service::appmesh {

using wire::Json;

const Kind kMesh{"Mesh", "mesh", "meshName", "meshes", "", ""};
const Kind kVirtualNode{"VirtualNode", "virtualNode", "virtualNodeName", "virtualNodes", "", ""};
const Kind kVirtualRouter{"VirtualRouter", "virtualRouter", "virtualRouterName", "virtualRouters", "", ""};
const Kind kRoute{"Route", "route", "routeName", "routes", "virtualRouterName", "virtualRouter"};
const Kind kVirtualService{"VirtualService", "virtualService", "virtualServiceName", "virtualServices", "", ""};
const Kind kVirtualGateway{"VirtualGateway", "virtualGateway", "virtualGatewayName", "virtualGateways", "", ""};
const Kind kGatewayRoute{"GatewayRoute", "gatewayRoute", "gatewayRouteName", "gatewayRoutes", "virtualGatewayName", "virtualGateway"};
const Kind* const kKinds[7] = {&kMesh, &kVirtualNode, &kVirtualRouter, &kRoute, &kVirtualService, &kVirtualGateway, &kGatewayRoute};

namespace {

store::Records& records() { return store::Shard::control().records(); }

}  // namespace

std::string make_arn(const Kind& kind, const std::string& account, const std::string& region, std::string_view mesh, std::string_view parent, std::string_view name) {
  std::string out = fmt::format("arn:aws:appmesh:{}:{}:mesh/{}", region, account, mesh);
  if (&kind == &kMesh) return out;
  if (!kind.parent.empty()) out += fmt::format("/{}/{}", kind.parent, parent);
  return out + fmt::format("/{}/{}", kind.member, name);
}

std::string mesh_arn(const Entity& entity) { return make_arn(kMesh, entity.account, entity.region, entity.mesh, {}, entity.mesh); }

void save(const Entity& entity) {
  Json tags = Json::array();
  for (const model::TagRef& tag : entity.tags) tags.push_back(aws::to_json(tag));
  records().put("appmesh/" + entity.arn(), Json::object({{"kind", entity.kind->name}, {"account", entity.account}, {"region", entity.region}, {"mesh", entity.mesh},
                                                         {"parent", entity.parent}, {"name", entity.name}, {"token", entity.token}, {"metadata", aws::to_json(entity.metadata)},
                                                         {"spec", entity.spec}, {"tags", std::move(tags)}}).dump());
}

void erase_record(const Entity& entity) { records().erase("appmesh/" + entity.arn()); }

void load_all(AppMesh& appmesh) {
  records().scan("appmesh/", [&](std::string_view, const std::string& text) {
    const auto json = Json::parse(text);
    auto metadata = json ? aws::from_json<model::ResourceMetadata>((*json)["metadata"]) : Reply<model::ResourceMetadata>(std::unexpected(aws::Error()));
    if (!metadata) return true;
    Entity entity{.account = json->text("account"), .region = json->text("region"), .mesh = json->text("mesh"), .parent = json->text("parent"), .name = json->text("name"),
                  .token = json->text("token"), .metadata = *std::move(metadata), .spec = (*json)["spec"], .tags = {}};
    for (const Kind* kind : kKinds)
      if (kind->name == json->text("kind")) entity.kind = kind;
    for (const Json& one : (*json)["tags"].as_array())
      if (auto tag = aws::from_json<model::TagRef>(one)) entity.tags.push_back(*std::move(tag));
    if (entity.kind) appmesh.entities.insert_or_assign(entity.arn(), std::move(entity));
    return true;
  });
}

const Entity* find(const AppMesh& appmesh, const Kind& kind, const Entity& beside, std::string_view name, std::string_view parent) {
  const auto found = appmesh.entities.find(make_arn(kind, beside.account, beside.region, beside.mesh, parent, name));
  return found == appmesh.entities.end() ? nullptr : &found->second;
}

std::vector<const Entity*> all_of(const AppMesh& appmesh, const Kind& kind, const Entity& in_mesh, std::string_view parent) {
  std::vector<const Entity*> out;
  const std::string prefix = mesh_arn(in_mesh) + "/";
  for (auto it = appmesh.entities.lower_bound(prefix); it != appmesh.entities.end() && it->first.starts_with(prefix); ++it)
    if (it->second.kind == &kind && (parent.empty() || it->second.parent == parent)) out.push_back(&it->second);
  return out;
}

}  // namespace reef::service::appmesh
