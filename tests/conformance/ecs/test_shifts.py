"""Deployments that shift traffic, by the real weights of a listener's rule, under load all the while."""
import json

import pytest

from balancers import Balancer, Load
from fleet import NETWORK
from support import function_package, wait_for

ROLE = "arn:aws:iam::000000000000:role/ecs-elb"
HOOK = """
exports.handler = async (event) => {
  console.log(JSON.stringify(event));
  const answers = (event.hookDetails || {}).answers || {};
  return { hookStatus: answers[event.lifecycleStage] || 'SUCCEEDED', callBackDelay: 1 };
};"""


class Shifting:
    """A service with two target groups, a production and a test listener."""

    def __init__(self, fleet, name, **configuration):
        self.fleet, self.name = fleet, name
        self.balancer, self.testing = Balancer(fleet.daemon, name), None
        quick = [("deregistration_delay.timeout_seconds", "5")]
        self.blue = self.balancer.group("blue", attributes=quick)
        self.green = self.balancer.group("green", attributes=quick)
        elb = self.balancer.elb
        self.rule = elb.create_rule(ListenerArn=self.balancer.listener, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["*"]}],
                                    Actions=[{"Type": "forward", "TargetGroupArn": self.blue}])["Rules"][0]["RuleArn"]
        production = self.balancer.listener, self.balancer.port
        self.balancer.port += 1
        self.balancer.listen({"Type": "forward", "TargetGroupArn": self.blue})
        self.test_listener, self.test_port = self.balancer.listener, self.balancer.port
        self.balancer.listener, self.balancer.port = production
        more = {"alternateTargetGroupArn": self.green, "productionListenerRule": self.rule, "testListenerRule": self.test_listener, "roleArn": ROLE}
        self.service = fleet.ecs.create_service(
            cluster="c", serviceName=name, taskDefinition=fleet.register(name, env={"VERSION": "1"}), desiredCount=2, launchType="FARGATE", networkConfiguration=NETWORK,
            loadBalancers=[{"targetGroupArn": self.blue, "containerName": "app", "containerPort": 8080, "advancedConfiguration": more}],
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}, **configuration})["service"]
        self.until("SUCCESSFUL")

    def deploy(self, version, env=None, **options):
        definition = self.fleet.register(self.name, env={"VERSION": version, **(env or {})})
        return self.fleet.ecs.update_service(cluster="c", service=self.name, taskDefinition=definition, **options)["service"]

    def record(self, index=0):
        arn = self.fleet.ecs.list_service_deployments(cluster="c", service=self.name)["serviceDeployments"][index]["serviceDeploymentArn"]
        return self.fleet.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]

    def until(self, status, advance=0.0):
        def look():
            if advance:
                self.fleet.daemon.advance(advance)
            record = self.record()
            return record if record["status"] == status else None
        return wait_for(look, 40, f"{self.name} to be {status}, not {self.record()}")

    def until_stage(self, stage):
        def look():
            record = self.record()
            assert record["status"] == "IN_PROGRESS", record
            return record if record["lifecycleStage"] == stage else None
        return wait_for(look, 30, f"stage {stage}")

    def weights(self):
        actions = self.balancer.elb.describe_rules(RuleArns=[self.rule])["Rules"][0]["Actions"]
        groups = {one["TargetGroupArn"]: one["Weight"] for one in actions[0]["ForwardConfig"]["TargetGroups"]}
        return groups.get(self.blue, 0), groups.get(self.green, 0)

    def version(self, port=None):
        port, self.balancer.port = self.balancer.port, port or self.balancer.port
        try:
            return json.loads(self.balancer.ask("GET", "/version")[1])["version"]
        finally:
            self.balancer.port = port

    def tasks(self):
        return [t for t in self.fleet.tasks_of(self.name) if t["lastStatus"] == "RUNNING"]

    def gone(self):
        self.fleet.ecs.delete_service(cluster="c", service=self.name, force=True)
        wait_for(lambda: self.fleet.service(self.name)["status"] == "INACTIVE")


@pytest.fixture(scope="module")
def blue_green(fleet):
    one = Shifting(fleet, "bg", strategy="BLUE_GREEN", bakeTimeInMinutes=5)
    yield one
    one.gone()


def test_blue_and_green_change_places_without_a_failed_request(fleet, blue_green):
    assert blue_green.weights() == (100, 0) and blue_green.version() == "1"
    first = blue_green.record()
    assert first["sourceServiceRevisions"] == [] and first["deploymentConfiguration"]["strategy"] == "BLUE_GREEN"
    with Load(blue_green.balancer, 2) as load:
        blue_green.deploy("2")
        record = blue_green.until_stage("BAKE_TIME")
        assert blue_green.weights() == (0, 100) and blue_green.version() == "2" and blue_green.version(blue_green.test_port) == "2"
        assert record["targetServiceRevision"]["requestedProductionTrafficWeight"] == 100 and record["targetServiceRevision"]["runningTaskCount"] == 2
        assert record["sourceServiceRevisions"][0]["arn"] == first["targetServiceRevision"]["arn"] and record["sourceServiceRevisions"][0]["runningTaskCount"] == 2
        assert len(blue_green.tasks()) == 4
        fleet.daemon.advance(5 * 60)
        done = blue_green.until("SUCCESSFUL")
        at = load.seen["2"]
        wait_for(lambda: load.seen["2"] > at + 50)
    assert load.errors == [] and set(load.seen) == {"1", "2"}
    wait_for(lambda: len(blue_green.tasks()) == 2)
    assert done["finishedAt"] >= done["startedAt"] and done["lifecycleStage"] == "CLEAN_UP"
    revision = fleet.ecs.describe_service_revisions(serviceRevisionArns=[done["targetServiceRevision"]["arn"]])["serviceRevisions"][0]
    assert revision["taskDefinition"] == fleet.service("bg")["taskDefinition"] and revision["containerImages"][0]["image"] == "service1:v1"
    # And back to the first group with the next one.
    blue_green.deploy("3")
    blue_green.until_stage("BAKE_TIME")
    assert blue_green.weights() == (100, 0) and blue_green.version() == "3"
    fleet.daemon.advance(5 * 60)
    blue_green.until("SUCCESSFUL")


def test_a_user_stops_a_deployment_and_it_goes_back(fleet, blue_green):
    before, shown = fleet.service("bg")["taskDefinition"], blue_green.version()
    with Load(blue_green.balancer, 2) as load:
        blue_green.deploy("4")
        record = blue_green.until_stage("BAKE_TIME")
        with pytest.raises(fleet.ecs.exceptions.InvalidParameterException):
            fleet.ecs.stop_service_deployment(serviceDeploymentArn=record["serviceDeploymentArn"], stopType="ABORT")
        fleet.ecs.stop_service_deployment(serviceDeploymentArn=record["serviceDeploymentArn"])
        record = blue_green.until("ROLLBACK_SUCCESSFUL")
    assert load.errors == []
    assert record["rollback"]["serviceRevisionArn"] == record["sourceServiceRevisions"][0]["arn"]
    assert blue_green.version() == shown and fleet.service("bg")["taskDefinition"] == before
    with pytest.raises(fleet.ecs.exceptions.ConflictException):
        fleet.ecs.stop_service_deployment(serviceDeploymentArn=record["serviceDeploymentArn"])


def test_a_sick_version_gets_no_traffic(fleet, blue_green):
    shown = blue_green.version()
    with Load(blue_green.balancer, 2) as load:
        blue_green.deploy("5", {"EXIT_AT_ONCE": "1"})
        record = blue_green.until("ROLLBACK_SUCCESSFUL")
    assert load.errors == [] and set(load.seen) == {shown}
    assert record["deploymentCircuitBreaker"]["status"] == "TRIGGERED"


def test_killed_in_the_midst_it_goes_on(new_fleet):
    fleet = new_fleet()
    one = Shifting(fleet, "killed", strategy="LINEAR", linearConfiguration={"stepPercent": 50.0, "stepBakeTimeInMinutes": 2}, bakeTimeInMinutes=1)
    one.deploy("2")
    one.until_stage("PRODUCTION_TRAFFIC_SHIFT")
    wait_for(lambda: one.weights() == (50, 50))
    for _ in range(2):
        fleet.daemon.kill()
        fleet.daemon.start()
        assert one.record()["status"] == "IN_PROGRESS" and one.record()["lifecycleStage"] == "PRODUCTION_TRAFFIC_SHIFT"
        wait_for(lambda: len(one.tasks()) == 4)
        assert one.weights() == (50, 50)
    fleet.daemon.advance(120)
    one.until_stage("BAKE_TIME")
    assert one.weights() == (0, 100)
    fleet.daemon.kill()
    fleet.daemon.start()
    wait_for(lambda: one.balancer.states(one.green).count(("healthy", None)) == 2)
    fleet.daemon.advance(4 * 60)
    one.until("SUCCESSFUL")
    wait_for(lambda: one.version() == "2")


def test_hooks_decide(fleet):
    function = fleet.daemon.client("lambda").create_function(FunctionName="hook", Runtime="nodejs22.x", Handler="index.handler", Role=ROLE,
                                                             Code={"ZipFile": function_package(HOOK)})["FunctionArn"]

    def hook(*stages, **answers):
        return {"targetType": "AWS_LAMBDA", "hookTargetArn": function, "roleArn": ROLE, "lifecycleStages": list(stages), "hookDetails": {"answers": answers}}

    def configure(*hooks):
        return {"lifecycleHooks": list(hooks)}
    one = Shifting(fleet, "hooks", strategy="BLUE_GREEN", bakeTimeInMinutes=0, lifecycleHooks=[hook("PRE_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT")])
    one.deploy("2", deploymentConfiguration=configure(hook("POST_TEST_TRAFFIC_SHIFT", POST_TEST_TRAFFIC_SHIFT="IN_PROGRESS")))
    record = one.until_stage("POST_TEST_TRAFFIC_SHIFT")
    assert one.version() == "1" and one.version(one.test_port) == "2"
    assert [h["targetArn"] for h in record["lifecycleHookDetails"]] == [function]
    fleet.daemon.advance(2)
    assert one.record()["lifecycleStage"] == "POST_TEST_TRAFFIC_SHIFT"
    fleet.ecs.stop_service_deployment(serviceDeploymentArn=record["serviceDeploymentArn"], stopType="ROLLBACK")
    one.until("ROLLBACK_SUCCESSFUL")
    assert one.version(one.test_port) == "1"

    one.deploy("3", deploymentConfiguration=configure(hook("POST_TEST_TRAFFIC_SHIFT", POST_TEST_TRAFFIC_SHIFT="FAILED")))
    assert "lifecycle hook" in one.until("ROLLBACK_SUCCESSFUL")["rollback"]["reason"]
    assert one.version() == "1"

    one.deploy("4", deploymentConfiguration=configure({"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}))
    record = one.until_stage("POST_SCALE_UP")
    waiting = record["lifecycleHookDetails"][0]
    assert waiting["status"] == "AWAITING_ACTION" and waiting["targetType"] == "PAUSE"
    fleet.ecs.continue_service_deployment(serviceDeploymentArn=record["serviceDeploymentArn"], hookId=waiting["hookId"], action="CONTINUE")
    one.until("SUCCESSFUL")
    assert one.version() == "4"
    one.gone()


def test_what_cannot_be(fleet):
    def refused(**options):
        with pytest.raises(fleet.ecs.exceptions.InvalidParameterException) as caught:
            fleet.ecs.create_service(cluster="c", serviceName="no", taskDefinition=fleet.register("no"), desiredCount=1, networkConfiguration=NETWORK, **options)
        return caught.value.response["Error"]["Message"]
    plain = [{"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/a/1", "containerName": "app", "containerPort": 8080}]
    assert "advancedConfiguration" in refused(loadBalancers=plain, deploymentConfiguration={"strategy": "BLUE_GREEN"})
    assert "canaryPercent" in refused(deploymentConfiguration={"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 0.01}})
    assert "linearConfiguration" in refused(deploymentConfiguration={"strategy": "CANARY", "linearConfiguration": {"stepPercent": 10.0}})
    assert "requires a load balancer" in refused(deploymentConfiguration={"strategy": "LINEAR"})
    assert "bakeTimeInMinutes" in refused(deploymentConfiguration={"bakeTimeInMinutes": 9999})


def alarm(fleet, name, state="OK"):
    watch = fleet.daemon.client("cloudwatch")
    watch.put_metric_alarm(AlarmName=name, Namespace="Shop", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
                           TreatMissingData="ignore")
    watch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test says so")
    return {"alarmNames": [name], "enable": True, "rollback": True}


def test_a_canary_goes_back_when_an_alarm_rings(fleet):
    one = Shifting(fleet, "canary", strategy="CANARY", canaryConfiguration={"canaryPercent": 12.5, "canaryBakeTimeInMinutes": 5}, bakeTimeInMinutes=0)
    with Load(one.balancer, 2) as load:
        one.deploy("2", deploymentConfiguration={"alarms": alarm(fleet, "shop")})
        wait_for(lambda: one.weights() == (875, 125))
        wait_for(lambda: load.seen["2"] > 10)
        fleet.daemon.advance(2)
        wait_for(lambda: one.record()["alarms"].get("status") == "MONITORING")
        alarm(fleet, "shop", "ALARM")
        record = one.until("ROLLBACK_SUCCESSFUL", advance=1)
    assert load.errors == [] and one.weights() == (100, 0)
    assert record["alarms"] == {"status": "TRIGGERED", "alarmNames": ["shop"], "triggeredAlarmNames": ["shop"]} and "shop" in record["rollback"]["reason"]
    # An alarm that rings before a deployment says nothing about it.
    one.deploy("3")
    wait_for(lambda: one.weights() == (875, 125))
    fleet.daemon.advance(2)
    wait_for(lambda: one.record()["alarms"].get("status") == "DISABLED")
    fleet.daemon.advance(5 * 60)
    one.until("SUCCESSFUL")
    assert one.version() == "3" and one.weights() == (0, 100)
    one.gone()


def test_a_rolling_deployment_goes_back_when_an_alarm_rings(fleet):
    good = fleet.register("roll", env={"VERSION": "1"})
    fleet.ecs.create_service(cluster="c", serviceName="roll", taskDefinition=good, desiredCount=1, networkConfiguration=NETWORK, launchType="FARGATE",
                             deploymentConfiguration={"alarms": alarm(fleet, "rolls")})
    fleet.steady("roll")
    fleet.ecs.update_service(cluster="c", service="roll", taskDefinition=fleet.register("roll", env={"VERSION": "2", "EXIT_AT_ONCE": "1"}))

    def record():
        fleet.daemon.advance(1)
        arn = fleet.ecs.list_service_deployments(cluster="c", service="roll")["serviceDeployments"][0]["serviceDeploymentArn"]
        return fleet.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]
    wait_for(lambda: record()["alarms"].get("status") == "MONITORING")
    alarm(fleet, "rolls", "ALARM")
    done = wait_for(lambda: (lambda r: r if r["status"] == "ROLLBACK_SUCCESSFUL" else None)(record()), 30, "a rollback")
    assert done["rollback"]["reason"].count("rolls") == 1 and fleet.steady("roll")["taskDefinition"] == good
    listed = fleet.ecs.list_service_deployments(cluster="c", service="roll", status=["SUCCESSFUL"])["serviceDeployments"]
    assert len(listed) == 1 and listed[0]["status"] == "SUCCESSFUL"
    fleet.ecs.delete_service(cluster="c", service="roll", force=True)


def test_a_rolling_deployment_with_alarms_bakes(fleet):
    fleet.ecs.create_service(cluster="c", serviceName="bake", taskDefinition=fleet.register("bake", env={"VERSION": "1"}), desiredCount=1, networkConfiguration=NETWORK,
                             launchType="FARGATE", deploymentConfiguration={"alarms": alarm(fleet, "bakes")})
    fleet.steady("bake")
    good = fleet.service("bake")["taskDefinition"]

    def deploy(version):
        fleet.ecs.update_service(cluster="c", service="bake", taskDefinition=fleet.register("bake", env={"VERSION": version}))
        wait_for(lambda: [one["runningCount"] for one in fleet.service("bake")["deployments"]] == [1], 30, "the new version alone")
        return fleet.service("bake")["deployments"][0]["rolloutState"]
    assert deploy("2") == "IN_PROGRESS"  # its task serves, but the alarms have a minute to ring
    alarm(fleet, "bakes", "ALARM")
    wait_for(lambda: fleet.daemon.advance(2) or fleet.service("bake")["taskDefinition"] == good, what="the way back")
    fleet.steady("bake")
    alarm(fleet, "bakes")
    assert deploy("3") == "IN_PROGRESS"
    fleet.daemon.advance(65)
    wait_for(lambda: fleet.service("bake")["deployments"][0]["rolloutState"] == "COMPLETED", what="the end of the bake")
    fleet.ecs.delete_service(cluster="c", service="bake", force=True)
