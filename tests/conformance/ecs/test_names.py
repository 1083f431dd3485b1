"""Tasks are found by the names that Cloud Map gives them: by API, by DNS, and from inside a sandbox."""
import json

import pytest

from fleet import NETWORK
from support import function_package, wait_for

ASK = """
import json, socket, urllib.request
def handler(event, context):
    addresses = sorted({one[4][0] for one in socket.getaddrinfo(event["name"], 8080, socket.AF_INET)})
    reply = urllib.request.urlopen("http://%s:8080/version" % event["name"], timeout=5)
    return {"addresses": addresses, "version": json.loads(reply.read())["version"]}
"""


def test_a_function_calls_a_service_by_its_name(fleet):
    daemon = fleet.daemon
    if "shared with the host" in daemon.command("doctor", check=False):
        pytest.skip("sandboxes have no network of their own here")
    cloud_map, functions = daemon.client("servicediscovery"), daemon.client("lambda")
    ec2 = daemon.client("ec2")
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]  # admits its members
    operation = cloud_map.create_private_dns_namespace(Name="fleet.internal", Vpc=group["VpcId"])["OperationId"]
    space = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    registry = cloud_map.create_service(Name="named", NamespaceId=space, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 5}]},
                                        HealthCheckCustomConfig={"FailureThreshold": 1})["Service"]
    fleet.ecs.create_service(cluster="c", serviceName="named", taskDefinition=fleet.register("named", env={"VERSION": "7"}), desiredCount=2, launchType="FARGATE",
                             networkConfiguration=NETWORK, serviceRegistries=[{"registryArn": registry["Arn"]}])
    fleet.steady("named")

    def found():
        return cloud_map.discover_instances(NamespaceName="fleet.internal", ServiceName="named")["Instances"]
    wait_for(lambda: len(found()) == 2, what="both tasks to be registered")
    addresses = sorted(one["Attributes"]["AWS_INSTANCE_IPV4"] for one in found())
    functions.create_function(FunctionName="ask", Runtime="python3.11", Handler="index.handler", Role="arn:aws:iam::000000000000:role/r", Timeout=20,
                              VpcConfig={"SubnetIds": daemon.subnets(1), "SecurityGroupIds": [group["GroupId"]]}, Code={"ZipFile": function_package(ASK, "index.py")})
    functions.get_waiter("function_active_v2").wait(FunctionName="ask", WaiterConfig={"Delay": 1})
    reply = functions.invoke(FunctionName="ask", Payload=json.dumps({"name": "named.fleet.internal"}).encode())
    assert json.loads(reply["Payload"].read()) == {"addresses": addresses, "version": "7"}
    # A task that ends is nobody's answer any more.
    fleet.ecs.update_service(cluster="c", service="named", desiredCount=1)
    wait_for(lambda: len(found()) == 1, what="the task to be taken out")
    left = [one["Attributes"]["AWS_INSTANCE_IPV4"] for one in found()]
    reply = functions.invoke(FunctionName="ask", Payload=json.dumps({"name": "named.fleet.internal"}).encode())
    assert json.loads(reply["Payload"].read())["addresses"] == left
    fleet.ecs.delete_service(cluster="c", service="named", force=True)
    wait_for(lambda: found() == [], what="nothing to be left")
