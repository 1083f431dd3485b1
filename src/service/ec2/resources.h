// The CloudFormation types of the VPC family.
#pragma once

#include "aws/resource.h"

namespace reef::service::ec2::resources {

// An operation as the stack's principal, with the input's types as the operation wants them.
Task<aws::Reply<wire::Json>> invoke(const aws::ResourceContext& context, std::string_view operation, wire::Json input);

extern const aws::ResourceType kVpc, kSubnet, kInternetGateway, kGatewayAttachment, kRouteTable, kRoute, kRouteTableAssociation, kSecurityGroup,
    kIngress, kEgress, kAddress, kNatGateway;

}  // namespace reef::service::ec2::resources
