"""The DNS server on the wire, asked by dig: answers, chains, policies, negative answers, truncation, forwarding."""
import collections
import json
import re
import socket
import subprocess
import threading
import urllib.request

import pytest

from support import function_package, wait_for


def dns_port(daemon):
    return json.load(urllib.request.urlopen(f"{daemon.url}/_atoll/dns"))["port"]


def dig(daemon, *arguments):
    """The reply's code, flags, answers as (name, ttl, type, value), and authority."""
    out = subprocess.run(["dig", "@127.0.0.1", "-p", str(dns_port(daemon)), "+time=5", "+tries=1", "+noall", "+comments", "+answer", "+authority", *arguments],
                         capture_output=True, text=True, check=True).stdout
    sections = {"ANSWER": [], "AUTHORITY": []}
    section = None
    for line in out.splitlines():
        if line.startswith(";;") and "SECTION" in line:
            section = line.split()[1]
        elif line and not line.startswith(";") and section in sections:
            name, ttl, _, kind, value = line.split(None, 4)
            sections[section].append((name, int(ttl), kind, value))
    return collections.namedtuple("Reply", "code flags answers authority")(
        re.search(r"status: (\w+)", out)[1], re.search(r"flags: ([\w ]*);", out)[1].split(), sections["ANSWER"], sections["AUTHORITY"])


def values(reply):
    return sorted(one[3] for one in reply.answers)


@pytest.fixture(scope="module")
def zone(daemon):
    route53 = daemon.client("route53")
    made = route53.create_hosted_zone(Name="wire.example", CallerReference="wire")["HostedZone"]["Id"]

    def put(name, kind, *contents, **more):
        body = {"Name": name, "Type": kind, **more}
        if contents:
            body |= {"TTL": 60, "ResourceRecords": [{"Value": one} for one in contents]}
        route53.change_resource_record_sets(HostedZoneId=made, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": body}]})
    put.zone = made.split("/")[-1]
    return put


def test_every_record_type(daemon, zone):
    for kind, text in {"A": "10.0.0.1", "AAAA": "2001:db8::1", "TXT": '"one" "two \\"quoted\\""', "MX": "10 mail.wire.example.", "SRV": "1 2 8080 a.wire.example.",
                       "CAA": '0 issue "amazon.com"', "NS": "ns.other.example.", "PTR": "a.wire.example."}.items():
        zone(f"{kind.lower()}.wire.example", kind, text)
    for kind, text in {"A": "10.0.0.1", "AAAA": "2001:db8::1", "TXT": '"one" "two \\"quoted\\""', "MX": "10 mail.wire.example.", "SRV": "1 2 8080 a.wire.example.",
                       "CAA": '0 issue "amazon.com"', "PTR": "a.wire.example."}.items():
        reply = dig(daemon, f"{kind}.WIRE.example", kind)
        assert reply.code == "NOERROR" and "aa" in reply.flags and values(reply) == [text]
        assert values(dig(daemon, "+tcp", f"{kind}.wire.example", kind)) == [text]
    assert [one[2] for one in dig(daemon, "wire.example", "SOA").answers] == ["SOA"]


def test_missing_names_and_types_carry_the_soa(daemon, zone):
    zone("there.wire.example", "A", "10.0.0.1")
    missing, other = dig(daemon, "missing.wire.example"), dig(daemon, "there.wire.example", "MX")
    assert missing.code == "NXDOMAIN" and other.code == "NOERROR" and not other.answers
    for reply in (missing, other):
        assert [(one[0], one[1], one[2]) for one in reply.authority] == [("wire.example.", 900, "SOA")]


def test_wildcards_aliases_and_chains(daemon, zone):
    zone("*.wild.wire.example", "A", "10.0.0.7")
    zone("target.wire.example", "A", "10.0.0.8")
    zone("alias.wire.example", "A", AliasTarget={"HostedZoneId": zone.zone, "DNSName": "target.wire.example", "EvaluateTargetHealth": False})
    zone("chain.wire.example", "CNAME", "alias.wire.example")
    assert dig(daemon, "a.b.wild.wire.example").answers == [("a.b.wild.wire.example.", 60, "A", "10.0.0.7")]
    assert dig(daemon, "alias.wire.example").answers == [("alias.wire.example.", 60, "A", "10.0.0.8")]
    assert dig(daemon, "chain.wire.example").answers == [("chain.wire.example.", 60, "CNAME", "alias.wire.example."), ("alias.wire.example.", 60, "A", "10.0.0.8")]


def test_delegations_come_with_the_addresses_that_only_the_parent_knows(daemon, zone):
    zone("child.wire.example", "NS", "ns1.Child.wire.example", "ns.other.example")
    zone("ns1.child.wire.example", "A", "192.0.2.53", "192.0.2.54")
    zone("ns1.child.wire.example", "AAAA", "2001:db8::53")
    out = subprocess.run(["dig", "@127.0.0.1", "-p", str(dns_port(daemon)), "+norecurse", "+noall", "+authority", "+additional", "+comments", "a.b.child.wire.example"], capture_output=True, text=True, check=True).stdout
    lines = sorted(line.split() for line in out.splitlines() if line and not line.startswith(";"))
    assert [(one[0].lower(), one[3], one[4].lower()) for one in lines] == [
        ("child.wire.example.", "NS", "ns.other.example."), ("child.wire.example.", "NS", "ns1.child.wire.example."), ("ns1.child.wire.example.", "A", "192.0.2.53"),
        ("ns1.child.wire.example.", "A", "192.0.2.54"), ("ns1.child.wire.example.", "AAAA", "2001:db8::53")]
    assert "aa" not in re.search(r"flags: ([\w ]*);", out)[1].split()


def test_weights_are_kept(daemon, zone):
    zone("w.wire.example", "A", "10.0.1.1", SetIdentifier="a", Weight=3)
    zone("w.wire.example", "A", "10.0.1.2", SetIdentifier="b", Weight=1)
    zone("w.wire.example", "A", "10.0.1.3", SetIdentifier="c", Weight=0)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.connect(("127.0.0.1", dns_port(daemon)))
    udp.settimeout(5)
    seen = collections.Counter()
    for _ in range(1000):
        udp.send(b"\0\1\1\0\0\1\0\0\0\0\0\0\1w\4wire\7example\0\0\1\0\1")
        seen[socket.inet_ntoa(udp.recv(512)[-4:])] += 1
    assert set(seen) == {"10.0.1.1", "10.0.1.2"} and 650 < seen["10.0.1.1"] < 850


def test_latency_and_geolocation_take_the_daemons_region(daemon, zone):
    for region, value in {"us-east-1": "10.0.2.1", "eu-west-1": "10.0.2.2"}.items():
        zone("near.wire.example", "A", value, SetIdentifier=region, Region=region)
    assert values(dig(daemon, "near.wire.example")) == ["10.0.2.1"]
    zone("geo.wire.example", "A", "10.0.3.1", SetIdentifier="eu", GeoLocation={"ContinentCode": "EU"})
    assert dig(daemon, "geo.wire.example").code == "NOERROR" and not dig(daemon, "geo.wire.example").answers
    zone("geo.wire.example", "A", "10.0.3.2", SetIdentifier="any", GeoLocation={"CountryCode": "*"})
    assert values(dig(daemon, "geo.wire.example")) == ["10.0.3.2"]
    zone("geo.wire.example", "A", "10.0.3.3", SetIdentifier="us", GeoLocation={"CountryCode": "US"})
    assert values(dig(daemon, "geo.wire.example")) == ["10.0.3.3"]


def test_long_answers_come_over_tcp(daemon, zone):
    many = [f"10.1.{i // 250}.{i % 250 + 1}" for i in range(300)]
    zone("many.wire.example", "A", *many)
    assert "tc" in dig(daemon, "+ignore", "many.wire.example").flags
    assert len(dig(daemon, "many.wire.example").answers) == 300
    multi = [f"10.2.0.{i}" for i in range(1, 13)]
    for one in multi:
        zone("multi.wire.example", "A", one, SetIdentifier=one, MultiValueAnswer=True)
    assert len(set(values(dig(daemon, "multi.wire.example")))) == 8


def test_endpoint_names_mean_this_machine(daemon):
    for name in ("abc.execute-api.us-east-1.localhost", "abc.execute-api.eu-west-1.amazonaws.com", "x.lambda-url.us-east-1.on.aws", "bucket.s3.localhost.localstack.cloud"):
        assert values(dig(daemon, name)) == ["127.0.0.1"]


def test_malformed_packets_do_not_matter(daemon):
    port = dns_port(daemon)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.settimeout(5)
    for packet in (b"", b"\0", b"\xff" * 12, b"\0\1\0\0\0\1\0\0\0\0\0\0\xff", bytes(600)):
        udp.sendto(packet, ("127.0.0.1", port))
    udp.sendto(b"\0\7\x28\0\0\1\0\0\0\0\0\0", ("127.0.0.1", port))
    replies = set()
    while 7 not in replies:
        replies.add(int.from_bytes(udp.recv(512)[:2], "big"))
    tcp = socket.create_connection(("127.0.0.1", port), timeout=5)
    question = b"\0\1\1\0\0\1\0\0\0\0\0\0\4wire\7example\0\0\6\0\1"
    tcp.sendall((len(question).to_bytes(2, "big") + question) * 2)  # two at once, in one stream
    received = b""
    while received.count(question[12:]) < 2:
        received += tcp.recv(4096)


def test_records_and_zones_survive_a_kill(new_daemon):
    daemon = new_daemon()
    route53 = daemon.client("route53")
    made = route53.create_hosted_zone(Name="kept.example", CallerReference="kept")["HostedZone"]["Id"]
    route53.change_resource_record_sets(HostedZoneId=made, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
        "Name": "a.kept.example", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "10.0.0.1"}]}}]})
    daemon.kill()
    daemon.start()
    assert values(dig(daemon, "a.kept.example")) == ["10.0.0.1"]
    urllib.request.urlopen(urllib.request.Request(f"{daemon.url}/_atoll/reset", method="POST")).read()
    wait_for(lambda: dig(daemon, "a.kept.example").code != "NOERROR", what="the reset")


class Resolver(threading.Thread):
    """A resolver that knows one address for everything."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.asked = []

    def run(self):
        while True:
            packet, peer = self.socket.recvfrom(2048)
            end = packet.index(b"\0", 12) + 5
            self.asked.append(packet[12:end])
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\xc0\0\2\7"
            self.socket.sendto(packet[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + packet[12:end] + answer, peer)


def test_the_rest_is_forwarded(new_daemon, tmp_path):
    try:
        resolver = Resolver("127.0.0.153")
    except PermissionError:
        pytest.skip("port 53 is for root")
    resolver.start()
    configuration = tmp_path / "resolv.conf"
    configuration.write_text("nameserver 127.0.0.153\n")
    daemon = new_daemon("--resolv-conf", str(configuration))
    reply = dig(daemon, "www.elsewhere.example")
    assert values(reply) == ["192.0.2.7"] and "aa" not in reply.flags and "ra" in reply.flags
    assert dig(daemon, "+norecurse", "www.elsewhere.example").code == "REFUSED"
    route53 = daemon.client("route53")
    made = route53.create_hosted_zone(Name="out.example", CallerReference="out")["HostedZone"]["Id"]
    route53.change_resource_record_sets(HostedZoneId=made, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
        "Name": "a.out.example", "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": "www.elsewhere.example"}]}}]})
    # A chain that leaves our zones is followed for the client.
    assert [one[2:] for one in dig(daemon, "a.out.example").answers] == [("CNAME", "www.elsewhere.example."), ("A", "192.0.2.7")]
    # Machines move between networks, and lose them.
    configuration.write_text("")
    wait_for(lambda: dig(daemon, "www.elsewhere.example").code == "REFUSED", what="the resolver to be forgotten")
    configuration.write_text("nameserver 127.0.0.153\n")
    wait_for(lambda: values(dig(daemon, "www.elsewhere.example")) == ["192.0.2.7"], what="the resolver to be found")
    silent = new_daemon("--resolv-conf", "/dev/null")
    assert dig(silent, "www.elsewhere.example").code == "REFUSED"


LOOK_UP = """
import socket, urllib.request
def handler(event, context):
    out = {"address": socket.gethostbyname(event["name"])}
    if "url" in event:
        out["body"] = urllib.request.urlopen(event["url"], timeout=5).read().decode()
    return out
"""


def test_functions_find_zones_and_balancers(daemon, zone):
    """From inside a sandbox: a zone's name resolves, and an alias of a balancer leads to it."""
    if "shared with the host" in daemon.command("doctor", check=False):
        pytest.skip("sandboxes have no network of their own here")
    functions, balancers = daemon.client("lambda"), daemon.client("elbv2")
    functions.create_function(FunctionName="names", Runtime="python3.11", Handler="index.handler", Role="arn:aws:iam::000000000000:role/r", Timeout=20,
                              Code={"ZipFile": function_package(LOOK_UP, "index.py")})
    functions.get_waiter("function_active_v2").wait(FunctionName="names", WaiterConfig={"Delay": 1})

    def invoke(event):
        reply = functions.invoke(FunctionName="names", Payload=json.dumps(event).encode())
        assert "FunctionError" not in reply, reply["Payload"].read()
        return json.loads(reply["Payload"].read())
    zone("inside.wire.example", "A", "10.77.0.1")
    assert invoke({"name": "inside.wire.example"}) == {"address": "10.77.0.1"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    balancer = balancers.create_load_balancer(Name="inside", Subnets=daemon.subnets())["LoadBalancers"][0]
    balancers.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=port, DefaultActions=[
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "from the balancer", "ContentType": "text/plain"}}])
    zone("lb.wire.example", "A", AliasTarget={"HostedZoneId": balancer["CanonicalHostedZoneId"], "DNSName": balancer["DNSName"], "EvaluateTargetHealth": False})
    wait_for(lambda: dig(daemon, "lb.wire.example").answers, what="the balancer's name")
    assert invoke({"name": "lb.wire.example", "url": f"http://lb.wire.example:{port}/"})["body"] == "from the balancer"


def free_port_53():
    try:
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        probe.bind(("127.0.0.1", 53))
        return True
    except OSError:
        return False


@pytest.mark.skipif(not free_port_53(), reason="port 53 is for root, or taken")
@pytest.mark.parametrize("kind", ["file", "link"])
def test_install_and_remove_leave_nothing_behind(new_daemon, tmp_path, kind):
    before = "# mine\nsearch a.example\nnameserver 127.0.0.9\noptions ndots:2\n"
    path = tmp_path / "resolv.conf"
    if kind == "link":
        path.symlink_to("elsewhere")
    path.resolve().write_text(before)
    inode, changed = path.stat().st_ino, path.stat().st_mtime_ns
    daemon = new_daemon("--dns-port", "53", "--resolv-conf", str(path))
    at = ("--port", str(daemon.port), "--resolv-conf", str(path))
    assert "no:" in daemon.command("dns", *at)
    daemon.command("dns", "install", *at)
    lines = path.read_text().splitlines()
    assert lines[1] == "nameserver 127.0.0.1" and "\n".join(lines[2:]) + "\n" == before
    assert "yes:" in daemon.command("dns", *at)
    # What was there is still asked for the rest, also by a daemon that starts now.
    daemon.stop()
    daemon.start()
    assert json.load(urllib.request.urlopen(f"{daemon.url}/_atoll/dns"))["upstream"] == ["127.0.0.9"]
    with pytest.raises(RuntimeError, match="already installed"):
        daemon.command("dns", "install", *at)
    daemon.command("dns", "remove", *at)
    assert path.read_text() == before and (path.stat().st_ino, path.stat().st_mtime_ns) == (inode, changed) and path.is_symlink() == (kind == "link")
    assert sorted(one.name for one in tmp_path.iterdir() if not one.name.startswith("atoll-")) == sorted({"resolv.conf", path.resolve().name})
