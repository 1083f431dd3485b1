"""The same tasks with less isolation: in user namespaces, and as plain processes."""
import json
import urllib.request

import pytest

from balancers import Balancer
from fleet import NETWORK, get
from support import wait_for


@pytest.mark.parametrize("tier", ["t1", "t2"])
def test_tasks_run_in_every_tier(new_fleet, tier):
    fleet = new_fleet("--tier", tier)
    logs = fleet.daemon.client("logs")
    logs.create_log_group(logGroupName="/tier")
    fleet.daemon.client("dynamodb").create_table(TableName="items", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                                                 AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/tier", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p"}}
    definition = fleet.register("tier", env={"TABLE": "items"}, taskRoleArn="arn:aws:iam::000000000000:role/items", logConfiguration=log)
    balancer = Balancer(fleet.daemon, "tier")
    group = balancer.group("g", attributes=[("deregistration_delay.timeout_seconds", "0")])
    fleet.ecs.create_service(cluster="c", serviceName="web", taskDefinition=definition, desiredCount=1, launchType="FARGATE", networkConfiguration=NETWORK,
                             loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}])
    fleet.steady("web")
    reply, _ = balancer.ask("PUT", "/items/1", body=b"one")
    assert reply.status == 200
    reply, content = balancer.ask("GET", "/items/1")
    assert reply.status == 200 and json.loads(content)["body"] == "one"
    assert logs.describe_log_streams(logGroupName="/tier")["logStreams"]
    task = fleet.tasks_of("web")[0]["taskArn"]
    assert fleet.exec(task, "/service1", "--health") == ""
    fleet.clear()
    assert fleet.daemon.stop() == 0
