"""Parts of the first service are killed and cut off at random under load: what was acknowledged stays, requests that may be
tried again do not fail, and everything heals. ATOLL_CUT_ROUNDS chooses how many rounds (8 by default), ATOLL_CUT_SEED which."""
import os
import pathlib
import random
import signal
import threading
import time

import pytest

from support import Daemon, wait_for
from three_services import System, Users

ROUNDS, SEED = int(os.environ.get("ATOLL_CUT_ROUNDS", "8")), int(os.environ.get("ATOLL_CUT_SEED", "1"))


@pytest.fixture
def system(tmp_path):
    daemon = Daemon(tmp_path / "cuts").start()
    yield System(daemon)
    daemon.stop()


def service_processes(daemon):
    """The main processes of the service's containers, below this daemon alone."""
    parents, names = {}, {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        parents[int(folder.name)] = int(stat.rsplit(")", 1)[1].split()[1])
        names[int(folder.name)] = stat.split("(", 1)[1].rsplit(")", 1)[0]

    def is_ours(pid):
        while pid > 1:
            if pid == daemon.process.pid:
                return True
            pid = parents.get(pid, 0)
        return False

    return [pid for pid, name in names.items() if name == "service1" and is_ours(pid)]


class Writer:
    """Puts items one after the other, and remembers which were acknowledged."""

    def __init__(self, system):
        self.system, self.acknowledged, self.stopping = system, [], False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        number = 0
        while not self.stopping:
            number += 1
            try:
                if self.system.ask("PUT", f"/items/{number}", f"item {number}")[0] == 200:
                    self.acknowledged.append(number)
            except Exception:   # noqa: BLE001 - not acknowledged, whatever the reason
                time.sleep(0.05)
            time.sleep(0.01)

    def stop(self):
        self.stopping = True
        self.thread.join(15)


def running(system):
    return {task["taskArn"] for task in system.tasks()}


def settle(system, count, before=frozenset(), gone=0):
    """Until so many of those that were there before are gone, and all that should be are healthy."""
    began = time.monotonic()

    def is_settled():
        now = running(system)
        return len(before & now) <= len(before) - gone and len(now) == count == len(system.healthy()) == len(service_processes(system.daemon))

    wait_for(is_settled, 30, f"{count} healthy tasks")
    return time.monotonic() - began


def test_cut_at_random(system):
    dice, writer, count, healed = random.Random(SEED), Writer(system), 3, []
    system.scale(count)
    settle(system, count)
    for _ in range(ROUNDS):
        deed = dice.choice(["process", "task", "scale", "daemon", "two processes"])
        if deed == "daemon":
            # Nobody answers until it is back: then everybody does.
            system.daemon.kill()
            system.daemon.start()
            healed.append(settle(system, count))
            with Users(system) as users:
                time.sleep(0.3)
            assert users.failures == [], deed
            continue
        with Users(system) as users:
            before, gone = running(system), 1
            if deed == "scale":
                gone, count = 0, dice.randint(2, 5)
                system.scale(count)
            elif deed == "task":
                system.ecs.stop_task(cluster=system.outputs["Cluster"], task=dice.choice(system.tasks())["taskArn"])
            else:
                # However many go at once, one stays.
                gone = min(count - 1, 2 if deed == "two processes" else 1)
                for pid in dice.sample(service_processes(system.daemon), gone):
                    os.kill(pid, signal.SIGKILL)
            healed.append(settle(system, count, before, gone))
        assert users.failures == [], deed
    writer.stop()
    print("healed after", ", ".join(f"{seconds:.2f} s" for seconds in healed), "with", len(writer.acknowledged), "items")
    assert len(writer.acknowledged) > 10
    lost = [number for number in writer.acknowledged if system.ask("GET", f"/items/{number}")[0] != 200]
    assert lost == []
    # No container outlives its task.
    assert len(service_processes(system.daemon)) == count
