"""What ECS tells the event bus, as it reaches a queue through a rule."""
import json

import pytest

from fleet import NETWORK
from support import wait_for


@pytest.fixture(scope="module")
def heard(fleet):
    """All of ECS's events so far, in order of arrival."""
    sqs, events = fleet.daemon.client("sqs"), fleet.daemon.client("events")
    url = sqs.create_queue(QueueName="ecs-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="ecs", EventPattern='{"source":["aws.ecs"]}')
    events.put_targets(Rule="ecs", Targets=[{"Id": "q", "Arn": arn}])
    seen = []

    def look(kind, **wanted):
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            seen.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [event for event in seen if event["detail-type"] == kind and all(event["detail"].get(name) == value for name, value in wanted.items())]

    yield look
    events.remove_targets(Rule="ecs", Ids=["q"])
    events.delete_rule(Name="ecs")


def test_tasks_tell_each_state(fleet, heard):
    definition = fleet.register("told", env={"VERSION": "1"})
    task = fleet.ecs.run_task(cluster="c", taskDefinition=definition, launchType="FARGATE", networkConfiguration=NETWORK, startedBy="me")["tasks"][0]["taskArn"]
    running = wait_for(lambda: heard("ECS Task State Change", taskArn=task, lastStatus="RUNNING", desiredStatus="RUNNING"), what="RUNNING")[0]
    assert running["resources"] == [task] and running["account"] == "000000000000"
    detail = running["detail"]
    assert detail["startedBy"] == "me" and detail["taskDefinitionArn"].endswith(":task-definition/" + definition.rsplit("/", 1)[-1]) and "tags" not in detail
    assert all(detail[name].endswith("Z") for name in ("createdAt", "startedAt", "updatedAt"))
    assert detail["containers"][0]["lastStatus"] == "RUNNING" and detail["version"] > 0
    assert heard("ECS Task State Change", taskArn=task, lastStatus="PROVISIONING") or heard("ECS Task State Change", taskArn=task, lastStatus="PENDING")
    fleet.ecs.stop_task(cluster="c", task=task, reason="enough")
    stopped = wait_for(lambda: heard("ECS Task State Change", taskArn=task, lastStatus="STOPPED"), what="STOPPED")[0]["detail"]
    assert stopped["stopCode"] == "UserInitiated" and stopped["stoppedReason"] == "enough" and stopped["desiredStatus"] == "STOPPED"


def test_services_tell_deployments_and_steadiness(fleet, heard):
    service = fleet.ecs.create_service(cluster="c", serviceName="told", taskDefinition=fleet.register("told", env={"VERSION": "2"}), desiredCount=1,
                                       launchType="FARGATE", networkConfiguration=NETWORK)["service"]
    deployment = service["deployments"][0]["id"]
    began = wait_for(lambda: heard("ECS Deployment State Change", deploymentId=deployment, eventName="SERVICE_DEPLOYMENT_IN_PROGRESS"), what="the beginning")[0]
    assert began["resources"] == [service["serviceArn"]] and began["detail"]["eventType"] == "INFO" and began["detail"]["reason"] == f"ECS deployment {deployment} in progress."
    ended = wait_for(lambda: heard("ECS Deployment State Change", deploymentId=deployment, eventName="SERVICE_DEPLOYMENT_COMPLETED"), what="the end")[0]
    assert ended["detail"]["reason"] == f"ECS deployment {deployment} completed."
    steady = wait_for(lambda: heard("ECS Service Action", eventName="SERVICE_STEADY_STATE"), what="steadiness")[0]
    assert steady["resources"] == [service["serviceArn"]] and steady["detail"]["clusterArn"].endswith(":cluster/c") and steady["detail"]["eventType"] == "INFO"
    fleet.ecs.delete_service(cluster="c", service="told", force=True)
