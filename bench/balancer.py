#!/usr/bin/env python3
"""An application load balancer as a reverse proxy: Atoll, nginx and HAProxy in turn, before the same two upstreams.

CPU per request is that of the proxy's processes (user and system, from /proc); the upstreams are nginx, the client is
wrk or h2load. "relay" copies bytes without looking at them (relay.cc): what the kernel alone costs. Every proxy keeps its upstream connections alive, logs no requests and checks its targets' health
(nginx only passively: it has no other way).

    bench/balancer.py [connections ...]       the default is 1, 64 and 1000
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from measure import median, reexec_in_venv, row, wait_until_serving

reexec_in_venv()
import boto3  # noqa: E402

from support import ATOLL, Daemon  # noqa: E402

ROUNDS, SECONDS = int(os.environ.get("ROUNDS", "3")), int(os.environ.get("SECONDS", "4"))
UPSTREAMS = (14701, 14702)
BODY = "x" * 200
TICKS = os.sysconf("SC_CLK_TCK")


def need(tool):
    if not shutil.which(tool) and not pathlib.Path(f"/usr/sbin/{tool}").exists():
        subprocess.run(["apt-get", "install", "-y", "-q", {"h2load": "nghttp2-client"}.get(tool, tool)], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["service", tool, "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tree(pid):
    """The process and its children."""
    out, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        out.append(one)
        try:
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            pass
    return out


def cpu_seconds(pid):
    total = 0
    for one in tree(pid):
        try:
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total / TICKS


def start_nginx(folder, name, servers):
    configuration = folder / f"{name}.conf"
    configuration.write_text(f"""
daemon off; worker_processes 2; pid {folder}/{name}.pid; error_log {folder}/{name}.log error; worker_rlimit_nofile 65536;
events {{ worker_connections 20000; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 300; client_body_temp_path {folder}; proxy_temp_path {folder};
fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder}; {servers} }}""")
    return subprocess.Popen(["nginx", "-c", str(configuration)], stderr=subprocess.DEVNULL)


def upstreams(folder):
    servers = "".join(f'server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ default_type text/plain; return 200 "{BODY}"; }} }} ' for port in UPSTREAMS)
    return start_nginx(folder, "upstreams", servers)


def nginx_proxy(folder, certificate):
    members = "".join(f"server 127.0.0.1:{port}; " for port in UPSTREAMS)
    location = "location / { proxy_pass http://pool; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $host; " \
               "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Port $server_port; }"
    servers = f"upstream pool {{ {members} keepalive 1000; keepalive_requests 1000000000; }} server {{ listen 127.0.0.1:14711 backlog=4096 reuseport; {location} }} " \
              f"server {{ listen 127.0.0.1:14712 ssl http2 backlog=4096 reuseport; ssl_certificate {certificate}; ssl_certificate_key {certificate}; {location} }}"
    return start_nginx(folder, "proxy", servers), "http://127.0.0.1:14711", "https://127.0.0.1:14712"


def haproxy(folder, certificate):
    members = "\n".join(f"  server s{port} 127.0.0.1:{port} check inter 5s" for port in UPSTREAMS)
    configuration = folder / "haproxy.cfg"
    configuration.write_text(f"""
global
  nbthread 2
  maxconn 9000
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 10s
  option forwardfor
  http-reuse always
frontend plain
  bind 127.0.0.1:14721
  default_backend pool
frontend secure
  bind 127.0.0.1:14722 ssl crt {certificate} alpn h2,http/1.1
  default_backend pool
backend pool
  balance roundrobin
  option httpchk GET /
  http-request set-header X-Forwarded-Proto http
{members}
""")
    return subprocess.Popen(["haproxy", "-db", "-f", str(configuration)], stdout=subprocess.DEVNULL, stderr=open(folder / "haproxy.log", "w")), "http://127.0.0.1:14721", "https://127.0.0.1:14722"


def atoll(folder, certificate):
    daemon = Daemon(folder / "atoll").start()
    made = {"endpoint_url": daemon.url, "region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    elb, acm = boto3.client("elbv2", **made), boto3.client("acm", **made)
    balancer = elb.create_load_balancer(Name="bench", Subnets=daemon.subnets())["LoadBalancers"][0]
    group = elb.create_target_group(Name="bench", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip", HealthCheckIntervalSeconds=5,
                                    HealthCheckTimeoutSeconds=2)["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port} for port in UPSTREAMS])
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    pem = pathlib.Path(certificate).read_text()
    cut = pem.index("-----BEGIN PRIVATE KEY-----")
    arn = acm.import_certificate(Certificate=pem[:cut].encode(), PrivateKey=pem[cut:].encode())["CertificateArn"]
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=14731, DefaultActions=forward)
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTPS", Port=14732, DefaultActions=forward, Certificates=[{"CertificateArn": arn}],
                        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    elb.get_waiter("target_in_service").wait(TargetGroupArn=group, WaiterConfig={"Delay": 1})
    listening = subprocess.run(["ss", "-ltnH"], capture_output=True, text=True, check=True).stdout
    address = re.search(r"(127\.\d+\.\d+\.\d+):14731", listening)[1]
    return daemon, f"http://{address}:14731", f"https://{address}:14732"


def relay():
    """Not a peer: what copying bytes from socket to socket costs here, the floor of every proxy."""
    binary = ATOLL.parent / "bench_relay"
    subprocess.run(["ninja", "-C", ATOLL.parent, "bench_relay"], check=True, stdout=subprocess.DEVNULL)
    return subprocess.Popen([binary, "14741", *map(str, UPSTREAMS)]), "http://127.0.0.1:14741", None


def wrk(url, connections):
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}", "--latency", url + "/"], capture_output=True, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", out)
    if bad and "timeout 0" not in bad[0].replace("read 0, write 0, ", ""):
        print("   ", bad[0])
    number, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", out).groups()
    return int(re.search(r"(\d+) requests in", out)[1]), float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def h2load(url, connections):
    out = subprocess.run(["h2load", "-t1", f"-c{connections}", "-m10", f"-D{SECONDS}", url + "/"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"(\d+) succeeded", out)[1]), 0.0


def main():
    connections = [int(one) for one in sys.argv[1:]] or [1, 64, 1000]
    for tool in ("nginx", "haproxy", "wrk", "h2load"):
        need(tool)
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        certificate = folder / "both.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-days", "30",
                        "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, stderr=subprocess.DEVNULL)
        certificate.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
        behind = upstreams(folder)
        wait_until_serving(f"http://127.0.0.1:{UPSTREAMS[0]}")
        started = {"atoll": atoll(folder, certificate), "nginx": nginx_proxy(folder, certificate), "haproxy": haproxy(folder, certificate), "relay": relay()}
        try:
            time.sleep(1)
            measured = {}
            cases = [(f"HTTP/1.1, {n} connections", wrk, 1, n) for n in connections]
            cases += [("HTTPS, HTTP/1.1, 64 connections", wrk, 2, 64), ("HTTPS, HTTP/2, 64 connections x 10 streams", h2load, 2, 64)]
            for what, load, scheme, n in cases:
                for _ in range(ROUNDS):
                    for name, entry in started.items():
                        if not entry[scheme]:
                            continue
                        pid = entry[0].process.pid if name == "atoll" else entry[0].pid
                        before = cpu_seconds(pid)
                        requests, latency = load(entry[scheme], n)
                        measured.setdefault((what, name), []).append(((cpu_seconds(pid) - before) / max(requests, 1) * 1e6, requests / SECONDS, latency))
                own = median([one[0] for one in measured[what, "atoll"]])
                for name in (name for name in started if (what, name) in measured):
                    runs = measured[what, name]
                    cpu, rate, latency = (median([run[i] for run in runs]) for i in range(3))
                    ratio = "" if name == "atoll" else f"ratio {own / cpu:.2f}"
                    row(f"{what}: {name}", f"{cpu:6.1f} us CPU/request", f"{rate:8.0f}/s  p50 {latency:6.0f} us  {ratio}")
        finally:
            behind.terminate()
            for name, entry in started.items():
                entry[0].stop() if name == "atoll" else entry[0].terminate()


if __name__ == "__main__":
    main()
