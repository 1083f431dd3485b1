"""A canary of a version that breaks for real: the balancer counts its errors, an alarm rings, the deployment goes back."""
import subprocess
import threading
import time

import pytest

from balancers import Balancer
from fleet import NETWORK, Fleet
from support import ROOT, Daemon, wait_for

SERVICE1 = ROOT / "examples" / "three-services" / "service1"
ROLE = "arn:aws:iam::000000000000:role/app"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    subprocess.run([SERVICE1 / "build.sh"], check=True, capture_output=True)
    daemon = Daemon(tmp_path_factory.mktemp("canary")).start()
    yield Fleet(daemon, SERVICE1 / "build" / "service1.tar")
    daemon.stop()


def test_a_canary_rolls_back_on_an_alarm(fleet):
    daemon = fleet.daemon
    daemon.client("dynamodb").create_table(TableName="items", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                                           AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    balancer = Balancer(daemon, "shop")
    quick = [("deregistration_delay.timeout_seconds", "5")]
    blue, green = balancer.group("blue", attributes=quick), balancer.group("green", attributes=quick)
    rule = balancer.elb.create_rule(ListenerArn=balancer.listener, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["*"]}],
                                    Actions=[{"Type": "forward", "TargetGroupArn": blue}])["Rules"][0]["RuleArn"]
    daemon.client("cloudwatch").put_metric_alarm(
        AlarmName="shop-errors", Namespace="AWS/ApplicationELB", MetricName="HTTPCode_Target_5XX_Count", Dimensions=[{"Name": "LoadBalancer", "Value": balancer.arn.split(":loadbalancer/")[1]}],
        Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=5, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching")

    def define(version, table):
        return fleet.register("shop", env={"VERSION": version, "TABLE": table, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"})
    fleet.ecs.create_service(
        cluster="c", serviceName="shop", taskDefinition=define("1", "items"), desiredCount=2, launchType="FARGATE", networkConfiguration=NETWORK,
        loadBalancers=[{"targetGroupArn": blue, "containerName": "app", "containerPort": 8080,
                        "advancedConfiguration": {"alternateTargetGroupArn": green, "productionListenerRule": rule, "roleArn": ROLE}}],
        deploymentConfiguration={"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 15},
                                 "alarms": {"alarmNames": ["shop-errors"], "enable": True, "rollback": True}})

    def record():
        arn = fleet.ecs.list_service_deployments(cluster="c", service="shop")["serviceDeployments"][0]["serviceDeploymentArn"]
        return fleet.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]
    wait_for(lambda: record()["status"] == "SUCCESSFUL")
    assert balancer.ask("PUT", "/items/7", body="a lamp")[0].status == 200

    seen, going = [], True

    def use():
        while going:
            reply, _ = balancer.ask("GET", "/items/7")
            seen.append((reply.getheader("x-version"), reply.status))
            time.sleep(0.002)
    user = threading.Thread(target=use)
    user.start()
    try:
        good = fleet.service("shop")["taskDefinition"]
        fleet.ecs.update_service(cluster="c", service="shop", taskDefinition=define("2", "no-such-table"))
        wait_for(lambda: sum(version == "2" for version, _ in seen) > 10, 30, "the canary to get some requests")

        def rolled_back():
            daemon.advance(5)
            return record() if record()["status"] == "ROLLBACK_SUCCESSFUL" else None
        done = wait_for(rolled_back, 60, "the deployment to go back")
        end = len(seen)
        wait_for(lambda: len(seen) > end + 100)
    finally:
        going = False
        user.join()
    # Only the canary's share failed, and nothing after it had gone.
    assert {status for version, status in seen if version == "1"} == {200}
    assert {status for version, status in seen if version == "2"} == {502}
    assert {version for version, _ in seen[end:]} == {"1"} and {version for version, _ in seen} == {"1", "2"}
    during = [version for version, _ in seen[:end]]
    assert during.count("2") < len(during) / 4
    assert done["alarms"]["triggeredAlarmNames"] == ["shop-errors"] and fleet.service("shop")["taskDefinition"] == good
