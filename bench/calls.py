#!/usr/bin/env python3
"""SendMessage, PutItem and GetItem per second with wrk (16 connections): Atoll, dynalite and moto's server in turn."""
import os
import pathlib
import subprocess
import sys
import tempfile

from measure import ROOT, median, reexec_in_venv, row, wait_until_serving, wrk

reexec_in_venv()
import boto3  # noqa: E402

from support import Daemon  # noqa: E402

ROUNDS, SECONDS = int(os.environ.get("ROUNDS", "3")), int(os.environ.get("SECONDS", "5"))
SCRIPT = str(pathlib.Path(__file__).with_name("calls.lua"))
PEERS = ROOT / "build" / "bench"


def client(service, url):
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def make_table(url):
    client("dynamodb", url).create_table(
        TableName="bench", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    client("dynamodb", url).get_waiter("table_exists").wait(TableName="bench", WaiterConfig={"Delay": 1})


def make_queue(url):
    return client("sqs", url).create_queue(QueueName="bench")["QueueUrl"]


def dynalite():
    if not (PEERS / "node_modules" / "dynalite").exists():
        PEERS.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(PEERS), "dynalite@4.0.0"], check=True)
    process = subprocess.Popen(["node", str(PEERS / "node_modules/dynalite/cli.js"), "--port", "14567", "--createTableMs", "0"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until_serving("http://127.0.0.1:14567")
    return process, "http://127.0.0.1:14567"


def moto():
    venv = PEERS / "moto"
    if not venv.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([venv / "bin/pip", "install", "-q", "moto[server,sqs]"], check=True)
    process = subprocess.Popen([venv / "bin/moto_server", "-p", "14568"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until_serving("http://127.0.0.1:14568")
    return process, "http://127.0.0.1:14568"


def load(call, url, queue=""):
    os.environ.update(ATOLL_CALL=call, ATOLL_QUEUE_URL=queue)
    rate, latency, failed = wrk(url + "/", SCRIPT, seconds=SECONDS)
    if failed:
        raise RuntimeError(f"{call} at {url}: {failed} replies were errors")
    return rate, latency


def main():
    with tempfile.TemporaryDirectory() as folder:
        ours = Daemon(pathlib.Path(folder)).start()
        peers = {"dynalite": dynalite(), "moto": moto()}
        try:
            make_table(ours.url)
            make_table(peers["dynalite"][1])
            queue, moto_queue = make_queue(ours.url), make_queue(peers["moto"][1])
            work = [("SendMessage", "moto", moto_queue, 50_000, 100), ("PutItem", "dynalite", "", 30_000, 2.5), ("GetItem", "dynalite", "", 50_000, 2.5)]
            for call, peer, peer_queue, goal, ratio_goal in work:
                mine, theirs, latency = [], [], []
                for _ in range(ROUNDS):
                    rate, middle = load(call, ours.url, queue)
                    mine.append(rate)
                    latency.append(middle)
                    theirs.append(load(call, peers[peer][1], peer_queue)[0])
                row(f"{call}, atoll", f"{median(mine):,.0f}/s  p50 {median(latency):.2f} ms", f"goal {goal:,}/s")
                row(f"{call}, {peer}", f"{median(theirs):,.0f}/s")
                row(f"{call}, atoll / {peer}", f"{median([a / b for a, b in zip(mine, theirs)]):.1f}x", f"goal {ratio_goal}x")
        finally:
            for process, _ in peers.values():
                process.terminate()
            ours.stop()


main()
