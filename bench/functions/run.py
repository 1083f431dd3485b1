#!/usr/bin/env python3
"""How long invocations take: warm, cold, and on runtimes that were booted ahead. Needs build/release/atoll.

    bench/functions/run.py
"""
import base64
import http.client
import io
import json
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def zip_of(name, data):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, data)
    return base64.b64encode(buffer.getvalue()).decode()


class Daemon:
    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen([ROOT / "build/release/atoll", "start", "--foreground", "--port", str(self.port), "--data", folder, "--log-level", "warn"])
        while True:
            try:
                self.api = http.client.HTTPConnection("127.0.0.1", self.port)
                self.call("GET", "/_atoll/health")
                return
            except OSError:
                time.sleep(0.005)

    def call(self, method, path, body=None):
        self.api.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        reply = self.api.getresponse()
        data = reply.read()
        assert reply.status < 300, data
        return data

    def create(self, name, runtime, package, **more):
        self.call("POST", "/2015-03-31/functions", json.dumps({"FunctionName": name, "Runtime": runtime, "Handler": "index.handler",
                  "Role": "arn:aws:iam::000000000000:role/bench", "Code": {"ZipFile": package}, **more}))

    def invoke(self, name):
        start = time.perf_counter()
        assert json.loads(self.call("POST", f"/2015-03-31/functions/{name}/invocations", b'{"n":1}')) == {"n": 1}
        return (time.perf_counter() - start) * 1000


def show(what, times, goal=""):
    times = sorted(times)
    print(f"{what:48} median {statistics.median(times):8.2f} ms   best {times[0]:8.2f}   worst {times[-1]:8.2f}   {goal}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        native = folder + "/bootstrap"
        subprocess.run(["clang++-19", "-O2", "-static", "-o", native, pathlib.Path(__file__).with_name("bootstrap.cc")], check=True)
        native_zip = zip_of("bootstrap", pathlib.Path(native).read_bytes())
        node_zip = zip_of("index.js", "exports.handler = async (event) => event")
        python_zip = zip_of("index.py", "def handler(event, context):\n  return event")
        plain = []
        bare = {"PATH": os.environ["PATH"]}   # with NODE_EXTRA_CA_CERTS or NODE_OPTIONS Node would be slower
        for _ in range(20):
            start = time.perf_counter()
            subprocess.run(["node", "-e", "0"], check=True, env=bare)
            plain.append((time.perf_counter() - start) * 1000)
        daemon = Daemon(folder + "/data")
        try:
            for i in range(20):
                daemon.create(f"native{i}", "provided.al2023", native_zip)
            for i in range(8):
                daemon.create(f"node{i}", "nodejs20.x", node_zip)
                # A variable that must be there before the interpreter starts rules out a booted runtime.
                daemon.create(f"cold{i}", "nodejs20.x", node_zip, Environment={"Variables": {"NODE_OPTIONS": "--no-warnings"}})
                daemon.create(f"python{i}", "python3.11", python_zip)
            time.sleep(1)
            show("native, cold", [daemon.invoke(f"native{i}") for i in range(20)], "goal 10 ms")
            show("plain `node -e 0`", plain)
            show("node, cold", [daemon.invoke(f"cold{i}") for i in range(8)], f"goal {1.3 * statistics.median(plain):.0f} ms")
            for kind in ("node", "python"):
                times = []
                for i in range(8):
                    times.append(daemon.invoke(f"{kind}{i}"))
                    time.sleep(0.6)
                show(f"{kind}, runtime booted ahead", times[1:], "goal 20 ms" if kind == "node" else "")
            for kind in ("native", "node", "python"):
                show(f"{kind}, warm", [daemon.invoke(f"{kind}0") for _ in range(2000)], "goal 0.5 ms" if kind == "node" else "")
        finally:
            daemon.process.terminate()
            daemon.process.wait()


main()
