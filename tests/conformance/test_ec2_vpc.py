"""VPCs through boto3: what AWS's documentation says of networks and their errors, and the templates that make them."""
import json

import pytest
from ec2_support import ec2, refused, vpc  # noqa: F401 - fixtures


def test_the_default_vpc_is_there(ec2):
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert vpc["CidrBlock"] == "172.31.0.0/16" and vpc["State"] == "available"
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    assert sorted(one["AvailabilityZone"] for one in subnets) == ["us-east-1" + letter for letter in "abcdef"]
    assert all(one["AvailableIpAddressCount"] == 4091 and one["DefaultForAz"] and one["MapPublicIpOnLaunch"] for one in subnets)
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["SecurityGroups"]
    assert group["GroupName"] == "default"
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "association.main", "Values": ["true"]}, {"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["RouteTables"]
    assert [route["DestinationCidrBlock"] for route in table["Routes"]] == ["172.31.0.0/16", "0.0.0.0/0"]
    assert ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]


def test_vpc_blocks_are_checked(ec2, vpc):
    assert "not a valid CIDR block" in refused("InvalidParameterValue", ec2.create_vpc, CidrBlock="10.0.0.0/40")
    assert refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock="10.0.0.0/8") == "The CIDR '10.0.0.0/8' is invalid."
    assert ec2.create_vpc(CidrBlock="10.9.1.1/16")["Vpc"]["CidrBlock"] == "10.9.0.0/16"
    refused("DryRunOperation", ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True)
    assert refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-1"]) == "The vpc ID 'vpc-1' does not exist"
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    assert not ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")["EnableDnsSupport"]["Value"]


def test_subnets_divide_their_vpc(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1b",
                               TagSpecifications=[{"ResourceType": "subnet", "Tags": [{"Key": "Name", "Value": "front"}]}])["Subnet"]
    assert subnet["AvailableIpAddressCount"] == 251 and subnet["Tags"] == [{"Key": "Name", "Value": "front"}]
    assert "conflicts with another subnet" in refused("InvalidSubnet.Conflict", ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.0.128/25")
    refused("InvalidSubnet.Range", ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.0.0/24")
    assert "us-east-1a" in refused("InvalidParameterValue", ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="mars-1a")
    found = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["fr*"]}, {"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    assert [one["SubnetId"] for one in found] == [subnet["SubnetId"]]
    refused("InvalidParameterValue", ec2.describe_subnets, Filters=[{"Name": "colour", "Values": ["red"]}])
    assert "has dependencies and cannot be deleted" in refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc)
    ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc)
    refused("InvalidVpcID.NotFound", ec2.delete_vpc, VpcId=vpc)


def test_pages_hold_everything_once(ec2, vpc):
    made = {ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24")["Subnet"]["SubnetId"] for i in range(12)}
    pages = ec2.get_paginator("describe_subnets").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}], PaginationConfig={"PageSize": 5})
    sizes, seen = [], []
    for page in pages:
        sizes.append(len(page["Subnets"]))
        seen += [one["SubnetId"] for one in page["Subnets"]]
    assert sizes == [5, 5, 2] and set(seen) == made and len(seen) == 12


def test_routes_lead_through_attached_gateways(ec2, vpc):
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
    assert "belong to different networks" in refused("InvalidParameterValue", ec2.create_route, **route)
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    refused("Resource.AlreadyAssociated", ec2.attach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)
    assert ec2.create_route(**route)["Return"]
    assert refused("RouteAlreadyExists", ec2.create_route, **route) == "The route identified by 0.0.0.0/0 already exists."
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    refused("DependencyViolation", ec2.delete_route_table, RouteTableId=table)
    ec2.disassociate_route_table(AssociationId=association)
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    refused("InvalidRoute.NotFound", ec2.delete_route, RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    ec2.delete_route_table(RouteTableId=table)
    refused("DependencyViolation", ec2.delete_internet_gateway, InternetGatewayId=gateway)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def test_nat_gateways_hold_their_address(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address["AllocationId"])["NatGateway"]
    assert nat["NatGatewayAddresses"][0]["PublicIp"] == address["PublicIp"]
    refused("Resource.AlreadyAssociated", ec2.create_nat_gateway, SubnetId=subnet, AllocationId=address["AllocationId"])
    refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=address["AllocationId"])
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnet)
    assert ec2.describe_nat_gateways(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NatGateways"][0]["State"] == "available"
    ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    refused("NatGatewayNotFound", ec2.delete_nat_gateway, NatGatewayId=nat["NatGatewayId"])
    ec2.release_address(AllocationId=address["AllocationId"])
    refused("InvalidAllocationID.NotFound", ec2.describe_addresses, AllocationIds=[address["AllocationId"]])


def test_group_rules(ec2, vpc):
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    refused("InvalidGroup.Duplicate", ec2.create_security_group, GroupName="web", Description="web", VpcId=vpc)
    other = ec2.create_security_group(GroupName="back", Description="back", VpcId=vpc)["GroupId"]
    web = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}]}]
    rules = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=web)["SecurityGroupRules"]
    assert rules[0]["SecurityGroupRuleId"].startswith("sgr-") and not rules[0]["IsEgress"]
    assert refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=web) == \
        'the specified rule "peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW" already exists'
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "UserIdGroupPairs": [{"GroupId": group}]}])
    assert "dependent object" in refused("DependencyViolation", ec2.delete_security_group, GroupId=group)
    (shown,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert shown["IpPermissions"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0", "Description": "all"}]
    assert shown["IpPermissionsEgress"][0]["IpProtocol"] == "-1" and "FromPort" not in shown["IpPermissionsEgress"][0]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=web)
    refused("InvalidPermission.NotFound", ec2.revoke_security_group_ingress, GroupId=group, IpPermissions=web)
    ec2.delete_security_group(GroupId=other)
    ec2.delete_security_group(GroupId=group)
    refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=[group])


def test_tags_zones_and_regions(ec2, vpc):
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "team", "Value": "reef"}])
    (tag,) = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc]}])["Tags"]
    assert tag == {"Key": "team", "Value": "reef", "ResourceId": vpc, "ResourceType": "vpc"}
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "team"}])
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0].get("Tags", []) == []
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert [(zone["ZoneName"], zone["ZoneId"]) for zone in zones][:2] == [("us-east-1a", "use1-az1"), ("us-east-1b", "use1-az2")]
    assert "eu-west-1" in [region["RegionName"] for region in ec2.describe_regions()["Regions"]]


def test_networks_outlive_a_restart(new_daemon):
    daemon = new_daemon()
    ec2 = daemon.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    before = sorted(one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"])
    daemon.kill()
    daemon.start()
    after = sorted(one["VpcId"] for one in daemon.client("ec2").describe_vpcs()["Vpcs"])
    assert after == before and vpc in after


TEMPLATE = {
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": True, "EnableDnsHostnames": True, "Tags": [{"Key": "Name", "Value": "net"}]}},
        "SubnetA": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/20", "AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "MapPublicIpOnLaunch": "true"}},
        "SubnetB": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.16.0/20", "AvailabilityZone": {"Fn::Select": [1, {"Fn::GetAZs": ""}]}}},
        "Gateway": {"Type": "AWS::EC2::InternetGateway"},
        "Attachment": {"Type": "AWS::EC2::VPCGatewayAttachment", "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}}},
        "Routes": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "Out": {"Type": "AWS::EC2::Route", "DependsOn": "Attachment", "Properties": {"RouteTableId": {"Ref": "Routes"}, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": {"Ref": "Gateway"}}},
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        "Nat": {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": {"Ref": "SubnetA"}, "AllocationId": {"Fn::GetAtt": "Address.AllocationId"}}},
        "Inside": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "InsideOut": {"Type": "AWS::EC2::Route", "Properties": {"RouteTableId": {"Ref": "Inside"}, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": {"Ref": "Nat"}}},
        "RoutesA": {"Type": "AWS::EC2::SubnetRouteTableAssociation", "Properties": {"SubnetId": {"Ref": "SubnetA"}, "RouteTableId": {"Ref": "Routes"}}},
        "Front": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "front", "VpcId": {"Ref": "Vpc"}, "SecurityGroupIngress": [
            {"IpProtocol": "tcp", "FromPort": "80", "ToPort": "80", "CidrIp": "0.0.0.0/0"}]}},
        "Back": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "back", "VpcId": {"Ref": "Vpc"}, "SecurityGroupEgress": [
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]}},
        "FrontToBack": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"GroupId": {"Ref": "Back"}, "IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "SourceSecurityGroupId": {"Fn::GetAtt": "Front.GroupId"}}},
    },
    "Outputs": {"Vpc": {"Value": {"Ref": "Vpc"}}, "Zone": {"Value": {"Fn::GetAtt": "SubnetB.AvailabilityZone"}}, "Back": {"Value": {"Ref": "Back"}},
                "Front": {"Value": {"Ref": "Front"}}, "Default": {"Value": {"Fn::GetAtt": "Vpc.DefaultSecurityGroup"}}},
}


def test_a_template_makes_and_removes_a_network(daemon, ec2):
    cloudformation = daemon.client("cloudformation")
    cloudformation.create_stack(StackName="net", TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="net", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    outputs = {one["OutputKey"]: one["OutputValue"] for one in cloudformation.describe_stacks(StackName="net")["Stacks"][0]["Outputs"]}
    assert outputs["Zone"] == "us-east-1b" and outputs["Default"].startswith("sg-")
    (back,) = ec2.describe_security_groups(GroupIds=[outputs["Back"]])["SecurityGroups"]
    assert back["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == outputs["Front"]
    assert [(one["IpProtocol"], one["FromPort"]) for one in back["IpPermissionsEgress"]] == [("tcp", 443)]
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Address"]["Properties"]["Tags"] = [{"Key": "Name", "Value": "out"}]
    (address,) = ec2.describe_addresses()["Addresses"]
    changed["Resources"]["Front"]["Properties"]["SecurityGroupIngress"].append({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"})
    cloudformation.update_stack(StackName="net", TemplateBody=json.dumps(changed))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="net", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    (front,) = ec2.describe_security_groups(GroupIds=[outputs["Front"]])["SecurityGroups"]
    assert sorted(one["FromPort"] for one in front["IpPermissions"]) == [80, 443]
    (tagged,) = ec2.describe_addresses(Filters=[{"Name": "tag:Name", "Values": ["out"]}])["Addresses"]
    assert tagged["AllocationId"] == address["AllocationId"]
    assert ec2.describe_vpcs(VpcIds=[outputs["Vpc"]])["Vpcs"][0]["Tags"]
    cloudformation.delete_stack(StackName="net")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="net", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[outputs["Vpc"]])
