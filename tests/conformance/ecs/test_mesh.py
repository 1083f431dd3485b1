"""App Mesh: tasks of virtual nodes call virtual services; what routes, retries, ejection and allow lists do to that."""
import json
import urllib.error
import urllib.request

import pytest

from mesh_fleet import MeshFleet
from support import wait_for

ENVOY = "public.ecr.aws/appmesh/aws-appmesh-envoy:v1.29.6.0-prod"


class Shop(MeshFleet):
    """A mesh "shop" of services that register in Cloud Map."""

    def __init__(self, daemon):
        super().__init__(daemon)
        self.network = {"awsvpcConfiguration": {"subnets": daemon.subnets(1)}}
        self.mesh = daemon.client("appmesh")
        self.cloud_map = daemon.client("servicediscovery")
        self.space = self.cloud_map.get_operation(OperationId=self.cloud_map.create_private_dns_namespace(Name="shop.internal", Vpc="vpc-1")["OperationId"])["Operation"]["Targets"]["NAMESPACE"]
        self.registries = {}
        self.mesh.create_mesh(meshName="shop")

    def registry(self, name):
        if name not in self.registries:
            self.registries[name] = self.cloud_map.create_service(Name=name, NamespaceId=self.space, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 5}]},
                                                                  HealthCheckCustomConfig={"FailureThreshold": 1})["Service"]["Arn"]
        return self.registries[name]

    def node(self, name, registry=None, protocol="http", backends=(), logging=None, **listener):
        self.registry(registry or name)
        self.mesh.create_virtual_node(meshName="shop", virtualNodeName=name, spec={
            "listeners": [{"portMapping": {"port": 8080, "protocol": protocol}, **listener}],
            "serviceDiscovery": {"awsCloudMap": {"namespaceName": "shop.internal", "serviceName": registry or name}},
            **({"logging": logging} if logging else {}),
            "backends": [{"virtualService": {"virtualServiceName": one}} for one in backends]})

    def run_node(self, name, registry=None, service=None, env=None, command=("serve",), proxy_log=None):
        """An ECS service whose tasks are of a virtual node."""
        service = service or name
        proxy = {"name": "envoy", "image": ENVOY, "memory": 64, "essential": True, "environment": [{"name": "APPMESH_RESOURCE_ARN", "value": f"mesh/shop/virtualNode/{name}"}]}
        app = {"name": "app", "image": "service1:v1", "memory": 128, "command": list(command), "portMappings": [{"containerPort": 8080}],
               "dependsOn": [{"containerName": "envoy", "condition": "HEALTHY"}], "environment": [{"name": k, "value": v} for k, v in (env or {}).items()]}
        if proxy_log:
            proxy["logConfiguration"] = proxy_log
        proxy["healthCheck"] = {"command": ["CMD-SHELL", "curl -s http://localhost:9901/server_info"]}
        definition = self.ecs.register_task_definition(family=service, networkMode="awsvpc", containerDefinitions=[app, proxy], proxyConfiguration={
            "type": "APPMESH", "containerName": "envoy", "properties": [{"name": "AppPorts", "value": "8080"}, {"name": "ProxyEgressPort", "value": "15001"},
                                                                        {"name": "ProxyIngressPort", "value": "15000"}, {"name": "IgnoredUID", "value": "1337"}]})
        self.ecs.create_service(cluster="c", serviceName=service, taskDefinition=definition["taskDefinition"]["taskDefinitionArn"], desiredCount=1, launchType="FARGATE",
                                networkConfiguration=self.network, serviceRegistries=[{"registryArn": self.registry(registry or name)}])
        self.steady(service)

    def router(self, name, *routes, protocol="http"):
        """A virtual service NAME.local on port 80 with those routes."""
        self.mesh.create_virtual_router(meshName="shop", virtualRouterName=name, spec={"listeners": [{"portMapping": {"port": 80, "protocol": protocol}}]})
        for i, spec in enumerate(routes):
            self.mesh.create_route(meshName="shop", virtualRouterName=name, routeName=f"r{i}", spec={"priority": i, **spec})
        self.mesh.create_virtual_service(meshName="shop", virtualServiceName=f"{name}.local", spec={"provider": {"virtualRouter": {"virtualRouterName": name}}})

    def endpoints(self, node):
        return next((one["endpoints"] for one in self.hops()["nodes"] if one["name"] == node), [])

    def hop(self, service, target=None):
        return next((one for one in self.hops()["hops"] if one["service"] == service and target in (None, one["target"])), None)


def to(*weighted):
    return {"weightedTargets": [{"virtualNode": node, "weight": weight} for node, weight in weighted]}


@pytest.fixture(scope="module")
def shop(daemon):
    if "shared with the host" in daemon.command("doctor", check=False):
        pytest.skip("sandboxes have no network of their own here")
    shop = Shop(daemon)
    shop.node("client", backends=["orders.local", "mixed.local", "pairs.local", "bytes.local"])
    shop.run_node("client")
    for version in ("v1", "v2"):
        shop.node(version)
        shop.run_node(version, env={"VERSION": version})
    shop.router("orders", {"httpRoute": {"match": {"prefix": "/", "headers": [{"name": "x-track", "match": {"exact": "next"}}]}, "action": to(("v2", 1))}},
                {"httpRoute": {"match": {"prefix": "/"}, "action": to(("v1", 90), ("v2", 10))}})
    wait_for(lambda: shop.endpoints("v1") and shop.endpoints("v2"), what="the nodes to be found")
    return shop


def test_requests_are_shared_by_weight(shop):
    replies = shop.ask_often("client", 400, "http://orders.local/version")
    assert all(status == 200 for status, _ in replies)
    second = sum(version == "v2" for _, version in replies)
    assert 15 <= second <= 75   # of 400: 40 expected, 6 standard deviations
    assert shop.hop("orders.local", "v1")["requests"] + shop.hop("orders.local", "v2")["requests"] == 400
    assert shop.hop("orders.local")["caller"] == "client"


def test_a_header_chooses_the_route(shop):
    assert {shop.ask("client", "http://orders.local/version", "x-track:next")["body"] for _ in range(5)} == {"v2"}


def test_weights_that_change_count_at_once(shop):
    shop.mesh.update_route(meshName="shop", virtualRouterName="orders", routeName="r1", spec={"priority": 1, "httpRoute": {"match": {"prefix": "/"}, "action": to(("v2", 1))}})
    assert {version for _, version in shop.ask_often("client", 20, "http://orders.local/version")} == {"v2"}


def test_a_failing_version_is_tried_again_elsewhere(shop):
    shop.node("mixed")
    shop.run_node("mixed", service="mixed-good", env={"VERSION": "good"})
    shop.run_node("mixed", service="mixed-bad", env={"VERSION": "bad", "FAIL": "503"})
    retry = {"maxRetries": 1, "perRetryTimeout": {"value": 2, "unit": "s"}, "httpRetryEvents": ["server-error"]}
    shop.router("mixed", {"httpRoute": {"match": {"prefix": "/work"}, "action": to(("mixed", 1)), "retryPolicy": retry}}, {"httpRoute": {"match": {"prefix": "/"}, "action": to(("mixed", 1))}})
    wait_for(lambda: len(shop.endpoints("mixed")) == 2, what="both tasks to be found")
    assert {status for status, _ in shop.ask_often("client", 20, "http://mixed.local/work")} == {200}
    assert shop.hop("mixed.local")["retries"] >= 5
    assert {status for status, _ in shop.ask_often("client", 20, "http://mixed.local/once")} == {200, 503}


def test_a_failing_task_is_left_out_for_a_while(shop):
    shop.node("pairs", outlierDetection={"maxServerErrors": 3, "interval": {"value": 10, "unit": "s"}, "baseEjectionDuration": {"value": 60, "unit": "s"}, "maxEjectionPercent": 50})
    shop.run_node("pairs", service="pairs-good", env={"VERSION": "good"})
    shop.run_node("pairs", service="pairs-bad", env={"VERSION": "bad", "FAIL": "500"})
    shop.router("pairs", {"httpRoute": {"match": {"prefix": "/"}, "action": to(("pairs", 1))}})
    wait_for(lambda: len(shop.endpoints("pairs")) == 2, what="both tasks to be found")
    replies = shop.ask_often("client", 30, "http://pairs.local/work")
    assert [status for status, _ in replies].count(500) == 3
    assert {status for status, _ in replies[10:]} == {200}
    assert [one["ejected"] for one in shop.endpoints("pairs")].count(True) == 1
    shop.daemon.advance(61)
    assert 500 in {status for status, _ in shop.ask_often("client", 4, "http://pairs.local/work")}


def test_bytes(shop):
    shop.node("bytes", protocol="tcp")
    shop.run_node("bytes", env={"VERSION": "b"}, command=("echo",))
    shop.router("bytes", {"tcpRoute": {"action": to(("bytes", 1))}}, protocol="tcp")
    wait_for(lambda: shop.endpoints("bytes"), what="the node to be found")
    assert shop.exec(shop.tasks_of("client")[0]["taskArn"], "/probe", "tcp", "bytes.local", "80").strip() == "b ping"


def test_only_backends_may_be_called(shop):
    shop.mesh.create_virtual_service(meshName="shop", virtualServiceName="secret.local", spec={"provider": {"virtualNode": {"virtualNodeName": "v1"}}})
    assert shop.ask("client", "http://secret.local:8080/version")["status"] == 0
    address = shop.tasks_of("v1")[0]["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert shop.ask("client", f"http://{address}:8080/version")["status"] == 0
    assert shop.hop("secret.local")["denied"] == 1
    shop.mesh.update_mesh(meshName="shop", spec={"egressFilter": {"type": "ALLOW_ALL"}})
    assert shop.ask("client", "http://secret.local:8080/version")["status"] == 200
    assert shop.ask("client", f"http://{address}:8080/version")["status"] == 200
    shop.mesh.update_mesh(meshName="shop", spec={"egressFilter": {"type": "DROP_ALL"}})


def test_a_gateway_lets_clients_in(shop):
    shop.mesh.update_route(meshName="shop", virtualRouterName="orders", routeName="r1", spec={"priority": 1, "httpRoute": {"match": {"prefix": "/"}, "action": to(("v2", 1))}})
    shop.mesh.create_virtual_gateway(meshName="shop", virtualGatewayName="front", spec={"listeners": [{"portMapping": {"port": 9080, "protocol": "http"}}]})
    shop.mesh.create_gateway_route(meshName="shop", virtualGatewayName="front", gatewayRouteName="in", spec={
        "httpRoute": {"match": {"prefix": "/orders"}, "action": {"target": {"virtualService": {"virtualServiceName": "orders.local"}}}}})
    gateway = next(one for one in shop.hops()["gateways"] if one["name"] == "front")
    at = f"http://{gateway['address']}:{gateway['ports'][0]['port']}"
    with urllib.request.urlopen(f"{at}/orders/headers", timeout=5) as reply:
        assert b"host: orders.local" in reply.read() and reply.headers["x-version"] == "v2"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{at}/other", timeout=5)
    assert caught.value.code == 404
    assert shop.hop("orders.local", "v2")["errors"] == 0


def test_hops_are_spans(shop):
    assert {shop.ask("client", "http://orders.local/version", "x-track:next")["body"]} == {"v2"}
    with urllib.request.urlopen(f"http://127.0.0.1:{shop.daemon.port}/_atoll/traces") as reply:
        assert "mesh client -> orders.local (v2) GET /version" in reply.read().decode()


def client_policy(certificate="spiffe://shop/client", names=None):
    validation = {"trust": {"sds": {"secretName": "spiffe://shop"}}}
    if names:
        validation["subjectAlternativeNames"] = {"match": {"exact": names}}
    tls = {"enforce": True, "validation": validation}
    if certificate:
        tls["certificate"] = {"sds": {"secretName": certificate}}
    return {"tls": tls}


def test_nodes_show_each_other_certificates(shop):
    strict = {"mode": "STRICT", "certificate": {"sds": {"secretName": "spiffe://shop/vault"}},
              "validation": {"trust": {"sds": {"secretName": "spiffe://shop"}}, "subjectAlternativeNames": {"match": {"exact": ["spiffe://shop/client"]}}}}
    shop.node("vault", tls=strict)
    shop.run_node("vault", env={"VERSION": "vault"})
    shop.router("vault", {"httpRoute": {"match": {"prefix": "/"}, "action": to(("vault", 1))}})
    wait_for(lambda: shop.endpoints("vault"), what="the node to be found")

    def with_policy(policy):
        spec = shop.mesh.describe_virtual_node(meshName="shop", virtualNodeName="client")["virtualNode"]["spec"]
        spec["backends"] = [one for one in spec["backends"] if one["virtualService"]["virtualServiceName"] != "vault.local"]
        spec["backends"].append({"virtualService": {"virtualServiceName": "vault.local", **({"clientPolicy": policy} if policy else {})}})
        shop.mesh.update_virtual_node(meshName="shop", virtualNodeName="client", spec=spec)
        return shop.ask("client", "http://vault.local/version")
    assert with_policy(client_policy()) == {"status": 200, "body": "vault"}
    assert with_policy(None)["status"] == 503                                   # no TLS
    assert with_policy(client_policy(certificate=None))["status"] == 503        # no certificate
    assert with_policy(client_policy("spiffe://shop/other"))["status"] == 503   # another's
    assert with_policy(client_policy("spiffe://elsewhere/client"))["status"] == 503
    assert with_policy(client_policy(names=["spiffe://shop/someone"]))["status"] == 503
    assert with_policy(client_policy(names=["spiffe://shop/vault"])) == {"status": 200, "body": "vault"}
    # Certificates live for an hour: new ones are made by the clock.
    shop.daemon.advance(7200)
    assert {status for status, _ in shop.ask_often("client", 5, "http://vault.local/version")} == {200}
    # Past the mesh, without a certificate.
    shop.serve("stranger")
    address = shop.tasks_of("vault")[0]["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert shop.ask("stranger", f"http://{address}:8080/version")["status"] == 0


def test_a_partition_is_in_the_way_of_a_call(shop):
    def partition(method):
        request = urllib.request.Request(f"http://127.0.0.1:{shop.daemon.port}/_atoll/partitions", json.dumps({"a": "client", "b": "v2"}).encode(), method=method)
        urllib.request.urlopen(request).close()
    assert shop.ask("client", "http://orders.local/version")["status"] == 200
    partition("POST")
    assert shop.ask("client", "http://orders.local/version")["status"] == 503
    partition("DELETE")
    assert shop.ask("client", "http://orders.local/version")["status"] == 200


def test_bytes_are_shared_by_weight(shop):
    for name in ("left", "right"):
        shop.node(name, protocol="tcp")
        shop.run_node(name, env={"VERSION": name}, command=("echo",))
    shop.router("sides", {"tcpRoute": {"action": to(("left", 1), ("right", 1))}}, protocol="tcp")
    spec = shop.mesh.describe_virtual_node(meshName="shop", virtualNodeName="client")["virtualNode"]["spec"]
    spec["backends"].append({"virtualService": {"virtualServiceName": "sides.local"}})
    shop.mesh.update_virtual_node(meshName="shop", virtualNodeName="client", spec=spec)
    wait_for(lambda: shop.endpoints("left") and shop.endpoints("right"), what="the nodes to be found")
    task = shop.tasks_of("client")[0]["taskArn"]
    seen = [shop.exec(task, "/probe", "tcp", "sides.local", "80").split()[0] for _ in range(30)]
    assert set(seen) == {"left", "right"}
    shop.mesh.update_route(meshName="shop", virtualRouterName="sides", routeName="r0", spec={"priority": 0, "tcpRoute": {"action": to(("left", 0), ("right", 1))}})
    assert {shop.exec(task, "/probe", "tcp", "sides.local", "80").split()[0] for _ in range(10)} == {"right"}


def test_access_logs_go_where_the_proxys_output_goes(shop):
    logs = shop.daemon.client("logs")
    logs.create_log_group(logGroupName="envoys")
    shop.node("noted", logging={"accessLog": {"file": {"path": "/dev/stdout", "format": {"text": "in %REQ(:PATH)% %RESPONSE_CODE%\n"}}}})
    shop.run_node("noted", env={"VERSION": "n"}, proxy_log={"logDriver": "awslogs", "options": {"awslogs-group": "envoys", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "mesh"}})
    shop.router("noted", {"httpRoute": {"match": {"prefix": "/"}, "action": to(("noted", 1))}})
    spec = shop.mesh.describe_virtual_node(meshName="shop", virtualNodeName="client")["virtualNode"]["spec"]
    spec["backends"].append({"virtualService": {"virtualServiceName": "noted.local"}})
    spec["logging"] = {"accessLog": {"file": {"path": "/dev/stdout", "format": {"text": "out %REQ(:PATH)% %UPSTREAM_CLUSTER%"}}}}
    shop.mesh.update_virtual_node(meshName="shop", virtualNodeName="client", spec=spec)
    wait_for(lambda: shop.endpoints("noted"), what="the node to be found")
    assert shop.ask("client", "http://noted.local/version")["body"] == "n"
    task = shop.tasks_of("noted")[0]["taskArn"].rsplit("/", 1)[1]

    def lines():
        streams = [one["logStreamName"] for one in logs.describe_log_streams(logGroupName="envoys")["logStreams"]]
        return f"mesh/envoy/{task}" in streams and [one["message"] for one in logs.get_log_events(logGroupName="envoys", logStreamName=f"mesh/envoy/{task}", startFromHead=True)["events"]]
    assert wait_for(lines, what="the line of the node") == ["in /version 200"]
    # The client's proxy has no log configuration: its lines are in the daemon's log.
    wait_for(lambda: '"line":"out /version noted"' in (shop.daemon.folder / "log").read_text(), what="the line of the client")
