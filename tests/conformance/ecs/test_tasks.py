"""Tasks: they start, print, end and are stopped as on AWS."""
import json
import urllib.request

import pytest
from botocore.exceptions import ClientError

from fleet import NETWORK, get
from support import wait_for


def test_a_task_runs_and_is_stopped(fleet):
    arn = fleet.run(fleet.register("plain"))
    task = fleet.reach(arn, "RUNNING")
    assert task["containers"][0]["lastStatus"] == "RUNNING" and task["containers"][0]["imageDigest"].startswith("sha256:")
    details = {d["name"]: d["value"] for d in task["attachments"][0]["details"]}
    assert task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] == details["privateIPv4Address"]
    fleet.ecs.stop_task(cluster="c", task=arn, reason="enough")
    stopped = fleet.reach(arn, "STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"], stopped["containers"][0]["exitCode"]) == ("UserInitiated", "enough", 0)


def test_ten_tasks_share_a_port(fleet):
    definition = fleet.register("ten")
    arns = [t["taskArn"] for t in fleet.ecs.run_task(cluster="c", taskDefinition=definition, count=10, networkConfiguration=NETWORK)["tasks"]]
    tasks = [fleet.reach(arn, "RUNNING") for arn in arns]
    assert len({t["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for t in tasks}) == 10
    for arn in arns:
        fleet.ecs.stop_task(cluster="c", task=arn)
    for arn in arns:
        # 143: the signal came before the service had begun to listen for it.
        assert fleet.reach(arn, "STOPPED")["containers"][0]["exitCode"] in (0, 143)


def test_bridge_mode_forwards_a_port_of_the_host_and_the_table_is_reached(fleet):
    fleet.daemon.client("dynamodb").create_table(TableName="items", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                                                 AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    arn = fleet.run(fleet.register("bridge", "bridge", {"TABLE": "items"}, taskRoleArn="arn:aws:iam::000000000000:role/items"), awsvpc=False)
    fleet.reach(arn, "RUNNING")
    port = fleet.host_port(arn)
    assert port != 8080
    wait_for(lambda: get(port, "/health")[0] == 200)
    request = urllib.request.Request(f"http://127.0.0.1:{port}/items/7", data=b'seven "times"', method="PUT")
    assert json.loads(urllib.request.urlopen(request).read()) == {"id": "7"}
    assert get(port, "/items/7")[2] == {"id": "7", "body": 'seven "times"'}
    assert get(port, "/items/8")[0] == 404
    fleet.ecs.stop_task(cluster="c", task=arn)
    fleet.reach(arn, "STOPPED")


def test_an_essential_container_ends_the_task(fleet):
    arn = fleet.run(fleet.register("exits", env={"EXIT_AT_ONCE": "3"}))
    stopped = fleet.reach(arn, "STOPPED")
    assert stopped["stopCode"] == "EssentialContainerExited" and stopped["stoppedReason"] == "Essential container in task exited"
    assert stopped["containers"][0]["exitCode"] == 3


def test_a_missing_image_says_how_to_get_it(fleet):
    arn = fleet.run(fleet.register("missing", image="nowhere:v9"))
    stopped = fleet.reach(arn, "STOPPED")
    assert stopped["stopCode"] == "TaskFailedToStart"
    assert "CannotPullContainerError" in stopped["stoppedReason"] and "atoll image import" in stopped["stoppedReason"]


def test_lines_go_to_the_log_group(fleet):
    logs = fleet.daemon.client("logs")
    logs.create_log_group(logGroupName="/ecs/lines")
    options = {"awslogs-group": "/ecs/lines", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p"}
    arn = fleet.run(fleet.register("lines", logConfiguration={"logDriver": "awslogs", "options": options}))
    fleet.reach(arn, "RUNNING")
    stream = f"p/app/{arn.rsplit('/', 1)[1]}"
    wait_for(lambda: [s for s in logs.describe_log_streams(logGroupName="/ecs/lines")["logStreams"] if s["logStreamName"] == stream])
    assert logs.get_log_events(logGroupName="/ecs/lines", logStreamName=stream)["events"][0]["message"] == "listening on port 8080"
    arn = fleet.run(fleet.register("nolines", logConfiguration={"logDriver": "awslogs", "options": {**options, "awslogs-group": "/ecs/none"}}))
    assert fleet.reach(arn, "STOPPED")["stoppedReason"].startswith("ResourceInitializationError")


def test_order_of_containers(fleet):
    sidecars = [{"name": "setup", "image": "service1:v1", "memory": 64, "essential": False, "environment": [{"name": "EXIT_AT_ONCE", "value": "0"}]}]
    good = fleet.run(fleet.register("order", dependsOn=[{"containerName": "setup", "condition": "SUCCESS"}], sidecars=sidecars))
    task = fleet.reach(good, "RUNNING")
    assert {c["name"]: c["lastStatus"] for c in task["containers"]} == {"app": "RUNNING", "setup": "STOPPED"}
    sidecars[0]["environment"][0]["value"] = "1"
    bad = fleet.run(fleet.register("disorder", dependsOn=[{"containerName": "setup", "condition": "SUCCESS"}], sidecars=sidecars))
    assert fleet.reach(bad, "STOPPED")["stopCode"] == "TaskFailedToStart"
    fleet.ecs.stop_task(cluster="c", task=good)


def test_secrets_and_environment_files(fleet):
    fleet.daemon.client("ssm").put_parameter(Name="/team/version", Value="from-ssm", Type="SecureString")
    s3 = fleet.daemon.client("s3")
    s3.create_bucket(Bucket="env-files")
    s3.put_object(Bucket="env-files", Key="one.env", Body=b"# a comment\nPORT=8099\n")
    arn = fleet.run(fleet.register("secret", "bridge", portMappings=[{"containerPort": 8099}], environmentFiles=[{"value": "arn:aws:s3:::env-files/one.env", "type": "s3"}],
                                   secrets=[{"name": "VERSION", "valueFrom": "arn:aws:ssm:us-east-1:000000000000:parameter/team/version"}]), awsvpc=False)
    fleet.reach(arn, "RUNNING")
    port = fleet.host_port(arn)
    wait_for(lambda: get(port, "/version")[2]["version"] == "from-ssm")
    fleet.ecs.stop_task(cluster="c", task=arn)
    arn = fleet.run(fleet.register("nosecret", secrets=[{"name": "X", "valueFrom": "/team/none"}]))
    assert "invalid ssm parameters: /team/none" in fleet.reach(arn, "STOPPED")["stoppedReason"]


def test_what_is_not_supported_is_named(fleet):
    with pytest.raises(ClientError) as refused:
        fleet.register("privileged", privileged=True)
    assert refused.value.response["Error"]["Code"] == "NotImplemented" and "privileged" in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as refused:
        fleet.register("driver", logConfiguration={"logDriver": "splunk"})
    assert "splunk" in refused.value.response["Error"]["Message"]


def test_a_token_starts_tasks_once(fleet):
    definition = fleet.register("once")
    first = fleet.run(definition, clientToken="t1", startedBy="me", group="g")
    assert fleet.run(definition, clientToken="t1", startedBy="me", group="g") == first
    with pytest.raises(fleet.ecs.exceptions.ConflictException) as caught:
        fleet.run(definition, clientToken="t1", startedBy="you", group="g")
    assert caught.value.response["resourceIds"] == [first]
    task = fleet.task(first)
    assert task["startedBy"] == "me" and task["group"] == "g" and fleet.ecs.list_tasks(cluster="c", startedBy="me")["taskArns"] == [first]
    assert fleet.run(definition, clientToken="t2") != first
    with pytest.raises(fleet.ecs.exceptions.InvalidParameterException):
        fleet.run(definition, group="service:x")


def test_there_are_no_container_instances_to_start_on(fleet):
    out = fleet.ecs.start_task(cluster="c", taskDefinition=fleet.register("on"), containerInstances=["i"])
    assert out["tasks"] == [] and out["failures"] == [{"arn": "arn:aws:ecs:us-east-1:000000000000:container-instance/c/i", "reason": "MISSING"}]


def test_a_subnet_that_is_not_there(fleet):
    definition = fleet.register("nowhere")
    for call, more in ((fleet.ecs.run_task, {}), (fleet.ecs.create_service, {"serviceName": "nowhere", "desiredCount": 1})):
        with pytest.raises(ClientError) as refused:
            call(cluster="c", taskDefinition=definition, networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0123"]}}, **more)
        assert refused.value.response["Error"] == {
            "Code": "InvalidParameterException",
            "Message": "Error retrieving subnet information for [subnet-0123]: The subnet ID 'subnet-0123' does not exist (ErrorCode: InvalidSubnetID.NotFound)"}
    with pytest.raises(ClientError) as refused:
        fleet.ecs.run_task(cluster="c", taskDefinition=definition,
                           networkConfiguration={"awsvpcConfiguration": {"subnets": fleet.daemon.subnets(1), "securityGroups": ["sg-0123"]}})
    assert "The security group 'sg-0123' does not exist (ErrorCode: InvalidGroup.NotFound)" in refused.value.response["Error"]["Message"]
