#!/usr/bin/env python3
"""examples/three-services as a fleet: its deploy and deletion by CloudFormation, growing from 2 to 50 containers that
are all healthy behind the balancer and answer, kill -9 of the daemon and its return; and what one sandbox costs.

"answering" is when every target has been described as healthy and a request over HTTPS got its reply.
Usage: bench/fleet.py [--turns 3] [--count 50]"""
import argparse
import pathlib
import subprocess
import tempfile
import time

from measure import ROOT, median, reexec_in_venv, row

reexec_in_venv()
from support import Daemon, wait_for  # noqa: E402
from three_services import System  # noqa: E402


def seconds(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def until_gone(system):
    def is_gone():
        stacks = system.cloudformation.list_stacks()["StackSummaries"]
        return all(one["StackStatus"] == "DELETE_COMPLETE" for one in stacks if one["StackName"] == "three")
    system.cloudformation.delete_stack(StackName="three")
    wait_for(is_gone, 30, "the stack's deletion")


def grow(system, count):
    system.scale(count)
    wait_for(lambda: len(system.healthy()) == count, 60, f"{count} healthy targets")
    assert system.ask()[0] == 200


def crash(daemon, system, count):
    """From its return: until every task runs, is healthy, and users are answered."""
    daemon.kill()
    began = time.monotonic()
    daemon.start()
    returned = time.monotonic() - began

    def is_whole():
        service = system.ecs.describe_services(cluster=system.outputs["Cluster"], services=[system.outputs["Service"]])["services"][0]
        return service["runningCount"] == count and len(system.healthy()) == count
    wait_for(is_whole, 60, f"{count} healthy targets after kill -9")
    assert system.ask()[0] == 200
    return returned, time.monotonic() - began


def one_turn(daemon, count, took):
    system = System(daemon)
    took["deploy"].append(system.deployed_in)
    wait_for(lambda: len(system.healthy()) == 2, what="two healthy targets")
    took["grow"].append(seconds(lambda: grow(system, count)))
    returned, whole = crash(daemon, system, count)
    took["return"].append(returned)
    took["whole"].append(whole)
    system.scale(2)
    wait_for(lambda: len(system.tasks()) == 2, 60, "two tasks")
    took["delete"].append(seconds(lambda: until_gone(system)))


def show(what, values, goal):
    row(what, f"median {median(values):.2f} s", f"goal {goal}; {' '.join(f'{one:.2f}' for one in values)}")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--count", type=int, default=50)
    args = options.parse_args()
    took = {what: [] for what in ("deploy", "grow", "return", "whole", "delete")}
    for _ in range(args.turns):
        with tempfile.TemporaryDirectory() as folder:
            daemon = Daemon(pathlib.Path(folder)).start()
            try:
                one_turn(daemon, args.count, took)
            finally:
                daemon.stop()
    show("deploy of examples/three-services", took["deploy"], "3 s")
    show("its deletion, with two tasks", took["delete"], "2 s")
    show(f"2 to {args.count} containers, healthy and answering", took["grow"], "1 s")
    show("kill -9: until the daemon answers again", took["return"], "")
    show(f"kill -9: until {args.count} containers are healthy again", took["whole"], "1 s")
    subprocess.run(["ninja", "-C", ROOT / "build/release", "bench_sandboxes"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([ROOT / "build/release/bench_sandboxes"], check=True)


if __name__ == "__main__":
    main()
