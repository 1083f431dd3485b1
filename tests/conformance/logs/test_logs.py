import time

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def logs(daemon):
    client = daemon.client("logs")
    client.create_log_group(logGroupName="/app", tags={"team": "a"})
    for stream in ("one", "two"):
        client.create_log_stream(logGroupName="/app", logStreamName=stream)
    now = int(time.time() * 1000)
    client.put_log_events(logGroupName="/app", logStreamName="one",
                          logEvents=[{"timestamp": now + i * 2, "message": f"one {i} {'ERROR' if i % 5 == 0 else 'ok'}"} for i in range(20)])
    client.put_log_events(logGroupName="/app", logStreamName="two",
                          logEvents=[{"timestamp": now + i * 2 + 1, "message": f'{{"level":"warn","n":{i}}}'} for i in range(20)])
    return client


def test_get_forward_and_backward(logs):
    first = logs.get_log_events(logGroupName="/app", logStreamName="one", startFromHead=True, limit=12)
    assert [e["message"].split()[1] for e in first["events"]] == [str(i) for i in range(12)]
    second = logs.get_log_events(logGroupName="/app", logStreamName="one", nextToken=first["nextForwardToken"])
    assert len(second["events"]) == 8
    end = logs.get_log_events(logGroupName="/app", logStreamName="one", nextToken=second["nextForwardToken"])
    assert end["events"] == [] and end["nextForwardToken"] == second["nextForwardToken"]
    newest = logs.get_log_events(logGroupName="/app", logStreamName="one", limit=3)
    assert [e["message"].split()[1] for e in newest["events"]] == ["17", "18", "19"]


def test_filter_merges_streams_by_time(logs):
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName="/app", PaginationConfig={"PageSize": 7}))
    events = [e for p in pages for e in p["events"]]
    assert len(events) == 40 and len(pages) > 4
    assert [e["timestamp"] for e in events] == sorted(e["timestamp"] for e in events)
    assert len(logs.filter_log_events(logGroupName="/app", filterPattern="ERROR")["events"]) == 4
    assert len(logs.filter_log_events(logGroupName="/app", filterPattern='{ $.level = "warn" && $.n >= 15 }')["events"]) == 5


def test_retention_follows_the_clock(logs, daemon):
    logs.put_retention_policy(logGroupName="/app", retentionInDays=1)
    assert logs.describe_log_groups(logGroupNamePrefix="/app")["logGroups"][0]["retentionInDays"] == 1
    daemon.advance(2 * 86400)
    from support import wait_for
    wait_for(lambda: not logs.filter_log_events(logGroupName="/app")["events"], what="old lines to go")


def test_errors(logs):
    with pytest.raises(ClientError) as caught:
        logs.create_log_group(logGroupName="/app")
    assert caught.value.response["Error"]["Code"] == "ResourceAlreadyExistsException"
    with pytest.raises(ClientError) as caught:
        logs.get_log_events(logGroupName="/none", logStreamName="x")
    assert caught.value.response["Error"] == {"Message": "The specified log group does not exist.", "Code": "ResourceNotFoundException"}
