"""Network load balancers: TCP, TLS and UDP through to their targets."""
import socket
import ssl
import struct
import threading

import pytest

from balancers import address_of
from support import wait_for
from upstream import free_port


class TcpServer:
    """Answers each connection with `serve(connection, peer)` on a thread of its own."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(serve,), daemon=True).start()

    def accept(self, serve):
        while True:
            try:
                connection, peer = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection, peer), daemon=True).start()


def network(daemon, name, protocol, targets, attributes=(), listener=(), **group):
    elb = daemon.client("elbv2")
    made = elb.create_load_balancer(Name=name, Type="network", Subnets=daemon.subnets(1))["LoadBalancers"][0]
    arn = elb.create_target_group(Name=name, Port=80, VpcId="vpc-1", TargetType="ip", **{"Protocol": protocol, **group})["TargetGroups"][0]["TargetGroupArn"]
    if attributes:
        elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value} for key, value in attributes])
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": port} for port in targets])
    port = free_port()
    elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol=protocol, Port=port, DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}], **dict(listener))
    wait_for(lambda: {one["TargetHealth"]["State"] for one in elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]} == {"healthy"}, what="healthy targets")
    return address_of(daemon, made["DNSName"]), port


def shout(connection, peer):
    """Sends back what it gets in capitals until its end, then says who asked."""
    while piece := connection.recv(65536):
        connection.sendall(piece.upper())
    connection.sendall(f"|{peer[0]}".encode())
    connection.close()


def test_tcp_passes_both_ways_with_half_closes(daemon):
    where = network(daemon, "tcp", "TCP", [TcpServer(shout).port])
    data = b"hello " * 100_000
    with socket.create_connection(where, timeout=10) as connection:
        sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        got = b""
        while piece := connection.recv(65536):
            got += piece
        sender.join()
    assert got == data.upper() + b"|127.0.0.1"


def test_the_target_speaks_first(daemon):
    where = network(daemon, "greet", "TCP", [TcpServer(lambda connection, _: (connection.sendall(b"220 welcome"), connection.close())).port])
    with socket.create_connection(where, timeout=10) as connection:
        assert connection.recv(100) == b"220 welcome" and connection.recv(100) == b""


def test_the_client_address_is_preserved(daemon):
    where = network(daemon, "source", "TCP", [TcpServer(shout).port])
    with socket.create_connection(where, timeout=10, source_address=("127.0.0.9", 0)) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b"|127.0.0.9"


def test_proxy_protocol(daemon):
    where = network(daemon, "proxy", "TCP", [TcpServer(lambda connection, _: (connection.sendall(connection.recv(100)), connection.close())).port],
                    attributes=[("proxy_protocol_v2.enabled", "true")])
    with socket.create_connection(where, timeout=10) as connection:
        local = connection.getsockname()
        header = connection.recv(100)
    assert header[:12] == b"\r\n\r\n\0\r\nQUIT\n" and header[12:16] == b"\x21\x11\x00\x0c"
    assert socket.inet_ntoa(header[16:20]) == "127.0.0.1" and socket.inet_ntoa(header[20:24]) == where[0]
    assert struct.unpack(">HH", header[24:28]) == (local[1], where[1])


def test_dead_targets_are_passed_over(daemon):
    first, second = TcpServer(shout), TcpServer(shout)
    where = network(daemon, "dead", "TCP", [first.port, second.port])
    second.listener.shutdown(socket.SHUT_RDWR)   # wakes the thread that accepts
    second.listener.close()
    for _ in range(10):
        with socket.create_connection(where, timeout=10) as connection:
            connection.sendall(b"x")
            assert connection.recv(10) == b"X"


def test_tls_ends_at_the_balancer(daemon):
    acm = daemon.client("acm")
    arn = acm.request_certificate(DomainName="db.example.com")["CertificateArn"]
    wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="certificate")
    elb = daemon.client("elbv2")
    made = elb.create_load_balancer(Name="ends", Type="network", Subnets=daemon.subnets(1))["LoadBalancers"][0]
    group = elb.create_target_group(Name="ends", Protocol="TCP", Port=80, VpcId="vpc-1", TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": TcpServer(shout).port}])
    port = free_port()
    elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol="TLS", Port=port, Certificates=[{"CertificateArn": arn}],
                        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    where = address_of(daemon, made["DNSName"]), port
    trust = ssl.create_default_context(cafile=daemon.data / "acm" / "authority.pem")
    data = b"secret " * 50_000
    with socket.create_connection(where, timeout=10) as plain, trust.wrap_socket(plain, server_hostname="db.example.com") as connection:
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        got = b""
        while len(got) < len(data):
            got += connection.recv(65536)
        sender.join()
    assert got == data.upper()


def test_udp(daemon):
    def answer(server):
        while True:
            data, peer = server.recvfrom(2000)
            server.sendto(data.upper() + b"|" + peer[0].encode(), peer)

    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    threading.Thread(target=answer, args=(server,), daemon=True).start()
    probe = TcpServer(shout)   # the checks of UDP groups are TCP
    where = network(daemon, "udp", "UDP", [server.getsockname()[1]], HealthCheckProtocol="TCP", HealthCheckPort=str(probe.port))
    for _ in range(3):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.connect(where)
            for text in (b"one", b"two"):
                client.send(text)
                assert client.recv(2000).startswith(text.upper())


def test_network_rules_of_the_api(daemon):
    elb = daemon.client("elbv2")
    made = elb.create_load_balancer(Name="strict", Type="network", Subnets=daemon.subnets(1))["LoadBalancers"][0]
    http = elb.create_target_group(Name="strict-http", Protocol="HTTP", Port=80, VpcId="vpc-1")["TargetGroups"][0]["TargetGroupArn"]
    with pytest.raises(elb.exceptions.IncompatibleProtocolsException):
        elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol="TCP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": http}])
    with pytest.raises(elb.exceptions.ClientError, match="must be one of 'TCP, TLS, UDP, TCP_UDP'"):
        elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": http}])
    assert {one["Key"] for one in elb.describe_load_balancer_attributes(LoadBalancerArn=made["LoadBalancerArn"])["Attributes"]} >= {"load_balancing.cross_zone.enabled"}


def held_connection(where):
    connection = socket.create_connection(where, timeout=10)
    connection.sendall(b"x")
    assert connection.recv(10) == b"X"
    return connection


def test_connections_to_an_unhealthy_target_end(daemon):
    elb = daemon.client("elbv2")
    for name, ends in (("cuts", "true"), ("keeps", "false")):
        health, other = TcpServer(shout), TcpServer(shout)
        serving = TcpServer(shout)
        where = network(daemon, name, "TCP", [serving.port], [("target_health_state.unhealthy.connection_termination.enabled", ends)], HealthCheckPort=str(health.port), HealthCheckIntervalSeconds=5,
                        UnhealthyThresholdCount=2, HealthyThresholdCount=2)
        group = elb.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"]
        connection = held_connection(where)
        # With no healthy target at all a balancer would ask the unhealthy ones.
        elb.modify_target_group(TargetGroupArn=group, HealthCheckPort="traffic-port")
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": other.port}])

        def healthy():
            return [one["Target"]["Port"] for one in elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"] if one["TargetHealth"]["State"] == "healthy"]
        wait_for(lambda: len(healthy()) == 2, what="two healthy targets")
        serving.listener.shutdown(socket.SHUT_RDWR)
        serving.listener.close()

        def alone():
            daemon.advance(5)
            return healthy() == [other.port]
        wait_for(alone, what="the target to be unhealthy")
        connection.settimeout(1)
        if ends == "true":
            assert connection.recv(10) == b""
        else:
            connection.sendall(b"y")
            assert connection.recv(10) == b"Y"
        connection.close()


def test_flows_to_an_unhealthy_target_end(daemon):
    elb = daemon.client("elbv2")

    def answer(server, name):
        while True:
            data, peer = server.recvfrom(2000)
            server.sendto(name + data, peer)
    servers, probes = {}, {}
    for name in (b"one", b"two"):
        probes[name] = TcpServer(shout)   # the checks of UDP groups are TCP, and at the same port
        servers[name] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        servers[name].bind(("127.0.0.1", probes[name].port))
        threading.Thread(target=answer, args=(servers[name], name), daemon=True).start()
    where = network(daemon, "udp-cut", "UDP", [one.port for one in probes.values()], HealthCheckProtocol="TCP", HealthCheckIntervalSeconds=5, UnhealthyThresholdCount=2)
    group = elb.describe_target_groups(Names=["udp-cut"])["TargetGroups"][0]["TargetGroupArn"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.connect(where)
        client.send(b"!")
        first = client.recv(100)[:-1]
        client.send(b"!")
        assert client.recv(100)[:-1] == first   # a flow stays where it is
        probes[first].listener.shutdown(socket.SHUT_RDWR)
        probes[first].listener.close()

        def left_out():
            daemon.advance(5)
            return "unhealthy" in [one["TargetHealth"]["State"] for one in elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]]
        wait_for(left_out, what="the target to be unhealthy")

        def moved():
            client.send(b"!")
            return client.recv(100)[:-1] != first
        wait_for(moved, what="the flow to go elsewhere")


def test_connections_end_with_the_deregistration_delay(daemon):
    elb = daemon.client("elbv2")
    server, other = TcpServer(shout), TcpServer(shout)
    where = network(daemon, "delayed", "TCP", [server.port], [("deregistration_delay.connection_termination.enabled", "true"), ("deregistration_delay.timeout_seconds", "60")])
    group = elb.describe_target_groups(Names=["delayed"])["TargetGroups"][0]["TargetGroupArn"]
    connection = held_connection(where)
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": other.port}])
    elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": server.port}])
    connection.sendall(b"y")
    assert connection.recv(10) == b"Y"   # it drains
    daemon.advance(61)
    assert connection.recv(10) == b""


def test_attributes_that_are_not_served_are_named(daemon):
    elb = daemon.client("elbv2")
    group = elb.create_target_group(Name="named", Protocol="TCP", Port=80, VpcId="vpc-1")["TargetGroups"][0]["TargetGroupArn"]
    with pytest.raises(elb.exceptions.ClientError, match="draining_interval_seconds"):
        elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[{"Key": "target_health_state.unhealthy.draining_interval_seconds", "Value": "10"}])
