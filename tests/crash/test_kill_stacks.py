"""kill -9 while stacks are created, replaced and deleted: the stack settles, and what exists is what its records say.
ATOLL_KILL_ROUNDS chooses how many rounds (5 by default)."""
import json
import os
import random
import threading
import time

ROUNDS = int(os.environ.get("ATOLL_KILL_ROUNDS", "5"))


NOTHING = (set(), set(), set())


def template(version, queues=30, tables=6):
    resources = {f"Queue{i}": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"{version}-{i}"}} for i in range(queues)}
    # Tables without a name: another key makes another table under a generated name.
    for i in range(tables):
        resources[f"Table{i}"] = {"Type": "AWS::DynamoDB::Table", "Properties": {
            "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": f"key{version}", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": f"key{version}", "AttributeType": "S"}]}}
    resources[f"Only{version}"] = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": version}}
    return json.dumps({"Resources": resources})


def settled(cloudformation, name):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        stacks = [s for s in cloudformation.describe_stacks()["Stacks"] if s["StackName"] == name]
        status = stacks[0]["StackStatus"] if stacks else "DELETE_COMPLETE"
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.02)
    raise AssertionError(f"the stack stays {status}")


def what_exists(daemon):
    queues = {url.rsplit("/", 1)[1] for url in daemon.client("sqs").list_queues(MaxResults=1000).get("QueueUrls", [])}
    tables = set(daemon.client("dynamodb").list_tables()["TableNames"])
    parameters = {p["Name"] for p in daemon.client("ssm").describe_parameters()["Parameters"]}
    return queues, tables, parameters


def what_the_stack_has(daemon, name):
    resources = daemon.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    ids = lambda kind: {r["PhysicalResourceId"] for r in resources if r["ResourceType"] == kind and not r["ResourceStatus"].startswith("DELETE")}
    return {url.rsplit("/", 1)[1] for url in ids("AWS::SQS::Queue")}, ids("AWS::DynamoDB::Table"), ids("AWS::SSM::Parameter")


def kill_during(daemon, pause, call, **arguments):
    """Starts the call, and kills the daemon a little later, whether it was answered or not."""
    from botocore.exceptions import BotoCoreError, ClientError

    def run():
        try:
            call(**arguments)
        except (BotoCoreError, ClientError, OSError):
            pass  # the daemon died under it

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(pause)
    daemon.kill()
    thread.join()
    start = time.monotonic()
    daemon.start()
    assert time.monotonic() - start < 1.0


def test_replacements_leave_nothing_behind(new_daemon):
    daemon = new_daemon()
    seed = int(os.environ.get("ATOLL_KILL_SEED", time.time()))
    print("seed", seed)
    chance = random.Random(seed)
    daemon.client("cloudformation").create_stack(StackName="s", TemplateBody=template("a"))
    assert settled(daemon.client("cloudformation"), "s") == "CREATE_COMPLETE"
    for number in range(ROUNDS):
        cloudformation = daemon.client("cloudformation")
        kill_during(daemon, 0.005 + chance.random() * 0.06, cloudformation.update_stack, StackName="s", TemplateBody=template(f"v{number}"))
        status = settled(daemon.client("cloudformation"), "s")
        assert status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
        exists = queues, tables, parameters = what_exists(daemon)
        version = next(iter(queues)).split("-")[0]
        assert queues == {f"{version}-{i}" for i in range(30)}, f"after {status}"
        assert len(tables) == 6 and len(parameters) == 1, f"after {status}"
        assert exists == what_the_stack_has(daemon, "s"), f"after {status}"


def test_creation_and_deletion_leave_nothing_behind(new_daemon):
    daemon = new_daemon()
    seed = int(os.environ.get("ATOLL_KILL_SEED", time.time()))
    print("seed", seed)
    chance = random.Random(seed)
    for number in range(ROUNDS):
        cloudformation = daemon.client("cloudformation")
        name = f"s{number}"
        kill_during(daemon, 0.005 + chance.random() * 0.05, cloudformation.create_stack, StackName=name, TemplateBody=template(f"v{number}"))
        status = settled(daemon.client("cloudformation"), name)
        assert status in ("CREATE_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_COMPLETE")  # the last: it never arrived
        assert what_exists(daemon) == (what_the_stack_has(daemon, name) if status == "CREATE_COMPLETE" else NOTHING), f"after {status}"
        kill_during(daemon, 0.005 + chance.random() * 0.03, daemon.client("cloudformation").delete_stack, StackName=name)
        daemon.client("cloudformation").delete_stack(StackName=name)
        assert settled(daemon.client("cloudformation"), name) == "DELETE_COMPLETE"
        assert what_exists(daemon) == NOTHING
