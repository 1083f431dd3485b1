"""Trust stores of load balancers: certificates that were revoked no longer connect."""
import http.client
import json
import ssl
import subprocess
import urllib.request

import pytest
from balancers import Balancer
from support import wait_for


def openssl(folder, *words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=20, cwd=folder)


@pytest.fixture
def authority(tmp_path):
    openssl(tmp_path, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=the authority", "-keyout", "ca.key", "-out", "ca.pem")
    for name, serial in (("good", "0x0A"), ("bad", "0x0B")):
        openssl(tmp_path, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(tmp_path, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", serial, "-days", "20", "-out", f"{name}.pem")
    (tmp_path / "index.txt").write_text("")
    (tmp_path / "ca.conf").write_text("[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=1\n")
    openssl(tmp_path, "ca", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-revoke", "bad.pem")
    openssl(tmp_path, "ca", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-gencrl", "-out", "list.pem")
    return tmp_path


def test_revoked_certificates_are_refused(daemon, authority):
    s3, elb, acm = daemon.client("s3"), daemon.client("elbv2"), daemon.client("acm")
    s3.create_bucket(Bucket="revocations")
    for name in ("ca.pem", "list.pem"):
        s3.put_object(Bucket="revocations", Key=name, Body=(authority / name).read_bytes())
    store = elb.create_trust_store(Name="revoking", CaCertificatesBundleS3Bucket="revocations", CaCertificatesBundleS3Key="ca.pem")["TrustStores"][0]["TrustStoreArn"]
    arn = acm.request_certificate(DomainName="revoking.example.com")["CertificateArn"]
    wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="certificate")
    balancer = Balancer(daemon, "revoking")
    balancer.listen({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}],
                    MutualAuthentication={"Mode": "verify", "TrustStoreArn": store})

    def connects(name):
        context = ssl._create_unverified_context()
        context.load_cert_chain(authority / f"{name}.pem", authority / f"{name}.key")
        try:
            connection = http.client.HTTPSConnection(balancer.address, balancer.port, context=context, timeout=10)
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except (ssl.SSLError, OSError, http.client.HTTPException):
            return False

    assert connects("good") and connects("bad")
    added = elb.add_trust_store_revocations(TrustStoreArn=store, RevocationContents=[{"S3Bucket": "revocations", "S3Key": "list.pem", "RevocationType": "CRL"}])["TrustStoreRevocations"][0]
    assert added["NumberOfRevokedEntries"] == 1
    assert connects("good") and not connects("bad")
    assert elb.describe_trust_store_revocations(TrustStoreArn=store)["TrustStoreRevocations"] == [added]
    assert elb.describe_trust_stores(TrustStoreArns=[store])["TrustStores"][0]["TotalRevokedEntries"] == 1
    location = elb.get_trust_store_revocation_content(TrustStoreArn=store, RevocationId=added["RevocationId"])["Location"]
    assert urllib.request.urlopen(location).read() == (authority / "list.pem").read_bytes()
    assert urllib.request.urlopen(elb.get_trust_store_ca_certificates_bundle(TrustStoreArn=store)["Location"]).read() == (authority / "ca.pem").read_bytes()
    with pytest.raises(elb.exceptions.InvalidRevocationContentException):
        elb.add_trust_store_revocations(TrustStoreArn=store, RevocationContents=[{"S3Bucket": "revocations", "S3Key": "ca.pem"}])
    with pytest.raises(elb.exceptions.RevocationContentNotFoundException):
        elb.add_trust_store_revocations(TrustStoreArn=store, RevocationContents=[{"S3Bucket": "revocations", "S3Key": "none"}])
    elb.remove_trust_store_revocations(TrustStoreArn=store, RevocationIds=[added["RevocationId"]])
    assert connects("bad")
    with pytest.raises(elb.exceptions.RevocationIdNotFoundException):
        elb.remove_trust_store_revocations(TrustStoreArn=store, RevocationIds=[added["RevocationId"]])
    template = {"Resources": {"Revoked": {"Type": "AWS::ElasticLoadBalancingV2::TrustStoreRevocation", "Properties": {
        "TrustStoreArn": store, "RevocationContents": [{"S3Bucket": "revocations", "S3Key": "list.pem", "RevocationType": "CRL"}]}}}}
    stacks = daemon.client("cloudformation")
    stacks.create_stack(StackName="revoking", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="revoking", WaiterConfig={"Delay": 1})
    assert not connects("bad")
    stacks.delete_stack(StackName="revoking")
    stacks.get_waiter("stack_delete_complete").wait(StackName="revoking", WaiterConfig={"Delay": 1})
    assert connects("bad")
