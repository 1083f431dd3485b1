"""Route 53 through boto3: zones, atomic change batches, order and paging, health checks, tags, stacks."""
import http.server
import threading

import pytest
from botocore.exceptions import ClientError

from support import wait_for


@pytest.fixture(scope="module")
def route53(daemon):
    return daemon.client("route53")


def make_zone(route53, name, **more):
    import uuid
    return route53.create_hosted_zone(Name=name, CallerReference=uuid.uuid4().hex, **more)["HostedZone"]["Id"].split("/")[-1]


def change(route53, zone, *changes):
    return route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]})


def record(name, value="10.0.0.1", kind="A", **more):
    values = value if isinstance(value, list) else [value]
    return {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": one} for one in values], **more}


def refused(route53, zone, *changes):
    with pytest.raises(ClientError) as caught:
        change(route53, zone, *changes)
    return caught.value.response["Error"]


def test_zone_has_its_own_records(route53):
    made = route53.create_hosted_zone(Name="Own.example.", CallerReference="own", HostedZoneConfig={"Comment": "hello"})
    zone = made["HostedZone"]["Id"]
    assert zone.startswith("/hostedzone/Z") and made["HostedZone"]["Name"] == "own.example." and made["HostedZone"]["ResourceRecordSetCount"] == 2
    assert made["ChangeInfo"]["Status"] == "PENDING" and len(made["DelegationSet"]["NameServers"]) == 4
    assert route53.get_change(Id=made["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    seen = route53.get_hosted_zone(Id=zone)
    assert seen["HostedZone"]["Config"] == {"Comment": "hello", "PrivateZone": False}
    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [(one["Name"], one["Type"], one["TTL"]) for one in records] == [("own.example.", "NS", 172800), ("own.example.", "SOA", 900)]
    with pytest.raises(ClientError) as caught:
        route53.create_hosted_zone(Name="other.example", CallerReference="own")
    assert caught.value.response["Error"]["Code"] == "HostedZoneAlreadyExists"
    with pytest.raises(ClientError) as caught:
        route53.get_hosted_zone(Id="ZNONE")
    assert caught.value.response["Error"] == {"Type": "Sender", "Code": "NoSuchHostedZone", "Message": "No hosted zone found with ID: ZNONE"}
    route53.delete_hosted_zone(Id=zone)


def test_batches_are_atomic_and_say_what_is_wrong(route53):
    zone = make_zone(route53, "batch.example")
    change(route53, zone, ("CREATE", record("a.batch.example")))
    error = refused(route53, zone, ("CREATE", record("b.batch.example")), ("CREATE", record("a.batch.example")))
    assert error["Code"] == "InvalidChangeBatch"
    assert error["Message"] == "[Tried to create resource record set [name='a.batch.example.', type='A'] but it already exists]"
    assert len(route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]) == 3
    assert refused(route53, zone, ("DELETE", record("x.batch.example")))["Message"] == \
        "[Tried to delete resource record set [name='x.batch.example.', type='A'] but it was not found]"
    assert refused(route53, zone, ("DELETE", record("a.batch.example", "10.0.0.2")))["Message"] == \
        "[Tried to delete resource record set [name='a.batch.example.', type='A'] but the values provided do not match the current values]"
    assert refused(route53, zone, ("UPSERT", record("a.other.example")))["Message"] == "[RRSet with DNS name a.other.example. is not permitted in zone batch.example.]"
    assert refused(route53, zone, ("CREATE", record("batch.example", "x.y", "CNAME")))["Message"].startswith(
        "[RRSet of type CNAME with DNS name batch.example. is not permitted at apex in zone batch.example.")
    assert refused(route53, zone, ("CREATE", record("a.batch.example", "x.y", "CNAME")))["Message"] == \
        "[RRSet of type CNAME with DNS name a.batch.example. is not permitted because a conflicting RRSet of type A with the same DNS name already exists in zone batch.example.]"
    assert "ARRDATAIllegalIPv4Address" in refused(route53, zone, ("CREATE", record("c.batch.example", "1.2.3")))["Message"]
    assert refused(route53, zone, ("CREATE", record("c.batch.example", ["1.2.3.4", "1.2.3.4"])))["Message"] == "[Duplicate Resource Record: '1.2.3.4']"
    assert refused(route53, zone, ("CREATE", {"Name": "c.batch.example", "Type": "A"}))["Code"] == "InvalidInput"
    alias = {"Name": "d.batch.example", "Type": "A", "AliasTarget": {"HostedZoneId": zone, "DNSName": "nothing.batch.example", "EvaluateTargetHealth": False}}
    assert "that target was not found" in refused(route53, zone, ("CREATE", alias))["Message"]
    # Replacing within one batch is one step.
    change(route53, zone, ("DELETE", record("a.batch.example")), ("CREATE", record("a.batch.example", "www.example.org", "CNAME")))
    with pytest.raises(ClientError) as caught:
        route53.delete_hosted_zone(Id=zone)
    assert caught.value.response["Error"]["Code"] == "HostedZoneNotEmpty"


def test_policies_do_not_mix(route53):
    zone = make_zone(route53, "mix.example")
    change(route53, zone, ("CREATE", record("w.mix.example", SetIdentifier="a", Weight=1)), ("CREATE", record("w.mix.example", SetIdentifier="b", Weight=2)))
    assert "cannot be created" in refused(route53, zone, ("CREATE", record("w.mix.example")))["Message"]
    assert refused(route53, zone, ("CREATE", record("v.mix.example", Weight=1)))["Code"] == "InvalidInput"
    assert refused(route53, zone, ("CREATE", record("v.mix.example", SetIdentifier="a")))["Code"] == "InvalidInput"
    listed = route53.list_resource_record_sets(HostedZoneId=zone, StartRecordName="w.mix.example")["ResourceRecordSets"]
    assert [one["SetIdentifier"] for one in listed] == ["a", "b"]


def test_records_come_in_order_and_in_pages(route53):
    zone = make_zone(route53, "pages.example")
    names = ["b", "a", "x.a", "\\052", "z"]
    change(route53, zone, *[("CREATE", record(f"{name}.pages.example")) for name in names])
    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [one["Name"] for one in records] == ["pages.example.", "pages.example.", "\\052.pages.example.", "a.pages.example.", "x.a.pages.example.",
                                                "b.pages.example.", "z.pages.example."]
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone, PaginationConfig={"PageSize": 2})
    assert [one for page in pages for one in page["ResourceRecordSets"]] == records


def test_zones_by_name_and_network(route53):
    first = make_zone(route53, "b.order.example", VPC={"VPCId": "vpc-1", "VPCRegion": "us-east-1"})
    make_zone(route53, "a.order.example")
    listed = route53.list_hosted_zones_by_name(DNSName="order.example")["HostedZones"]
    assert [one["Name"] for one in listed][:2] == ["a.order.example.", "b.order.example."]
    assert route53.list_hosted_zones_by_vpc(VPCId="vpc-1", VPCRegion="us-east-1")["HostedZoneSummaries"][0]["HostedZoneId"] == first
    with pytest.raises(ClientError) as caught:
        route53.disassociate_vpc_from_hosted_zone(HostedZoneId=first, VPC={"VPCId": "vpc-1", "VPCRegion": "us-east-1"})
    assert caught.value.response["Error"]["Code"] == "LastVPCAssociation"
    route53.associate_vpc_with_hosted_zone(HostedZoneId=first, VPC={"VPCId": "vpc-2", "VPCRegion": "us-east-1"})
    assert len(route53.get_hosted_zone(Id=first)["VPCs"]) == 2
    assert route53.get_hosted_zone_count()["HostedZoneCount"] >= 2


def test_places(route53):
    listed, more = [], {}
    while True:
        page = route53.list_geo_locations(MaxItems="90", **more)
        listed += page["GeoLocationDetailsList"]
        if not page["IsTruncated"]:
            break
        more = {"Start" + key: page["Next" + key] for key in ("ContinentCode", "CountryCode", "SubdivisionCode") if "Next" + key in page}
    assert len(listed) > 300 and listed[7] == {"CountryCode": "*", "CountryName": "Default"}
    assert route53.get_geo_location(CountryCode="US", SubdivisionCode="CA")["GeoLocationDetails"]["SubdivisionName"] == "California"
    zone = make_zone(route53, "places.example")
    assert refused(route53, zone, ("CREATE", record("a.places.example", SetIdentifier="x", GeoLocation={"CountryCode": "ZZ"})))["Code"] == "InvalidInput"


def test_tags_and_delegation_sets(route53):
    delegation = route53.create_reusable_delegation_set(CallerReference="d1")["DelegationSet"]
    zone = make_zone(route53, "delegated.example", DelegationSetId=delegation["Id"])
    assert route53.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"] == delegation["NameServers"]
    with pytest.raises(ClientError) as caught:
        route53.delete_reusable_delegation_set(Id=delegation["Id"])
    assert caught.value.response["Error"]["Code"] == "DelegationSetInUse"
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone, AddTags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone, RemoveTagKeys=["a"])
    assert route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone)["ResourceTagSet"]["Tags"] == [{"Key": "b", "Value": "2"}]


@pytest.fixture
def endpoint():
    """A web server whose status the test sets."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(self.server.status)
            self.end_headers()
            self.wfile.write(b"all is well")

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.status = 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_health_checks_really_look(route53, daemon, endpoint):
    check = route53.create_health_check(CallerReference="h1", HealthCheckConfig={
        "IPAddress": "127.0.0.1", "Port": endpoint.server_port, "Type": "HTTP_STR_MATCH", "ResourcePath": "/health", "SearchString": "well",
        "RequestInterval": 10, "FailureThreshold": 2})["HealthCheck"]
    parent = route53.create_health_check(CallerReference="h2", HealthCheckConfig={
        "Type": "CALCULATED", "ChildHealthChecks": [check["Id"]], "HealthThreshold": 1})["HealthCheck"]

    def status():
        seen = route53.get_health_check_status(HealthCheckId=check["Id"])["HealthCheckObservations"]
        return seen[0]["StatusReport"]["Status"] if seen else ""
    wait_for(lambda: status() == "Success: HTTP Status Code 200, OK", what="the first look")
    zone = make_zone(route53, "health.example")
    change(route53, zone,
           ("CREATE", record("www.health.example", "10.0.0.1", SetIdentifier="p", Failover="PRIMARY", HealthCheckId=parent["Id"])),
           ("CREATE", record("www.health.example", "10.0.0.2", SetIdentifier="s", Failover="SECONDARY")))

    def answer():
        return route53.test_dns_answer(HostedZoneId=zone, RecordName="www.health.example", RecordType="A")["RecordData"]
    assert answer() == ["10.0.0.1"]
    endpoint.status = 503
    daemon.advance(10)
    wait_for(lambda: status() == "Failure: HTTP Status Code 503, Service Unavailable", what="the failure to be seen")
    assert answer() == ["10.0.0.1"]  # one failure is not enough
    daemon.advance(10)
    wait_for(lambda: answer() == ["10.0.0.2"], what="the failover")
    endpoint.status = 200
    daemon.advance(10)
    wait_for(lambda: status().startswith("Success"), what="the recovery to be seen")
    daemon.advance(10)
    wait_for(lambda: answer() == ["10.0.0.1"], what="the way back")
    with pytest.raises(ClientError) as caught:
        route53.delete_health_check(HealthCheckId=check["Id"])
    assert caught.value.response["Error"]["Code"] == "HealthCheckInUse"
    assert "NoSuchHealthCheck" not in refused(route53, zone, ("UPSERT", record("n.health.example", HealthCheckId="no-such")))["Code"]


def test_health_follows_an_alarm(route53, daemon):
    cloudwatch = daemon.client("cloudwatch")
    cloudwatch.put_metric_alarm(AlarmName="depth", Namespace="mine", MetricName="depth", Statistic="Maximum", Period=60, EvaluationPeriods=1, Threshold=5,
                                ComparisonOperator="GreaterThanThreshold")
    check = route53.create_health_check(CallerReference="alarm", HealthCheckConfig={
        "Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": "us-east-1", "Name": "depth"}, "InsufficientDataHealthStatus": "Healthy"})["HealthCheck"]
    zone = make_zone(route53, "alarm.example")
    change(route53, zone,
           ("CREATE", record("a.alarm.example", "10.0.0.1", SetIdentifier="p", Failover="PRIMARY", HealthCheckId=check["Id"])),
           ("CREATE", record("a.alarm.example", "10.0.0.2", SetIdentifier="s", Failover="SECONDARY")))

    def answer():
        return route53.test_dns_answer(HostedZoneId=zone, RecordName="a.alarm.example", RecordType="A")["RecordData"]
    assert answer() == ["10.0.0.1"]
    cloudwatch.set_alarm_state(AlarmName="depth", StateValue="ALARM", StateReason="test")
    daemon.advance(10)
    wait_for(lambda: answer() == ["10.0.0.2"], what="the alarm to be followed")


def test_an_alias_follows_the_balancers_targets(route53, daemon, endpoint):
    balancers = daemon.client("elbv2")
    group = balancers.create_target_group(Name="names", Protocol="HTTP", Port=endpoint.server_port, VpcId="vpc-1", TargetType="ip", HealthCheckIntervalSeconds=5,
                                          HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2, UnhealthyThresholdCount=2)["TargetGroups"][0]["TargetGroupArn"]
    balancer = balancers.create_load_balancer(Name="names", Subnets=daemon.subnets())["LoadBalancers"][0]
    balancers.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=8080, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    balancers.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": endpoint.server_port}])
    zone = make_zone(route53, "balanced.example")
    alias = {"HostedZoneId": balancer["CanonicalHostedZoneId"], "DNSName": "dualstack." + balancer["DNSName"], "EvaluateTargetHealth": True}
    change(route53, zone, ("CREATE", {"Name": "www.balanced.example", "Type": "A", "SetIdentifier": "p", "Failover": "PRIMARY", "AliasTarget": alias}),
           ("CREATE", record("www.balanced.example", "10.0.0.2", SetIdentifier="s", Failover="SECONDARY")))

    def answer():
        import json
        import subprocess
        import urllib.request
        port = json.load(urllib.request.urlopen(f"{daemon.url}/_atoll/dns"))["port"]
        return subprocess.run(["dig", "@127.0.0.1", "-p", str(port), "+short", "www.balanced.example"], capture_output=True, text=True).stdout.split()
    wait_for(lambda: answer() and answer()[0].startswith("127."), what="the balancer to be well")
    endpoint.status = 500

    def moved_on():
        daemon.advance(5)
        return answer() == ["10.0.0.2"]
    wait_for(moved_on, what="the failover")


def test_a_stack_of_names(daemon, route53):
    cloudformation = daemon.client("cloudformation")

    def template(value):
        return """
Resources:
  Zone: {Type: AWS::Route53::HostedZone, Properties: {Name: stack.example, HostedZoneConfig: {Comment: c}, HostedZoneTags: [{Key: k, Value: v}]}}
  Check: {Type: AWS::Route53::HealthCheck, Properties: {HealthCheckConfig: {Type: TCP, IPAddress: 127.0.0.1, Port: "9"}}}
  One: {Type: AWS::Route53::RecordSet, Properties: {HostedZoneId: !Ref Zone, Name: one.stack.example, Type: A, TTL: "60", ResourceRecords: [%s]}}
  More:
    Type: AWS::Route53::RecordSetGroup
    Properties:
      HostedZoneId: !Ref Zone
      RecordSets:
        - {Name: w.stack.example, Type: A, TTL: 60, SetIdentifier: a, Weight: 1, ResourceRecords: [10.1.0.1], HealthCheckId: !Ref Check}
        - {Name: w.stack.example, Type: A, TTL: 60, SetIdentifier: b, Weight: 1, ResourceRecords: [10.1.0.2]}
Outputs:
  Zone: {Value: !Ref Zone}
  Servers: {Value: !Join [",", !GetAtt Zone.NameServers]}
  One: {Value: !Ref One}
""" % value
    cloudformation.create_stack(StackName="names", TemplateBody=template("10.0.0.1"))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="names", WaiterConfig={"Delay": 1})
    outputs = {one["OutputKey"]: one["OutputValue"] for one in cloudformation.describe_stacks(StackName="names")["Stacks"][0]["Outputs"]}
    assert outputs["One"] == "one.stack.example" and len(outputs["Servers"].split(",")) == 4
    zone = outputs["Zone"]
    assert route53.test_dns_answer(HostedZoneId=zone, RecordName="one.stack.example", RecordType="A")["RecordData"] == ["10.0.0.1"]
    cloudformation.update_stack(StackName="names", TemplateBody=template("10.0.0.9"))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="names", WaiterConfig={"Delay": 1})
    assert route53.test_dns_answer(HostedZoneId=zone, RecordName="one.stack.example", RecordType="A")["RecordData"] == ["10.0.0.9"]
    cloudformation.delete_stack(StackName="names")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="names", WaiterConfig={"Delay": 1})
    with pytest.raises(ClientError):
        route53.get_hosted_zone(Id=zone)
