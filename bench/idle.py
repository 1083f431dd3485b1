#!/usr/bin/env python3
"""10,000 idle connections and 2,000 clients that send their heads and bodies a byte at a time: memory, and what others wait."""
import http.client
import pathlib
import resource
import socket
import tempfile
import time

from measure import median, reexec_in_venv, resident_mb, row

reexec_in_venv()

from support import Daemon  # noqa: E402

IDLE, SLOW = 10_000, 2_000
BOUND_MB = 200  # beyond what the daemon has without them


def latency(port):
    """Median and 99th percentile of a call on a connection of its own, in ms."""
    took = []
    for _ in range(300):
        start = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/_atoll/health")
        assert connection.getresponse().read()
        connection.close()
        took.append((time.perf_counter() - start) * 1000)
    return median(took), sorted(took)[int(len(took) * 0.99)]


def connect(port, count):
    """From several addresses: one has some 28,000 ports, of which others may be in use."""
    out = []
    for i in range(count):
        s = socket.socket()
        s.bind((f"127.0.0.{2 + i % 8}", 0))
        s.connect(("127.0.0.1", port))
        out.append(s)
    return out


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 40_000), hard))
    with tempfile.TemporaryDirectory() as folder:
        ours = Daemon(pathlib.Path(folder)).start()
        try:
            before = resident_mb(ours.process.pid)
            row("alone", "p50 %.2f ms  p99 %.2f ms" % latency(ours.port), f"memory {before:.0f} MB")
            idle = connect(ours.port, IDLE)
            with_idle = resident_mb(ours.process.pid)
            row(f"{IDLE:,} idle connections", "p50 %.2f ms  p99 %.2f ms" % latency(ours.port),
                f"memory {with_idle:.0f} MB, {(with_idle - before) * 1024 / IDLE:.1f} KB each")
            slow = connect(ours.port, SLOW)
            head, upload = b"GET /_atoll/health HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"PUT /slow/key HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
            for i, s in enumerate(slow):
                s.sendall(head if i % 2 else upload)
            for _ in range(20):
                for s in slow:
                    try:
                        s.sendall(b"x")
                    except OSError:
                        pass  # ended by the daemon, which is its right
            with_slow = resident_mb(ours.process.pid)
            row(f"and {SLOW:,} slow ones", "p50 %.2f ms  p99 %.2f ms" % latency(ours.port),
                f"memory {with_slow:.0f} MB, bound {before + BOUND_MB:.0f} MB: {'held' if with_slow < before + BOUND_MB else 'BROKEN'}")
            for s in idle + slow:
                s.close()
            time.sleep(1)
            row("when they are gone", "p50 %.2f ms  p99 %.2f ms" % latency(ours.port), f"memory {resident_mb(ours.process.pid):.0f} MB")
        finally:
            ours.stop()


main()
