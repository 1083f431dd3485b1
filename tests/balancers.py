"""Load balancers for tests: made through the API, spoken to on their own addresses."""
import collections
import http.client
import json
import socket
import threading
import urllib.request

from support import wait_for
from upstream import free_port


def address_of(daemon, dns):
    return json.load(urllib.request.urlopen(daemon.url + "/_atoll/names"))[dns]


class Balancer:
    def __init__(self, daemon, name, port=None):
        self.daemon, self.name, self.elb = daemon, name, daemon.client("elbv2")
        made = self.elb.create_load_balancer(Name=name, Subnets=daemon.subnets())["LoadBalancers"][0]
        self.arn, self.dns = made["LoadBalancerArn"], made["DNSName"]
        self.address, self.port = address_of(daemon, self.dns), port or free_port()
        self.listener = None

    def group(self, name, *ports, wait=True, attributes=(), **settings):
        settings = {"Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip", "HealthCheckPath": "/health", "HealthCheckIntervalSeconds": 5,
                    "HealthCheckTimeoutSeconds": 2, **settings}
        arn = self.elb.create_target_group(Name=f"{self.name}-{name}", **settings)["TargetGroups"][0]["TargetGroupArn"]
        if attributes:
            self.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value} for key, value in attributes])
        if ports:
            self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": port} for port in ports])
        if self.listener is None:
            self.listen({"Type": "forward", "TargetGroupArn": arn})
        if ports and wait:
            self.until_healthy(arn, len(ports))
        return arn

    def listen(self, *actions, **settings):
        made = self.elb.create_listener(**{"LoadBalancerArn": self.arn, "Protocol": "HTTP", "Port": self.port, "DefaultActions": list(actions), **settings})
        self.listener = made["Listeners"][0]["ListenerArn"]

    def states(self, group):
        return [(one["TargetHealth"]["State"], one["TargetHealth"].get("Reason")) for one in self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]]

    def until_healthy(self, group, count):
        wait_for(lambda: [state for state, _ in self.states(group)].count("healthy") == count, what="healthy targets")

    def connect(self, timeout=10):
        return http.client.HTTPConnection(self.address, self.port, timeout=timeout)

    def ask(self, method="GET", target="/", headers=None, body=None):
        connection = self.connect()
        connection.request(method, target, body=body, headers=headers or {})
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        return reply, content

    def raw(self, sent, until=b"", seconds=5):
        with socket.create_connection((self.address, self.port), timeout=seconds) as connection:
            connection.sendall(sent)
            out = b""
            while not until or until not in out:
                piece = connection.recv(65536)
                if not piece:
                    break
                out += piece
            return out


class Load:
    """Asks for /version all the time, and counts what comes back."""

    def __init__(self, balancer, threads=4):
        self.balancer, self.seen, self.errors, self.going = balancer, collections.Counter(), [], True
        self.threads = [threading.Thread(target=self.ask) for _ in range(threads)]

    def ask(self):
        while self.going:
            try:
                reply, content = self.balancer.ask("GET", "/version")
                if reply.status == 200:
                    self.seen[json.loads(content)["version"]] += 1
                else:
                    self.errors.append(reply.status)
            except OSError as error:
                self.errors.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        for thread in self.threads:
            thread.join()
