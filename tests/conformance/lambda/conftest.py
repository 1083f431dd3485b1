"""One daemon for the Lambda tests, and clients that talk to it."""
import io
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request
import zipfile

import boto3
import pytest
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROLE = "arn:aws:iam::000000000000:role/lambda"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    def __init__(self, data):
        self.data, self.port = data, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        binary = os.environ.get("ATOLL_BINARY", str(ROOT / "build/release/atoll"))
        self.process = subprocess.Popen([binary, "start", "--foreground", "--port", str(self.port), "--data", str(self.data)])
        for _ in range(200):
            try:
                return urllib.request.urlopen(self.url + "/_atoll/health").read()
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("the daemon does not start")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
                            config=Config(retries={"max_attempts": 0}, read_timeout=70))

    def advance(self, seconds):
        order = json.dumps({"action": "advance", "seconds": seconds}).encode()
        request = urllib.request.Request(f"{self.url}/_atoll/clock", data=order, method="POST")
        urllib.request.urlopen(request).read()


@pytest.fixture(scope="session")
def daemon(tmp_path_factory):
    one = Daemon(tmp_path_factory.mktemp("atoll"))
    one.start()
    yield one
    one.process.terminate()
    one.process.wait(10)


@pytest.fixture(scope="session")
def functions(daemon):
    return daemon.client("lambda")


@pytest.fixture(scope="session")
def queues(daemon):
    return daemon.client("sqs")


def zip_of(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name.replace("__", "/").replace("_dot_", "."))
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, text)
    return buffer.getvalue()


@pytest.fixture
def make(functions):
    made = []

    def create(text, runtime="nodejs20.x", name=None, **kwargs):
        name = name or f"f-{time.monotonic_ns()}"
        file = "index_dot_py" if runtime.startswith("python") else "bootstrap" if runtime.startswith("provided") else "index_dot_js"
        functions.create_function(FunctionName=name, Runtime=runtime, Role=ROLE, Handler="index.handler", Code={"ZipFile": zip_of(**{file: text})}, **kwargs)
        made.append(name)
        return name
    yield create
    for name in made:
        try:
            functions.delete_function(FunctionName=name)
        except functions.exceptions.ResourceNotFoundException:
            pass


def eventually(check, seconds=15):
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.05)
