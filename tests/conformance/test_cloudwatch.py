import datetime
import json
import urllib.request

import pytest
from botocore.exceptions import ClientError

from support import function_package, wait_for


@pytest.fixture(scope="module")
def cloudwatch(daemon):
    return daemon.client("cloudwatch")


def around(minutes=10):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"StartTime": now - datetime.timedelta(minutes=minutes), "EndTime": now + datetime.timedelta(minutes=1)}


def stat(identity, name, statistic, period=60, space="App", **more):
    return {"Id": identity, "MetricStat": {"Metric": {"Namespace": space, "MetricName": name}, "Period": period, "Stat": statistic}, **more}


def test_statistics(cloudwatch):
    cloudwatch.put_metric_data(Namespace="App", MetricData=[
        {"MetricName": "latency", "Values": [1, 2, 3, 10], "Counts": [1, 1, 1, 7], "Unit": "Milliseconds"},
        {"MetricName": "latency", "StatisticValues": {"SampleCount": 2, "Sum": 7, "Minimum": 3, "Maximum": 4}, "Unit": "Seconds"},
    ])
    points = cloudwatch.get_metric_statistics(Namespace="App", MetricName="latency", Period=60, Unit="Milliseconds", **around(),
                                              Statistics=["Sum", "Average", "Minimum", "Maximum", "SampleCount"])["Datapoints"]
    assert [(p["Sum"], p["Average"], p["Minimum"], p["Maximum"], p["SampleCount"], p["Unit"]) for p in points] == [(76, 7.6, 1, 10, 10, "Milliseconds")]
    extended = cloudwatch.get_metric_statistics(Namespace="App", MetricName="latency", Period=60, Unit="Milliseconds", **around(),
                                                ExtendedStatistics=["p50", "tm(0%:30%)", "pr(:3)"])["Datapoints"][0]["ExtendedStatistics"]
    assert extended == {"p50": 10, "tm(0%:30%)": 2, "pr(:3)": 30}
    # Values that a statistic set hid have no percentiles.
    hidden = cloudwatch.get_metric_statistics(Namespace="App", MetricName="latency", Period=60, Unit="Seconds", **around(), ExtendedStatistics=["p50"])["Datapoints"][0]
    assert "ExtendedStatistics" not in hidden


def test_math_and_paging(cloudwatch):
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    for i in range(5):
        cloudwatch.put_metric_data(Namespace="App", MetricData=[
            {"MetricName": "errors", "Value": i, "Timestamp": now - datetime.timedelta(minutes=i)},
            {"MetricName": "requests", "Value": 10, "Timestamp": now - datetime.timedelta(minutes=i)}])
    queries = [stat("e", "errors", "Sum", ReturnData=False), stat("r", "requests", "Sum", ReturnData=False),
               {"Id": "rate", "Expression": "100 * e / r", "Label": "rate ${MAX}"}, {"Id": "total", "Expression": "SUM(METRICS())"}]
    out = cloudwatch.get_metric_data(MetricDataQueries=queries, ScanBy="TimestampAscending", **around())
    rate, total = out["MetricDataResults"]
    assert rate["Values"] == [40, 30, 20, 10, 0] and rate["Label"] == "rate 40"
    assert total["Values"] == [14, 13, 12, 11, 10] and total["StatusCode"] == "Complete"
    told = cloudwatch.get_metric_data(MetricDataQueries=[stat("e", "errors", "Sum", Label="${PROP('MetricName')} ${SUM} ${LAST_TIME}")], LabelOptions={"Timezone": "+0130"},
                                      **around())["MetricDataResults"][0]["Label"]
    assert told == f"errors 10 {now + datetime.timedelta(minutes=90):%m/%d %H:%M}"
    pages = list(cloudwatch.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, PaginationConfig={"PageSize": 4}, **around()))
    assert [v for page in pages for r in page["MetricDataResults"] if r["Id"] == "total" for v in r["Values"]] == [10, 11, 12, 13, 14]
    with pytest.raises(ClientError) as caught:
        cloudwatch.get_metric_data(MetricDataQueries=[{"Id": "s", "Expression": "ANOMALY_DETECTION_BAND(orders)"}], **around())
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501 and "ANOMALY_DETECTION_BAND" in str(caught.value)


def test_refusals(cloudwatch):
    for data, code in [({"Value": float("nan")}, "InvalidParameterValue"), ({}, "InvalidParameterCombination"),
                       ({"Value": 1, "Values": [1]}, "InvalidParameterCombination"),
                       ({"Value": 1, "Timestamp": datetime.datetime(2001, 1, 1)}, "InvalidParameterValue")]:
        with pytest.raises(ClientError) as caught:
            cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": "x", **data}])
        assert caught.value.response["Error"]["Code"] == code


def test_list_metrics_in_pages(cloudwatch):
    for part in range(2):
        cloudwatch.put_metric_data(Namespace="Many", MetricData=[
            {"MetricName": "m", "Value": 1, "Dimensions": [{"Name": "n", "Value": f"{part}-{i}"}]} for i in range(300)])
    assert sum(len(page["Metrics"]) for page in cloudwatch.get_paginator("list_metrics").paginate(Namespace="Many")) == 600
    assert len(cloudwatch.list_metrics(Namespace="Many", Dimensions=[{"Name": "n", "Value": "1-7"}])["Metrics"]) == 1


def test_kept_over_kill_and_coarser_with_age(new_daemon):
    daemon = new_daemon()
    cloudwatch = daemon.client("cloudwatch")
    now = datetime.datetime.now(datetime.timezone.utc)
    cloudwatch.put_metric_data(Namespace="App", MetricData=[
        {"MetricName": "m", "Value": i, "Timestamp": now - datetime.timedelta(minutes=i), "StorageResolution": 1} for i in range(5)])
    window = {"StartTime": now - datetime.timedelta(minutes=10), "EndTime": now + datetime.timedelta(minutes=1)}
    daemon.kill()
    daemon.start()

    def total(period):
        return sum(p["Sum"] for p in cloudwatch.get_metric_statistics(Namespace="App", MetricName="m", Period=period, Statistics=["Sum"], **window)["Datapoints"])

    assert total(1) == 10 and total(60) == 10
    # Seconds are kept for three hours, minutes for fifteen days, then five minutes.
    daemon.advance(6 * 3600)
    wait_for(lambda: total(1) == 0, what="seconds to be gone")
    assert total(60) == 10
    daemon.kill()
    daemon.start()
    assert total(60) == 10
    daemon.advance(17 * 86400)
    wait_for(lambda: total(60) == 0, what="minutes to be gone")
    wait_for(lambda: total(300) == 10, what="five minutes")


HANDLER = """
exports.handler = async (event) => { console.log('RANG', event.alarmData.alarmName, event.alarmData.state.value, event.alarmData.previousState.value); };
"""


def test_alarms_act(new_daemon):
    daemon = new_daemon()
    cloudwatch, functions, iam, logs = (daemon.client(s) for s in ("cloudwatch", "lambda", "iam", "logs"))
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')["Role"]["Arn"]
    arn = functions.create_function(FunctionName="ring", Runtime="nodejs20.x", Role=role, Handler="index.handler", Timeout=20,
                                    Code={"ZipFile": function_package(HANDLER)})["FunctionArn"]
    topic = "arn:aws:sns:us-east-1:000000000000:nobody"
    cloudwatch.put_metric_alarm(AlarmName="deep", Namespace="App", MetricName="depth", Statistic="Maximum", Period=60, EvaluationPeriods=1, Threshold=10,
                                ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching", AlarmActions=[arn, topic], OKActions=[arn])
    cloudwatch.put_metric_alarm(AlarmName="share", EvaluationPeriods=1, Threshold=0.5, ComparisonOperator="GreaterThanOrEqualToThreshold",
                                Metrics=[{"Id": "x", "Expression": "d / 100"}, stat("d", "depth", "Maximum", ReturnData=False)])
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule='ALARM("deep") AND ALARM(share)')

    def state(name, kind="MetricAlarm"):
        out = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
        return (out["MetricAlarms"] + out["CompositeAlarms"])[0]

    assert state("deep")["StateValue"] == "INSUFFICIENT_DATA"
    cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": "depth", "Value": 77}])
    daemon.advance(60)
    wait_for(lambda: state("deep")["StateValue"] == "ALARM", what="the alarm")
    assert state("deep")["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [77.0 (")
    assert json.loads(state("deep")["StateReasonData"])["recentDatapoints"] == [77.0]
    wait_for(lambda: state("both", "CompositeAlarm")["StateValue"] == "ALARM", what="the composite alarm")
    def lines():
        try:
            return [e["message"] for e in logs.filter_log_events(logGroupName="/aws/lambda/ring", filterPattern="RANG")["events"]]
        except ClientError:
            return []
    wait_for(lambda: len(lines()) == 1, what="the action")
    daemon.advance(600)
    wait_for(lambda: state("deep")["StateValue"] == "OK", what="the all-clear")
    wait_for(lambda: state("share")["StateValue"] == "INSUFFICIENT_DATA", what="no data")
    wait_for(lambda: len(lines()) == 2, what="both actions")
    assert "deep ALARM" in lines()[0] and "deep OK ALARM" in lines()[1]
    history = cloudwatch.describe_alarm_history(AlarmName="deep", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    summaries = [h["HistorySummary"] for h in history]
    assert summaries[0] == 'Alarm "deep" created'
    assert f"Failed to execute action {topic}" in summaries and f"Successfully executed action {arn}" in summaries


def test_set_state_and_disabled_actions(cloudwatch):
    cloudwatch.put_metric_alarm(AlarmName="manual", Namespace="App", MetricName="nothing", Statistic="Sum", Period=300, EvaluationPeriods=1, Threshold=1,
                                ComparisonOperator="LessThanThreshold", Tags=[{"Key": "a", "Value": "b"}])
    cloudwatch.set_alarm_state(AlarmName="manual", StateValue="ALARM", StateReason="because")
    alarm = cloudwatch.describe_alarms(AlarmNames=["manual"])["MetricAlarms"][0]
    assert alarm["StateValue"] == "ALARM" and alarm["StateReason"] == "because"
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    assert [a["AlarmName"] for a in cloudwatch.describe_alarms_for_metric(Namespace="App", MetricName="nothing")["MetricAlarms"]] == ["manual"]
    cloudwatch.disable_alarm_actions(AlarmNames=["manual"])
    assert not cloudwatch.describe_alarms(AlarmNames=["manual"])["MetricAlarms"][0]["ActionsEnabled"]
    cloudwatch.delete_alarms(AlarmNames=["manual"])
    assert cloudwatch.describe_alarms(AlarmNames=["manual"])["MetricAlarms"] == []
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_metric_alarm(AlarmName="bad", Namespace="App", MetricName="m", Statistic="Sum", Period=45, EvaluationPeriods=1, Threshold=1,
                                    ComparisonOperator="LessThanThreshold")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_dashboards(cloudwatch):
    cloudwatch.put_dashboard(DashboardName="main", DashboardBody='{"widgets": []}')
    assert json.loads(cloudwatch.get_dashboard(DashboardName="main")["DashboardBody"]) == {"widgets": []}
    assert cloudwatch.list_dashboards()["DashboardEntries"][0]["Size"] == 15
    cloudwatch.delete_dashboards(DashboardNames=["main"])
    with pytest.raises(ClientError) as caught:
        cloudwatch.get_dashboard(DashboardName="main")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"


def test_metrics_of_services(daemon, cloudwatch):
    queues = daemon.client("sqs")
    url = queues.create_queue(QueueName="measured")["QueueUrl"]
    for _ in range(3):
        queues.send_message(QueueUrl=url, MessageBody="12345")
    points = cloudwatch.get_metric_statistics(Namespace="AWS/SQS", MetricName="SentMessageSize", Dimensions=[{"Name": "QueueName", "Value": "measured"}],
                                              Period=60, Statistics=["Average", "SampleCount"], **around())["Datapoints"]
    assert sum(p["SampleCount"] for p in points) == 3 and points[0]["Average"] == 5 and points[0]["Unit"] == "Bytes"


TEMPLATE = {
    "Resources": {
        "Password": {"Type": "AWS::SecretsManager::Secret", "Properties": {
            "GenerateSecretString": {"SecretStringTemplate": '{"user": "admin"}', "GenerateStringKey": "password", "PasswordLength": "20", "ExcludePunctuation": True}}},
        "Copy": {"Type": "AWS::SSM::Parameter", "Properties": {
            "Name": "/copy", "Type": "String", "Value": {"Fn::Sub": "{{resolve:secretsmanager:${Password}:SecretString:user}}"}}},
        "Deep": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
            "Namespace": "App", "MetricName": "depth", "Statistic": "Sum", "Period": "60", "EvaluationPeriods": "2", "Threshold": "5",
            "ComparisonOperator": "GreaterThanThreshold"}},
        "All": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": {"Fn::Sub": "ALARM(${Deep})"}}},
        "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": "{}"}},
    },
    "Outputs": {"Deep": {"Value": {"Fn::GetAtt": ["Deep", "Arn"]}}, "Password": {"Value": {"Ref": "Password"}}},
}


def test_cloudformation(daemon, cloudwatch):
    stacks = daemon.client("cloudformation")
    stacks.create_stack(StackName="alarms", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="alarms", WaiterConfig={"Delay": 1})
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stacks.describe_stacks(StackName="alarms")["Stacks"][0]["Outputs"]}
    value = json.loads(daemon.client("secretsmanager").get_secret_value(SecretId=outputs["Password"])["SecretString"])
    assert value["user"] == "admin" and len(value["password"]) == 20
    assert daemon.client("ssm").get_parameter(Name="/copy")["Parameter"]["Value"] == "admin"
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix="alarms-", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert alarms["MetricAlarms"][0]["AlarmArn"] == outputs["Deep"] and alarms["MetricAlarms"][0]["Threshold"] == 5
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Deep"]["Properties"]["Threshold"] = 7
    stacks.update_stack(StackName="alarms", TemplateBody=json.dumps(changed))
    stacks.get_waiter("stack_update_complete").wait(StackName="alarms", WaiterConfig={"Delay": 1})
    assert cloudwatch.describe_alarms(AlarmNamePrefix="alarms-")["MetricAlarms"][0]["Threshold"] == 7
    stacks.delete_stack(StackName="alarms")
    stacks.get_waiter("stack_delete_complete").wait(StackName="alarms", WaiterConfig={"Delay": 1})
    assert cloudwatch.describe_alarms(AlarmNamePrefix="alarms-")["MetricAlarms"] == []


def post(daemon, path, body, headers):
    request = urllib.request.Request(daemon.url + path, data=body, method="POST", headers={
        "authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0", **headers})
    with urllib.request.urlopen(request) as reply:
        return reply.headers, reply.read()


def test_query_and_cbor_say_the_same(daemon, cloudwatch):
    form = ("Action=PutMetricData&Version=2010-08-01&Namespace=Old&MetricData.member.1.MetricName=m&MetricData.member.1.Value=3.5"
            "&MetricData.member.1.Dimensions.member.1.Name=d&MetricData.member.1.Dimensions.member.1.Value=1")
    _, text = post(daemon, "/", form.encode(), {"content-type": "application/x-www-form-urlencoded"})
    assert b"<PutMetricDataResponse" in text
    _, text = post(daemon, "/", b"Action=ListMetrics&Version=2010-08-01&Namespace=Old", {"content-type": "application/x-www-form-urlencoded"})
    assert b"<MetricName>m</MetricName>" in text and b"<Name>d</Name>" in text
    # {"Namespace": "Old"}
    headers, body = post(daemon, "/service/GraniteServiceVersion20100801/operation/ListMetrics", b"\xa1\x69Namespace\x63Old",
                         {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"})
    assert headers["smithy-protocol"] == "rpc-v2-cbor" and b"jMetricNameam" in body
    # {"Namespace": "Old", "MetricData": [{"MetricName": "m", "Value": 1.5}]}
    datum = b"\xa2\x6aMetricName\x61n\x65Value\xf9\x3e\x00"
    post(daemon, "/service/GraniteServiceVersion20100801/operation/PutMetricData", b"\xa2\x69Namespace\x63Old\x6aMetricData\x81" + datum,
         {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"})
    out = cloudwatch.get_metric_statistics(Namespace="Old", MetricName="n", Period=60, Statistics=["Sum"], **around())
    assert [p["Sum"] for p in out["Datapoints"]] == [1.5]


def test_daily_metrics_of_buckets(new_daemon):
    daemon = new_daemon()
    s3, cloudwatch = daemon.client("s3"), daemon.client("cloudwatch")
    s3.create_bucket(Bucket="kept")
    for i in range(3):
        s3.put_object(Bucket="kept", Key=str(i), Body=b"x" * 100)
    s3.put_object(Bucket="kept", Key="cold", Body=b"x" * 50, StorageClass="STANDARD_IA")
    daemon.advance(86400)
    tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)

    def maximum(name, kind):
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/S3", MetricName=name, Dimensions=[{"Name": "BucketName", "Value": "kept"}, {"Name": "StorageType", "Value": kind}], Period=86400,
            Statistics=["Maximum"], StartTime=tomorrow - datetime.timedelta(days=1), EndTime=tomorrow + datetime.timedelta(hours=1))["Datapoints"]
        return max((p["Maximum"] for p in points), default=None)
    wait_for(lambda: maximum("NumberOfObjects", "AllStorageTypes") == 4, what="the number of objects")
    assert maximum("BucketSizeBytes", "StandardStorage") == 300 and maximum("BucketSizeBytes", "StandardIAStorage") == 50


def test_actions_that_another_alarm_holds_back(new_daemon):
    daemon = new_daemon()
    cloudwatch, functions = daemon.client("cloudwatch"), daemon.client("lambda")
    arn = functions.create_function(FunctionName="held", Runtime="nodejs20.x", Role="arn:aws:iam::000000000000:role/r", Handler="index.handler",
                                    Code={"ZipFile": function_package("exports.handler = async event => console.log('HELD', event.alarmData.state.value)")})["FunctionArn"]
    for name in ("cause", "works"):
        cloudwatch.put_metric_alarm(AlarmName=name, Namespace="App", MetricName=name, Statistic="Sum", Period=86400, EvaluationPeriods=1, Threshold=1,
                                    ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore")
    with pytest.raises(ClientError) as refused:
        cloudwatch.put_composite_alarm(AlarmName="quiet", AlarmRule="ALARM(cause)", ActionsSuppressor="works")
    assert "ActionsSuppressorWaitPeriod" in refused.value.response["Error"]["Message"]
    cloudwatch.put_composite_alarm(AlarmName="quiet", AlarmRule="ALARM(cause)", AlarmActions=[arn], ActionsSuppressor="works",
                                   ActionsSuppressorWaitPeriod=120, ActionsSuppressorExtensionPeriod=180)

    def set_state(name, state):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")

    def held_by():
        return cloudwatch.describe_alarms(AlarmNames=["quiet"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0].get("ActionsSuppressedBy")

    def rings():
        try:
            return len(daemon.client("logs").filter_log_events(logGroupName="/aws/lambda/held", filterPattern="HELD")["events"])
        except ClientError:
            return 0
    wait_for(lambda: cloudwatch.describe_alarms(AlarmNames=["quiet"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]["StateValue"] == "OK")
    wait_for(lambda: held_by() == "WaitPeriod")  # it too changed its state
    daemon.advance(121)
    wait_for(lambda: held_by() is None)
    # The suppressor does not come: after the wait the action is done.
    set_state("cause", "ALARM")
    assert held_by() == "WaitPeriod" and rings() == 0
    daemon.advance(121)
    wait_for(lambda: rings() == 1, what="the action after the wait")
    set_state("cause", "OK")
    daemon.advance(121)
    wait_for(lambda: held_by() is None)
    # It comes in time, over a restart, and leaves.
    set_state("cause", "ALARM")
    set_state("works", "ALARM")
    assert held_by() == "Alarm"
    daemon.kill()
    daemon.start()
    daemon.advance(600)
    assert held_by() == "Alarm" and rings() == 1
    set_state("works", "OK")
    assert held_by() == "ExtensionPeriod"
    daemon.kill()
    daemon.start()
    daemon.advance(181)
    wait_for(lambda: rings() == 2, what="the action after the extension")
    assert held_by() is None


def test_search_expressions(cloudwatch):
    for service, value in (("cart", 1), ("till", 2)):
        cloudwatch.put_metric_data(Namespace="Found", MetricData=[{"MetricName": "OrderCount", "Value": value, "Dimensions": [{"Name": "Service", "Value": service}]},
                                                                  {"MetricName": "Errors", "Value": 7, "Dimensions": [{"Name": "Service", "Value": service}]}])
    now = datetime.datetime.now(datetime.timezone.utc)

    def ask(expression):
        out = cloudwatch.get_metric_data(StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(hours=48),
                                         MetricDataQueries=[{"Id": "e1", "Expression": expression, "Label": ""}])
        return {one["Label"]: sum(one["Values"]) for one in out["MetricDataResults"]}
    assert ask("SEARCH('{Found,Service} MetricName=\"OrderCount\"', 'Sum', 300)") == {"cart": 1, "till": 2}
    assert ask("SEARCH('{Found,Service} order NOT cart', 'Maximum', 300)") == {"OrderCount": 2}
    assert list(ask("SUM(SEARCH('{Found,Service} MetricName=OrderCount', 'Sum', 300))").values()) == [3]
    assert ask("SEARCH('{Found,Nothing} order', 'Sum', 300)") == {}
    with pytest.raises(ClientError) as refused:
        ask("SEARCH('{Found', 'Sum', 300)")
    assert "a metric schema ends with }" in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as refused:
        cloudwatch.put_metric_alarm(AlarmName="searches", EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
                                    Metrics=[{"Id": "e1", "Expression": "SUM(SEARCH('{Found,Service} order', 'Sum', 300))"}])
    assert refused.value.response["Error"]["Message"] == "SEARCH expressions cannot be used in alarms."
