"""kill -9 while events are put: what was acknowledged reaches its queue and its archive after the restart."""
import json
import os
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from support import wait_for

ROUNDS = int(os.environ.get("ATOLL_KILL_ROUNDS", "5"))


def put_until_it_dies(daemon, label, acknowledged):
    events = daemon.client("events")
    try:
        for i in range(1_000_000):
            names = [f"{label}-{i}-{k}" for k in range(5)]
            reply = events.put_events(Entries=[{"Source": "load", "DetailType": "t", "Detail": json.dumps({"name": name})} for name in names])
            assert reply["FailedEntryCount"] == 0
            acknowledged.extend(names)
    except (BotoCoreError, ClientError, OSError):
        pass


def test_acknowledged_events_are_delivered(new_daemon):
    daemon = new_daemon()
    sqs, events = daemon.client("sqs"), daemon.client("events")
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="load", EventPattern='{"source":["load"]}')
    events.put_targets(Rule="load", Targets=[{"Id": "1", "Arn": arn}])
    bus = events.describe_event_bus()["Arn"]
    events.create_archive(ArchiveName="load", EventSourceArn=bus)
    acknowledged = []
    for round_number in range(ROUNDS):
        threads = [threading.Thread(target=put_until_it_dies, args=(daemon, f"{round_number}-{n}", acknowledged)) for n in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        daemon.kill()
        for thread in threads:
            thread.join()
        daemon.start()
    assert len(acknowledged) > ROUNDS * 10
    sqs, events, seen = daemon.client("sqs"), daemon.client("events"), set()

    def all_came():
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        seen.update(json.loads(message["Body"])["detail"]["name"] for message in messages)
        if messages:
            sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": str(i), "ReceiptHandle": one["ReceiptHandle"]} for i, one in enumerate(messages)])
        return set(acknowledged) <= seen
    wait_for(all_came, 60, "every acknowledged event")
    assert events.describe_archive(ArchiveName="load")["EventCount"] >= len(acknowledged)
