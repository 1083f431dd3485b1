"""Services of probes that call each other through the mesh."""
import json
import pathlib
import subprocess
import urllib.request

from fleet import NETWORK, Fleet
from support import wait_for

PROBE = pathlib.Path(__file__).parent / "mesh_probe"


def probe_archive():
    built = PROBE / "build" / "probe.tar"
    if not built.exists() or built.stat().st_mtime < (PROBE / "probe.cc").stat().st_mtime:
        subprocess.run([PROBE / "build.sh"], check=True, capture_output=True)
    return built


class MeshFleet(Fleet):
    """A fleet whose image is the probe."""

    def __init__(self, daemon):
        super().__init__(daemon, probe_archive())
        self.network = NETWORK

    def serve(self, name, env=None, command=("serve",), count=1, app_protocol="http", connect=None, **more):
        port = {"containerPort": 8080, "name": "web"}
        if app_protocol:
            port["appProtocol"] = app_protocol
        definition = self.register(name, env=env, command=list(command), portMappings=[port])
        if connect:
            more["serviceConnectConfiguration"] = connect
        self.ecs.create_service(cluster="c", serviceName=name, taskDefinition=definition, desiredCount=count, launchType="FARGATE", networkConfiguration=self.network, **more)
        self.steady(name)

    def ask(self, service, url, *headers):
        """What a task of a service gets from a URL."""
        out = self.exec(self.tasks_of(service)[0]["taskArn"], "/probe", "get", url, *headers)
        return json.loads(out)

    def ask_often(self, service, count, url):
        out = self.exec(self.tasks_of(service)[0]["taskArn"], "/probe", "many", str(count), url)
        return [(int(line.split()[0]), line.split()[1]) for line in out.splitlines()]

    def hops(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.daemon.port}/_atoll/mesh") as reply:
            return json.loads(reply.read())

    def namespace(self, name):
        cloud_map = self.daemon.client("servicediscovery")
        operation = cloud_map.create_http_namespace(Name=name)["OperationId"]
        return wait_for(lambda: cloud_map.get_operation(OperationId=operation)["Operation"].get("Targets", {}).get("NAMESPACE"), what="the namespace")
