#!/usr/bin/env python3
"""PutObject, GetObject and ListObjectsV2 (16 connections): Atoll and moto's server in turn on the same work."""
import concurrent.futures
import http.client
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse

from measure import ROOT, median, reexec_in_venv, resident_mb, row, wait_until_serving, wrk

reexec_in_venv()
import boto3  # noqa: E402

from support import Daemon  # noqa: E402

ROUNDS, SECONDS = int(os.environ.get("ROUNDS", "3")), int(os.environ.get("SECONDS", "5"))
KEYS, LARGE_MB, LARGE_AT_ONCE = int(os.environ.get("KEYS", "100000")), 256, 4
SCRIPT = str(pathlib.Path(__file__).with_name("s3.lua"))
PEERS = ROOT / "build" / "bench"
HEADERS = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
           "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}


def moto():
    venv = PEERS / "moto-s3"
    if not venv.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([venv / "bin/pip", "install", "-q", "moto[server,s3]"], check=True)
    process = subprocess.Popen([venv / "bin/moto_server", "-p", "14569"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until_serving("http://127.0.0.1:14569")
    return process, "http://127.0.0.1:14569"


def call(url, method, path, body=None):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=300, blocksize=1 << 20)
    connection.request(method, path, body, HEADERS)
    reply = connection.getresponse()
    size = 0
    while piece := reply.read(1 << 20):
        size += len(piece)
    if reply.status >= 300:
        raise RuntimeError(f"{method} {path}: {reply.status}")
    connection.close()
    return size


def prepare(url):
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    for bucket in ("bench", "listed"):
        s3.create_bucket(Bucket=bucket)
    for size in (1 << 10, 1 << 20):
        call(url, "PUT", f"/bench/{size}/object", b"x" * size)


def fill(url, keys):
    """Keys k000000 and on, by a few connections that stay."""
    def some(first):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=300)
        for at in range(first, keys, 8):
            connection.request("PUT", f"/listed/k{at:06d}", b"x", HEADERS)
            connection.getresponse().read()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(some, range(8)))


def load(name, size, url):
    os.environ.update(S3_CALL=name, S3_BYTES=str(size))
    rate, latency, failed = wrk(url, SCRIPT, seconds=SECONDS)
    if failed:
        raise RuntimeError(f"{name} at {url}: {failed} replies were errors")
    return rate, latency


def large(method, url):
    """MB per second of a few large objects at once."""
    body = b"x" * (LARGE_MB << 20) if method == "PUT" else None
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(LARGE_AT_ONCE) as pool:
        list(pool.map(lambda i: call(url, method, f"/bench/large-{i}", body), range(LARGE_AT_ONCE)))
    return LARGE_AT_ONCE * LARGE_MB / (time.monotonic() - start)


def main():
    # The peer keeps objects in memory; so that disks are not compared, ours lie there too (BENCH_FOLDER says elsewhere).
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER", "/dev/shm")) as folder:
        ours = Daemon(pathlib.Path(folder)).start()
        process, theirs = moto()
        try:
            for url in (ours.url, theirs):
                prepare(url)
            for what, name, size in (("PutObject of 1 KB", "put", 1 << 10), ("GetObject of 1 KB", "get", 1 << 10),
                                     ("PutObject of 1 MB", "put", 1 << 20), ("GetObject of 1 MB", "get", 1 << 20)):
                compare(what, [load(name, size, ours.url) for _ in range(ROUNDS)], [load(name, size, theirs) for _ in range(ROUNDS)])
            for what, method in ((f"PutObject of {LARGE_MB} MB", "PUT"), (f"GetObject of {LARGE_MB} MB", "GET")):
                mine, peer = large(method, ours.url), large(method, theirs)
                row(f"{what}, {LARGE_AT_ONCE} at once, atoll", f"{mine:,.0f} MB/s  {mine / peer:.1f} times moto", f"memory {resident_mb(ours.process.pid):.0f} MB")
            begin = time.monotonic()
            fill(ours.url, KEYS)
            row(f"filling a bucket with {KEYS:,} keys", f"{time.monotonic() - begin:.1f} s")
            # The peer takes minutes to be filled: a tenth will do, and the comparison is kind to it.
            fill(theirs, KEYS // 10)
            compare(f"ListObjectsV2, a page of 1,000 of {KEYS:,}", [load("list", 0, ours.url) for _ in range(ROUNDS)], [load("list", 0, theirs)])
        finally:
            process.terminate()
            ours.stop()


def compare(what, mine, theirs):
    rate, latency, peer = median([r for r, _ in mine]), median([m for _, m in mine]), median([r for r, _ in theirs])
    row(f"{what}, atoll", f"{rate:,.0f}/s  p50 {latency:.2f} ms", f"{rate / peer:.1f} times moto's {peer:,.0f}/s")


main()
