// The CloudFormation types of the VPC family.
#pragma once

#include "aws/resource.h"

namespace reef::service::ec2::resources {

// An operation as the stack's principal, with the input's types as the operation wants them.
Task<aws::Reply<wire::Json>> invoke(const aws::ResourceContext& context, std::string_view operation, wire::Json input);

// The elements of one list that the other lacks.
wire::Json without(const wire::Json& list, const wire::Json& others);
// What several types do with properties and tags.
wire::Json copy(const wire::Json& from, std::initializer_list<std::string_view> names);
// The resource's own tags and the stack's as a TagSpecification.
void specify_tags(const aws::ResourceContext& context, const wire::Json& properties, std::string_view type, wire::Json& input);
// An update of nothing but tags.
Task<aws::Reply<aws::ResourceState>> keep_and_tag(const aws::ResourceContext& context, const aws::ResourceState& current, const wire::Json& before, const wire::Json& after);

extern const aws::ResourceType kVpc, kSubnet, kInternetGateway, kGatewayAttachment, kRouteTable, kRoute, kRouteTableAssociation, kSecurityGroup,
    kIngress, kEgress, kAddress, kNatGateway, kNetworkAcl, kNetworkAclEntry, kNetworkAclAssociation, kNetworkInterface, kFlowLog, kVpcEndpoint,
    kVpcCidrBlock, kDhcpOptions, kDhcpOptionsAssociation, kPrefixList;

}  // namespace reef::service::ec2::resources
