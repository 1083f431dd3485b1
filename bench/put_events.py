#!/usr/bin/env python3
"""PutEvents of ten events with wrk (16 connections), one rule and one queue: events acknowledged per second, and how long until the last has arrived."""
import json
import os
import pathlib
import tempfile
import time

from measure import reexec_in_venv, row, wrk

reexec_in_venv()
from support import Daemon  # noqa: E402

SECONDS = int(os.environ.get("SECONDS", "5"))
SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-amz-json-1.1"
wrk.headers["X-Amz-Target"] = "AWSEvents.PutEvents"
wrk.headers["X-Amz-Date"] = os.date("!%Y%m%dT%H%M%SZ")
wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/" .. os.date("!%Y%m%d") ..
  "/us-east-1/events/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" .. string.rep("0", 64)
wrk.body = [[BODY]]
"""


def waiting(sqs, queue):
    return int(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]["ApproximateNumberOfMessages"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(pathlib.Path(folder)).start()
        try:
            sqs, events = daemon.client("sqs"), daemon.client("events")
            queue = sqs.create_queue(QueueName="bench")["QueueUrl"]
            arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            events.put_rule(Name="bench", EventPattern='{"source":["bench"],"detail":{"n":[{"numeric":[">",0]}]}}')
            events.put_targets(Rule="bench", Targets=[{"Id": "1", "Arn": arn}])
            one = {"Source": "bench", "DetailType": "t", "Detail": json.dumps({"n": 1, "text": "x" * 100})}
            script = pathlib.Path(folder) / "put_events.lua"
            script.write_text(SCRIPT.replace("BODY", json.dumps({"Entries": [one] * 10})))
            began = time.monotonic()
            rate, latency, failed = wrk(daemon.url + "/", str(script), seconds=SECONDS)
            assert not failed, f"{failed} replies were errors"
            total = -1
            while total != (total := waiting(sqs, queue)):
                time.sleep(0.5)
            row("PutEvents, acknowledged", f"{rate * 10:,.0f} events/s  p50 {latency:.2f} ms for ten")
            row("delivered to a queue", f"{total / (time.monotonic() - began - 0.5):,.0f} events/s")
        finally:
            daemon.stop()


main()
