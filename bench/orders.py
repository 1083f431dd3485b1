#!/usr/bin/env python3
"""POST /orders of the example: through gateway, Node, the pricing function, table and queue, at 16 connections."""
import os
import pathlib
import subprocess
import tempfile
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
    wrk(daemon.url + "/orders", script, seconds=3)  # every environment booted
    for connections in (1, 16):
        rate, median, failed = wrk(daemon.url + "/orders", script, connections=connections, seconds=SECONDS, threads=1)
        row(f"POST /orders, {connections} connections", f"{rate:,.0f}/s  p50 {median:.2f} ms  {failed} failed", "goal p50 4 ms" if connections == 16 else "")
    row("memory of the daemon afterwards", f"{resident_mb(daemon.process.pid):.0f} MB")
    daemon.stop()
