"""A full disk: the daemon says so and ends, or refuses the upload; what it acknowledged is there once there is room."""
import os
import pathlib
import shutil
import subprocess

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import support


class SmallDisk:
    """A file system of a few megabytes in a mount namespace of its own, and the way to run programs in it."""

    def __init__(self, folder: pathlib.Path, megabytes: int):
        folder.mkdir()
        new = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
        script = f"mount -t tmpfs -o size={megabytes}m tmpfs '{folder}' && echo mounted && exec sleep infinity"
        self.holder = subprocess.Popen([*new, "sh", "-c", script], stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "mounted\n", "no file system can be mounted here"
        self.enter = ["nsenter", f"--target={self.holder.pid}", "--mount"]
        if os.geteuid() != 0:
            self.enter += ["--user", "--preserve-credentials"]
        self.seen_from_outside = pathlib.Path(f"/proc/{self.holder.pid}/root{folder}")

    def close(self):
        self.holder.kill()
        self.holder.wait()


@pytest.fixture
def small_disk(tmp_path):
    if not shutil.which("nsenter"):
        pytest.fail("util-linux is not installed")
    disk = SmallDisk(tmp_path / "disk", 48)
    (disk.seen_from_outside / "filler").write_bytes(bytes(16 << 20))
    yield disk
    disk.close()


@pytest.fixture
def daemon(small_disk, tmp_path):
    one = support.Daemon(tmp_path / "atoll")
    one.data, one.data_seen = tmp_path / "disk" / "data", small_disk.seen_from_outside / "data"
    one.prefix = small_disk.enter
    yield one.start()
    if one.process.poll() is None:
        one.kill()


def fill(call):
    """Calls with 0, 1, 2, ... until one fails, and returns how many were answered."""
    for number in range(1000):
        try:
            call(number)
        except (BotoCoreError, ClientError, OSError):
            return number
    raise AssertionError("the disk never was full")


def test_nothing_acknowledged_is_lost_when_the_disk_is_full(daemon, small_disk):
    sqs, dynamodb = daemon.client("sqs"), daemon.client("dynamodb")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    dynamodb.create_table(TableName="table", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                          AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
    items = fill(lambda number: (dynamodb.put_item(TableName="table", Item={"id": {"S": str(number)}, "v": {"S": "x" * 60_000}}),
                                 sqs.send_message(QueueUrl=queue, MessageBody=f"{number} " + "x" * 60_000)))
    assert items > 20
    assert daemon.process.wait(timeout=10) != 0
    assert "No space left on device" in (daemon.folder / "log").read_text()
    (small_disk.seen_from_outside / "filler").unlink()
    daemon.start()
    dynamodb, sqs = daemon.client("dynamodb"), daemon.client("sqs")
    for number in range(items):
        assert dynamodb.get_item(TableName="table", Key={"id": {"S": str(number)}})["Item"]["v"]["S"] == "x" * 60_000
    seen = set()
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages"):
        seen |= {int(message["Body"].split()[0]) for message in messages}
    assert set(range(items)) <= seen


def test_an_upload_that_does_not_fit_is_refused(daemon, small_disk):
    s3 = daemon.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="small", Body=b"x" * 100_000)
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="bucket", Key="large", Body=b"x" * (40 << 20))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 503)
    assert s3.get_object(Bucket="bucket", Key="small")["Body"].read() == b"x" * 100_000
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["small"]
    (small_disk.seen_from_outside / "filler").unlink()
    s3.put_object(Bucket="bucket", Key="later", Body=b"x" * (20 << 20))
