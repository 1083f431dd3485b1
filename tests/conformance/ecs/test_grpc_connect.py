"""Service Connect passes gRPC: a client outside comes in by a task that passes bytes on to the alias, and the service's task passes
what it gets on to a server of this test."""
import grpc
import pytest

from balancers import address_of
from grpc_service import RpcClient, RpcServer, check_all_kinds
from mesh_fleet import MeshFleet
from support import wait_for
from upstream import free_port


def network_balancer(daemon, name, target, port):
    """A TCP listener in front of one address; where it listens."""
    elb = daemon.client("elbv2")
    made = elb.create_load_balancer(Name=name, Type="network", Subnets=daemon.subnets())["LoadBalancers"][0]
    group = elb.create_target_group(Name=name, Protocol="TCP", Port=port, VpcId="vpc-1", TargetType="ip", HealthCheckIntervalSeconds=5)["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": target, "Port": port}])
    listener = free_port()
    elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol="TCP", Port=listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    wait_for(lambda: elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]["State"] == "healthy", what="a healthy target")
    return made["DNSName"], listener


@pytest.fixture(scope="module")
def server():
    with RpcServer() as made:
        yield made


@pytest.fixture(scope="module")
def admitted(daemon):
    """Network balancers made without security groups have none that the tasks' own could name."""
    ec2 = daemon.client("ec2")
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]["GroupId"]
    rule = [{"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
    yield
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)


@pytest.fixture(scope="module")
def client(daemon, server, admitted):
    if "shared with the host" in daemon.command("doctor", check=False):
        pytest.skip("sandboxes have no network of their own here")
    fleet = MeshFleet(daemon)
    fleet.namespace("shop")
    name, port = network_balancer(daemon, "server", "127.0.0.1", server.port)
    alias = {"enabled": True, "namespace": "shop", "services": [{"portName": "web", "discoveryName": "rpc", "clientAliases": [{"port": 80, "dnsName": "rpc"}]}]}
    fleet.serve("rpc", command=("relay", name, str(port)), app_protocol="grpc", connect=alias)
    fleet.serve("client", command=("relay", "rpc", "80"), app_protocol=None, connect={"enabled": True, "namespace": "shop"})
    address = fleet.tasks_of("client")[0]["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    name, port = network_balancer(daemon, "client", address, 8080)
    with RpcClient(f"{address_of(daemon, name)}:{port}") as made:
        made.fleet = fleet
        yield made


def test_all_kinds_of_calls_pass(client, server):
    check_all_kinds(client, server)
    hop = next(one for one in client.fleet.hops()["hops"] if one["service"] == "rpc")
    assert hop["caller"] == "client" and hop["requests"] >= 11 and hop["errors"] >= 2


def test_a_call_that_is_tried_again(client, server):
    server.fail, server.calls = [grpc.StatusCode.UNAVAILABLE], []
    outcome = client.status("Echo/Say")
    assert outcome[0] in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE) and len(server.calls) == (2 if outcome[0] is grpc.StatusCode.OK else 1)
