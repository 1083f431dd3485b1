#!/usr/bin/env python3
"""Whether depth and number cost anything: a million waiting messages, 10,000 queues, 1,000 tables."""
import concurrent.futures
import os
import pathlib
import tempfile
import time

from measure import median, reexec_in_venv, resident_mb, row

reexec_in_venv()
from support import Daemon  # noqa: E402

DEPTH = int(os.environ.get("DEPTH", "1000000"))
BODY = "x" * 1000


def fill(daemon, queue, count):
    """Batches of ten from a few processes: a Python client is slower than the daemon."""
    def send(share):
        sqs = daemon.client("sqs")
        entries = [{"Id": str(i), "MessageBody": BODY} for i in range(10)]
        for _ in range(share // 10):
            sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    workers = 4
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        list(pool.map(_fill, [(daemon.url, queue, count // workers)] * workers))


def _fill(work):
    import http.client
    import json
    url, queue, count = work
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    body = json.dumps({"QueueUrl": queue, "Entries": [{"Id": str(i), "MessageBody": BODY} for i in range(10)]})
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessageBatch"}
    for _ in range(count // 10):
        connection.request("POST", "/", body, headers)
        reply = connection.getresponse()
        reply.read()
        assert reply.status == 200


def receive_rate(daemon, queue, count=3000):
    sqs = daemon.client("sqs")
    start = time.perf_counter()
    for _ in range(count // 10):
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)])
    return count / (time.perf_counter() - start)


def call_latency(call, count=400):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times) * 1e6


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(pathlib.Path(folder)).start()
        sqs = daemon.client("sqs")
        shallow = sqs.create_queue(QueueName="shallow")["QueueUrl"]
        deep = sqs.create_queue(QueueName="deep")["QueueUrl"]
        fill(daemon, shallow, 4000)
        start = time.perf_counter()
        fill(daemon, deep, DEPTH)
        row(f"filling {DEPTH:,} messages of 1 KB", f"{DEPTH / (time.perf_counter() - start):,.0f}/s")
        row("memory with them waiting", f"{resident_mb(daemon.process.pid):.0f} MB", "goal 400 MB")
        at_10, at_depth = receive_rate(daemon, shallow), receive_rate(daemon, deep)
        row("receiving and deleting, shallow", f"{at_10:,.0f}/s")
        row("receiving and deleting, deep", f"{at_depth:,.0f}/s  ({at_depth / at_10:.2f} of shallow)", "goal the same")
        for how in ("kill", "stop"):
            getattr(daemon, how)()
            start = time.perf_counter()
            daemon.start()
            row(f"restart after {how}", f"{time.perf_counter() - start:.2f} s", "goal 1 s")
        assert int(daemon.client("sqs").get_queue_attributes(QueueUrl=deep, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"]) >= DEPTH - 3100
        daemon.stop()
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(pathlib.Path(folder)).start()
        sqs, dynamodb = daemon.client("sqs"), daemon.client("dynamodb")
        queue = sqs.create_queue(QueueName="first")["QueueUrl"]

        def make_table(name):
            dynamodb.create_table(TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
                                  AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
        make_table("first")
        send = lambda: sqs.send_message(QueueUrl=queue, MessageBody="x")  # noqa: E731
        put = lambda: dynamodb.put_item(TableName="first", Item={"id": {"S": "x"}})  # noqa: E731
        call_latency(send), call_latency(put)
        before = call_latency(send), call_latency(put)
        for i in range(10_000):
            sqs.create_queue(QueueName=f"queue-{i}")
        for i in range(1_000):
            make_table(f"table-{i}")
        after = call_latency(send), call_latency(put)
        row("SendMessage, 1 queue -> 10,000", f"{before[0]:.0f} -> {after[0]:.0f} us ({after[0] / before[0] - 1:+.0%})", "goal within 10 %")
        row("PutItem, 1 table -> 1,000", f"{before[1]:.0f} -> {after[1]:.0f} us ({after[1] / before[1] - 1:+.0%})", "goal within 10 %")
        daemon.stop()


if __name__ == "__main__":
    main()
