// The CloudFormation types of the VPC family.
#pragma once

#include "aws/resource.h"

namespace reef::service::ec2::resources {

extern const aws::ResourceType kVpc, kSubnet, kInternetGateway, kGatewayAttachment, kRouteTable, kRoute, kRouteTableAssociation, kSecurityGroup,
    kIngress, kEgress, kAddress, kNatGateway;

}  // namespace reef::service::ec2::resources
