#!/usr/bin/env python3
"""What a hop through the mesh costs: requests one after the other on one kept-alive connection, from a task to a
server in the same task (direct), to another task's address (as any connection of a sandbox), and through the mesh.

The three take turns; each figure is the median of the medians. Then how many requests a second pass on 64 connections.
Usage: bench/mesh.py [--count 5000] [--turns 5] [--connections 64] [--seconds 3]"""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))
from mesh_fleet import MeshFleet  # noqa: E402
from support import Daemon  # noqa: E402


def cpu_micros(daemon):
    """What each of the daemon's threads has used."""
    out = []
    for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir():
        user, system = (task / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
        out.append((int(task.name), (int(user) + int(system)) * 1_000_000 // os.sysconf("SC_CLK_TCK")))
    return dict(out)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=5000)
    options.add_argument("--turns", type=int, default=5)
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--seconds", type=int, default=3)
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(pathlib.Path(folder)).start()
        try:
            fleet = MeshFleet(daemon)
            fleet.namespace("bench")
            served = {"enabled": True, "namespace": "bench", "services": [{"portName": "web", "clientAliases": [{"port": 80, "dnsName": "served"}]}]}
            fleet.serve("served", connect=served)
            fleet.serve("caller", connect={"enabled": True, "namespace": "bench"})
            task = fleet.tasks_of("caller")[0]["taskArn"]
            address = fleet.tasks_of("served")[0]["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
            ways = {"direct": ("127.0.0.1", "8080"), "relayed": (address, "8080"), "mesh": ("served", "80")}
            took = {way: [] for way in ways}
            for _ in range(args.turns):
                for way, (host, port) in ways.items():
                    took[way].append(int(fleet.exec(task, "/probe", "bench", str(args.count), host, port)) / 1000)
            rates, costs, busiest = ({way: [] for way in ways} for _ in range(3))
            for _ in range(args.turns):
                for way, (host, port) in ways.items():
                    before = cpu_micros(daemon)
                    rates[way].append(int(fleet.exec(task, "/probe", "load", str(args.connections), str(args.seconds), host, port).split()[0]))
                    used = [micros - before.get(thread, 0) for thread, micros in cpu_micros(daemon).items()]
                    costs[way].append(sum(used) / max(1, rates[way][-1] * args.seconds))
                    busiest[way].append(100 * max(used) / max(1, sum(used)))
            medians = {way: statistics.median(all_of) for way, all_of in took.items()}
            for way in ways:
                print(f"{way:8} {medians[way]:7.1f} us   {' '.join(f'{one:.1f}' for one in took[way])}")
            print(f"the mesh adds {medians['mesh'] - medians['direct']:.1f} us to a direct connection, {medians['mesh'] - medians['relayed']:.1f} us to a relayed one")
            for way in ways:
                print(f"{way:8} {statistics.median(rates[way]):9.0f} requests/s on {args.connections} connections, {statistics.median(costs[way]):.1f} us of the daemon's CPU each, {statistics.median(busiest[way]):.0f} % of it in one thread   {' '.join(map(str, rates[way]))}")
        finally:
            daemon.stop()


if __name__ == "__main__":
    main()
