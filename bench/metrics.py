#!/usr/bin/env python3
"""A million data points a minute into 10,000 metrics with an alarm each, on one loop: processor time, memory, and how late
the last of the 10,000 alarms rings after its minute ended."""
import http.client
import json
import os
import pathlib
import tempfile
import threading
import time

from measure import reexec_in_venv, row

reexec_in_venv()
from support import Daemon  # noqa: E402

METRICS, PER_REQUEST, PER_MINUTE = 10_000, 1000, 1_000_000
HEADERS = {"content-type": "application/x-amz-json-1.0",
           "authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"}


class Client:
    """One connection that speaks awsJson: boto3 itself would be what is measured."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def call(self, operation, body):
        self.connection.request("POST", "/", body if isinstance(body, bytes) else json.dumps(body).encode(),
                                {**HEADERS, "x-amz-target": f"GraniteServiceVersion20100801.{operation}"})
        reply = self.connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{operation}: {text[:300]}")
        return json.loads(text or b"{}")


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def bodies(value):
    """Requests of 1,000 data points, one for each metric in turn."""
    return [json.dumps({"Namespace": "Bench", "MetricData": [
        {"MetricName": "latency", "Dimensions": [{"Name": "Host", "Value": f"{i:05}"}], "Value": value + i % 7, "Unit": "Milliseconds"}
        for i in range(first, first + PER_REQUEST)]}).encode() for first in range(0, METRICS, PER_REQUEST)]


def flood(daemon):
    client, requests = Client(daemon.port), bodies(100)
    before, began = processor_seconds(daemon.process.pid), time.monotonic()
    for i in range(PER_MINUTE // PER_REQUEST):
        client.call("PutMetricData", requests[i % len(requests)])
    took, spent = time.monotonic() - began, processor_seconds(daemon.process.pid) - before
    row("1,000,000 data points: as fast as they go", f"{took:.1f} s, {spent:.1f} s of processor time")
    row("points a minute on one core", f"{PER_MINUTE / spent * 60:,.0f}")


def put_alarms(daemon):
    client = Client(daemon.port)
    began = time.monotonic()
    for i in range(METRICS):
        client.call("PutMetricAlarm", {"AlarmName": f"alarm-{i:05}", "Namespace": "Bench", "MetricName": "latency", "Statistic": "Average", "Period": 60,
                                       "Dimensions": [{"Name": "Host", "Value": f"{i:05}"}], "EvaluationPeriods": 1, "Threshold": 500,
                                       "ComparisonOperator": "GreaterThanThreshold"})
    row("10,000 alarms made", f"{time.monotonic() - began:.1f} s")


def steady(daemon):
    """A minute at the wanted rate with values that make every alarm ring when it ends."""
    client, requests, stop = Client(daemon.port), bodies(1000), threading.Event()
    while time.time() % 60 > 1:
        time.sleep(0.05)
    start = time.time() - time.time() % 60

    def feed():
        for i in range(2 * PER_MINUTE // PER_REQUEST):
            due = start + 0.5 + i * 60 / (PER_MINUTE / PER_REQUEST)
            if stop.wait(max(0, due - time.time())):
                return
            client.call("PutMetricData", requests[i % len(requests)])

    before = processor_seconds(daemon.process.pid)
    feeder = threading.Thread(target=feed)
    feeder.start()
    # Alarms are looked at in order of name: the last one is the latest.
    asker, name, boundary = Client(daemon.port), f"alarm-{METRICS - 1:05}", start + 60
    time.sleep(max(0, boundary - time.time() - 0.2))
    spent = processor_seconds(daemon.process.pid) - before
    longest = 0.0
    while True:
        asked = time.time()
        alarm = asker.call("DescribeAlarms", {"AlarmNames": [name]})["MetricAlarms"][0]
        now = time.time()
        longest = max(longest, now - asked)
        if alarm["StateValue"] == "ALARM":
            break
        if now > boundary + 30:
            raise RuntimeError("the alarm never rang")
        time.sleep(0.005)
    stop.set()
    feeder.join()
    ringing = 0
    token = {}
    while True:
        page = asker.call("DescribeAlarms", {"StateValue": "ALARM", "MaxRecords": 100, **token})
        ringing += len(page["MetricAlarms"])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    row("a minute at 1,000,000 points with 10,000 alarms", f"{spent / 60 * 100:.1f} % of a core")
    row("the last of 10,000 alarms rings after its minute", f"{(now - boundary) * 1000:.0f} ms ({ringing} ring)")
    row("the slowest call meanwhile", f"{longest * 1000:.0f} ms")
    row("memory", f"{resident_mb(daemon.process.pid):.0f} MB")


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(pathlib.Path(folder) / "atoll", "--shards", "1").start()
        try:
            flood(daemon)
            put_alarms(daemon)
            steady(daemon)
            began = time.monotonic()
            daemon.kill()
            daemon.start()
            row("restart with all that, after kill -9", f"{time.monotonic() - began:.2f} s")
        finally:
            daemon.stop()


main()
