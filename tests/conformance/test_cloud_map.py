"""Cloud Map through boto3, and what DNS answers for it."""
import http.server
import json
import subprocess
import threading
import urllib.request

import pytest
from botocore.exceptions import ClientError

from support import wait_for


@pytest.fixture(scope="module")
def cloud_map(daemon):
    return daemon.client("servicediscovery")


def done(cloud_map, operation):
    """The targets of an operation that must have succeeded."""
    seen = cloud_map.get_operation(OperationId=operation["OperationId"])["Operation"]
    assert seen["Status"] == "SUCCESS", seen
    return seen["Targets"]


def dig(daemon, name, kind="A"):
    port = json.load(urllib.request.urlopen(f"{daemon.url}/_atoll/dns"))["port"]
    out = subprocess.run(["dig", "@127.0.0.1", "-p", str(port), "+short", "+time=5", "+tries=1", name, kind], capture_output=True, text=True, check=True).stdout
    return sorted(out.split("\n")[:-1])


@pytest.fixture(scope="module")
def private(cloud_map):
    return done(cloud_map, cloud_map.create_private_dns_namespace(Name="corp.internal", Vpc="vpc-1", Description="ours"))["NAMESPACE"]


def test_instances_are_found_by_api_and_dns(cloud_map, daemon, private):
    space = cloud_map.get_namespace(Id=private)["Namespace"]
    assert space["Type"] == "DNS_PRIVATE" and space["Properties"]["DnsProperties"]["SOA"] == {"TTL": 15}
    zone = daemon.client("route53").get_hosted_zone(Id=space["Properties"]["DnsProperties"]["HostedZoneId"])
    assert zone["HostedZone"]["Name"] == "corp.internal." and zone["VPCs"][0]["VPCId"] == "vpc-1"
    service = cloud_map.create_service(Name="api", NamespaceId=private, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 10}, {"Type": "SRV", "TTL": 10}]},
                                       HealthCheckCustomConfig={"FailureThreshold": 1})["Service"]
    assert service["DnsConfig"]["RoutingPolicy"] == "MULTIVALUE" and service["Type"] == "DNS_HTTP"
    for i in (1, 2):
        done(cloud_map, cloud_map.register_instance(ServiceId=service["Id"], InstanceId=f"i-{i}", Attributes={
            "AWS_INSTANCE_IPV4": f"10.0.0.{i}", "AWS_INSTANCE_PORT": "8080", "color": ["blue", "green"][i - 1]}))
    assert dig(daemon, "api.corp.internal") == ["10.0.0.1", "10.0.0.2"]
    assert dig(daemon, "api.corp.internal", "SRV") == ["1 1 8080 i-1.api.corp.internal.", "1 1 8080 i-2.api.corp.internal."]
    assert dig(daemon, "i-2.api.corp.internal") == ["10.0.0.2"]

    def found(**more):
        return sorted(one["InstanceId"] for one in cloud_map.discover_instances(NamespaceName="corp.internal", ServiceName="api", **more)["Instances"])
    assert found() == ["i-1", "i-2"]
    assert found(QueryParameters={"color": "green"}) == ["i-2"]
    assert found(OptionalParameters={"color": "blue"}) == ["i-1"] and found(OptionalParameters={"color": "red"}) == ["i-1", "i-2"]
    revision = cloud_map.discover_instances_revision(NamespaceName="corp.internal", ServiceName="api")["InstancesRevision"]

    cloud_map.update_instance_custom_health_status(ServiceId=service["Id"], InstanceId="i-1", Status="UNHEALTHY")
    assert dig(daemon, "api.corp.internal") == ["10.0.0.2"] and found() == ["i-2"]
    assert found(HealthStatus="UNHEALTHY") == ["i-1"] and found(HealthStatus="ALL") == ["i-1", "i-2"]
    assert cloud_map.get_instances_health_status(ServiceId=service["Id"])["Status"] == {"i-1": "UNHEALTHY", "i-2": "HEALTHY"}
    assert cloud_map.discover_instances_revision(NamespaceName="corp.internal", ServiceName="api")["InstancesRevision"] > revision
    cloud_map.update_instance_custom_health_status(ServiceId=service["Id"], InstanceId="i-2", Status="UNHEALTHY")
    assert found() == ["i-1", "i-2"] and found(HealthStatus="HEALTHY") == []
    cloud_map.update_instance_custom_health_status(ServiceId=service["Id"], InstanceId="i-1", Status="HEALTHY")
    assert dig(daemon, "api.corp.internal") == ["10.0.0.1"]

    with pytest.raises(ClientError) as caught:
        cloud_map.delete_service(Id=service["Id"])
    assert caught.value.response["Error"] == {"Code": "ResourceInUse", "Message": "Service contains registered instances; delete the instances before deleting the service"}
    for i in (1, 2):
        done(cloud_map, cloud_map.deregister_instance(ServiceId=service["Id"], InstanceId=f"i-{i}"))
    assert dig(daemon, "api.corp.internal") == [] and dig(daemon, "i-1.api.corp.internal") == []
    cloud_map.delete_service(Id=service["Id"])


def test_what_does_not_fit_is_refused(cloud_map, private):
    http_space = done(cloud_map, cloud_map.create_http_namespace(Name="plain"))["NAMESPACE"]
    for arguments, words in (({"NamespaceId": http_space, "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 1}]}}, "When you specify an HTTP service"),
                             ({"NamespaceId": private, "HealthCheckConfig": {"Type": "TCP"}}, "private DNS namespace")):
        with pytest.raises(ClientError) as caught:
            cloud_map.create_service(Name="x", **arguments)
        assert caught.value.response["Error"]["Code"] == "InvalidInput" and words in str(caught.value)
    service = cloud_map.create_service(Name="needs", NamespaceId=private, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 1}]})["Service"]
    with pytest.raises(ClientError) as caught:
        cloud_map.register_instance(ServiceId=service["Id"], InstanceId="a", Attributes={"x": "y"})
    assert caught.value.response["Error"]["Code"] == "InvalidInput"
    with pytest.raises(ClientError) as caught:
        cloud_map.create_service(Name="needs", NamespaceId=private)
    assert caught.value.response["Error"]["Code"] == "ServiceAlreadyExists"
    with pytest.raises(ClientError) as caught:
        cloud_map.delete_namespace(Id=private)
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    with pytest.raises(ClientError) as caught:
        cloud_map.get_namespace(Id="ns-none")
    assert caught.value.response["Error"]["Code"] == "NamespaceNotFound"
    # Route 53 refuses a second zone of that name in the VPC: the operation says so.
    failed = cloud_map.create_private_dns_namespace(Name="corp.internal", Vpc="vpc-1")
    seen = cloud_map.get_operation(OperationId=failed["OperationId"])["Operation"]
    assert seen["Status"] == "FAIL" and seen["ErrorCode"] == "CANNOT_CREATE_HOSTED_ZONE" and "ConflictingDomainExists" in seen["ErrorMessage"]


def test_lists_filters_and_tags(cloud_map, private):
    names = [one["Name"] for one in cloud_map.list_namespaces(Filters=[{"Name": "TYPE", "Values": ["DNS_PRIVATE"], "Condition": "EQ"}])["Namespaces"]]
    assert names == ["corp.internal"]
    arn = cloud_map.get_namespace(Id=private)["Namespace"]["Arn"]
    cloud_map.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}])
    cloud_map.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert cloud_map.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    operations = cloud_map.list_operations(Filters=[{"Name": "NAMESPACE_ID", "Values": [private]}])["Operations"]
    assert len(operations) == 1 and operations[0]["Status"] == "SUCCESS"


def test_public_services_are_probed(cloud_map, daemon):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *_):
            pass
    servers = []
    for address in ("127.0.0.21", "127.0.0.22"):
        servers.append(http.server.ThreadingHTTPServer((address, 0 if not servers else servers[0].server_port), Handler))
        servers[-1].status = 200
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
    space = done(cloud_map, cloud_map.create_public_dns_namespace(Name="public.example"))["NAMESPACE"]
    service = cloud_map.create_service(Name="web", NamespaceId=space, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 5}]},
                                       HealthCheckConfig={"Type": "HTTP", "ResourcePath": "/up", "FailureThreshold": 1})["Service"]
    for server in servers:
        done(cloud_map, cloud_map.register_instance(ServiceId=service["Id"], InstanceId=server.server_address[0].replace(".", "-"), Attributes={
            "AWS_INSTANCE_IPV4": server.server_address[0], "AWS_INSTANCE_PORT": str(server.server_port)}))

    def health():
        return sorted(cloud_map.get_instances_health_status(ServiceId=service["Id"])["Status"].values())
    wait_for(lambda: health() == ["HEALTHY", "HEALTHY"], what="the first look")
    servers[0].status = 500
    daemon.advance(30)
    wait_for(lambda: health() == ["HEALTHY", "UNHEALTHY"], what="the failure")
    assert dig(daemon, "web.public.example") == ["127.0.0.22"]
    assert [one["InstanceId"] for one in cloud_map.discover_instances(NamespaceName="public.example", ServiceName="web")["Instances"]] == ["127-0-0-22"]
    for server in servers:
        server.shutdown()


def test_a_stack_registers_and_survives_a_kill(new_daemon):
    daemon = new_daemon()
    cloudformation = daemon.client("cloudformation")
    template = """
Resources:
  Space: {Type: AWS::ServiceDiscovery::PrivateDnsNamespace, Properties: {Name: stack.internal, Vpc: vpc-9, Properties: {DnsProperties: {SOA: {TTL: "30"}}}}}
  Api:
    Type: AWS::ServiceDiscovery::Service
    Properties: {Name: api, NamespaceId: !Ref Space, DnsConfig: {RoutingPolicy: WEIGHTED, DnsRecords: [{Type: A, TTL: "5"}]}, HealthCheckCustomConfig: {FailureThreshold: 1}}
  One: {Type: AWS::ServiceDiscovery::Instance, Properties: {ServiceId: !GetAtt Api.Id, InstanceId: one, InstanceAttributes: {AWS_INSTANCE_IPV4: 10.0.0.5}}}
Outputs:
  Zone: {Value: !GetAtt Space.HostedZoneId}
  Arn: {Value: !GetAtt Api.Arn}
"""
    cloudformation.create_stack(StackName="map", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="map", WaiterConfig={"Delay": 1})
    outputs = {one["OutputKey"]: one["OutputValue"] for one in cloudformation.describe_stacks(StackName="map")["Stacks"][0]["Outputs"]}
    assert ":service/srv-" in outputs["Arn"]
    records = daemon.client("route53").list_resource_record_sets(HostedZoneId=outputs["Zone"])["ResourceRecordSets"]
    assert [(one["Type"], one["TTL"]) for one in records] == [("NS", 172800), ("SOA", 30), ("A", 5)]
    daemon.kill()
    daemon.start()
    assert dig(daemon, "api.stack.internal") == ["10.0.0.5"]
    cloudformation = daemon.client("cloudformation")
    cloudformation.delete_stack(StackName="map")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="map", WaiterConfig={"Delay": 1})
    assert daemon.client("servicediscovery").list_namespaces()["Namespaces"] == [] and daemon.client("route53").list_hosted_zones()["HostedZones"] == []


def test_an_instance_that_has_a_heartbeat_is_gone_when_it_is_silent(cloud_map, daemon, private):
    service = cloud_map.create_service(Name="beating", NamespaceId=private, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 10}]}, HealthCheckCustomConfig={"FailureThreshold": 1})["Service"]["Id"]
    done(cloud_map, cloud_map.register_instance(ServiceId=service, InstanceId="b", Attributes={"AWS_INSTANCE_IPV4": "10.0.7.7", "ATOLL_HEARTBEAT_SECONDS": "20"}))
    done(cloud_map, cloud_map.register_instance(ServiceId=service, InstanceId="plain", Attributes={"AWS_INSTANCE_IPV4": "10.0.7.8"}))

    def health():
        return cloud_map.get_instances_health_status(ServiceId=service)["Status"]
    daemon.advance(15)
    cloud_map.update_instance_custom_health_status(ServiceId=service, InstanceId="b", Status="HEALTHY")
    daemon.advance(15)
    assert health() == {"b": "HEALTHY", "plain": "HEALTHY"}
    daemon.advance(10)
    wait_for(lambda: health() == {"b": "UNHEALTHY", "plain": "HEALTHY"}, what="the silence to show")
    assert dig(daemon, "beating.corp.internal") == ["10.0.7.8"]
    cloud_map.update_instance_custom_health_status(ServiceId=service, InstanceId="b", Status="HEALTHY")
    assert dig(daemon, "beating.corp.internal") == ["10.0.7.7", "10.0.7.8"]
    daemon.advance(21)
    wait_for(lambda: health()["b"] == "UNHEALTHY")
    daemon.advance(41)
    wait_for(lambda: health() == {"plain": "HEALTHY"}, what="it to be gone")
