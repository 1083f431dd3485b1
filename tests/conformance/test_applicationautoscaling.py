"""Application Auto Scaling through boto3: metrics, alarms and schedules change how many tasks an ECS service wants."""
import datetime
import json

import pytest
from botocore.exceptions import ClientError

from support import wait_for

TARGET = {"ServiceNamespace": "ecs", "ResourceId": "service/main/web", "ScalableDimension": "ecs:service:DesiredCount"}


class World:
    def __init__(self, daemon):
        self.daemon, self.ahead = daemon, 0
        self.scaling, self.ecs, self.cloudwatch = daemon.client("application-autoscaling"), daemon.client("ecs"), daemon.client("cloudwatch")
        self.ecs.create_cluster(clusterName="main")
        self.ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "nothing", "memory": 64, "essential": True}])
        self.ecs.create_service(cluster="main", serviceName="web", taskDefinition="web", desiredCount=2)

    def desired(self):
        return self.ecs.describe_services(cluster="main", services=["web"])["services"][0]["desiredCount"]

    def wants(self, count):
        wait_for(lambda: self.desired() == count, what=f"{count} tasks")

    def load(self, value, minutes=3):
        """The metric as if it had that value for the last minutes."""
        now = self.now()
        self.cloudwatch.put_metric_data(Namespace="App", MetricData=[
            {"MetricName": "load", "Value": value, "Timestamp": now - datetime.timedelta(minutes=i)} for i in range(minutes)])

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.ahead)

    def advance(self, seconds):
        self.daemon.advance(seconds)
        self.ahead += seconds


@pytest.fixture
def world(new_daemon):
    return World(new_daemon())


def test_target_tracking_closes_the_loop(world):
    arn = world.scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=6)["ScalableTargetARN"]
    assert ":scalable-target/" in arn
    put = world.scaling.put_scaling_policy(**TARGET, PolicyName="keep", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration={
        "TargetValue": 50, "ScaleOutCooldown": 60, "ScaleInCooldown": 60,
        "CustomizedMetricSpecification": {"Namespace": "App", "MetricName": "load", "Statistic": "Average"}})
    assert len(put["Alarms"]) == 2
    alarms = {a["AlarmName"]: a for a in world.cloudwatch.describe_alarms(AlarmNames=[a["AlarmName"] for a in put["Alarms"]])["MetricAlarms"]}
    assert sorted((a["Threshold"], a["EvaluationPeriods"], a["ComparisonOperator"]) for a in alarms.values()) == [
        (45, 15, "LessThanThreshold"), (50, 3, "GreaterThanThreshold")]
    world.load(100)
    world.advance(60)
    # At the end of a minute there may be two looks: more than one step, but the same first one.
    wait_for(lambda: world.desired() >= 4, what="more tasks")
    activity = world.scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"][-1]
    assert activity["StatusCode"] == "Successful" and activity["Description"] == "Setting desired count to 4." and "triggered policy keep" in activity["Cause"]
    # Still over the target: on, once the cooldown is over, and never beyond the most.
    for _ in range(3):
        world.load(100)
        world.advance(60)
    world.wants(6)
    # In again, when it was low for long.
    world.advance(3600)
    world.load(10, minutes=16)
    world.advance(60)
    wait_for(lambda: world.desired() <= 2, what="fewer tasks")
    for _ in range(2):
        world.load(10, minutes=1)
        world.advance(60)
    world.wants(1)
    world.scaling.delete_scaling_policy(**TARGET, PolicyName="keep")
    assert world.cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_step_scaling_by_an_alarm(world):
    world.scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=10)
    policy = world.scaling.put_scaling_policy(**TARGET, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration={
        "AdjustmentType": "ChangeInCapacity", "StepAdjustments": [
            {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 1},
            {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 5}]})["PolicyARN"]
    world.cloudwatch.put_metric_alarm(AlarmName="busy", Namespace="App", MetricName="load", Statistic="Maximum", Period=60, EvaluationPeriods=1, Threshold=70,
                                      ComparisonOperator="GreaterThanThreshold", AlarmActions=[policy])
    world.load(95, minutes=1)
    world.advance(60)
    wait_for(lambda: world.desired() >= 7, what="five more tasks")
    assert world.scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"][-1]["Description"] == "Setting desired count to 7."
    history = world.cloudwatch.describe_alarm_history(AlarmName="busy", HistoryItemType="Action")["AlarmHistoryItems"]
    assert history[-1]["HistorySummary"] == f"Successfully executed action {policy}"


def test_a_target_at_its_most_tells_the_event_bus(world):
    sqs, events = world.daemon.client("sqs"), world.daemon.client("events")
    url = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="told", EventPattern='{"source":["aws.application-autoscaling"]}')
    events.put_targets(Rule="told", Targets=[{"Id": "1", "Arn": arn}])
    world.scaling.register_scalable_target(**TARGET, MinCapacity=4, MaxCapacity=4)
    world.wants(4)
    event = json.loads(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"][0]["Body"])
    assert event["detail-type"] == "Application Auto Scaling Scaling Activity State Change" and event["detail"]["scaledToMax"] is True
    assert event["detail"]["oldDesiredCapacity"] == 2 and event["detail"]["newDesiredCapacity"] == 4 and event["detail"]["resourceId"] == TARGET["ResourceId"]


def test_schedules_and_bounds(world):
    world.scaling.register_scalable_target(**TARGET, MinCapacity=3, MaxCapacity=10)
    world.wants(3)
    world.scaling.put_scheduled_action(**TARGET, ScheduledActionName="evening", Schedule="rate(1 hour)", ScalableTargetAction={"MinCapacity": 5})
    world.advance(3700)
    world.wants(5)
    assert world.scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]["MinCapacity"] == 5
    world.scaling.delete_scheduled_action(**TARGET, ScheduledActionName="evening")
    assert world.scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"] == []
    world.scaling.deregister_scalable_target(**TARGET)
    with pytest.raises(ClientError) as caught:
        world.scaling.deregister_scalable_target(**TARGET)
    assert caught.value.response["Error"] == {
        "Code": "ObjectNotFoundException",
        "Message": "No scalable target registered for service namespace: ecs, resource ID: service/main/web, scalable dimension: ecs:service:DesiredCount"}


def test_what_cannot_be_scaled(world):
    for change, code in [({"ResourceId": "service/main/other"}, "ValidationException"), ({"ScalableDimension": "dynamodb:table:ReadCapacityUnits"}, "ValidationException"),
                         ({"ServiceNamespace": "dynamodb", "ResourceId": "table/t", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}, "NotImplemented")]:
        with pytest.raises(ClientError) as caught:
            world.scaling.register_scalable_target(**{**TARGET, **change}, MinCapacity=1, MaxCapacity=2)
        assert caught.value.response["Error"]["Code"] == code


TEMPLATE = {"Resources": {
    "Target": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {
        **TARGET, "MinCapacity": "1", "MaxCapacity": 4, "ScheduledActions": [
            {"ScheduledActionName": "morning", "Schedule": "cron(0 8 * * ? *)", "ScalableTargetAction": {"MinCapacity": 2}}]}},
    "Policy": {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": {
        "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling", "ScalingTargetId": {"Ref": "Target"}, "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 60, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}}}}}


def test_cloudformation(world):
    stacks = world.daemon.client("cloudformation")
    stacks.create_stack(StackName="scaling", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="scaling", WaiterConfig={"Delay": 1})
    assert world.scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"][0]["ScheduledActionName"] == "morning"
    high = [a for a in world.cloudwatch.describe_alarms()["MetricAlarms"] if "AlarmHigh" in a["AlarmName"]][0]
    assert (high["Namespace"], high["MetricName"], high["Threshold"]) == ("AWS/ECS", "CPUUtilization", 60)
    stacks.delete_stack(StackName="scaling")
    stacks.get_waiter("stack_delete_complete").wait(StackName="scaling", WaiterConfig={"Delay": 1})
    assert world.scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert world.cloudwatch.describe_alarms()["MetricAlarms"] == []
