"""SQS through boto3 and the awsQuery protocol of older clients."""
import hashlib
import urllib.parse
import urllib.request

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def sqs(daemon):
    return daemon.client("sqs")


@pytest.fixture
def queue(sqs, request):
    url = sqs.create_queue(QueueName=request.node.name[:80].replace("[", "-").replace("]", ""))["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def test_send_receive_delete(sqs, queue):
    sent = sqs.send_message(QueueUrl=queue, MessageBody="hello",
                            MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}, "b": {"DataType": "Binary", "BinaryValue": b"\0\1"}})
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"hello").hexdigest()
    message = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"], MessageAttributeNames=["All"])["Messages"][0]
    assert message["Body"] == "hello"
    assert message["MessageAttributes"]["b"]["BinaryValue"] == b"\0\1"
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert set(message["Attributes"]) == {"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"}
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_long_poll_is_woken_by_a_message(sqs, queue, daemon):
    import threading
    import time
    received = []
    other = daemon.client("sqs")
    thread = threading.Thread(target=lambda: received.append(other.receive_message(QueueUrl=queue, WaitTimeSeconds=20)))
    thread.start()
    time.sleep(0.3)
    start = time.monotonic()
    sqs.send_message(QueueUrl=queue, MessageBody="wake")
    thread.join(timeout=5)
    assert time.monotonic() - start < 2
    assert received[0]["Messages"][0]["Body"] == "wake"


def test_an_abandoned_long_poll_takes_no_message(sqs, queue, daemon):
    import json
    import socket
    import time
    body = json.dumps({"QueueUrl": queue, "WaitTimeSeconds": 20}).encode()
    head = (f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", daemon.port)) as gone:
        gone.sendall(head + body)
        time.sleep(0.3)
    time.sleep(0.1)
    sqs.send_message(QueueUrl=queue, MessageBody="for the living")
    assert sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"][0]["Body"] == "for the living"


def test_visibility_and_delay_follow_the_clock(sqs, queue, daemon):
    sqs.send_message(QueueUrl=queue, MessageBody="late", DelaySeconds=600)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    daemon.advance(601)
    first = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=43200)["Messages"][0]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    daemon.advance(43201)
    second = sqs.receive_message(QueueUrl=queue, AttributeNames=["ApproximateReceiveCount"])["Messages"][0]
    assert second["MessageId"] == first["MessageId"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"


def test_fifo_order_groups_and_deduplication(sqs):
    url = sqs.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
    first = sqs.send_message(QueueUrl=url, MessageBody="a1", MessageGroupId="a")
    again = sqs.send_message(QueueUrl=url, MessageBody="a1", MessageGroupId="a")
    assert again["MessageId"] == first["MessageId"] and again["SequenceNumber"] == first["SequenceNumber"]
    for body in ("a2", "b1"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body[0])
    one = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, AttributeNames=["All"])["Messages"]
    assert [m["Body"] for m in one] == ["a1"] and one[0]["Attributes"]["MessageGroupId"] == "a"
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]] == ["b1"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=one[0]["ReceiptHandle"])
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]] == ["a2"]
    assert error_of(sqs.send_message, QueueUrl=url, MessageBody="x")["Code"] == "MissingParameter"
    sqs.delete_queue(QueueUrl=url)


def test_dead_letters_and_their_way_back(sqs):
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    source = sqs.create_queue(QueueName="source", Attributes={
        "VisibilityTimeout": "0", "RedrivePolicy": f'{{"deadLetterTargetArn":"{dead_arn}","maxReceiveCount":2}}'})["QueueUrl"]
    sqs.send_message(QueueUrl=source, MessageBody="poison")
    for _ in range(2):
        assert len(sqs.receive_message(QueueUrl=source)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=source)
    got = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5, VisibilityTimeout=0, AttributeNames=["All"])["Messages"][0]
    assert got["Attributes"]["DeadLetterQueueSourceArn"].endswith(":source")
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [source]
    sqs.start_message_move_task(SourceArn=dead_arn)
    from support import wait_for
    wait_for(lambda: sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"][0]["Status"] == "COMPLETED")
    assert sqs.receive_message(QueueUrl=source, WaitTimeSeconds=5)["Messages"][0]["Body"] == "poison"


def test_batches_report_each_entry(sqs, queue):
    out = sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "ok"}, {"Id": "2", "MessageBody": "bad\x01"}])
    assert [e["Id"] for e in out["Successful"]] == ["1"]
    assert out["Failed"][0]["Code"] == "InvalidMessageContents" and out["Failed"][0]["SenderFault"]
    assert error_of(sqs.send_message_batch, QueueUrl=queue, Entries=[])["Code"] == "AWS.SimpleQueueService.EmptyBatchRequest"
    twice = [{"Id": "1", "MessageBody": "a"}, {"Id": "1", "MessageBody": "b"}]
    assert error_of(sqs.send_message_batch, QueueUrl=queue, Entries=twice)["Code"] == "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"


@pytest.mark.parametrize("arguments, code", [
    ({"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
    ({"WaitTimeSeconds": 21}, "InvalidParameterValue"),
    ({"VisibilityTimeout": 43201}, "InvalidParameterValue"),
])
def test_receive_limits(sqs, queue, arguments, code):
    assert error_of(sqs.receive_message, QueueUrl=queue, **arguments)["Code"] == code


def test_errors_have_their_codes_in_both_protocols(sqs, queue, daemon):
    gone = daemon.url + "/000000000000/gone"
    assert error_of(sqs.send_message, QueueUrl=gone, MessageBody="x")["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert error_of(sqs.delete_message, QueueUrl=queue, ReceiptHandle="nonsense")["Code"] == "ReceiptHandleIsInvalid"
    assert error_of(sqs.create_queue, QueueName="bad name")["Code"] == "InvalidParameterValue"
    assert error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"Nonsense": "1"})["Code"] == "InvalidAttributeName"
    form = urllib.parse.urlencode({"Action": "SendMessage", "Version": "2012-11-05", "QueueUrl": gone, "MessageBody": "x"}).encode()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(daemon.url, form)
    text = caught.value.read().decode()
    assert "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in text and "<Type>Sender</Type>" in text
    form = urllib.parse.urlencode({"Action": "SendMessage", "Version": "2012-11-05", "QueueUrl": queue, "MessageBody": "by query"}).encode()
    assert "<SendMessageResult>" in urllib.request.urlopen(daemon.url, form).read().decode()


def test_accounts_and_regions_are_worlds_of_their_own(daemon):
    one, other = daemon.client("sqs", key="111111111111"), daemon.client("sqs", region="eu-west-1")
    one.create_queue(QueueName="mine")
    assert "QueueUrls" not in other.list_queues(QueueNamePrefix="mine")
    assert one.list_queues()["QueueUrls"] == [daemon.url + "/111111111111/mine"]


def test_list_queues_in_pages(sqs):
    for i in range(5):
        sqs.create_queue(QueueName=f"paged-{i}")
    first = sqs.list_queues(QueueNamePrefix="paged-", MaxResults=3)
    rest = sqs.list_queues(QueueNamePrefix="paged-", MaxResults=3, NextToken=first["NextToken"])
    assert [u.rsplit("/", 1)[1] for u in first["QueueUrls"] + rest["QueueUrls"]] == [f"paged-{i}" for i in range(5)]


def arn_of(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def test_redrive_allow_policy_is_enforced(sqs, queue):
    arn = arn_of(sqs, queue)
    redrive = {"RedrivePolicy": f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":5}}'}
    source = sqs.create_queue(QueueName="allowed")["QueueUrl"]
    for policy in ('{"redrivePermission":"denyAll"}', f'{{"redrivePermission":"byQueue","sourceQueueArns":["{arn}"]}}'):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedriveAllowPolicy": policy})
        assert error_of(sqs.create_queue, QueueName="refused", Attributes=redrive)["Code"] == "InvalidParameterValue"
        assert error_of(sqs.set_queue_attributes, QueueUrl=source, Attributes=redrive)["Code"] == "InvalidParameterValue"
    for policy in ('{"redrivePermission":"allowAll"}', f'{{"redrivePermission":"byQueue","sourceQueueArns":["{arn_of(sqs, source)}"]}}'):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedriveAllowPolicy": policy})
        sqs.set_queue_attributes(QueueUrl=source, Attributes=redrive)
    error = error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedriveAllowPolicy": '{"redrivePermission":"byQueue"}'})
    assert error["Message"].endswith("When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values.")
    gone = {"RedrivePolicy": f'{{"deadLetterTargetArn":"{arn}-gone","maxReceiveCount":5}}'}
    assert error_of(sqs.create_queue, QueueName="refused", Attributes=gone)["Message"].endswith("Dead letter target does not exist.")
    sqs.delete_queue(QueueUrl=source)


def test_attribute_errors_and_forms(sqs, queue):
    assert error_of(sqs.create_queue, QueueName="x", Attributes={"FifoQueue": "false"})["Message"] == "Unknown Attribute FifoQueue."
    fifo = sqs.create_queue(QueueName="forms.fifo", Attributes={"FifoQueue": "True", "ContentBasedDeduplication": "True"})["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"FifoQueue": "true"})
    error = error_of(sqs.set_queue_attributes, QueueUrl=fifo, Attributes={"FifoQueue": "false"})
    assert error["Message"] == "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    sqs.delete_queue(QueueUrl=fifo)
    both = {"KmsMasterKeyId": "key", "SqsManagedSseEnabled": "true"}
    assert error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes=both)["Code"] == "InvalidAttributeName"
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "key"})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "300"})
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert attributes["SqsManagedSseEnabled"] == "false" and "KmsDataKeyReusePeriodSeconds" not in attributes


def test_a_receive_can_be_tried_again(sqs):
    url = sqs.create_queue(QueueName="again.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
    for body in ("a", "b"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body)
    first, again = (sqs.receive_message(QueueUrl=url, ReceiveRequestAttemptId="try-1")["Messages"] for _ in range(2))
    assert first == again and first[0]["Body"] == "a"
    assert sqs.receive_message(QueueUrl=url, ReceiveRequestAttemptId="try-2")["Messages"][0]["Body"] == "b"
    error = error_of(sqs.receive_message, QueueUrl=url, ReceiveRequestAttemptId="not valid")
    assert error["Code"] == "InvalidParameterValue" and "ReceiveRequestAttemptId" in error["Message"]
    sqs.delete_queue(QueueUrl=url)


def test_a_fifo_batch_fails_as_a_whole(sqs):
    url = sqs.create_queue(QueueName="whole.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    entries = [{"Id": "1", "MessageBody": "a", "MessageGroupId": "g", "MessageDeduplicationId": "1"}, {"Id": "2", "MessageBody": "b", "MessageGroupId": "g"}]
    assert error_of(sqs.send_message_batch, QueueUrl=url, Entries=entries)["Code"] == "InvalidParameterValue"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert "Failed" not in sqs.send_message_batch(QueueUrl=url, Entries=entries[:1])
    sqs.delete_queue(QueueUrl=url)


def test_dead_letters_keep_their_count(sqs, queue):
    source = sqs.create_queue(QueueName="counted", Attributes={
        "VisibilityTimeout": "0", "RedrivePolicy": f'{{"deadLetterTargetArn":"{arn_of(sqs, queue)}","maxReceiveCount":1}}'})["QueueUrl"]
    sent = sqs.send_message(QueueUrl=source, MessageBody="poison")
    for _ in range(2):
        sqs.receive_message(QueueUrl=source)
    got = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5, AttributeNames=["All"])["Messages"][0]
    assert got["Attributes"]["ApproximateReceiveCount"] == "2" and got["MessageId"] == sent["MessageId"]
    sqs.delete_queue(QueueUrl=source)


def test_move_task_errors(sqs, queue):
    assert error_of(sqs.cancel_message_move_task, TaskHandle="foobared")["Message"] == "Value for parameter TaskHandle is invalid."
    assert "Only SQS" not in error_of(sqs.start_message_move_task, SourceArn=arn_of(sqs, queue))["Message"]


def test_query_errors_have_their_own_words(daemon):
    form = urllib.parse.urlencode({"Action": "DeleteQueue", "Version": "2012-11-05", "QueueUrl": daemon.url + "/000000000000/gone"}).encode()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(daemon.url, form)
    text = caught.value.read().decode()
    assert "The specified queue does not exist for this wsdl version." in text and "<Detail" in text
