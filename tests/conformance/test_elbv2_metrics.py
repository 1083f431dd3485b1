"""What CloudWatch gets to know of load balancers."""
import datetime

from balancers import Balancer
from support import wait_for
from upstream import Upstream


def test_requests_become_metrics(daemon):
    cloudwatch = daemon.client("cloudwatch")
    with Upstream() as upstream:
        balancer = Balancer(daemon, "measured")
        balancer.group("g", upstream.port)
        for _ in range(7):
            reply, _ = balancer.ask("GET", "/")
            assert reply.status == 200

    def total(name, statistic="Sum"):
        found = [m for m in cloudwatch.list_metrics(Namespace="AWS/ApplicationELB", MetricName=name)["Metrics"] if len(m["Dimensions"]) == 1]
        now = datetime.datetime.now(datetime.timezone.utc)
        return sum(p[statistic] for m in found for p in cloudwatch.get_metric_statistics(
            Namespace="AWS/ApplicationELB", MetricName=name, Dimensions=m["Dimensions"], Period=60, Statistics=[statistic],
            StartTime=now - datetime.timedelta(minutes=5), EndTime=now + datetime.timedelta(minutes=1))["Datapoints"])
    wait_for(lambda: total("RequestCount") == 7, what="the count of requests")
    assert total("HTTPCode_Target_2XX_Count") == 7 and total("TargetResponseTime", "SampleCount") == 7
    assert total("RequestCountPerTarget") == 7 and total("NewConnectionCount") >= 1 and total("ProcessedBytes") > 0
