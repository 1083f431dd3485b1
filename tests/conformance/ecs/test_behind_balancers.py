"""Services behind load balancers: tasks are targets, and a new version rolls out under load without a failed request."""
import time

import pytest

from balancers import Balancer, Load
from fleet import NETWORK
from support import wait_for


@pytest.fixture(scope="module")
def site(fleet):
    balancer = Balancer(fleet.daemon, "site")
    group = balancer.group("g", attributes=[("deregistration_delay.timeout_seconds", "1")])
    definition = fleet.register("site", env={"VERSION": "1"})
    fleet.ecs.create_service(cluster="c", serviceName="site", taskDefinition=definition, desiredCount=2, launchType="FARGATE", networkConfiguration=NETWORK,
                             loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}],
                             deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}})
    balancer.target_group = group
    fleet.steady("site")
    yield balancer
    fleet.ecs.delete_service(cluster="c", service="site", force=True)
    wait_for(lambda: fleet.service("site")["status"] == "INACTIVE")
    assert balancer.states(group) == []


def test_tasks_are_targets_and_a_version_rolls_out_without_a_failed_request(fleet, site):
    assert [state for state, _ in site.states(site.target_group)] == ["healthy", "healthy"]
    with Load(site) as load:
        wait_for(lambda: load.seen["1"] > 100)
        fleet.ecs.update_service(cluster="c", service="site", taskDefinition=fleet.register("site", env={"VERSION": "2"}))
        fleet.steady("site", 40)
        at = load.seen["2"]
        wait_for(lambda: load.seen["2"] > at + 100)
    assert load.errors == []


def test_a_sick_version_is_rolled_back_and_nobody_notices(fleet, site):
    with Load(site, 2) as load:
        fleet.ecs.update_service(cluster="c", service="site", taskDefinition=fleet.register("site", env={"VERSION": "3", "EXIT_AT_ONCE": "1"}))
        wait_for(lambda: any("rolling back" in e["message"] for e in fleet.service("site")["events"]), 40)
        fleet.steady("site", 40)
    assert load.errors == [] and load.seen["3"] == 0


def test_a_version_that_fails_its_checks_is_rolled_back(fleet, site):
    with Load(site, 2) as load:
        fleet.ecs.update_service(cluster="c", service="site", taskDefinition=fleet.register("site", env={"VERSION": "4", "UNHEALTHY": "1"}))

        def rolled_back():
            fleet.daemon.advance(3)  # from one check to the next
            return any("rolling back" in e["message"] and e["createdAt"] > began for e in fleet.service("site")["events"])
        began = fleet.service("site")["deployments"][0]["createdAt"]
        wait_for(rolled_back, 40)
        fleet.steady("site", 40)
    assert load.errors == [] and load.seen["4"] == 0


def test_a_killed_task_is_replaced(fleet, site):
    victim = fleet.tasks_of("site")[0]["taskArn"]
    with Load(site, 2) as load:
        began = time.monotonic()
        fleet.ecs.stop_task(cluster="c", task=victim)
        wait_for(lambda: len([t for t in fleet.tasks_of("site") if t["lastStatus"] == "RUNNING" and t["taskArn"] != victim]) == 2)
        assert time.monotonic() - began < 5
        wait_for(lambda: [state for state, _ in site.states(site.target_group)].count("healthy") == 2)
    assert load.errors == []
