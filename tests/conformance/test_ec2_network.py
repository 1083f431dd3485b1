"""Network ACLs, interfaces, endpoints, prefix lists, DHCP options, flow logs: what EC2's API says of them."""
import json

import pytest
from ec2_support import ec2, refused, vpc  # noqa: F401 - fixtures


@pytest.fixture
def subnet(ec2, vpc):
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]


def test_every_vpc_has_a_network_acl_that_lets_everything_through(ec2, vpc, subnet):
    (acl,) = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default", "Values": ["true"]}])["NetworkAcls"]
    assert acl["IsDefault"] and [one["SubnetId"] for one in acl["Associations"]] == [subnet]
    assert [(one["Egress"], one["RuleNumber"], one["RuleAction"], one["Protocol"], one["CidrBlock"]) for one in acl["Entries"]] == [
        (True, 100, "allow", "-1", "0.0.0.0/0"), (True, 32767, "deny", "-1", "0.0.0.0/0"), (False, 100, "allow", "-1", "0.0.0.0/0"), (False, 32767, "deny", "-1", "0.0.0.0/0")]
    assert "cannot delete default network ACL" in refused("InvalidParameterValue", ec2.delete_network_acl, NetworkAclId=acl["NetworkAclId"])


def test_entries_of_a_network_acl(ec2, vpc, subnet):
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]
    assert [one["RuleAction"] for one in acl["Entries"]] == ["deny", "deny"] and not acl["IsDefault"]
    entry = {"NetworkAclId": acl["NetworkAclId"], "RuleNumber": 10, "Protocol": "tcp", "RuleAction": "allow", "Egress": False, "CidrBlock": "10.1.2.3/16", "PortRange": {"From": 80, "To": 81}}
    ec2.create_network_acl_entry(**entry)
    assert "identified by 10 already exists" in refused("NetworkAclEntryAlreadyExists", ec2.create_network_acl_entry, **entry)
    refused("InvalidParameterValue", ec2.create_network_acl_entry, **{**entry, "RuleNumber": 40000})
    refused("MissingParameter", ec2.create_network_acl_entry, **{key: value for key, value in entry.items() if key != "PortRange"})
    ec2.replace_network_acl_entry(**{**entry, "RuleAction": "deny"})
    shown = ec2.describe_network_acls(NetworkAclIds=[acl["NetworkAclId"]])["NetworkAcls"][0]["Entries"]
    assert [one for one in shown if one["RuleNumber"] == 10] == [{"CidrBlock": "10.1.0.0/16", "Egress": False, "PortRange": {"From": 80, "To": 81}, "Protocol": "6", "RuleAction": "deny", "RuleNumber": 10}]
    refused("InvalidNetworkAclEntry.NotFound", ec2.replace_network_acl_entry, **{**entry, "RuleNumber": 11})
    (association,) = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"][0]["Associations"]
    new = ec2.replace_network_acl_association(AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl["NetworkAclId"])["NewAssociationId"]
    assert new.startswith("aclassoc-")
    refused("InvalidAssociationID.NotFound", ec2.replace_network_acl_association, AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl["NetworkAclId"])
    refused("DependencyViolation", ec2.delete_network_acl, NetworkAclId=acl["NetworkAclId"])
    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc)
    ec2.delete_network_acl_entry(NetworkAclId=acl["NetworkAclId"], RuleNumber=10, Egress=False)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_network_acl(NetworkAclId=acl["NetworkAclId"])
    refused("InvalidNetworkAclID.NotFound", ec2.describe_network_acls, NetworkAclIds=[acl["NetworkAclId"]])
    ec2.delete_vpc(VpcId=vpc)


def test_network_interfaces(ec2, vpc, subnet):
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    made = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.0.77", Groups=[group], Description="mine",
                                        TagSpecifications=[{"ResourceType": "network-interface", "Tags": [{"Key": "k", "Value": "v"}]}])["NetworkInterface"]
    id = made["NetworkInterfaceId"]
    assert made["Status"] == "pending" and made["PrivateDnsName"] == "ip-10-0-0-77.ec2.internal" and made["TagSet"] == [{"Key": "k", "Value": "v"}]
    refused("InvalidIPAddress.InUse", ec2.create_network_interface, SubnetId=subnet, PrivateIpAddress="10.0.0.77")
    refused("InvalidParameterValue", ec2.create_network_interface, SubnetId=subnet, PrivateIpAddress="10.0.0.1")
    refused("InvalidSubnetID.NotFound", ec2.create_network_interface, SubnetId="subnet-0123")
    refused("InvalidGroup.NotFound", ec2.create_network_interface, SubnetId=subnet, Groups=["sg-0123"])
    ec2.get_waiter("network_interface_available").wait(NetworkInterfaceIds=[id], WaiterConfig={"Delay": 1})
    (shown,) = ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [group]}, {"Name": "tag:k", "Values": ["v"]}])["NetworkInterfaces"]
    assert shown["NetworkInterfaceId"] == id and shown["Status"] == "available" and shown["PrivateIpAddresses"][0]["Primary"]
    refused("DependencyViolation", ec2.delete_security_group, GroupId=group)
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnet)
    default = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]["GroupId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=id, Groups=[default])
    ec2.modify_network_interface_attribute(NetworkInterfaceId=id, SourceDestCheck={"Value": False})
    assert ec2.describe_network_interface_attribute(NetworkInterfaceId=id, Attribute="groupSet")["Groups"] == [{"GroupId": default, "GroupName": "default"}]
    assert ec2.describe_network_interface_attribute(NetworkInterfaceId=id, Attribute="sourceDestCheck")["SourceDestCheck"] == {"Value": False}
    ec2.delete_security_group(GroupId=group)
    ec2.delete_network_interface(NetworkInterfaceId=id)
    refused("InvalidNetworkInterfaceID.NotFound", ec2.delete_network_interface, NetworkInterfaceId=id)


def test_endpoints_of_both_types(ec2, vpc, subnet):
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[table])["VpcEndpoint"]
    (lists,) = ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": ["com.amazonaws.us-east-1.s3"]}])["PrefixLists"]
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [(one["DestinationPrefixListId"], one["GatewayId"]) for one in routes if "DestinationPrefixListId" in one] == [(lists["PrefixListId"], gateway["VpcEndpointId"])]
    refused("InvalidServiceName", ec2.create_vpc_endpoint, VpcId=vpc, ServiceName="com.amazonaws.us-east-1.nothing")
    refused("InvalidParameter", ec2.create_vpc_endpoint, VpcId=vpc, ServiceName="com.amazonaws.us-east-1.sqs")
    inside = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.sqs", VpcEndpointType="Interface", SubnetIds=[subnet])["VpcEndpoint"]
    assert inside["State"] == "pending" and inside["PrivateDnsEnabled"] and inside["Groups"][0]["GroupName"] == "default"
    (shown,) = ec2.describe_vpc_endpoints(Filters=[{"Name": "service-name", "Values": ["com.amazonaws.us-east-1.sqs"]}, {"Name": "vpc-id", "Values": [vpc]}])["VpcEndpoints"]
    assert shown["State"] == "available" and len(shown["NetworkInterfaceIds"]) == 1
    assert ec2.describe_network_interfaces(NetworkInterfaceIds=shown["NetworkInterfaceIds"])["NetworkInterfaces"][0]["InterfaceType"] == "vpc_endpoint"
    ec2.modify_vpc_endpoint(VpcEndpointId=inside["VpcEndpointId"], RemoveSubnetIds=[subnet])
    ec2.modify_vpc_endpoint(VpcEndpointId=gateway["VpcEndpointId"], RemoveRouteTableIds=[table])
    assert all("DestinationPrefixListId" not in one for one in ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"])
    gone = ec2.delete_vpc_endpoints(VpcEndpointIds=[inside["VpcEndpointId"], gateway["VpcEndpointId"], "vpce-0123"])["Unsuccessful"]
    assert [(one["ResourceId"], one["Error"]["Code"]) for one in gone] == [("vpce-0123", "InvalidVpcEndpointId.NotFound")]
    services = ec2.describe_vpc_endpoint_services(ServiceNames=["com.amazonaws.us-east-1.dynamodb"], Filters=[{"Name": "service-type", "Values": ["Gateway"]}])
    assert services["ServiceNames"] == ["com.amazonaws.us-east-1.dynamodb"] and len(services["ServiceDetails"]) == 1


def test_secondary_blocks(ec2, vpc):
    made = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.9.0.0/16")["CidrBlockAssociation"]
    assert made["CidrBlockState"]["State"] == "associating"
    refused("InvalidVpc.Range", ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.9.1.0/24")
    inside = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    refused("InvalidCidrBlock.InUse", ec2.disassociate_vpc_cidr_block, AssociationId=made["AssociationId"])
    (shown,) = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert [one["CidrBlock"] for one in shown["CidrBlockAssociationSet"]] == ["10.0.0.0/16", "10.9.0.0/16"]
    refused("OperationNotPermitted", ec2.disassociate_vpc_cidr_block, AssociationId=shown["CidrBlockAssociationSet"][0]["AssociationId"])
    ec2.delete_subnet(SubnetId=inside)
    ec2.disassociate_vpc_cidr_block(AssociationId=made["AssociationId"])
    assert len(ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlockAssociationSet"]) == 1


def test_dhcp_options(ec2, vpc):
    made = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["inside.example"]}, {"Key": "domain-name-servers", "Values": ["10.0.0.2", "10.0.0.3"]}])["DhcpOptions"]
    id = made["DhcpOptionsId"]
    refused("InvalidParameterValue", ec2.create_dhcp_options, DhcpConfigurations=[{"Key": "colour", "Values": ["red"]}])
    ec2.associate_dhcp_options(DhcpOptionsId=id, VpcId=vpc)
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["DhcpOptionsId"] == id
    assert [one["DhcpOptionsId"] for one in ec2.describe_dhcp_options(Filters=[{"Name": "value", "Values": ["inside.example"]}])["DhcpOptions"]] == [id]
    refused("DependencyViolation", ec2.delete_dhcp_options, DhcpOptionsId=id)
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=id)
    refused("InvalidDhcpOptionID.NotFound", ec2.describe_dhcp_options, DhcpOptionsIds=[id])


def test_prefix_lists_have_versions(ec2):
    made = ec2.create_managed_prefix_list(PrefixListName="p", AddressFamily="IPv4", MaxEntries=2, Entries=[{"Cidr": "10.0.0.0/8", "Description": "ours"}])["PrefixList"]
    id = made["PrefixListId"]
    assert made["State"] == "create-in-progress" and made["Version"] == 1
    refused("PrefixListVersionMismatch", ec2.modify_managed_prefix_list, PrefixListId=id, CurrentVersion=7, AddEntries=[{"Cidr": "11.0.0.0/8"}])
    refused("PrefixListMaxEntriesExceeded", ec2.modify_managed_prefix_list, PrefixListId=id, CurrentVersion=1, AddEntries=[{"Cidr": "11.0.0.0/8"}, {"Cidr": "12.0.0.0/8"}])
    assert ec2.modify_managed_prefix_list(PrefixListId=id, CurrentVersion=1, AddEntries=[{"Cidr": "11.0.0.0/8"}])["PrefixList"]["Version"] == 2
    assert [one["Cidr"] for one in ec2.get_managed_prefix_list_entries(PrefixListId=id)["Entries"]] == ["10.0.0.0/8", "11.0.0.0/8"]
    assert ec2.get_managed_prefix_list_entries(PrefixListId=id, TargetVersion=1)["Entries"] == [{"Cidr": "10.0.0.0/8", "Description": "ours"}]
    assert {one["PrefixListName"] for one in ec2.describe_managed_prefix_lists()["PrefixLists"]} >= {"p", "com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.dynamodb"}
    ec2.delete_managed_prefix_list(PrefixListId=id)
    refused("InvalidPrefixListID.NotFound", ec2.get_managed_prefix_list_entries, PrefixListId=id)


def test_flow_logs_are_checked(ec2, vpc):
    good = {"ResourceIds": [vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "/f", "DeliverLogsPermissionArn": "arn:aws:iam::000000000000:role/r"}
    (made,) = ec2.create_flow_logs(**good)["FlowLogIds"]
    refused("FlowLogAlreadyExists", ec2.create_flow_logs, **good)
    refused("InvalidVpcID.NotFound", ec2.create_flow_logs, **{**good, "ResourceIds": ["vpc-0123"]})
    refused("InvalidParameter", ec2.create_flow_logs, **{**good, "MaxAggregationInterval": 30})
    assert "Unknown fields provided: colour" in refused("InvalidParameter", ec2.create_flow_logs, **{**good, "LogFormat": "${srcaddr} ${colour}"})
    (shown,) = ec2.describe_flow_logs(FlowLogIds=[made])["FlowLogs"]
    assert shown["FlowLogStatus"] == "ACTIVE" and shown["MaxAggregationInterval"] == 600
    assert shown["LogFormat"].startswith("${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol}")
    ec2.delete_flow_logs(FlowLogIds=[made])
    refused("InvalidFlowLogId.NotFound", ec2.delete_flow_logs, FlowLogIds=[made])


def test_rules_by_id(ec2, vpc):
    group = ec2.create_security_group(GroupName="r", Description="d", VpcId=vpc)["GroupId"]
    (made,) = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])["SecurityGroupRules"]
    id = made["SecurityGroupRuleId"]
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": id, "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 81, "ToPort": 82, "CidrIpv4": "10.0.0.0/8"}}])
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, SecurityGroupRuleDescriptions=[{"SecurityGroupRuleId": id, "Description": "said"}])
    (shown,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[id])["SecurityGroupRules"]
    assert (shown["FromPort"], shown["ToPort"], shown["Description"]) == (81, 82, "said")
    assert len(ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]) == 2


TEMPLATE = {"Resources": {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "More": {"Type": "AWS::EC2::VPCCidrBlock", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.1.0.0/16"}},
    "Subnet": {"Type": "AWS::EC2::Subnet", "DependsOn": "More", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.1.0.0/24"}},
    "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    "Acl": {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    "Entry": {"Type": "AWS::EC2::NetworkAclEntry", "Properties": {"NetworkAclId": {"Ref": "Acl"}, "RuleNumber": 100, "Protocol": 6, "RuleAction": "allow", "CidrBlock": "0.0.0.0/0",
                                                                  "PortRange": {"From": "80", "To": "80"}}},
    "Association": {"Type": "AWS::EC2::SubnetNetworkAclAssociation", "Properties": {"NetworkAclId": {"Ref": "Acl"}, "SubnetId": {"Ref": "Subnet"}}},
    "Interface": {"Type": "AWS::EC2::NetworkInterface", "Properties": {"SubnetId": {"Ref": "Subnet"}, "Description": "d", "Tags": [{"Key": "a", "Value": "b"}]}},
    "Bucket": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcId": {"Ref": "Vpc"}, "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"}, "RouteTableIds": [{"Ref": "Table"}]}},
    "Queue": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcId": {"Ref": "Vpc"}, "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.sqs"}, "VpcEndpointType": "Interface",
                                                              "SubnetIds": [{"Ref": "Subnet"}]}},
    "Options": {"Type": "AWS::EC2::DHCPOptions", "Properties": {"DomainName": "in.example", "DomainNameServers": ["AmazonProvidedDNS"]}},
    "Use": {"Type": "AWS::EC2::VPCDHCPOptionsAssociation", "Properties": {"VpcId": {"Ref": "Vpc"}, "DhcpOptionsId": {"Ref": "Options"}}},
    "List": {"Type": "AWS::EC2::PrefixList", "Properties": {"PrefixListName": "l", "AddressFamily": "IPv4", "MaxEntries": 3, "Entries": [{"Cidr": "10.0.0.0/8"}]}},
    "Flow": {"Type": "AWS::EC2::FlowLog", "Properties": {"ResourceId": {"Ref": "Vpc"}, "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "/f",
                                                         "DeliverLogsPermissionArn": "arn:aws:iam::000000000000:role/r"}}},
    "Outputs": {name: {"Value": {"Ref": name}} for name in ("Vpc", "Acl", "Subnet", "Interface", "Options", "List", "Flow", "Bucket", "Queue")}}


def test_a_template_makes_changes_and_removes_all_of_them(daemon, ec2):
    stacks = daemon.client("cloudformation")
    stacks.create_stack(StackName="parts", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="parts", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    out = {one["OutputKey"]: one["OutputValue"] for one in stacks.describe_stacks(StackName="parts")["Stacks"][0]["Outputs"]}
    (acl,) = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [out["Subnet"]]}])["NetworkAcls"]
    assert acl["NetworkAclId"] == out["Acl"] and [one["Protocol"] for one in acl["Entries"] if one["RuleNumber"] == 100] == ["6"]
    assert ec2.describe_vpcs(VpcIds=[out["Vpc"]])["Vpcs"][0]["DhcpOptionsId"] == out["Options"]
    assert len(ec2.describe_vpc_endpoints(VpcEndpointIds=[out["Bucket"], out["Queue"]])["VpcEndpoints"]) == 2
    assert ec2.describe_network_interfaces(NetworkInterfaceIds=[out["Interface"]])["NetworkInterfaces"][0]["PrivateIpAddress"].startswith("10.1.0.")
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["List"]["Properties"]["Entries"] = [{"Cidr": "11.0.0.0/8"}]
    changed["Resources"]["Entry"]["Properties"]["RuleAction"] = "deny"
    changed["Resources"]["Interface"]["Properties"]["Description"] = "e"
    changed["Resources"]["Bucket"]["Properties"]["RouteTableIds"] = []
    stacks.update_stack(StackName="parts", TemplateBody=json.dumps(changed))
    stacks.get_waiter("stack_update_complete").wait(StackName="parts", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert [one["Cidr"] for one in ec2.get_managed_prefix_list_entries(PrefixListId=out["List"])["Entries"]] == ["11.0.0.0/8"]
    assert ec2.describe_network_interfaces(NetworkInterfaceIds=[out["Interface"]])["NetworkInterfaces"][0]["Description"] == "e"
    stacks.delete_stack(StackName="parts")
    stacks.get_waiter("stack_delete_complete").wait(StackName="parts", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[out["Vpc"]])
    refused("InvalidFlowLogId.NotFound", ec2.describe_flow_logs, FlowLogIds=[out["Flow"]])


def test_routes_and_associations_are_replaced(ec2, vpc, subnet):
    table, other = (ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert "Use CreateRoute instead" in refused("InvalidParameterValue", ec2.replace_route, RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    refused("InvalidGatewayID.NotFound", ec2.replace_route, RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId="igw-0123")
    assert [one["NatGatewayId"] for one in ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"] if "NatGatewayId" in one] == [nat]
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    new = ec2.replace_route_table_association(AssociationId=association, RouteTableId=other)["NewAssociationId"]
    assert [one["RouteTableAssociationId"] for one in ec2.describe_route_tables(RouteTableIds=[other])["RouteTables"][0]["Associations"]] == [new]
    assert ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Associations"] == []
