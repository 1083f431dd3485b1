"""Services whose deployments somebody else controls: task sets."""
import json

import pytest

from balancers import Balancer
from fleet import NETWORK
from support import wait_for


@pytest.fixture(scope="module")
def service(fleet):
    fleet.ecs.create_service(cluster="c", serviceName="sets", desiredCount=3, deploymentController={"type": "EXTERNAL"})
    yield fleet.service("sets")
    fleet.ecs.delete_service(cluster="c", service="sets", force=True)
    wait_for(lambda: fleet.service("sets")["status"] == "INACTIVE")


def create(fleet, version, percent, **options):
    return fleet.ecs.create_task_set(cluster="c", service="sets", taskDefinition=fleet.register("sets", env={"VERSION": version}), launchType="FARGATE", networkConfiguration=NETWORK,
                                     scale={"value": percent, "unit": "PERCENT"}, **options)["taskSet"]


def look(fleet, one):
    return fleet.ecs.describe_task_sets(cluster="c", service="sets", taskSets=[one["taskSetArn"]])["taskSets"][0]


def stable(fleet, one):
    return wait_for(lambda: (lambda seen: seen if seen["stabilityStatus"] == "STEADY_STATE" else None)(look(fleet, one)), 20)


def test_task_sets_come_go_and_take_the_lead(fleet, service):
    assert service["deployments"] == [] and service["taskSets"] == [] and service["desiredCount"] == 3
    balancer = Balancer(fleet.daemon, "sets")
    group = balancer.group("g", attributes=[("deregistration_delay.timeout_seconds", "1")])
    blue = create(fleet, "1", 100, externalId="blue", clientToken="once", loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}])
    assert blue["status"] == "ACTIVE" and blue["computedDesiredCount"] == 3 and blue["stabilityStatus"] == "STABILIZING" and blue["externalId"] == "blue"
    assert create(fleet, "1", 100, clientToken="once")["id"] == blue["id"]
    assert stable(fleet, blue)["runningCount"] == 3
    assert [state for state, _ in balancer.states(group)] == ["healthy"] * 3

    primary = fleet.ecs.update_service_primary_task_set(cluster="c", service="sets", primaryTaskSet=blue["id"])["taskSet"]
    assert primary["status"] == "PRIMARY" and fleet.service("sets")["taskDefinition"] == blue["taskDefinition"]

    green = create(fleet, "2", 34)
    assert green["computedDesiredCount"] == 2  # rounded up
    assert stable(fleet, green)["runningCount"] == 2 and fleet.service("sets")["runningCount"] == 5
    fleet.ecs.update_task_set(cluster="c", service="sets", taskSet=green["id"], scale={"value": 100, "unit": "PERCENT"})
    assert wait_for(lambda: look(fleet, green)["runningCount"] == 3)
    stable(fleet, green)
    fleet.ecs.update_service(cluster="c", service="sets", desiredCount=1)
    wait_for(lambda: fleet.service("sets")["runningCount"] == 2)

    with pytest.raises(fleet.ecs.exceptions.InvalidParameterException):
        fleet.ecs.delete_task_set(cluster="c", service="sets", taskSet=blue["id"])
    fleet.ecs.update_service_primary_task_set(cluster="c", service="sets", primaryTaskSet=green["taskSetArn"])
    gone = fleet.ecs.delete_task_set(cluster="c", service="sets", taskSet=blue["id"], force=True)["taskSet"]
    assert gone["status"] == "DRAINING"
    wait_for(lambda: [one["id"] for one in fleet.service("sets")["taskSets"]] == [green["id"]])
    assert balancer.states(group) == [] and stable(fleet, green)["status"] == "PRIMARY"
    assert {task["startedBy"] for task in fleet.tasks_of("sets")} == {green["id"]}


def test_what_is_refused(fleet, service):
    for wrong in ({"taskDefinition": fleet.register("sets")}, {"forceNewDeployment": True}):
        with pytest.raises(fleet.ecs.exceptions.InvalidParameterException):
            fleet.ecs.update_service(cluster="c", service="sets", **wrong)
    with pytest.raises(fleet.ecs.exceptions.TaskSetNotFoundException):
        fleet.ecs.update_task_set(cluster="c", service="sets", taskSet="ecs-svc/1", scale={"value": 1, "unit": "PERCENT"})
    with pytest.raises(Exception, match="CODE_DEPLOY"):
        fleet.ecs.create_service(cluster="c", serviceName="cd", desiredCount=1, taskDefinition=fleet.register("sets"), deploymentController={"type": "CODE_DEPLOY"}, networkConfiguration=NETWORK)
    fleet.ecs.create_service(cluster="c", serviceName="plain", desiredCount=0, taskDefinition=fleet.register("sets"), networkConfiguration=NETWORK, launchType="FARGATE")
    with pytest.raises(fleet.ecs.exceptions.InvalidParameterException, match="EXTERNAL"):
        fleet.ecs.create_task_set(cluster="c", service="plain", taskDefinition=fleet.register("sets"))
    fleet.ecs.delete_service(cluster="c", service="plain")


def test_they_survive_a_kill(new_fleet):
    fleet = new_fleet()
    fleet.ecs.create_service(cluster="c", serviceName="sets", desiredCount=2, deploymentController={"type": "EXTERNAL"})
    one = create(fleet, "1", 50)
    stable(fleet, one)
    fleet.daemon.kill()
    fleet.daemon.start()
    assert stable(fleet, one)["runningCount"] == 1

def test_stacks_make_task_sets(fleet):
    stacks = fleet.daemon.client("cloudformation")
    vpc = {"subnets": fleet.daemon.subnets(1)}
    template = {"Resources": {
        "Service": {"Type": "AWS::ECS::Service", "Properties": {"Cluster": "c", "ServiceName": "by-stack", "DesiredCount": 2, "DeploymentController": {"Type": "EXTERNAL"}}},
        "Set": {"Type": "AWS::ECS::TaskSet", "Properties": {
            "Cluster": "c", "Service": {"Fn::GetAtt": ["Service", "Name"]}, "TaskDefinition": fleet.register("by-stack", env={"VERSION": "1"}), "LaunchType": "FARGATE",
            "Scale": {"Unit": "PERCENT", "Value": 50}, "NetworkConfiguration": {"AwsVpcConfiguration": {"Subnets": vpc["subnets"]}}}},
        "Primary": {"Type": "AWS::ECS::PrimaryTaskSet", "Properties": {"Cluster": "c", "Service": {"Fn::GetAtt": ["Service", "Name"]}, "TaskSetId": {"Fn::GetAtt": ["Set", "Id"]}}}}}
    stacks.create_stack(StackName="sets", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="sets", WaiterConfig={"Delay": 1})
    made = fleet.service("by-stack")["taskSets"]
    assert [(one["status"], one["runningCount"]) for one in made] == [("PRIMARY", 1)]
    template["Resources"]["Set"]["Properties"]["Scale"]["Value"] = 100
    stacks.update_stack(StackName="sets", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_update_complete").wait(StackName="sets", WaiterConfig={"Delay": 1})
    assert fleet.service("by-stack")["taskSets"][0]["runningCount"] == 2
    stacks.delete_stack(StackName="sets")
    stacks.get_waiter("stack_delete_complete").wait(StackName="sets", WaiterConfig={"Delay": 1})
    assert fleet.service("by-stack")["status"] == "INACTIVE"
