"""Requests to a bucket are counted by its metrics configurations, as CloudWatch shows them."""
import datetime
import json

import pytest
from botocore.exceptions import ClientError
from support import wait_for


@pytest.fixture(scope="module")
def s3(daemon):
    return daemon.client("s3")


def refused(call, **arguments):
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    error = refusal.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"]


def put(s3, bucket, id, **filter):
    s3.put_bucket_metrics_configuration(Bucket=bucket, Id=id, MetricsConfiguration={"Id": id, **({"Filter": filter} if filter else {})})


def test_configurations(s3):
    s3.create_bucket(Bucket="configured")
    put(s3, "configured", "all")
    put(s3, "configured", "logs", Prefix="logs/")
    both = {"And": {"Prefix": "logs/", "Tags": [{"Key": "kind", "Value": "a"}, {"Key": "size", "Value": "b"}]}}
    put(s3, "configured", "both", **both)
    listed = s3.list_bucket_metrics_configurations(Bucket="configured")
    assert [one["Id"] for one in listed["MetricsConfigurationList"]] == ["all", "both", "logs"] and not listed["IsTruncated"]
    assert s3.get_bucket_metrics_configuration(Bucket="configured", Id="both")["MetricsConfiguration"] == {"Id": "both", "Filter": both}
    s3.delete_bucket_metrics_configuration(Bucket="configured", Id="both")
    assert refused(s3.get_bucket_metrics_configuration, Bucket="configured", Id="both") == (404, "NoSuchConfiguration")
    assert refused(s3.delete_bucket_metrics_configuration, Bucket="configured", Id="both") == (404, "NoSuchConfiguration")
    bad = lambda id, **filter: refused(s3.put_bucket_metrics_configuration, Bucket="configured", Id=id, MetricsConfiguration={"Id": id, "Filter": filter})
    assert bad("x", And={"Prefix": "alone"}) == (400, "MalformedXML")
    assert bad("x", AccessPointArn="arn:aws:s3:us-east-1:000000000000:accesspoint/p") == (501, "NotImplemented")
    assert bad("not an id", Prefix="a") == (400, "InvalidArgument")
    assert refused(s3.put_bucket_metrics_configuration, Bucket="configured", Id="one",
                   MetricsConfiguration={"Id": "two"}) == (400, "InvalidArgument")
    assert refused(s3.list_bucket_metrics_configurations, Bucket="not-there") == (404, "NoSuchBucket")


def test_pages(s3):
    s3.create_bucket(Bucket="paged")
    for i in range(103):
        put(s3, "paged", f"id-{i:03}")
    first = s3.list_bucket_metrics_configurations(Bucket="paged")
    assert first["IsTruncated"] and len(first["MetricsConfigurationList"]) == 100
    second = s3.list_bucket_metrics_configurations(Bucket="paged", ContinuationToken=first["NextContinuationToken"])
    assert [one["Id"] for one in second["MetricsConfigurationList"]] == ["id-100", "id-101", "id-102"]
    assert second["ContinuationToken"] == first["NextContinuationToken"] and "NextContinuationToken" not in second


def sums(daemon, bucket, id):
    cloudwatch = daemon.client("cloudwatch")
    dimensions = [{"Name": "BucketName", "Value": bucket}, {"Name": "FilterId", "Value": id}]
    out = {}
    for metric in cloudwatch.list_metrics(Namespace="AWS/S3", Dimensions=dimensions)["Metrics"]:
        now = datetime.datetime.now(datetime.UTC)
        points = cloudwatch.get_metric_statistics(Namespace="AWS/S3", MetricName=metric["MetricName"], Dimensions=dimensions, Period=60,
                                                  StartTime=now - datetime.timedelta(minutes=10), EndTime=now + datetime.timedelta(minutes=1),
                                                  Statistics=["Sum", "SampleCount"])["Datapoints"]
        out[metric["MetricName"]] = sum(point["Sum"] for point in points)
        out[metric["MetricName"] + " samples"] = sum(point["SampleCount"] for point in points)
        out[metric["MetricName"] + " unit"] = points[0]["Unit"] if points else None
    return out


def test_requests_are_counted(daemon, s3):
    s3.create_bucket(Bucket="counted")
    put(s3, "counted", "all")
    put(s3, "counted", "logs", Prefix="logs/")
    put(s3, "counted", "tagged", Tag={"Key": "kind", "Value": "a b"})
    large = b"x" * 300_000
    s3.put_object(Bucket="counted", Key="logs/1", Body=b"12345", Tagging="kind=a%20b")
    s3.put_object(Bucket="counted", Key="other", Body=large)
    assert len(s3.get_object(Bucket="counted", Key="other")["Body"].read()) == len(large)
    assert s3.get_object(Bucket="counted", Key="logs/1")["Body"].read() == b"12345"
    s3.head_object(Bucket="counted", Key="logs/1")
    refused(s3.get_object, Bucket="counted", Key="logs/none")
    s3.list_objects_v2(Bucket="counted")
    s3.delete_object(Bucket="counted", Key="logs/1")
    s3.delete_objects(Bucket="counted", Delete={"Objects": [{"Key": "other"}, {"Key": "logs/2"}]})
    upload = s3.create_multipart_upload(Bucket="counted", Key="logs/parts")["UploadId"]
    s3.abort_multipart_upload(Bucket="counted", Key="logs/parts", UploadId=upload)
    all = wait_for(lambda: (lambda one: one if one.get("AllRequests", 0) >= 13 else None)(sums(daemon, "counted", "all")), 10, "metrics")
    # The two configurations that were put after the first are requests too.
    assert all["AllRequests"] == 13 and all["AllRequests unit"] == "Count"
    assert all["PutRequests"] == 2 and all["GetRequests"] == 3 and all["HeadRequests"] == 1 and all["ListRequests"] == 1
    assert all["DeleteRequests"] == 3 and all["PostRequests"] == 1
    assert all["4xxErrors"] == 1 and all["4xxErrors samples"] == 13 and all["5xxErrors"] == 0
    assert all["BytesDownloaded"] > 300_005 and all["BytesDownloaded unit"] == "Bytes"
    assert all["BytesUploaded"] > 300_005
    assert all["FirstByteLatency samples"] == 13 and all["TotalRequestLatency"] >= all["FirstByteLatency"] > 0
    assert all["TotalRequestLatency unit"] == "Milliseconds"
    logs = sums(daemon, "counted", "logs")
    assert logs["AllRequests"] == 7 and logs["PutRequests"] == 1 and logs["GetRequests"] == 2 and logs["DeleteRequests"] == 2
    assert logs["BytesUploaded"] == 5 and "ListRequests" not in logs
    tagged = sums(daemon, "counted", "tagged")
    assert tagged["AllRequests"] == 4 and tagged["DeleteRequests"] == 1 and tagged["BytesDownloaded"] == 5


def test_nothing_is_counted_without_a_configuration(daemon, s3):
    s3.create_bucket(Bucket="uncounted")
    s3.put_object(Bucket="uncounted", Key="a", Body=b"1")
    assert sums(daemon, "uncounted", "all") == {}


def test_of_a_stack(daemon, s3):
    stacks = daemon.client("cloudformation")

    def template(*configurations):
        return json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {
            "BucketName": "of-a-stack", "MetricsConfigurations": list(configurations)}}}})
    stacks.create_stack(StackName="metrics", TemplateBody=template(
        {"Id": "all"}, {"Id": "some", "Prefix": "a/", "TagFilters": [{"Key": "k", "Value": "v"}]}))
    stacks.get_waiter("stack_create_complete").wait(StackName="metrics", WaiterConfig={"Delay": 1})
    listed = s3.list_bucket_metrics_configurations(Bucket="of-a-stack")["MetricsConfigurationList"]
    assert listed == [{"Id": "all"}, {"Id": "some", "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}}}]
    stacks.update_stack(StackName="metrics", TemplateBody=template({"Id": "some", "TagFilters": [{"Key": "k", "Value": "v"}]}))
    stacks.get_waiter("stack_update_complete").wait(StackName="metrics", WaiterConfig={"Delay": 1})
    listed = s3.list_bucket_metrics_configurations(Bucket="of-a-stack")["MetricsConfigurationList"]
    assert listed == [{"Id": "some", "Filter": {"Tag": {"Key": "k", "Value": "v"}}}]
