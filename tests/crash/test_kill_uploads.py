"""kill -9 in the middle of uploads: every object and part that was acknowledged is whole, and the files that the crash
left without a record go after the next start."""
import hashlib
import os
import pathlib
import random
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError
from support import wait_for

ROUNDS = int(os.environ.get("ATOLL_KILL_ROUNDS", "5"))
PART_BYTES = 5 << 20


class Uploads:
    """Clients that write until the daemon dies. `kept` is what was acknowledged last of each key, None while it is in
    doubt; each thread has keys of its own."""

    def __init__(self, daemon, number, kept, parts):
        self.daemon, self.kept, self.parts = daemon, kept, parts
        works = (lambda: self.put(f"{number}/a"), lambda: self.put(f"{number}/b"), lambda: self.upload(f"{number}/c"))
        self.threads = [threading.Thread(target=self.run, args=(work,)) for work in works]

    def run(self, work):
        try:
            work()
        except (BotoCoreError, ClientError, OSError):
            pass

    def put(self, prefix):
        s3 = self.daemon.client("s3")
        for i in range(1_000_000):
            key, bytes_ = f"{prefix}/{i % 20}", os.urandom(20_000 + i % 7 * 50_000)
            self.kept[key] = None
            if i % 5 == 4:
                s3.delete_object(Bucket="bucket", Key=key)
                self.kept[key] = "gone"
            else:
                s3.put_object(Bucket="bucket", Key=key, Body=bytes_)
                self.kept[key] = hashlib.md5(bytes_).hexdigest()

    def upload(self, prefix):
        s3 = self.daemon.client("s3")
        for i in range(1_000_000):
            key, whole = f"{prefix}/{i}", hashlib.md5()
            self.kept[key] = None
            upload = s3.create_multipart_upload(Bucket="bucket", Key=key)["UploadId"]
            etags = []
            for number in (1, 2):
                bytes_ = os.urandom(PART_BYTES + i)
                whole.update(bytes_)
                etags.append(s3.upload_part(Bucket="bucket", Key=key, UploadId=upload, PartNumber=number, Body=bytes_)["ETag"])
                self.parts[upload] = key, list(etags)
            if i % 3 == 2:
                continue  # goes on
            self.parts.pop(upload)
            s3.complete_multipart_upload(Bucket="bucket", Key=key, UploadId=upload, MultipartUpload={
                "Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]})
            self.kept[key] = whole.hexdigest()


def files(daemon) -> set:
    return {path for path in (pathlib.Path(daemon.data) / "blobs").rglob("*") if path.is_file()}


def test_uploads_survive_and_orphans_go(new_daemon):
    daemon = new_daemon()
    daemon.client("s3").create_bucket(Bucket="bucket")
    seed = int(os.environ.get("ATOLL_KILL_SEED", time.time()))
    print("seed", seed)
    pause = random.Random(seed)
    kept, parts = {}, {}
    for number in range(ROUNDS):
        uploads = Uploads(daemon, number, kept, parts)
        for thread in uploads.threads:
            thread.start()
        time.sleep(0.3 + pause.random())
        daemon.kill()
        for thread in uploads.threads:
            thread.join()
        planted = []
        for _ in range(50):
            name = f"{pause.getrandbits(128):032x}"
            planted.append(pathlib.Path(daemon.data) / "blobs" / name[:2] / name)
            planted[-1].parent.mkdir(parents=True, exist_ok=True)
            planted[-1].write_bytes(b"left by a crash")
        daemon.start()
        if number % 2 == 0:  # in the other rounds the search goes on while the next round uploads
            wait_for(lambda: not any(path.exists() for path in planted), what="orphans to go")
    assert sum(1 for digest in kept.values() if digest) > 10 * ROUNDS
    s3 = daemon.client("s3")
    for key, digest in kept.items():
        if digest == "gone":
            assert key not in [one["Key"] for one in s3.list_objects_v2(Bucket="bucket", Prefix=key).get("Contents", [])]
        elif digest:
            assert hashlib.md5(s3.get_object(Bucket="bucket", Key=key)["Body"].read()).hexdigest() == digest, key
    for upload, (key, etags) in parts.items():
        listed = s3.list_parts(Bucket="bucket", Key=key, UploadId=upload)["Parts"]
        assert [part["ETag"] for part in listed][:len(etags)] == etags
        s3.complete_multipart_upload(Bucket="bucket", Key=key, UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]})
        assert len(s3.get_object(Bucket="bucket", Key=key)["Body"].read()) > len(etags) * PART_BYTES - 1
    # When all of it is erased, no file is left.
    daemon.stop()
    daemon.start()
    s3 = daemon.client("s3")
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket="bucket"):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket="bucket", Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bucket"):
        for one in page.get("Contents", []):
            s3.delete_object(Bucket="bucket", Key=one["Key"])
    wait_for(lambda: not files(daemon), what="files to go")
