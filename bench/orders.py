#!/usr/bin/env python3
"""POST /orders of the example: through gateway, Node, the pricing function, table and queue; and in turn the same handler
in plain Node servers, one for each processor, that call the same pricing function, table and queue."""
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.parse

from measure import ROOT, reexec_in_venv, resident_mb, row, wrk

reexec_in_venv()
from support import Daemon  # noqa: E402

SECONDS = int(os.environ.get("SECONDS", "10"))

with tempfile.TemporaryDirectory() as folder:
    subprocess.run([ROOT / "examples/orders/build.sh"], check=True)
    daemon = Daemon(pathlib.Path(folder)).start()
    daemon.command("deploy", str(ROOT / "examples/orders/template.yaml"), "--stack", "orders", "--port", str(daemon.port))
    url = urllib.parse.urlsplit(daemon.command("status", "--output", "orders.Url", "--port", str(daemon.port)).strip())
    os.environ["ATOLL_HOST"] = url.netloc
    script = str(pathlib.Path(__file__).with_name("orders.lua"))
    output = lambda name: daemon.command("status", "--output", f"orders.{name}", "--port", str(daemon.port)).strip()
    functions = daemon.client("lambda").list_functions()["Functions"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    peer = subprocess.Popen(["node", pathlib.Path(__file__).with_name("orders_peer.js"), str(port), str(os.cpu_count())], stderr=subprocess.DEVNULL, env={
        **daemon.environment(), "TABLE": output("Table"), "QUEUE_URL": output("QueueUrl"),
        "PRICING": next(f["FunctionName"] for f in functions if "Pricing" in f["FunctionName"])})
    targets = {"through everything": daemon.url, "plain Node servers": f"http://127.0.0.1:{port}"}
    time.sleep(1)
    for target in targets.values():
        wrk(target + "/orders", script, seconds=8, threads=1)  # everything booted, and the code compiled
    for connections in (1, 16):
        medians = {}
        for name, target in targets.items():
            rate, medians[name], failed = wrk(target + "/orders", script, connections=connections, seconds=SECONDS, threads=1)
            row(f"POST /orders {name}, {connections} connections", f"{rate:,.0f}/s  p50 {medians[name]:.2f} ms  {failed} failed",
                "goal p50 4 ms" if connections == 16 and target == daemon.url else "")
        row("  ratio of the medians", f"{medians['through everything'] / medians['plain Node servers']:.2f}")
    peer.terminate()
    peer.wait()
    row("memory of the daemon afterwards", f"{resident_mb(daemon.process.pid):.0f} MB")
    daemon.stop()
