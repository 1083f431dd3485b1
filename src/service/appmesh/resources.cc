#include "service/appmesh/resources.h"

#include <fmt/format.h>

#include "aws/loose_values.h"
#include "service/appmesh/appmesh.h"

namespace reef::service::appmesh::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

// "MeshName" is "meshName" in the operations, at every depth.
Json with_small_names(const Json& value) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& one : value.as_array()) out.push_back(with_small_names(one));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [name, member] : value.as_object()) {
    // "DNS", "AWSCloudMap", "GRPC", "HTTP2", "TCP", "TLS", "SDS", "ACM": capitals up to the next word are one.
    std::string small = name;
    std::size_t capitals = 0;
    while (capitals < small.size() && std::isupper(static_cast<unsigned char>(small[capitals]))) ++capitals;
    const std::size_t lowered = capitals > 1 && capitals < small.size() && std::islower(static_cast<unsigned char>(small[capitals])) ? capitals - 1 : capitals;
    for (std::size_t i = 0; i < lowered; ++i) small[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(small[i])));
    out.set(small, with_small_names(member));
  }
  return out;
}

// "VirtualNodeName"
std::string property_of(std::string_view member) {
  std::string out(member);
  out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out;
}

Json input_of(const Kind& kind, const ResourceContext& context, const Json& properties, std::string_view operation, const std::string& name) {
  Json input = with_small_names(properties);
  input.erase("tags");
  input.set(kind.name_member, name);
  if (!input.contains("spec")) input.set("spec", Json::object());
  Json tags = Json::array();
  const Json merged = aws::merge_tags({&context.tags, &properties["Tags"]});
  for (const Json& tag : merged.as_array()) tags.push_back(Json::object({{"key", tag.text("Key")}, {"value", tag["Value"]}}));
  if (operation.starts_with("Create") && tags.size() > 0) input.set("tags", std::move(tags));
  return aws::fit_to_operation(aws::appmesh::kModel, operation, std::move(input));
}

ResourceState state_of(const Kind& kind, const Json& reply) {
  const Json& one = reply[kind.member];
  const Json& metadata = one["metadata"];
  Json attributes = Json::object({{"Arn", metadata.text("arn")}, {"Uid", metadata.text("uid")}, {"MeshName", one.text("meshName")}, {"MeshOwner", metadata.text("meshOwner")},
                                  {"ResourceOwner", metadata.text("resourceOwner")}, {property_of(kind.name_member), one.text(kind.name_member)}});
  if (!kind.parent_member.empty()) attributes.set(property_of(kind.parent_member), one.text(kind.parent_member));
  return {.physical_id = metadata.text("arn"), .attributes = std::move(attributes)};
}

template <const Kind& kKind>
std::string identify(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text(property_of(kKind.name_member));
  return given.empty() ? context.generated_name(255) : given;
}

template <const Kind& kKind>
Task<aws::Reply<ResourceState>> create(const ResourceContext& context, const Json& properties) {
  const std::string operation = fmt::format("Create{}", kKind.name);
  co_return state_of(kKind, CO_TRY(co_await aws::call_operation(context, "appmesh", operation, input_of(kKind, context, properties, operation, identify<kKind>(context, properties)))));
}

template <const Kind& kKind>
Task<aws::Reply<ResourceState>> update(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  const std::string operation = fmt::format("Update{}", kKind.name);
  const std::string name = current.attributes.text(property_of(kKind.name_member));
  co_return state_of(kKind, CO_TRY(co_await aws::call_operation(context, "appmesh", operation, input_of(kKind, context, after, operation, name))));
}

template <const Kind& kKind>
Task<aws::Reply<void>> remove(const ResourceContext& context, const ResourceState& current, const Json&) {
  Json input = Json::object({{"meshName", current.attributes.text("MeshName")}, {std::string(kKind.name_member), current.attributes.text(property_of(kKind.name_member))}});
  if (!kKind.parent_member.empty()) input.set(kKind.parent_member, current.attributes.text(property_of(kKind.parent_member)));
  co_return co_await aws::call_unless_gone(context, "appmesh", fmt::format("Delete{}", kKind.name), std::move(input), "NotFoundException");
}

constexpr OnChange kReplace = OnChange::kReplace;

template <const Kind& kKind>
aws::ResourceType make_type(std::string_view name, std::vector<aws::PropertyType> properties) {
  return {.name = name, .properties = std::move(properties), .create = create<kKind>, .identify = identify<kKind>, .update = update<kKind>, .remove = remove<kKind>};
}

}  // namespace

const aws::ResourceType kMesh = make_type<appmesh::kMesh>("AWS::AppMesh::Mesh", {{"MeshName", kReplace}, {"Spec"}, {"Tags"}});
const aws::ResourceType kVirtualService =
    make_type<appmesh::kVirtualService>("AWS::AppMesh::VirtualService", {{"MeshName", kReplace, true}, {"MeshOwner", kReplace}, {"Spec", OnChange::kUpdate, true}, {"Tags"}, {"VirtualServiceName", kReplace, true}});
const aws::ResourceType kVirtualNode =
    make_type<appmesh::kVirtualNode>("AWS::AppMesh::VirtualNode", {{"MeshName", kReplace, true}, {"MeshOwner", kReplace}, {"Spec", OnChange::kUpdate, true}, {"Tags"}, {"VirtualNodeName", kReplace}});
const aws::ResourceType kVirtualRouter =
    make_type<appmesh::kVirtualRouter>("AWS::AppMesh::VirtualRouter", {{"MeshName", kReplace, true}, {"MeshOwner", kReplace}, {"Spec", OnChange::kUpdate, true}, {"Tags"}, {"VirtualRouterName", kReplace}});
const aws::ResourceType kRoute = make_type<appmesh::kRoute>("AWS::AppMesh::Route", {{"MeshName", kReplace, true}, {"MeshOwner", kReplace}, {"RouteName", kReplace}, {"Spec", OnChange::kUpdate, true},
                                                                                     {"Tags"}, {"VirtualRouterName", kReplace, true}});
const aws::ResourceType kVirtualGateway =
    make_type<appmesh::kVirtualGateway>("AWS::AppMesh::VirtualGateway", {{"MeshName", kReplace, true}, {"MeshOwner", kReplace}, {"Spec", OnChange::kUpdate, true}, {"Tags"}, {"VirtualGatewayName", kReplace}});
const aws::ResourceType kGatewayRoute =
    make_type<appmesh::kGatewayRoute>("AWS::AppMesh::GatewayRoute", {{"GatewayRouteName", kReplace}, {"MeshName", kReplace, true}, {"MeshOwner", kReplace}, {"Spec", OnChange::kUpdate, true}, {"Tags"},
                                                                     {"VirtualGatewayName", kReplace, true}});

}  // namespace reef::service::appmesh::resources
