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


def test_every_form_of_filter_pattern(daemon):
    logs = daemon.client("logs")
    logs.create_log_group(logGroupName="/patterns")
    logs.create_log_stream(logGroupName="/patterns", logStreamName="s")
    now = int(time.time() * 1000)
    lines = ['127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534', '{"user": {"id": 1}, "tags": [{"n": 5}, {"n": 9}]}', "ERROR code 503"]
    logs.put_log_events(logGroupName="/patterns", logStreamName="s", logEvents=[{"timestamp": now + i, "message": line} for i, line in enumerate(lines)])
    for pattern, wanted in [("[ip, user, name, time, request = *.html*, status = 4*, bytes > 1000]", [0]), ("[..., bytes]", [0, 1, 2]), ("[..., status = 410 || status = 404, bytes]", [0]),
                            (r"%\s5\d\d$%", [2]), ("{ $.tags[*].n = 9 }", [1]), ("{ $.user.id NOT EXISTS }", []), ("{ $.user.id = %[12]% }", [1]), ("?ERROR ?frank", [0, 2]),
                            ("?ERROR GET", [0]), ('-"GET /index"', [1, 2])]:
        found = logs.filter_log_events(logGroupName="/patterns", filterPattern=pattern)["events"]
        assert [event["message"] for event in found] == [lines[i] for i in wanted], pattern
    for pattern, words in [("status: 5", r"Invalid character\(s\) in term ':'"), ("[ip, status = 4* && bytes > 1]", "Invalid filter pattern"), ("{ $.a = 1", "must end with '}'")]:
        with pytest.raises(ClientError, match=words):
            logs.filter_log_events(logGroupName="/patterns", filterPattern=pattern)


def test_a_batch_spans_a_day_at_most(daemon):
    logs = daemon.client("logs")
    logs.create_log_group(logGroupName="/spans")
    logs.create_log_stream(logGroupName="/spans", logStreamName="s")
    now = int(time.time() * 1000)
    with pytest.raises(ClientError, match="cannot span more than 24 hours"):
        logs.put_log_events(logGroupName="/spans", logStreamName="s", logEvents=[{"timestamp": now - 86_400_001, "message": "a"}, {"timestamp": now, "message": "b"}])
