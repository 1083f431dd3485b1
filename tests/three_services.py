"""examples/three-services as a running system, and users who ask it all the time."""
import collections
import http.client
import json
import socket
import ssl
import subprocess
import threading
import time

from balancers import address_of
from support import ROOT, wait_for

EXAMPLE = ROOT / "examples" / "three-services"
TEMPLATE = (EXAMPLE / "template.yaml").read_text()
HOST = "service1.example.com"


class Users:
    """Clients over HTTPS that ask all the time, and count what they see."""

    def __init__(self, system, count=4, target="/version", pause=0.002):
        self.system, self.target, self.pause = system, target, pause
        self.stopping, self.failures, self.versions, self.total = False, [], collections.Counter(), 0
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(count)]

    def run(self):
        connection = None
        while not self.stopping:
            try:
                if connection is None:
                    connection = self.system.connect()
                connection.request("GET", self.target, headers={"Host": HOST})
                reply = connection.getresponse()
                body = reply.read()
                self.total += 1
                if reply.status != 200:
                    self.failures.append((time.time(), reply.status, body[:80]))
                else:
                    self.versions[json.loads(body).get("version")] += 1
                if reply.will_close:
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.failures.append((time.time(), repr(error), b""))
                connection = None
            time.sleep(self.pause)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_for(lambda: self.total > 20, what="the first requests")
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join(10)


def is_open(address, port):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


class System:
    def __init__(self, daemon):
        self.daemon = daemon
        self.cloudformation, self.ecs, self.elb = (daemon.client(name) for name in ("cloudformation", "ecs", "elbv2"))
        self.parameters = {"RequestsPerTask": "100"}
        subprocess.run([EXAMPLE / "service1" / "build.sh"], check=True, capture_output=True)
        for tag in ("v1", "v2"):
            daemon.command("image", "import", str(EXAMPLE / "service1" / "build" / "service1.tar"), "--name", f"service1:{tag}", "--port", str(daemon.port))
        began = time.monotonic()
        self.deploy()
        self.deployed_in = time.monotonic() - began
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in self.describe()["Outputs"]}
        self.address = address_of(daemon, self.outputs["Address"].lower())
        # Without the privilege to take ports below 1024 the balancer listens on others, and says so in its log.
        self.port = 443 if is_open(self.address, 443) else 8443
        self.trust = ssl.create_default_context(cafile=daemon.data / "acm" / "authority.pem")

    def describe(self):
        return self.cloudformation.describe_stacks(StackName="three")["Stacks"][0]

    def deploy(self, **parameters):
        self.parameters.update(parameters)
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
        call = self.cloudformation.update_stack if parameters else self.cloudformation.create_stack
        call(StackName="three", TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM"], Parameters=given)
        return wait_for(lambda: (lambda status: status if not status.endswith("IN_PROGRESS") else None)(self.describe()["StackStatus"]), 60, "the stack")

    def connect(self):
        connection = http.client.HTTPSConnection(HOST, self.port, timeout=10, context=self.trust)
        connection._create_connection = lambda _, timeout, source: socket.create_connection((self.address, self.port), timeout)   # noqa: SLF001
        return connection

    def ask(self, method="GET", target="/version", body=None):
        connection = self.connect()
        connection.request(method, target, body=body, headers={"Host": HOST})
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        return reply.status, json.loads(content)

    def healthy(self):
        shown = self.elb.describe_target_health(TargetGroupArn=self.outputs["Targets"])["TargetHealthDescriptions"]
        return [(one["Target"]["Id"], one["Target"]["Port"]) for one in shown if one["TargetHealth"]["State"] == "healthy"]

    def tasks(self):
        arns = self.ecs.list_tasks(cluster=self.outputs["Cluster"])["taskArns"]
        return self.ecs.describe_tasks(cluster=self.outputs["Cluster"], tasks=arns)["tasks"] if arns else []

    def scale(self, count):
        self.ecs.update_service(cluster=self.outputs["Cluster"], service=self.outputs["Service"], desiredCount=count)
