"""Who reaches whom: tasks in subnets with security groups, network ACLs and balancers, with a shell inside."""
import gzip
import http.client
import json
import pathlib
import sys

import pytest
from botocore.exceptions import ClientError

from balancers import address_of
from support import ROOT, function_package, wait_for
from upstream import free_port

sys.path.insert(0, str(ROOT / "examples" / "three-services"))
from image import image  # noqa: E402

pytestmark = pytest.mark.skipif(not pathlib.Path("/bin/busybox").exists(), reason="needs busybox-static")

SERVER = "busybox mkdir -p /tmp/w && echo here > /tmp/w/index.html && exec busybox httpd -f -p 8080 -h /tmp/w"


def refused(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code, caught.value


class Net:
    """A VPC with two subnets, and tasks in it that serve port 8080 and can be told to connect."""

    def __init__(self, fleet):
        self.fleet, self.ec2 = fleet, fleet.daemon.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        zones = [one["ZoneName"] for one in self.ec2.describe_availability_zones()["AvailabilityZones"]]
        self.subnets = [self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{16 * i}.0/20", AvailabilityZone=zones[i])["Subnet"]["SubnetId"] for i in range(2)]
        self.count = 0

    def group(self, *permissions):
        self.count += 1
        group = self.ec2.create_security_group(GroupName=f"g{self.count}", Description="d", VpcId=self.vpc)["GroupId"]
        for permission in permissions:
            self.allow(group, **permission)
        return group

    @staticmethod
    def permission(port=8080, cidr=None, group=None):
        out = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
        if cidr:
            out["IpRanges"] = [{"CidrIp": cidr}]
        if group:
            out["UserIdGroupPairs"] = [{"GroupId": group}]
        return [out]

    def allow(self, to, **what):
        self.ec2.authorize_security_group_ingress(GroupId=to, IpPermissions=self.permission(**what))

    def revoke(self, to, **what):
        self.ec2.revoke_security_group_ingress(GroupId=to, IpPermissions=self.permission(**what))

    def network(self, *groups, subnet=0):
        return {"awsvpcConfiguration": {"subnets": [self.subnets[subnet]], **({"securityGroups": list(groups)} if groups else {})}}

    def run(self, *groups, subnet=0):
        fleet = self.fleet
        definition = fleet.register("box", image="box:v1", command=[SERVER])
        arn = fleet.ecs.run_task(cluster="c", taskDefinition=definition, networkConfiguration=self.network(*groups, subnet=subnet))["tasks"][0]["taskArn"]
        task = fleet.reach(arn, "RUNNING")
        wait_for(lambda: self.ask(arn, "127.0.0.1") == "here", what="the server")
        return arn, task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]

    def ask(self, arn, address, port=8080, stays="0"):
        """What a task gets from an address: 'here', or nothing when it is refused. Balancers want clients that stay until they are answered."""
        script = f"(printf 'GET / HTTP/1.0\\r\\n\\r\\n'; busybox sleep {stays}) | busybox nc -w 3 {address} {port}"
        return self.fleet.exec(arn, "sh", "-c", script).rpartition("\n\n")[2].strip()


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    busybox = pathlib.Path("/bin/busybox").read_bytes()
    path = tmp_path_factory.mktemp("image") / "box.tar"
    files = [(busybox, f"/bin/{name}", 0o755) for name in ("busybox", "sh")]
    path.write_bytes(image(files, {"Entrypoint": ["/bin/sh", "-c"], "Env": ["PATH=/bin"]}))
    return path


def with_box(fleet, box):
    if "shared with the host" in fleet.daemon.command("doctor", check=False):
        pytest.skip("sandboxes have no network of their own here")
    fleet.daemon.command("image", "--port", str(fleet.daemon.port), "import", str(box), "--name", "box:v1")
    return fleet


@pytest.fixture(scope="module")
def boxes(fleet, box):
    return with_box(fleet, box)


@pytest.fixture
def net(boxes):
    yield Net(boxes)
    boxes.clear()


def test_a_group_admits_a_block_and_no_one_else(net):
    group = net.group({"cidr": "10.0.16.0/20"})
    _, address = net.run(group)
    near, _ = net.run(net.group())
    far, _ = net.run(net.group(), subnet=1)
    assert net.ask(far, address) == "here"
    assert net.ask(near, address) == ""
    net.allow(group, cidr="10.0.0.0/20")
    assert net.ask(near, address) == "here"
    net.revoke(group, cidr="10.0.0.0/20")
    assert net.ask(near, address) == ""


def test_a_group_admits_the_members_of_another(net):
    friends = net.group()
    group = net.group({"group": friends})
    _, address = net.run(group)
    friend, _ = net.run(friends)
    stranger, _ = net.run(net.group())
    assert net.ask(friend, address) == "here"
    assert net.ask(stranger, address) == ""


def test_without_a_group_a_task_has_the_default_one(net):
    server, address = net.run()
    friend, _ = net.run()
    stranger, _ = net.run(net.group())
    assert net.ask(friend, address) == "here" and net.ask(stranger, address) == ""
    shown = net.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [net.vpc]}, {"Name": "private-ip-address", "Values": [address]}])["NetworkInterfaces"]
    assert [group["GroupName"] for group in shown[0]["Groups"]] == ["default"] and shown[0]["RequesterManaged"]
    net.fleet.ecs.stop_task(cluster="c", task=server)
    net.fleet.reach(server, "STOPPED", 40)
    assert net.ec2.describe_network_interfaces(Filters=[{"Name": "private-ip-address", "Values": [address]}])["NetworkInterfaces"] == []


def test_what_may_leave_is_the_senders_say(net):
    group = net.group({"cidr": "0.0.0.0/0"})
    _, address = net.run(group)
    quiet = net.group()
    sender, _ = net.run(quiet)
    assert net.ask(sender, address) == "here"
    net.ec2.revoke_security_group_egress(GroupId=quiet, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    assert net.ask(sender, address) == ""
    net.ec2.authorize_security_group_egress(GroupId=quiet, IpPermissions=net.permission(group=group))
    assert net.ask(sender, address) == "here"


def test_a_balancer_reaches_only_targets_that_admit_it(net):
    elb = net.fleet.daemon.client("elbv2")
    front, back = net.group({"port": 80, "cidr": "0.0.0.0/0"}), net.group()
    _, address = net.run(back)
    stranger, _ = net.run(net.group())
    made = elb.create_load_balancer(Name="guarded", Subnets=net.subnets, SecurityGroups=[front])["LoadBalancers"][0]
    shown = net.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/guarded/*"]}])["NetworkInterfaces"]
    assert sorted(one["SubnetId"] for one in shown) == sorted(net.subnets) and {one["Groups"][0]["GroupId"] for one in shown} == {front}
    group = elb.create_target_group(Name="guarded", Protocol="HTTP", Port=8080, VpcId=net.vpc, TargetType="ip", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
                                    HealthyThresholdCount=2, UnhealthyThresholdCount=2)["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": 8080}])
    port = free_port()
    elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=port, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])

    def health():
        one = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]
        return one["State"], one.get("Reason")
    wait_for(lambda: net.fleet.daemon.advance(5) or health() == ("unhealthy", "Target.Timeout"), what="the target to time out")
    connection = http.client.HTTPConnection(address_of(net.fleet.daemon, made["DNSName"]), port, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().status == 504
    net.allow(back, group=front)
    wait_for(lambda: net.fleet.daemon.advance(5) or health() == ("healthy", None), what="the target to be healthy")
    # From inside the balancer's own groups decide; from this machine everybody comes in.
    inside = "240" + address_of(net.fleet.daemon, made["DNSName"])[3:]
    assert net.ask(stranger, inside, port) == ""
    net.allow(front, port=port, cidr="10.0.0.0/16")
    assert net.ask(stranger, inside, port, stays="0.3") == "here"
    refused("DependencyViolation", net.ec2.delete_security_group, GroupId=front)
    elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    assert net.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/guarded/*"]}])["NetworkInterfaces"] == []
    elb.delete_target_group(TargetGroupArn=group)


def test_a_network_acl_denies_what_groups_admit_and_ends_what_is_open(net):
    _, address = net.run(net.group({"cidr": "0.0.0.0/0"}))
    far, _ = net.run(net.group(), subnet=1)
    assert net.ask(far, address) == "here"
    net.fleet.exec(far, "sh", "-c", f"(busybox sleep 60 | (busybox nc {address} 8080; echo ended > /tmp/ended)) >/dev/null 2>&1 &")
    acl = net.ec2.create_network_acl(VpcId=net.vpc)["NetworkAcl"]["NetworkAclId"]
    shown = net.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [net.subnets[0]]}])["NetworkAcls"][0]
    (association,) = [one["NetworkAclAssociationId"] for one in shown["Associations"] if one["SubnetId"] == net.subnets[0]]
    new = net.ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)["NewAssociationId"]
    assert net.ask(far, address) == ""
    wait_for(lambda: net.fleet.exec(far, "busybox", "cat", "/tmp/ended").strip() == "ended", what="the open connection to end")

    def entry(egress, low, high, number=100):
        net.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=number, Protocol="6", RuleAction="allow", Egress=egress, CidrBlock="10.0.0.0/16", PortRange={"From": low, "To": high})
    entry(False, 8080, 8080)
    assert net.ask(far, address) == ""
    entry(True, 1024, 65535)
    assert net.ask(far, address) == "here"
    net.ec2.replace_network_acl_association(AssociationId=new, NetworkAclId=shown["NetworkAclId"])
    net.ec2.delete_network_acl(NetworkAclId=acl)


def test_a_partition_cuts_two_services_and_heals(net):
    fleet, group = net.fleet, net.group({"cidr": "0.0.0.0/0"})

    def cut(*words):
        return fleet.daemon.command(*words, "--port", str(fleet.daemon.port))
    for name in ("one", "two"):
        fleet.ecs.create_service(cluster="c", serviceName=name, taskDefinition=fleet.register("box", image="box:v1", command=[SERVER]), desiredCount=2, networkConfiguration=net.network(group))
    for name in ("one", "two"):
        fleet.steady(name)
    ones, twos = fleet.tasks_of("one"), fleet.tasks_of("two")
    address = twos[0]["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    own = ones[1]["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    arn = ones[0]["taskArn"]
    wait_for(lambda: net.ask(arn, address) == "here" and net.ask(arn, own) == "here", what="the servers")
    fleet.exec(arn, "sh", "-c", f"while :; do if printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 3 {address} 8080 | busybox grep -q here; then echo good; else echo bad; fi >> /tmp/seen; "
                                f"busybox sleep 0.02; done >/dev/null 2>&1 &")

    def seen():
        return fleet.exec(arn, "busybox", "cat", "/tmp/seen").split()
    wait_for(lambda: seen().count("good") > 10)
    assert "one (2 now) | two (2 now)" in cut("partition", "one", "two")
    assert net.ask(arn, address) == "" and net.ask(arn, own) == "here"
    assert "one" in cut("partitions")
    wait_for(lambda: "bad" in seen())
    cut("heal", "one", "two")
    at = len(seen()) + 1  # the one that was on its way
    wait_for(lambda: len(seen()) > at + 20)
    assert set(seen()[at:]) == {"good"}
    assert "until" in cut("partition", "10.0.0.0/16", "two", "--for", "30s")
    assert net.ask(arn, address) == ""
    fleet.daemon.advance(31)
    wait_for(lambda: net.ask(arn, address) == "here", what="the partition to heal")
    assert "no partitions" in cut("partitions")


REACH = """
import urllib.request
def handler(event, context):
    try:
        return urllib.request.urlopen("http://%s:8080/" % event["address"], timeout=5).read().decode().strip()
    except OSError as error:
        return "refused"
"""


def test_a_function_is_in_the_vpc_of_its_configuration(net):
    functions = net.fleet.daemon.client("lambda")
    group, own = net.group(), net.group()
    _, address = net.run(group)
    functions.create_function(FunctionName="reach", Runtime="python3.11", Handler="index.handler", Role="arn:aws:iam::000000000000:role/r", Timeout=20,
                              Code={"ZipFile": function_package(REACH, "index.py")})
    functions.get_waiter("function_active_v2").wait(FunctionName="reach", WaiterConfig={"Delay": 1})

    def reach():
        return json.loads(functions.invoke(FunctionName="reach", Payload=json.dumps({"address": address}).encode())["Payload"].read())
    net.allow(group, cidr="0.0.0.0/0")
    assert reach() == "refused"
    net.revoke(group, cidr="0.0.0.0/0")
    net.allow(group, group=own)
    shown = functions.update_function_configuration(FunctionName="reach", VpcConfig={"SubnetIds": net.subnets, "SecurityGroupIds": [own]})
    assert shown["VpcConfig"]["VpcId"] == net.vpc
    functions.get_waiter("function_updated_v2").wait(FunctionName="reach", WaiterConfig={"Delay": 1})
    assert reach() == "here"
    net.revoke(group, group=own)
    assert reach() == "refused"
    assert len(net.ec2.describe_network_interfaces(Filters=[{"Name": "interface-type", "Values": ["lambda"]}])["NetworkInterfaces"]) == 2
    functions.delete_function(FunctionName="reach")
    assert net.ec2.describe_network_interfaces(Filters=[{"Name": "interface-type", "Values": ["lambda"]}])["NetworkInterfaces"] == []


def test_flow_logs_tell_what_passed_and_what_was_refused(net):
    daemon, logs = net.fleet.daemon, net.fleet.daemon.client("logs")
    group = net.group()
    _, address = net.run(group)
    friend, own = net.run(net.group())
    net.allow(group, cidr=own + "/32")
    stranger, other = net.run(net.group())
    (made,) = net.ec2.create_flow_logs(ResourceIds=[net.vpc], ResourceType="VPC", TrafficType="ALL", LogGroupName="/flows", MaxAggregationInterval=60,
                                       DeliverLogsPermissionArn="arn:aws:iam::000000000000:role/r")["FlowLogIds"]
    s3 = daemon.client("s3")
    s3.create_bucket(Bucket="flows")
    net.ec2.create_flow_logs(ResourceIds=[net.subnets[0]], ResourceType="Subnet", TrafficType="REJECT", LogDestinationType="s3", LogDestination="arn:aws:s3:::flows/x", MaxAggregationInterval=60,
                             LogFormat="${srcaddr} ${dstport} ${action} ${flow-direction} ${vpc-id}")
    assert net.ask(friend, address) == "here" and net.ask(stranger, address) == ""
    daemon.advance(61)
    (interface,) = net.ec2.describe_network_interfaces(Filters=[{"Name": "private-ip-address", "Values": [address]}])["NetworkInterfaces"]

    def lines():
        try:
            events = logs.get_log_events(logGroupName="/flows", logStreamName=interface["NetworkInterfaceId"] + "-all", startFromHead=True)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [one["message"].split() for one in events]
    wait_for(lambda: len(lines()) >= 3, what="the lines")
    seen = {(one[3], one[4], one[12]): one for one in lines()}
    there, back, refusal = seen[own, address, "ACCEPT"], seen[address, own, "ACCEPT"], seen[other, address, "REJECT"]
    assert there[0] == "2" and there[1] == "000000000000" and there[2] == interface["NetworkInterfaceId"] and there[6] == "8080" and there[7] == "6" and there[13] == "OK"
    assert int(there[9]) >= len("GET / HTTP/1.0\r\n\r\n") and int(back[9]) > 100 and int(there[8]) > 1 and back[5] == "8080"
    assert refusal[8] == "1" and int(refusal[11]) >= int(refusal[10]) > 1_600_000_000
    wait_for(lambda: s3.list_objects_v2(Bucket="flows").get("Contents"), what="the object")
    (key,) = [one["Key"] for one in s3.list_objects_v2(Bucket="flows")["Contents"]]
    assert key.startswith("x/AWSLogs/000000000000/vpcflowlogs/us-east-1/20") and key.endswith(".log.gz")
    text = gzip.decompress(s3.get_object(Bucket="flows", Key=key)["Body"].read()).decode().splitlines()
    assert text[0] == "srcaddr dstport action flow-direction vpc-id" and f"{other} 8080 REJECT ingress {net.vpc}" in text
    net.ec2.delete_flow_logs(FlowLogIds=[one["FlowLogId"] for one in net.ec2.describe_flow_logs()["FlowLogs"]])
    assert net.ec2.describe_flow_logs(FlowLogIds=[], Filters=[{"Name": "flow-log-id", "Values": [made]}])["FlowLogs"] == []


def test_a_prefix_list_stands_for_its_blocks(net):
    blocks = net.ec2.create_managed_prefix_list(PrefixListName="friends", AddressFamily="IPv4", MaxEntries=5, Entries=[{"Cidr": "10.0.16.0/20"}])["PrefixList"]["PrefixListId"]
    group = net.group()
    net.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "PrefixListIds": [{"PrefixListId": blocks}]}])
    _, address = net.run(group)
    near, _ = net.run(net.group())
    far, _ = net.run(net.group(), subnet=1)
    assert net.ask(far, address) == "here" and net.ask(near, address) == ""
    net.ec2.modify_managed_prefix_list(PrefixListId=blocks, CurrentVersion=1, AddEntries=[{"Cidr": "10.0.0.0/20"}], RemoveEntries=[{"Cidr": "10.0.16.0/20"}])
    assert net.ask(far, address) == "" and net.ask(near, address) == "here"
    refused("DependencyViolation", net.ec2.delete_managed_prefix_list, PrefixListId=blocks)


def test_private_zones_are_seen_from_their_vpc_alone(net):
    other = Net(net.fleet)
    other.count = 100
    zones = net.fleet.daemon.client("route53")
    zone = zones.create_hosted_zone(Name="only.here", CallerReference=net.vpc, VPC={"VPCRegion": "us-east-1", "VPCId": net.vpc}, HostedZoneConfig={"PrivateZone": True})["HostedZone"]["Id"]
    server, address = net.run(net.group({"cidr": "0.0.0.0/0"}))
    zones.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
        "Name": "web.only.here", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": address}]}}]})
    near, _ = net.run(net.group())
    far, _ = other.run(other.group())

    def look(arn):
        return net.fleet.exec(arn, "busybox", "nslookup", "web.only.here")
    wait_for(lambda: address in look(near), what="the name")
    assert address not in look(far)
    # The other VPC has no way here either.
    assert net.ask(near, address) == "here" and net.ask(far, address) == ""


def test_after_a_crash_nothing_of_the_tasks_that_ran_is_left(new_fleet, box):
    fleet = with_box(new_fleet(), box)
    net, cloud_map = Net(fleet), fleet.daemon.client("servicediscovery")
    operation = cloud_map.create_private_dns_namespace(Name="crash.internal", Vpc=net.vpc)["OperationId"]
    space = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    registry = cloud_map.create_service(Name="web", NamespaceId=space, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 5}]}, HealthCheckCustomConfig={"FailureThreshold": 1})["Service"]
    group = net.group({"cidr": "10.0.0.0/16"})
    elb = fleet.daemon.client("elbv2")
    balancer = elb.create_load_balancer(Name="crash", Subnets=net.subnets, SecurityGroups=[group])["LoadBalancers"][0]
    fleet.ecs.create_service(cluster="c", serviceName="web", taskDefinition=fleet.register("box", image="box:v1", command=[SERVER]), desiredCount=2, launchType="FARGATE",
                             networkConfiguration=net.network(group), serviceRegistries=[{"registryArn": registry["Arn"]}])
    fleet.steady("web")

    def of_tasks():
        return {one["PrivateIpAddress"] for one in net.ec2.describe_network_interfaces(Filters=[{"Name": "requester-id", "Values": ["amazon-ecs"]}])["NetworkInterfaces"]}

    def registered():
        return {one["Attributes"]["AWS_INSTANCE_IPV4"] for one in cloud_map.discover_instances(NamespaceName="crash.internal", ServiceName="web")["Instances"]}
    wait_for(lambda: len(registered()) == 2, what="both to be registered")
    before, kept = of_tasks(), net.ec2.describe_network_interfaces(Filters=[{"Name": "requester-id", "Values": ["amazon-elb"]}])["NetworkInterfaces"]
    assert before == registered() and len(kept) == 2
    fleet.daemon.kill()
    fleet.daemon.start()
    fleet.steady("web", 40)
    wait_for(lambda: len(registered()) == 2 and not registered() & before, what="only the new ones to be registered")
    assert of_tasks() == registered()
    assert net.ec2.describe_network_interfaces(Filters=[{"Name": "requester-id", "Values": ["amazon-elb"]}])["NetworkInterfaces"] == kept
    # The rules are in force again, and the balancer is known by its interfaces.
    arn = fleet.tasks_of("web")[0]["taskArn"]
    other = next(iter(registered() - {fleet.tasks_of("web")[0]["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]}))
    wait_for(lambda: net.ask(arn, other) == "here", what="the server")
    net.revoke(group, cidr="10.0.0.0/16")
    assert net.ask(arn, other) == ""
    fleet.ecs.delete_service(cluster="c", service="web", force=True)
    wait_for(lambda: of_tasks() == set() and registered() == set(), what="nothing to be left")
    elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    net.ec2.delete_security_group(GroupId=group)
