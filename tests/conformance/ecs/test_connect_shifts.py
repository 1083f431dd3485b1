"""Service Connect with deployments that shift traffic: the weights are the mesh's, and a header says what is a test."""
import collections
import threading

import botocore.exceptions
import pytest

from mesh_fleet import MeshFleet
from support import wait_for


@pytest.fixture(scope="module")
def fleet(daemon):
    if "shared with the host" in daemon.command("doctor", check=False):
        pytest.skip("sandboxes have no network of their own here")
    fleet = MeshFleet(daemon)
    fleet.namespace("shop")
    fleet.serve("client", connect={"enabled": True, "namespace": "shop"})
    return fleet


def alias(name, **more):
    return {"enabled": True, "namespace": "shop", "services": [{"portName": "web", "discoveryName": name, "clientAliases": [{"port": 80, "dnsName": name, **more}]}]}


def define(fleet, name, version, app_protocol="http"):
    return fleet.register(name, env={"VERSION": version}, command=["serve"], portMappings=[{"containerPort": 8080, "name": "web", **({"appProtocol": app_protocol} if app_protocol else {})}])


def record(fleet, name):
    arn = fleet.ecs.list_service_deployments(cluster="c", service=name)["serviceDeployments"][0]["serviceDeploymentArn"]
    return fleet.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]


def until(fleet, name, status):
    return wait_for(lambda: record(fleet, name)["status"] == status, 40, f"{name} to be {status}")


def create(fleet, name, configuration, connect=None, app_protocol="http", count=2):
    fleet.ecs.create_service(cluster="c", serviceName=name, taskDefinition=define(fleet, name, "1", app_protocol), desiredCount=count, launchType="FARGATE", networkConfiguration=fleet.network,
                             serviceConnectConfiguration=connect or alias(name), deploymentConfiguration=configuration)
    until(fleet, name, "SUCCESSFUL")


def versions(fleet, name, count=200):
    return collections.Counter((status, body) for status, body in fleet.ask_often("client", count, f"http://{name}/version"))


class Callers:
    """Asks all the time, from inside."""

    def __init__(self, fleet, name):
        self.fleet, self.name, self.stopping, self.seen = fleet, name, False, collections.Counter()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.stopping:
            self.seen += versions(self.fleet, self.name, 50)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join(20)


def test_a_canary_takes_its_part_of_the_calls(fleet):
    create(fleet, "canary", {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 20, "canaryBakeTimeInMinutes": 10}})
    assert versions(fleet, "canary", 50) == {(200, "1"): 50}
    with Callers(fleet, "canary") as callers:
        fleet.ecs.update_service(cluster="c", service="canary", taskDefinition=define(fleet, "canary", "2"))
        wait_for(lambda: record(fleet, "canary").get("lifecycleStage") == "PRODUCTION_TRAFFIC_SHIFT", 30, "the shift")
        wait_for(lambda: versions(fleet, "canary", 50)[(200, "2")] > 0, 10, "the canary's first calls")
        shares = versions(fleet, "canary", 1000)
        assert 120 < shares[(200, "2")] < 290 and sum(shares.values()) == 1000
        assert {fleet.ask("client", "http://canary/version", "x-amzn-ecs-blue-green-test:1")["body"] for _ in range(10)} == {"2"}
        fleet.daemon.advance(601)
        until(fleet, "canary", "SUCCESSFUL")
    assert {status for status, _ in callers.seen} == {200}
    assert versions(fleet, "canary", 50) == {(200, "2"): 50}
    assert {task["taskDefinitionArn"].rsplit(":", 1)[1] for task in fleet.tasks_of("canary") if task["desiredStatus"] == "RUNNING"} == {"2"}


def test_tests_are_told_apart_by_the_header_of_the_alias(fleet):
    rules = {"testTrafficRules": {"header": {"name": "X-Trial", "value": {"exact": "yes"}}}}
    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}
    create(fleet, "trial", {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}, alias("trial", **rules))
    assert fleet.service("trial")["deployments"][0]["serviceConnectConfiguration"]["services"][0]["clientAliases"][0]["testTrafficRules"] == rules["testTrafficRules"]

    def ask(*headers):
        return {fleet.ask("client", "http://trial/version", *headers)["body"] for _ in range(10)}
    for version in ("2", "3"):   # the versions take turns in the two places
        fleet.ecs.update_service(cluster="c", service="trial", taskDefinition=define(fleet, "trial", version), deploymentConfiguration={"lifecycleHooks": [hook]})
        wait_for(lambda: any(one["status"] == "AWAITING_ACTION" for one in record(fleet, "trial").get("lifecycleHookDetails", [])), 30, "the pause")
        before = str(int(version) - 1)
        assert ask() == {before} and ask("x-trial:yes") == {version}
        assert ask("x-trial:no") == {before} and ask("x-amzn-ecs-blue-green-test:1") == {before}
        fleet.ecs.continue_service_deployment(serviceDeploymentArn=record(fleet, "trial")["serviceDeploymentArn"],
                                              hookId=record(fleet, "trial")["lifecycleHookDetails"][0]["hookId"])
        until(fleet, "trial", "SUCCESSFUL")
        assert ask() == {version}


def test_going_back_costs_no_call(fleet):
    create(fleet, "back", {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 50, "stepBakeTimeInMinutes": 10}})
    with Callers(fleet, "back") as callers:
        fleet.ecs.update_service(cluster="c", service="back", taskDefinition=define(fleet, "back", "2"))
        wait_for(lambda: callers.seen[(200, "2")] > 20, 30, "calls of the new version")
        fleet.ecs.stop_service_deployment(serviceDeploymentArn=record(fleet, "back")["serviceDeploymentArn"], stopType="ROLLBACK")
        until(fleet, "back", "ROLLBACK_SUCCESSFUL")
    assert {status for status, _ in callers.seen} == {200}
    assert versions(fleet, "back", 50) == {(200, "1"): 50}
    # Later deployments find the place of the one that failed free.
    fleet.ecs.update_service(cluster="c", service="back", taskDefinition=define(fleet, "back", "3"), deploymentConfiguration={"strategy": "BLUE_GREEN"})
    until(fleet, "back", "SUCCESSFUL")
    assert versions(fleet, "back", 50) == {(200, "3"): 50}
    fleet.ecs.update_service(cluster="c", service="back", deploymentConfiguration={"strategy": "ROLLING"})
    assert versions(fleet, "back", 50) == {(200, "3"): 50}


def test_shares_are_as_they_were_after_a_restart(new_daemon):
    daemon = new_daemon()
    fleet = MeshFleet(daemon)
    fleet.namespace("shop")
    fleet.serve("client", connect={"enabled": True, "namespace": "shop"})
    create(fleet, "kept", {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 50, "canaryBakeTimeInMinutes": 10}}, count=1)
    fleet.ecs.update_service(cluster="c", service="kept", taskDefinition=define(fleet, "kept", "2"))
    wait_for(lambda: versions(fleet, "kept", 20)[(200, "2")] > 0, 30, "the canary's first calls")
    daemon.kill()
    daemon.start()
    wait_for(lambda: fleet.service("client")["runningCount"] == 1 and fleet.service("kept")["runningCount"] == 2, 20, "the tasks")
    wait_for(lambda: len(versions(fleet, "kept", 50)) == 2, 20, "both versions")
    daemon.advance(601)
    until(fleet, "kept", "SUCCESSFUL")
    assert versions(fleet, "kept", 50) == {(200, "2"): 50}


def test_what_cannot_be(fleet):
    with pytest.raises(botocore.exceptions.ClientError, match="appProtocol is TCP"):
        create(fleet, "bytes", {"strategy": "BLUE_GREEN"}, alias("bytes", testTrafficRules={"header": {"name": "x"}}), app_protocol=None)
    with pytest.raises(botocore.exceptions.ClientError, match="requires a load balancer or Service Connect"):
        create(fleet, "only-calls", {"strategy": "CANARY"}, {"enabled": True, "namespace": "shop"})
