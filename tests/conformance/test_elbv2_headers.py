"""Headers that a listener's attributes add to replies, and what targets are told of a TLS client."""
import json
import subprocess
import urllib.parse

import pytest

from balancers import Balancer
from support import wait_for
from upstream import Upstream

PREFIX = "routing.http.response."


@pytest.fixture(scope="module")
def upstream(daemon):
    with Upstream(name="a") as one:
        yield one


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=20)


@pytest.fixture(scope="module")
def client_certificate(tmp_path_factory):
    at = tmp_path_factory.mktemp("client")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=the authority", "-keyout", at / "ca.key", "-out", at / "ca.pem")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=Shop/CN=a client", "-keyout", at / "key.pem", "-out", at / "request.pem")
    openssl("x509", "-req", "-in", at / "request.pem", "-CA", at / "ca.pem", "-CAkey", at / "ca.key", "-set_serial", "0x03A5B1", "-days", "20", "-out", at / "cert.pem")
    return at


def secure(daemon, upstream, name, **listener):
    acm = daemon.client("acm")
    arn = acm.request_certificate(DomainName=f"{name}.example.com")["CertificateArn"]
    wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="certificate")
    balancer = Balancer(daemon, name)
    group = balancer.elb.create_target_group(Name=name + "-g", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip", HealthCheckPath="/health")["TargetGroups"][0]["TargetGroupArn"]
    balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": upstream.port}])
    balancer.listen({"Type": "forward", "TargetGroupArn": group}, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}], **listener)
    balancer.until_healthy(group, 1)
    return balancer


def seen_by_target(balancer, name, *options):
    host = f"{name}.example.com"
    done = subprocess.run(["curl", "-sS", "-k", "--resolve", f"{host}:{balancer.port}:{balancer.address}", *options, f"https://{host}:{balancer.port}/"],
                          capture_output=True, text=True, timeout=20)
    return json.loads(done.stdout)["headers"] if done.stdout else done.stderr


def test_replies_gain_the_listeners_headers(daemon, upstream):
    balancer = Balancer(daemon, "reply-headers")
    balancer.group("g", upstream.port)
    elb = balancer.elb
    elb.create_rule(ListenerArn=balancer.listener, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/own"]}],
                    Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}])
    assert balancer.ask(target="/own")[0].getheader("server") == "awselb/2.0"
    changed = {"server.enabled": "false", "strict_transport_security.header_value": "max-age=60", "x_frame_options.header_value": "DENY"}
    elb.modify_listener_attributes(ListenerArn=balancer.listener, Attributes=[{"Key": PREFIX + key, "Value": value} for key, value in changed.items()])
    for target in ("/", "/own"):
        reply = balancer.ask(target=target)[0]
        assert reply.headers.get_all("strict-transport-security") == ["max-age=60"] and reply.headers.get_all("x-frame-options") == ["DENY"]
        assert reply.getheader("server") is None and reply.getheader("content-security-policy") is None
    with pytest.raises(elb.exceptions.ClientError, match="not valid"):
        elb.modify_listener_attributes(ListenerArn=balancer.listener, Attributes=[{"Key": PREFIX + "x_frame_options.header_value", "Value": "a\r\nb: c"}])


def test_a_passed_on_certificate(daemon, upstream, client_certificate):
    balancer = secure(daemon, upstream, "passed", MutualAuthentication={"Mode": "passthrough"}, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    balancer.elb.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=[{"Key": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "Value": "true"}])
    balancer.elb.modify_listener_attributes(ListenerArn=balancer.listener, Attributes=[{"Key": "routing.http.request.x_amzn_tls_version.header_name", "Value": "X-Tls"}])
    pem = (client_certificate / "cert.pem").read_text()
    for version in ("--http1.1", "--http2"):
        headers = seen_by_target(balancer, "passed", version, "--cert", client_certificate / "cert.pem", "--key", client_certificate / "key.pem")
        assert urllib.parse.unquote(headers["x-amzn-mtls-clientcert"][0]) == pem, headers
        assert headers["x-tls"] == ["TLSv1.3"] and headers["x-amzn-tls-cipher-suite"][0].startswith("TLS_")
        # Without a certificate, what a client claims to have shown does not pass.
        assert "x-amzn-mtls-clientcert" not in seen_by_target(balancer, "passed", version, "-H", "X-Amzn-Mtls-Clientcert: mine")


def test_a_verified_certificate(daemon, upstream, client_certificate):
    s3 = daemon.client("s3")
    s3.create_bucket(Bucket="elb-trust")
    s3.put_object(Bucket="elb-trust", Key="ca.pem", Body=(client_certificate / "ca.pem").read_bytes())
    store = daemon.client("elbv2").create_trust_store(Name="clients", CaCertificatesBundleS3Bucket="elb-trust", CaCertificatesBundleS3Key="ca.pem")["TrustStores"][0]["TrustStoreArn"]
    balancer = secure(daemon, upstream, "verified", MutualAuthentication={"Mode": "verify", "TrustStoreArn": store})
    for version in ("--http1.1", "--http2"):
        headers = seen_by_target(balancer, "verified", version, "--cert", client_certificate / "cert.pem", "--key", client_certificate / "key.pem")
        assert headers["x-amzn-mtls-clientcert-serial-number"] == ["03A5B1"] and headers["x-amzn-mtls-clientcert-issuer"] == ["CN=the authority"], headers
        assert headers["x-amzn-mtls-clientcert-subject"] == ["CN=a client,O=Shop"]
        assert headers["x-amzn-mtls-clientcert-validity"][0].startswith("NotBefore=") and ";NotAfter=" in headers["x-amzn-mtls-clientcert-validity"][0]
        assert urllib.parse.unquote(headers["x-amzn-mtls-clientcert-leaf"][0]) == (client_certificate / "cert.pem").read_text()
        assert "x-amzn-mtls-clientcert" not in headers
        assert isinstance(seen_by_target(balancer, "verified", version), str)
