// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-eip.html and
// aws-resource-ec2-natgateway.html
#include "service/ec2/resources.h"
#include "wire/json.h"

namespace reef::service::ec2::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

void add_tags(const Json& properties, std::string_view type, Json& input) {
  if (properties["Tags"].size() > 0)
    input.set("TagSpecifications", Json::array({Json::object({{"ResourceType", std::string(type)}, {"Tags", properties["Tags"]}})}));
}

// Tags change in place: those gone are taken off, the others set.
Task<aws::Reply<ResourceState>> retag(const ResourceContext& context, const ResourceState& current, std::string id, const Json& before, const Json& after) {
  Json gone = Json::array();
  for (const Json& old : before["Tags"].as_array()) {
    bool kept = false;
    for (const Json& tag : after["Tags"].as_array()) kept = kept || tag.text("Key") == old.text("Key");
    if (!kept) gone.push_back(Json::object({{"Key", old.text("Key")}}));
  }
  if (gone.size() > 0) CO_TRY(co_await aws::call_operation(context, "ec2", "DeleteTags", Json::object({{"Resources", Json::array({id})}, {"Tags", std::move(gone)}})));
  if (after["Tags"].size() > 0) CO_TRY(co_await aws::call_operation(context, "ec2", "CreateTags", Json::object({{"Resources", Json::array({id})}, {"Tags", after["Tags"]}})));
  co_return current;
}
Task<aws::Reply<ResourceState>> update_address(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  return retag(context, current, current.attributes.text("AllocationId"), before, after);
}
Task<aws::Reply<ResourceState>> update_nat(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  return retag(context, current, current.physical_id, before, after);
}

// Ref is the address, as on AWS; the allocation is an attribute.
Task<aws::Reply<ResourceState>> allocate(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"Domain", "vpc"}});
  add_tags(properties, "elastic-ip", input);
  const Json out = CO_TRY(co_await aws::call_operation(context, "ec2", "AllocateAddress", std::move(input)));
  co_return ResourceState{.physical_id = out.text("PublicIp"), .attributes = Json::object({{"AllocationId", out.text("AllocationId")}, {"PublicIp", out.text("PublicIp")}})};
}
Task<aws::Reply<void>> release(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "ReleaseAddress", Json::object({{"AllocationId", current.attributes.text("AllocationId")}}), "InvalidAllocationID.NotFound");
}
Task<aws::Reply<ResourceState>> create_nat(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"SubnetId", properties["SubnetId"]}});
  for (const std::string_view name : {"AllocationId", "ConnectivityType"})
    if (properties.contains(name)) input.set(name, properties[name]);
  add_tags(properties, "natgateway", input);
  const Json out = CO_TRY(co_await aws::call_operation(context, "ec2", "CreateNatGateway", std::move(input)));
  const std::string id = out["NatGateway"].text("NatGatewayId");
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"NatGatewayId", id}})};
}
Task<aws::Reply<void>> remove_nat(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await aws::call_unless_gone(context, "ec2", "DeleteNatGateway", Json::object({{"NatGatewayId", current.physical_id}}), "NatGatewayNotFound");
}

}  // namespace

const aws::ResourceType kAddress{.name = "AWS::EC2::EIP", .properties = {{"Domain", OnChange::kReplace}, {"Tags"}}, .create = allocate, .update = update_address, .remove = release};
const aws::ResourceType kNatGateway{.name = "AWS::EC2::NatGateway",
                                    .properties = {{"AllocationId", OnChange::kReplace}, {"ConnectivityType", OnChange::kReplace}, {"SubnetId", OnChange::kReplace, true}, {"Tags"}},
                                    .create = create_nat, .update = update_nat, .remove = remove_nat};

}  // namespace reef::service::ec2::resources
