"""Service Connect: tasks call a service by its alias, through the mesh."""
import datetime
import json

import botocore.exceptions
import pytest

from fleet import NETWORK
from mesh_fleet import MeshFleet
from support import wait_for


@pytest.fixture(scope="module")
def fleet(daemon):
    if "shared with the host" in daemon.command("doctor", check=False):
        pytest.skip("sandboxes have no network of their own here")
    fleet = MeshFleet(daemon)
    fleet.namespace("shop")
    return fleet


def alias(name, port=80, **more):
    return {"enabled": True, "namespace": "shop", "services": [{"portName": "web", "discoveryName": name, "clientAliases": [{"port": port, "dnsName": name}], **more}]}


CLIENT = {"enabled": True, "namespace": "shop"}


@pytest.fixture(scope="module")
def client(fleet):
    fleet.serve("client", connect=CLIENT)
    return "client"


def test_a_task_calls_a_service_by_its_alias(fleet, client):
    fleet.serve("orders", env={"VERSION": "7"}, count=2, connect=alias("orders"))
    assert fleet.ask(client, "http://orders/version") == {"status": 200, "body": "7"}
    headers = fleet.ask(client, "http://orders/headers")["body"]
    assert "x-amzn-trace-id: Root=1-" in headers and "traceparent: 00-" in headers
    given = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"
    assert "Root=1-67891233-abcdef012345678912345678" in fleet.ask(client, "http://orders/headers", "x-amzn-trace-id:" + given)["body"]
    hop = next(one for one in fleet.hops()["hops"] if one["service"] == "orders")
    assert hop["caller"] == "client" and hop["target"] == "orders" and hop["requests"] >= 3 and hop["errors"] == 0 and hop["p50Micros"] > 0
    deployment = fleet.service("orders")["deployments"][0]
    assert deployment["serviceConnectConfiguration"]["namespace"].startswith("arn:aws:servicediscovery:")
    resource = deployment["serviceConnectResources"][0]
    cloud_map = fleet.daemon.client("servicediscovery")
    assert resource["discoveryName"] == "orders" and cloud_map.get_service(Id=resource["discoveryArn"].rsplit("/", 1)[1])["Service"]["Name"] == "orders"
    found = cloud_map.discover_instances(NamespaceName="shop", ServiceName="orders")["Instances"]
    assert len(found) == 2 and {one["Attributes"]["AWS_INSTANCE_PORT"] for one in found} == {"8080"}


def test_calls_are_metrics(fleet, client):
    cloudwatch = fleet.daemon.client("cloudwatch")

    def summed(metric, **dimensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        points = cloudwatch.get_metric_statistics(Namespace="AWS/ECS", MetricName=metric, Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()], Period=3600,
                                                  StartTime=now - datetime.timedelta(hours=2), EndTime=now + datetime.timedelta(hours=2), Statistics=["Sum"])["Datapoints"]
        return sum(one["Sum"] for one in points)
    before = summed("RequestCount", DiscoveryName="orders")
    fleet.ask_often(client, 5, "http://orders/version")
    wait_for(lambda: summed("RequestCount", DiscoveryName="orders") == before + 5, what="the requests to be counted")
    assert summed("RequestCount", DiscoveryName="orders", ServiceName="orders", ClusterName="c") == before + 5
    assert summed("HTTPCode_Target_2XX_Count", TargetDiscoveryName="orders", ServiceName="client", ClusterName="c") >= 5
    assert summed("TargetResponseTime", TargetDiscoveryName="orders") > 0


def test_names_are_there_after_a_restart(fleet, new_daemon):
    del fleet   # which skips where sandboxes have no network
    fleet = MeshFleet(new_daemon())
    fleet.namespace("shop")
    fleet.serve("orders", env={"VERSION": "7"}, connect=alias("orders"))
    fleet.serve("client", connect=CLIENT)
    fleet.daemon.kill()
    fleet.daemon.start()
    for name in ("orders", "client"):
        fleet.steady(name)
    wait_for(lambda: fleet.ask("client", "http://orders/version") == {"status": 200, "body": "7"}, what="the alias to answer")


def test_who_is_not_in_the_namespace_does_not_know_the_alias(fleet, client):
    fleet.serve("outside")
    assert fleet.ask("outside", "http://orders/version")["status"] == 0


def test_bytes_pass_without_an_app_protocol(fleet, client):
    fleet.serve("bytes", env={"VERSION": "3"}, command=("echo",), app_protocol=None, connect=alias("bytes", 9000))
    out = fleet.exec(fleet.tasks_of(client)[0]["taskArn"], "/probe", "tcp", "bytes", "9000")
    assert out.strip() == "3 ping"


def test_a_request_that_takes_too_long(fleet, client):
    fleet.serve("slow", connect=alias("slow", timeout={"perRequestTimeoutSeconds": 1}))
    assert fleet.ask(client, "http://slow/slow")["status"] == 504


def test_refusals(fleet):
    definition = fleet.register("refused", portMappings=[{"containerPort": 8080, "name": "web"}])

    def create(connect):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            fleet.ecs.create_service(cluster="c", serviceName="refused", taskDefinition=definition, desiredCount=1, launchType="FARGATE", networkConfiguration=NETWORK, serviceConnectConfiguration=connect)
        return caught.value.response["Error"]["Code"]
    assert create({"enabled": True, "namespace": "nowhere"}) == "NamespaceNotFoundException"
    assert create({"enabled": True}) == "InvalidParameterException"
    assert create({"enabled": True, "namespace": "shop", "services": [{"portName": "other", "clientAliases": [{"port": 80}]}]}) == "InvalidParameterException"


def test_a_service_that_is_gone_has_no_name(fleet, client):
    fleet.serve("leaving", connect=alias("leaving"))
    assert fleet.ask(client, "http://leaving/version")["status"] == 200
    fleet.ecs.delete_service(cluster="c", service="leaving", force=True)
    wait_for(lambda: fleet.ask(client, "http://leaving/version")["status"] == 0, what="the name to go")
    cloud_map = fleet.daemon.client("servicediscovery")
    wait_for(lambda: "leaving" not in [one["Name"] for one in cloud_map.list_services()["Services"]], what="the discovery name to go")


def test_a_service_with_certificates_of_a_private_authority(fleet, client):
    pca = fleet.daemon.client("acm-pca")
    authority = pca.create_certificate_authority(CertificateAuthorityType="ROOT", CertificateAuthorityConfiguration={
        "KeyAlgorithm": "EC_prime256v1", "SigningAlgorithm": "SHA256WITHECDSA", "Subject": {"CommonName": "connect"}})["CertificateAuthorityArn"]
    csr = pca.get_certificate_authority_csr(CertificateAuthorityArn=authority)["Csr"].encode()
    issued = pca.issue_certificate(CertificateAuthorityArn=authority, Csr=csr, SigningAlgorithm="SHA256WITHECDSA", TemplateArn="arn:aws:acm-pca:::template/RootCACertificate/V1",
                                   Validity={"Value": 10, "Type": "DAYS"})["CertificateArn"]
    made = pca.get_certificate(CertificateAuthorityArn=authority, CertificateArn=issued)["Certificate"].encode()
    pca.import_certificate_authority_certificate(CertificateAuthorityArn=authority, Certificate=made)
    fleet.serve("secured", env={"VERSION": "s"}, connect=alias("secured", tls={"issuerCertificateAuthority": {"awsPcaAuthorityArn": authority}}))
    assert fleet.ask(client, "http://secured/version") == {"status": 200, "body": "s"}
    # Past the mesh the port speaks TLS only.
    address = fleet.tasks_of("secured")[0]["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert fleet.ask(client, f"http://{address}:8080/version")["status"] == 0


def lines_of(fleet, group, stream):
    logs = fleet.daemon.client("logs")
    try:
        streams = [one["logStreamName"] for one in logs.describe_log_streams(logGroupName=group)["logStreams"] if one["logStreamName"].startswith(stream)]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for one in streams for event in logs.get_log_events(logGroupName=group, logStreamName=one, startFromHead=True)["events"]]


def test_access_logs(fleet):
    fleet.daemon.client("logs").create_log_group(logGroupName="connect")
    kept = {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "connect", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p"}}}
    fleet.serve("told", env={"VERSION": "7"}, connect={**alias("told"), **kept, "accessLogConfiguration": {"format": "JSON", "includeQueryParameters": "ENABLED"}})
    fleet.serve("teller", connect={**CLIENT, **kept, "accessLogConfiguration": {"format": "TEXT"}})
    assert fleet.ask("teller", "http://told/version?a=1") == {"status": 200, "body": "7"}
    line, = wait_for(lambda: lines_of(fleet, "connect", "p/ecs-service-connect-teller/"), what="the caller's line")
    assert '"GET /version HTTP/1.1" 200 - 0 1 ' in line and '"told"' in line
    told, = (json.loads(one) for one in wait_for(lambda: lines_of(fleet, "connect", "p/ecs-service-connect-told/"), what="the service's line"))
    assert (told["path"], told["response_code"], told["bytes_sent"], told["request_id"]) == ("/version?a=1", 200, 1, None) and told["upstream_host"].endswith(":8080")
    definition = fleet.register("told", portMappings=[{"containerPort": 8080, "name": "web"}])
    for wrong in ({"accessLogConfiguration": {"format": "TEXT"}}, {"accessLogConfiguration": {"format": "TEXT"}, "logConfiguration": {"logDriver": "awsfirelens"}}):
        with pytest.raises(botocore.exceptions.ClientError):
            fleet.ecs.create_service(cluster="c", serviceName="wrong", taskDefinition=definition, desiredCount=1, launchType="FARGATE", networkConfiguration=NETWORK, serviceConnectConfiguration={**CLIENT, **wrong})
