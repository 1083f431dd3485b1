"""What the tests share: a daemon of their own, on a free port with its own data folder, and waiting for conditions."""
import io
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request
import zipfile

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Another build of it, like the one under ThreadSanitizer, is tried with ATOLL=build/tsan/atoll.
ATOLL = pathlib.Path(os.environ.get("ATOLL", ROOT / "build" / "release" / "atoll")).absolute()


def function_package(text: str, name: str = "index.js") -> bytes:
    """A deployment package with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


class Daemon:
    """One running atoll."""

    def __init__(self, folder: pathlib.Path, *options: str):
        self.folder, self.options = folder, options
        self.data = folder / "data"
        self.data_seen = self.data  # where the tests find it, when the daemon is in a mount namespace
        self.prefix = []            # of the command: to run it somewhere else
        self.process = None
        self.port = 0

    def start(self) -> "Daemon":
        self.folder.mkdir(parents=True, exist_ok=True)
        log = open(self.folder / "log", "ab")
        # A port once found is kept over restarts, as clients expect.
        self.process = subprocess.Popen(
            [*self.prefix, ATOLL, "start", "--foreground", "--port", str(self.port), "--data", str(self.data), *self.options],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError("atoll ended at once: " + (self.folder / "log").read_text()[-2000:])
            try:
                running = json.loads((self.data_seen / "atoll.pid").read_text())
                if running["pid"] == self.process.pid:
                    self.port = running["port"]
                    return self
            except (OSError, ValueError):
                pass
            time.sleep(0.005)
        raise RuntimeError("atoll did not start: " + (self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, region="us-east-1", key="test", secret="test", **config):
        config.setdefault("read_timeout", 70)
        config.setdefault("retries", {"max_attempts": 0})
        config.setdefault("inject_host_prefix", False)
        return boto3.client(service, endpoint_url=self.url, region_name=region, aws_access_key_id=key,
                            aws_secret_access_key=secret, config=Config(**config))

    def command(self, *arguments: str, check=True, **kwargs) -> str:
        done = subprocess.run([ATOLL, *arguments], capture_output=True, text=True, timeout=120, **kwargs)
        if check and done.returncode != 0:
            raise RuntimeError(f"atoll {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def environment(self) -> dict:
        """For AWS tools that run as programs of their own."""
        return {**os.environ, "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1", "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true"}

    def subnets(self, count=2) -> list:
        """Of the default VPC."""
        return [one["SubnetId"] for one in self.client("ec2").describe_subnets()["Subnets"][:count]]

    def advance(self, seconds: float) -> None:
        request = urllib.request.Request(f"{self.url}/_atoll/clock", method="POST",
                                         data=json.dumps({"action": "advance", "seconds": seconds}).encode())
        urllib.request.urlopen(request).read()


def wait_for(condition, seconds=20.0, what="condition"):
    """Polls until the condition gives something true, and gives that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
