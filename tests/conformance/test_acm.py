"""ACM through boto3: requested, imported, renewed and removed certificates, checked with a real TLS library."""
import datetime
import subprocess

import pytest
from botocore.exceptions import ClientError

from support import wait_for


@pytest.fixture(scope="module")
def acm(daemon):
    return daemon.client("acm")


def openssl(*arguments, given=None):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, text=True, check=True).stdout


def code_of(caught):
    return caught.value.response["Error"]["Code"]


def test_requested_certificate_is_signed_by_the_authority(acm, daemon, tmp_path):
    arn = acm.request_certificate(DomainName="example.com", SubjectAlternativeNames=["*.example.com", "www.example.org"],
                                  ValidationMethod="DNS", KeyAlgorithm="EC_prime256v1", Tags=[{"Key": "a", "Value": "b"}])["CertificateArn"]
    seen = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert seen["Status"] == "ISSUED" and seen["Type"] == "AMAZON_ISSUED" and seen["KeyAlgorithm"] == "EC-prime256v1"
    assert seen["SubjectAlternativeNames"] == ["example.com", "*.example.com", "www.example.org"]
    records = {one["DomainName"]: one["ResourceRecord"] for one in seen["DomainValidationOptions"]}
    assert records["example.com"] == records["*.example.com"] and records["example.com"]["Type"] == "CNAME"
    assert records["example.com"]["Name"].endswith(".example.com.") and records["example.com"]["Value"].endswith(".acm-validations.aws.")
    assert 394 <= (seen["NotAfter"] - datetime.datetime.now(datetime.timezone.utc)).days <= 395
    got = acm.get_certificate(CertificateArn=arn)
    leaf, root = tmp_path / "leaf.pem", tmp_path / "root.pem"
    leaf.write_text(got["Certificate"])
    root.write_text(got["CertificateChain"])
    assert "OK" in openssl("verify", "-CAfile", str(root), "-verify_hostname", "a.example.com", str(leaf))
    assert (daemon.data / "acm" / "authority.pem").read_text() == got["CertificateChain"]
    assert (daemon.data / "acm" / "authority.key").stat().st_mode & 0o777 == 0o600
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_default_list_shows_rsa_keys_only(acm):
    arn = acm.request_certificate(DomainName="rsa.example.com", IdempotencyToken="once")["CertificateArn"]
    assert acm.request_certificate(DomainName="rsa.example.com", IdempotencyToken="once")["CertificateArn"] == arn
    listed = acm.list_certificates()["CertificateSummaryList"]
    assert [one["CertificateArn"] for one in listed] == [arn] and listed[0]["KeyAlgorithm"] == "RSA-2048"
    both = acm.list_certificates(Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]})["CertificateSummaryList"]
    assert len(both) == 2
    first = acm.list_certificates(Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]}, MaxItems=1)
    second = acm.list_certificates(Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]}, MaxItems=1, NextToken=first["NextToken"])
    assert "NextToken" not in second and second["CertificateSummaryList"] == both[1:]


def test_search_by_anything(acm):
    arn = acm.request_certificate(DomainName="found.search.example", SubjectAlternativeNames=["alias.search.example"], KeyAlgorithm="EC_prime256v1")["CertificateArn"]

    def search(statement):
        return [one["CertificateArn"] for one in acm.search_certificates(FilterStatement=statement)["Results"]]
    by_name = {"Filter": {"X509AttributeFilter": {"SubjectAlternativeName": {"DnsName": {"Value": "ALIAS.search", "ComparisonOperator": "CONTAINS"}}}}}
    issued = {"Filter": {"AcmCertificateMetadataFilter": {"Status": "ISSUED"}}}
    assert search(by_name) == [arn] and search({"And": [by_name, issued]}) == [arn] and search({"And": [by_name, {"Not": issued}]}) == []
    found = acm.search_certificates(FilterStatement=by_name)["Results"][0]
    assert found["X509Attributes"]["Subject"] == {"CommonName": "found.search.example"} and found["X509Attributes"]["Issuer"]["Organization"] == "Atoll"
    acm.delete_certificate(CertificateArn=arn)


def test_import_checks_what_it_is_given(acm, tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(cert), "-days", "30", "-subj", "/CN=own.example",
            "-addext", "subjectAltName=DNS:own.example")
    arn = acm.import_certificate(Certificate=cert.read_bytes(), PrivateKey=key.read_bytes())["CertificateArn"]
    seen = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert seen["Type"] == "IMPORTED" and seen["DomainName"] == "own.example" and seen["SignatureAlgorithm"] == "SHA256WITHRSA"
    other = openssl("genrsa", "2048")
    with pytest.raises(ClientError) as caught:
        acm.import_certificate(Certificate=cert.read_bytes(), PrivateKey=other.encode())
    assert code_of(caught) == "ValidationException"
    with pytest.raises(ClientError) as caught:
        acm.import_certificate(Certificate=cert.read_bytes() * 2, PrivateKey=key.read_bytes())
    assert "more than one certificate" in str(caught.value)
    with pytest.raises(ClientError) as caught:
        acm.renew_certificate(CertificateArn=arn)
    assert code_of(caught) == "ValidationException"
    assert acm.import_certificate(Certificate=cert.read_bytes(), PrivateKey=key.read_bytes(), CertificateArn=arn)["CertificateArn"] == arn


def test_export_needs_the_option(acm):
    arn = acm.request_certificate(DomainName="export.example.com", ValidationMethod="DNS", KeyAlgorithm="EC_prime256v1")["CertificateArn"]
    with pytest.raises(ClientError):
        acm.export_certificate(CertificateArn=arn, Passphrase=b"secret")
    acm.update_certificate_options(CertificateArn=arn, Options={"Export": "ENABLED"})
    exported = acm.export_certificate(CertificateArn=arn, Passphrase=b"secret")
    assert "BEGIN PRIVATE KEY" in openssl("pkey", "-passin", "pass:secret", given=exported["PrivateKey"])
    acm.revoke_certificate(CertificateArn=arn, RevocationReason="KEY_COMPROMISE")
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "REVOKED"


def test_missing_and_malformed(acm):
    arn = acm.request_certificate(DomainName="gone.example.com", KeyAlgorithm="EC_prime256v1")["CertificateArn"]
    acm.delete_certificate(CertificateArn=arn)
    with pytest.raises(ClientError) as caught:
        acm.describe_certificate(CertificateArn=arn)
    assert code_of(caught) == "ResourceNotFoundException"
    with pytest.raises(ClientError) as caught:
        acm.request_certificate(DomainName="nodots")
    assert code_of(caught) == "ValidationException"


def test_renewed_by_clock_and_kept_over_restart(new_daemon):
    daemon = new_daemon()
    acm = daemon.client("acm")
    arn = acm.request_certificate(DomainName="renew.example.com", KeyAlgorithm="EC_prime256v1")["CertificateArn"]
    before = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    authority = acm.get_certificate(CertificateArn=arn)["CertificateChain"]
    daemon.advance(340 * 86400)
    after = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert after["Serial"] != before["Serial"] and after["NotAfter"] > before["NotAfter"]
    assert after["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    daemon.kill()
    daemon.start()
    acm = daemon.client("acm")
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Serial"] == after["Serial"]
    assert acm.get_certificate(CertificateArn=arn)["CertificateChain"] == authority


def test_a_stack_makes_one(daemon):
    cloudformation = daemon.client("cloudformation")
    template = """{"Resources": {"C": {"Type": "AWS::CertificateManager::Certificate", "Properties": {
        "DomainName": "stack.example.com", "ValidationMethod": "DNS", "KeyAlgorithm": "EC_prime256v1"}}},
        "Outputs": {"Arn": {"Value": {"Ref": "C"}}}}"""
    cloudformation.create_stack(StackName="certificate", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="certificate", WaiterConfig={"Delay": 1})
    arn = cloudformation.describe_stacks(StackName="certificate")["Stacks"][0]["Outputs"][0]["OutputValue"]
    assert daemon.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
    cloudformation.delete_stack(StackName="certificate")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="certificate", WaiterConfig={"Delay": 1})


def test_a_domain_of_a_zone_waits_for_its_record(daemon, acm):
    route53 = daemon.client("route53")
    zone = route53.create_hosted_zone(Name="validated.example", CallerReference="validated")["HostedZone"]["Id"].split("/")[-1]
    arn = acm.request_certificate(DomainName="www.validated.example", ValidationMethod="DNS", KeyAlgorithm="EC_prime256v1")["CertificateArn"]
    seen = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert seen["Status"] == "PENDING_VALIDATION" and seen["DomainValidationOptions"][0]["ValidationStatus"] == "PENDING_VALIDATION"
    with pytest.raises(ClientError) as caught:
        acm.get_certificate(CertificateArn=arn)
    assert code_of(caught) == "RequestInProgressException"
    record = seen["DomainValidationOptions"][0]["ResourceRecord"]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
        "Name": record["Name"], "Type": record["Type"], "TTL": 300, "ResourceRecords": [{"Value": record["Value"]}]}}]})
    wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="the certificate")
    # A stack writes the record itself when it is told the zone.
    cloudformation = daemon.client("cloudformation")
    template = """{"Resources": {"C": {"Type": "AWS::CertificateManager::Certificate", "Properties": {
        "DomainName": "stack.validated.example", "ValidationMethod": "DNS", "KeyAlgorithm": "EC_prime256v1",
        "DomainValidationOptions": [{"DomainName": "stack.validated.example", "HostedZoneId": "%s"}]}}}}""" % zone
    cloudformation.create_stack(StackName="validated", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="validated", WaiterConfig={"Delay": 1})


def test_trust_hands_out_the_authority(daemon, tmp_path):
    said = daemon.command("trust", "--data", str(daemon.data), "--store", str(tmp_path))
    assert "NODE_EXTRA_CA_CERTS" in said and "keytool" in said
    written = tmp_path / "atoll-local-authority.crt"
    assert written.read_text() == (daemon.data / "acm" / "authority.pem").read_text()
    assert daemon.command("trust", "--data", "/nowhere", "--port", str(daemon.port), "--print") == written.read_text()
    # With it, the daemon's own port is trusted.
    out = subprocess.run(["curl", "-s", "--cacert", str(written), f"https://localhost:{daemon.port}/_atoll/health"], capture_output=True, text=True)
    assert out.returncode == 0 and "running" in out.stdout
    daemon.command("trust", "--store", str(tmp_path), "--remove")
    assert not written.exists()
