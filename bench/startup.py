#!/usr/bin/env python3
"""From exec to the first answer, memory while idle, and the deploy of the example."""
import http.client
import os
import pathlib
import subprocess
import tempfile
import time

from measure import ROOT, median, reexec_in_venv, resident_mb, row

reexec_in_venv()
from support import ATOLL, Daemon  # noqa: E402

RUNS = int(os.environ.get("RUNS", "11"))


def first_answer(data, port):
    start = time.perf_counter()
    process = subprocess.Popen([ATOLL, "start", "--foreground", "--port", str(port), "--data", data], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/_atoll/health")
            assert connection.getresponse().status == 200
            break
        except OSError:
            time.sleep(0.0005)
    took = time.perf_counter() - start
    time.sleep(0.3)
    memory = resident_mb(process.pid)
    process.terminate()
    process.wait()
    return took * 1000, memory


with tempfile.TemporaryDirectory() as folder:
    times, memory = zip(*(first_answer(folder + "/data", 14570) for _ in range(RUNS)))
    row("exec to first 200, median", f"{median(times):.1f} ms", "goal 20 ms")
    row("idle memory", f"{max(memory):.1f} MB", "goal 30 MB")
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([ROOT / "examples/orders/build.sh"], check=True)
    daemon = Daemon(pathlib.Path(folder)).start()
    times = []
    for i in range(5):
        start = time.perf_counter()
        daemon.command("deploy", str(ROOT / "examples/orders/template.yaml"), "--stack", f"orders-{i}", "--port", str(daemon.port))
        times.append(time.perf_counter() - start)
    row("deploy of examples/orders, median", f"{median(times):.2f} s", "goal 2 s")
    daemon.stop()
