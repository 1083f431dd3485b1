"""What the benchmarks share: the daemon of the tests, wrk, and peers installed on first use."""
import pathlib
import re
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.dont_write_bytecode = True

VENV = ROOT / "build" / "venv" / "bin" / "python"

def reexec_in_venv():
    """The daemon's clients need boto3: run in the tests' virtual environment."""
    try:
        import boto3  # noqa: F401
    except ImportError:
        if not VENV.exists():
            subprocess.run([ROOT / "tools/setup/python.sh"], check=True)
        import os
        os.execv(VENV, [str(VENV), *sys.argv])


def wrk(url, script, connections=16, seconds=5, threads=2):
    """Requests per second, median latency in ms and the number of failed replies."""
    out = subprocess.run(["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}", "--latency", "-s", script, url],
                         capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    number, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", out).groups()
    median = float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return rate, median, int(failed[1]) if failed else 0


def wait_until_serving(url, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")


def resident_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def row(what, value, goal=""):
    print(f"{what:<52} {value:<28} {goal}", flush=True)


def median(values):
    return statistics.median(values)
