#!/usr/bin/env python3
"""The DNS server beside knot on the same zone, in turn: queries per second of one thread, and per second of CPU time.

Needs dnsperf and knot (apt: dnsperf knot). The load is one part in ten names that do not exist, the rest plain, aliased (CNAME)
and long answers. Then weighted and health-checked records, which knot does not have, against knot's plain ones.
"""
import json
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from measure import median, reexec_in_venv, row

reexec_in_venv()
from support import Daemon  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = int(os.environ.get("SECONDS_EACH", "5"))
NAMES = 2000
ZONE = "bench.example"
SERVER_CORE, LOAD_CORE = "0", "1"


def address(i):
    return f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


def plain_records():
    """(name, type, values) of the zone that both serve."""
    for i in range(NAMES):
        yield f"n{i}.{ZONE}", "A", [address(i)]
        if i % 10 == 0:
            yield f"c{i}.{ZONE}", "CNAME", [f"n{i}.{ZONE}."]
        if i % 20 == 0:
            yield f"m{i}.{ZONE}", "A", [address(100_000 + i * 8 + k) for k in range(8)]
            yield f"t{i}.{ZONE}", "TXT", ['"v=spf1 include:_spf.example.com -all"']


def queries(names, path):
    chosen = random.Random(1)
    lines = []
    for _ in range(100_000):
        if chosen.random() < 0.1:
            lines.append(f"missing{chosen.randrange(10_000)}.{ZONE} A")
        else:
            name, kind = chosen.choice(names)
            lines.append(f"{name} {kind}")
    path.write_text("\n".join(lines) + "\n")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(port, file, pid):
    """Queries answered per second, and per second of the server's CPU time."""
    before = cpu_seconds(pid)
    out = subprocess.run(["taskset", "-c", LOAD_CORE, "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", file, "-l", str(SECONDS), "-c", "8", "-q", "400"],
                         capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(pid) - before
    answered = int(re.search(r"Queries completed:\s+(\d+)", out)[1])
    rate = float(re.search(r"Queries per second:\s+([\d.]+)", out)[1])
    codes = re.search(r"Response codes:\s+(.*)", out)[1]
    return rate, answered / used, codes


class Knot:
    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        records = "\n".join(f"{name}. 60 IN {kind} {value}" for name, kind, values in plain_records() for value in values)
        (folder / "zone").write_text(f"{ZONE}. 900 IN SOA ns.{ZONE}. mail.{ZONE}. 1 7200 900 1209600 300\n{ZONE}. 900 IN NS ns.{ZONE}.\nns.{ZONE}. 900 IN A 127.0.0.1\n{records}\n")
        (folder / "knot.conf").write_text(f"""
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{folder}/db"
zone:
  - domain: {ZONE}
    file: "{folder}/zone"
""")
        self.process = subprocess.Popen(["taskset", "-c", SERVER_CORE, shutil.which("knotd") or "/usr/sbin/knotd", "-c", folder / "knot.conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Atoll:
    def __init__(self, folder):
        self.daemon = Daemon(folder, "--shards", "1")
        self.daemon.prefix = ["taskset", "-c", SERVER_CORE]
        self.daemon.start()
        self.pid = self.daemon.process.pid
        self.port = json.load(urllib.request.urlopen(f"{self.daemon.url}/_atoll/dns"))["port"]
        self.route53 = self.daemon.client("route53")
        self.zone = self.route53.create_hosted_zone(Name=ZONE, CallerReference="bench")["HostedZone"]["Id"]
        self.put(dict(Name=name, Type=kind, TTL=60, ResourceRecords=[{"Value": v} for v in values]) for name, kind, values in plain_records())

    def put(self, sets):
        sets = list(sets)
        for at in range(0, len(sets), 500):
            self.route53.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": [
                {"Action": "UPSERT", "ResourceRecordSet": one} for one in sets[at:at + 500]]})

    def put_weighted(self):
        check = self.route53.create_health_check(CallerReference="bench", HealthCheckConfig={
            "Type": "TCP", "IPAddress": "127.0.0.1", "Port": self.daemon.port})["HealthCheck"]["Id"]
        self.put(dict(Name=f"w{i}.{ZONE}", Type="A", TTL=60, SetIdentifier=str(k), Weight=k + 1, HealthCheckId=check,
                      ResourceRecords=[{"Value": address(i * 4 + k)}]) for i in range(NAMES // 4) for k in range(4))


def wait_for_dns(port):
    end = time.monotonic() + 20
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.settimeout(0.2)
    question = b"\0\1\1\0\0\1\0\0\0\0\0\0\5bench\7example\0\0\6\0\1"
    while time.monotonic() < end:
        try:
            probe.sendto(question, ("127.0.0.1", port))
            probe.recv(512)
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server does not answer")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "knot").mkdir()
        queries([(one, kind) if kind != "CNAME" else (one, "A") for one, kind, _ in plain_records()], folder / "plain")
        queries([(f"w{i}.{ZONE}", "A") for i in range(NAMES // 4)], folder / "weighted")
        knot, atoll = Knot(folder / "knot", 15391), Atoll(folder / "atoll")
        atoll.put_weighted()
        try:
            for port in (knot.port, atoll.port):
                wait_for_dns(port)
            plain, peer, weighted = [], [], []
            for _ in range(ROUNDS):
                peer.append(load(knot.port, folder / "plain", knot.pid))
                plain.append(load(atoll.port, folder / "plain", atoll.pid))
                weighted.append(load(atoll.port, folder / "weighted", atoll.pid))
            for what, runs in (("knot", peer), ("atoll", plain), ("atoll, weighted and health-checked", weighted)):
                row(what, f"{median(r[0] for r in runs):,.0f}/s", f"{median(r[1] for r in runs):,.0f} per CPU second   {runs[0][2]}")
            base = median(r[1] for r in peer)
            row("ratio per CPU second", f"{median(r[1] for r in plain) / base:.2f}", f"weighted {median(r[1] for r in weighted) / base:.2f}   goal 0.8")
        finally:
            knot.stop()
            atoll.daemon.stop()


if __name__ == "__main__":
    main()
