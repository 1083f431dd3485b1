"""The first of the three services: deployed, rolled, broken, scaled and cut, under load all the while."""
import http.client
import json
import subprocess
import time

import pytest

from support import Daemon, wait_for
from three_services import HOST, System, Users


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    daemon = Daemon(tmp_path_factory.mktemp("three")).start()
    yield System(daemon)
    daemon.stop()


def test_users_come_over_https_by_name(system):
    assert system.describe()["StackStatus"] == "CREATE_COMPLETE"
    assert system.ask("PUT", "/items/7", "a lamp")[0] == 200
    assert system.ask("GET", "/items/7") == (200, {"id": "7", "body": "a lamp"})
    assert system.ask("GET", "/items/8")[0] == 404
    server = json.load(__import__("urllib.request").request.urlopen(system.daemon.url + "/_atoll/dns"))
    found = subprocess.run(["dig", "+short", "-p", str(server["port"]), "@" + server["address"], HOST], capture_output=True, text=True, timeout=10).stdout
    assert found.strip() == system.address
    # Over plain HTTP they are sent to HTTPS.
    connection = http.client.HTTPConnection(system.address, 80 if system.port == 443 else 8080, timeout=5)
    connection.request("GET", "/x?y", headers={"Host": HOST})
    reply = connection.getresponse()
    assert (reply.status, reply.getheader("location")) == (301, f"https://{HOST}:443/x?y")


def test_a_new_version_without_a_failed_request(system):
    with Users(system) as users:
        assert system.deploy(Version="2") == "UPDATE_COMPLETE"
        wait_for(lambda: system.ask()[1]["version"] == "2" and users.versions["2"] > 50, what="the new version")
    assert users.failures == [] and set(users.versions) == {"1", "2"}
    assert {system.ask()[1]["version"] for _ in range(10)} == {"2"}


def test_a_bad_version_rolls_back(system):
    with Users(system) as users:
        assert system.deploy(Version="3", TaskEnvironmentName="EXIT_AT_ONCE", TaskEnvironmentValue="1") in ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED")
    assert users.failures == [] and set(users.versions) == {"2"}
    system.parameters.update(Version="2", TaskEnvironmentName="NOTHING", TaskEnvironmentValue="")


def test_a_killed_task_costs_no_request_and_is_replaced(system):
    victim = system.tasks()[0]
    with Users(system) as users:
        system.ecs.stop_task(cluster=system.outputs["Cluster"], task=victim["taskArn"])
        wait_for(lambda: len(system.healthy()) == 2 and victim["taskArn"] not in {one["taskArn"] for one in system.tasks()}, what="a replacement")
    assert users.failures == []


def test_ten_tasks_on_the_same_port(system):
    began = time.monotonic()
    system.scale(10)
    wait_for(lambda: len(system.healthy()) == 10, what="ten healthy tasks")
    assert {port for _, port in system.healthy()} == {8080} and len({ip for ip, _ in system.healthy()}) == 10
    assert time.monotonic() - began < 15
    with Users(system) as users:
        system.scale(2)
        wait_for(lambda: len(system.tasks()) == 2, what="two tasks")
    assert users.failures == []


def test_more_tasks_under_load_and_fewer_without(system):
    """Requests -> metric -> alarm -> more tasks -> fewer requests for each: the loop closes, in both directions."""
    metrics = system.daemon.client("cloudwatch")
    assert any("TargetTracking" in alarm["AlarmName"] for alarm in metrics.describe_alarms()["MetricAlarms"])
    with Users(system, count=4, pause=0):
        deadline = time.monotonic() + 60
        while len(system.tasks()) <= 2 and time.monotonic() < deadline:
            # Three minutes of load pass quickly: each step counts what was asked since the last one.
            time.sleep(1.5)
            system.daemon.advance(60)
        assert len(system.tasks()) > 2
    # Without any request there is no metric, and without a metric AWS changes nothing: a little load stays.
    with Users(system, count=1, pause=0.02):
        deadline = time.monotonic() + 60
        while len(system.tasks()) > 2 and time.monotonic() < deadline:
            time.sleep(0.3)
            system.daemon.advance(60)
    assert len(system.tasks()) == 2


def test_traffic_shifts_by_weight_between_two_versions(system):
    """A second group with the old version takes a tenth, then all."""
    elb, described = system.elb, system.elb.describe_target_groups(TargetGroupArns=[system.outputs["Targets"]])["TargetGroups"][0]
    listener = next(one["ListenerArn"] for one in elb.describe_listeners(LoadBalancerArn=described["LoadBalancerArns"][0])["Listeners"] if one["Port"] == 443)
    other = elb.create_target_group(Name="other", Protocol="HTTP", Port=8080, VpcId=described["VpcId"], TargetType="ip", HealthCheckPath="/health",
                                    HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2)["TargetGroups"][0]["TargetGroupArn"]

    def weigh(first, second):
        elb.modify_listener(ListenerArn=listener, DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": system.outputs["Targets"], "Weight": first}, {"TargetGroupArn": other, "Weight": second}]}}])

    definition = system.ecs.describe_services(cluster=system.outputs["Cluster"], services=[system.outputs["Service"]])["services"][0]["taskDefinition"]
    old = system.ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
    container = {**old["containerDefinitions"][0], "environment": [{"name": "VERSION", "value": "other"}]}
    registered = system.ecs.register_task_definition(family="other", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
                                                     executionRoleArn=old["executionRoleArn"], containerDefinitions=[container])["taskDefinition"]["taskDefinitionArn"]
    network = system.ecs.describe_services(cluster=system.outputs["Cluster"], services=[system.outputs["Service"]])["services"][0]["networkConfiguration"]
    weigh(1, 0)
    system.ecs.create_service(cluster=system.outputs["Cluster"], serviceName="other", taskDefinition=registered, desiredCount=1, launchType="FARGATE", networkConfiguration=network,
                              loadBalancers=[{"targetGroupArn": other, "containerName": container["name"], "containerPort": 8080}])
    wait_for(lambda: "healthy" in {one["TargetHealth"]["State"] for one in elb.describe_target_health(TargetGroupArn=other)["TargetHealthDescriptions"]}, what="the other version")
    with Users(system) as users:
        weigh(9, 1)
        users.versions.clear()
        wait_for(lambda: sum(users.versions.values()) > 400, what="requests")
        share = users.versions["other"] / sum(users.versions.values())
        assert 0.02 < share < 0.25
        weigh(0, 1)
        time.sleep(0.2)
        users.versions.clear()
        wait_for(lambda: sum(users.versions.values()) > 100, what="requests")
        assert set(users.versions) == {"other"}
        weigh(1, 0)
    assert users.failures == []
    system.ecs.delete_service(cluster=system.outputs["Cluster"], service="other", force=True)
    wait_for(lambda: len(system.tasks()) == 2, what="the other version to go")


def test_deploying_and_deleting_are_quick(system):
    assert system.deployed_in < 3
    began = time.monotonic()
    system.cloudformation.delete_stack(StackName="three")
    wait_for(lambda: not system.ecs.list_clusters()["clusterArns"] and not any(
        stack["StackName"] == "three" and stack["StackStatus"] != "DELETE_COMPLETE" for stack in system.cloudformation.list_stacks()["StackSummaries"]), what="the deletion")
    assert time.monotonic() - began < 5
