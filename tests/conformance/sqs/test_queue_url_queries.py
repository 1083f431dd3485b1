"""A queue's own URL is an endpoint for the query protocol, and tells its region."""
import urllib.error
import urllib.parse
import urllib.request

import pytest


def ask(url, method="GET", **parameters):
    request = urllib.request.Request(url + ("?" + urllib.parse.urlencode(parameters) if parameters else ""), method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture(scope="module")
def sqs(daemon):
    return daemon.client("sqs")


def test_messages_are_sent_and_received(sqs):
    url = sqs.create_queue(QueueName="by-url")["QueueUrl"]
    status, text = ask(url, Action="SendMessage", MessageBody="a & b")
    assert status == 200 and "<MD5OfMessageBody>" in text
    status, text = ask(url, Action="ReceiveMessage")
    assert status == 200 and "<Body>a &amp; b</Body>" in text
    assert "<ReceiveMessageResult/>" in ask(url, Action="ReceiveMessage")[1]
    assert ask(url, "POST", Action="DeleteQueue")[0] == 200
    status, text = ask(url, Action="GetQueueAttributes", **{"AttributeName.1": "All"})
    assert status == 400 and "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in text


def test_what_is_not_about_a_queue_is_refused(sqs):
    url = sqs.create_queue(QueueName="only-itself")["QueueUrl"]
    for action in ("CreateQueue", "ListQueues", "FooBar"):
        status, text = ask(url, Action=action)
        assert status == 400 and f"<Message>The action {action} is not valid for this endpoint.</Message>" in text
    status, text = ask(url)
    assert status == 404 and "<UnknownOperationException" in text
    status, text = ask(url, Action="SendMessage")
    assert status == 400 and "<Message>The request must contain the parameter MessageBody.</Message>" in text


def test_queues_of_other_regions_carry_it_in_their_url(daemon, sqs):
    other = daemon.client("sqs", region="eu-west-1")
    here, there = sqs.create_queue(QueueName="twin")["QueueUrl"], other.create_queue(QueueName="twin")["QueueUrl"]
    assert here != there and "/eu-west-1/" in there
    sqs.send_message(QueueUrl=there, MessageBody="over there")  # the URL says where, whatever the client's region
    assert other.receive_message(QueueUrl=there)["Messages"][0]["Body"] == "over there"
    assert "Messages" not in sqs.receive_message(QueueUrl=here)
    assert "<Value>arn:aws:sqs:eu-west-1:" in ask(there, Action="GetQueueAttributes", **{"AttributeName.1": "QueueArn"})[1]


def test_an_empty_batch_has_its_own_error_over_the_query_protocol(sqs, daemon):
    url = sqs.create_queue(QueueName="batches")["QueueUrl"]
    status, text = ask(url, Action="SendMessageBatch")
    assert status == 400 and "<Code>AWS.SimpleQueueService.EmptyBatchRequest</Code>" in text
