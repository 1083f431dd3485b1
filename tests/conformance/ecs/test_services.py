"""Services: the desired count, rolling deployments, the circuit breaker, crashes of tasks and of the daemon."""
import time

import pytest
from botocore.exceptions import ClientError

from fleet import NETWORK, get
from support import wait_for

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def create(fleet, name, definition, count=2, **options):
    return fleet.ecs.create_service(cluster="c", serviceName=name, taskDefinition=definition, desiredCount=count, launchType="FARGATE",
                                    networkConfiguration=NETWORK, **options)["service"]


def test_a_service_keeps_its_count_and_scales(fleet):
    definition = fleet.register("web")
    create(fleet, "web", definition)
    one = fleet.steady("web")
    assert one["runningCount"] == 2 and any("steady state" in e["message"] for e in one["events"])
    victim = fleet.tasks_of("web")[0]["taskArn"]
    fleet.ecs.stop_task(cluster="c", task=victim)
    wait_for(lambda: len([t for t in fleet.tasks_of("web") if t["lastStatus"] == "RUNNING" and t["taskArn"] != victim]) == 2)
    fleet.ecs.update_service(cluster="c", service="web", desiredCount=4)
    assert fleet.steady("web")["runningCount"] == 4
    fleet.ecs.update_service(cluster="c", service="web", desiredCount=1)
    wait_for(lambda: len(fleet.tasks_of("web")) == 1)
    with pytest.raises(ClientError) as refused:
        fleet.ecs.delete_service(cluster="c", service="web")
    assert "scaled above 0" in refused.value.response["Error"]["Message"]
    fleet.ecs.delete_service(cluster="c", service="web", force=True)
    wait_for(lambda: fleet.service("web")["status"] == "INACTIVE")
    assert fleet.ecs.list_tasks(cluster="c")["taskArns"] == []


def test_a_new_version_rolls_out_and_a_bad_one_rolls_back(fleet):
    good = fleet.register("roll", env={"VERSION": "1"})
    create(fleet, "roll", good, deploymentConfiguration=BREAKER)
    fleet.steady("roll")
    better = fleet.register("roll", env={"VERSION": "2"})
    fleet.ecs.update_service(cluster="c", service="roll", taskDefinition=better)
    assert fleet.steady("roll")["taskDefinition"] == better
    assert {t["taskDefinitionArn"] for t in fleet.tasks_of("roll")} == {better}
    bad = fleet.register("roll", env={"EXIT_AT_ONCE": "1"})
    fleet.ecs.update_service(cluster="c", service="roll", taskDefinition=bad)
    wait_for(lambda: any("rolling back" in e["message"] for e in fleet.service("roll")["events"]))
    assert fleet.steady("roll")["taskDefinition"] == better
    assert {t["taskDefinitionArn"] for t in fleet.tasks_of("roll")} == {better}
    fleet.clear()


def test_container_health_decides(fleet):
    healthy = {"command": ["CMD", "/service1", "--health"], "interval": 5, "timeout": 2, "retries": 1}
    definition = fleet.register("health", healthCheck=healthy)
    arn = fleet.run(definition)
    fleet.reach(arn, "RUNNING")
    fleet.daemon.advance(6)
    wait_for(lambda: fleet.task(arn)["healthStatus"] == "HEALTHY")
    fleet.clear()
    sick = fleet.register("sick", env={"UNHEALTHY": "1"}, healthCheck=healthy)
    arn = fleet.run(sick)
    fleet.reach(arn, "RUNNING")
    fleet.daemon.advance(6)
    wait_for(lambda: fleet.task(arn)["healthStatus"] == "UNHEALTHY")
    fleet.clear()


def test_after_a_crash_services_bring_their_tasks_back(new_fleet):
    fleet = new_fleet()
    create(fleet, "web", fleet.register("web"), count=3)
    fleet.steady("web")
    before = {t["taskArn"] for t in fleet.tasks_of("web")}
    fleet.daemon.kill()
    fleet.daemon.start()
    began = time.monotonic()
    wait_for(lambda: len([t for t in fleet.tasks_of("web") if t["lastStatus"] == "RUNNING" and t["taskArn"] not in before]) == 3)
    assert time.monotonic() - began < 3
    assert all(fleet.task(arn)["lastStatus"] == "STOPPED" for arn in before)


def test_cloudformation_owns_the_three(fleet):
    import json
    cloudformation = fleet.daemon.client("cloudformation")
    template = {"Resources": {
        "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "stacked"}},
        "Definition": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
            "Family": "stacked", "NetworkMode": "awsvpc", "Cpu": 256, "Memory": "512", "RequiresCompatibilities": ["FARGATE"],
            "ContainerDefinitions": [{"Name": "app", "Image": "service1:v1", "PortMappings": [{"ContainerPort": "8080"}],
                                      "Environment": [{"Name": "VERSION", "Value": "1"}]}]}},
        "Service": {"Type": "AWS::ECS::Service", "Properties": {
            "Cluster": {"Ref": "Cluster"}, "TaskDefinition": {"Ref": "Definition"}, "DesiredCount": 2, "LaunchType": "FARGATE",
            "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": fleet.daemon.subnets(1)}}}}},
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Service", "Name"]}}}}
    cloudformation.create_stack(StackName="ecs", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="ecs", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    name = cloudformation.describe_stacks(StackName="ecs")["Stacks"][0]["Outputs"][0]["OutputValue"]
    service = fleet.ecs.describe_services(cluster="stacked", services=[name])["services"][0]
    assert service["runningCount"] == 2
    template["Resources"]["Definition"]["Properties"]["ContainerDefinitions"][0]["Environment"][0]["Value"] = "2"
    template["Resources"]["Service"]["Properties"]["DesiredCount"] = 1
    cloudformation.update_stack(StackName="ecs", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="ecs", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    service = fleet.ecs.describe_services(cluster="stacked", services=[name])["services"][0]
    assert service["runningCount"] == 1 and service["taskDefinition"].endswith("stacked:2")
    assert fleet.ecs.describe_task_definition(taskDefinition="stacked:1")["taskDefinition"]["status"] == "INACTIVE"
    cloudformation.delete_stack(StackName="ecs")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="ecs", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert "stacked" not in " ".join(fleet.ecs.list_clusters()["clusterArns"])


def test_a_service_that_never_gets_steady_goes_with_its_stack(fleet):
    import json
    cloudformation = fleet.daemon.client("cloudformation")
    template = {"Resources": {
        "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "unsteady"}},
        "Definition": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
            "Family": "unsteady", "NetworkMode": "awsvpc", "Cpu": 256, "Memory": "512", "RequiresCompatibilities": ["FARGATE"],
            "ContainerDefinitions": [{"Name": "app", "Image": "service1:v1", "EntryPoint": ["/not-there"]}]}},
        "Service": {"Type": "AWS::ECS::Service", "Properties": {
            "Cluster": {"Ref": "Cluster"}, "TaskDefinition": {"Ref": "Definition"}, "DesiredCount": 1, "LaunchType": "FARGATE",
            "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": True, "Rollback": True}},
            "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": fleet.daemon.subnets(1)}}}}}}
    cloudformation.create_stack(StackName="unsteady", TemplateBody=json.dumps(template))
    wait_for(lambda: cloudformation.describe_stacks(StackName="unsteady")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE", what="the rollback")
    assert not [arn for arn in fleet.ecs.list_clusters()["clusterArns"] if arn.endswith("/unsteady")]
    cloudformation.delete_stack(StackName="unsteady")
