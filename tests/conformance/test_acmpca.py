"""AWS Private CA: a root, a subordinate, what they issue, and the states on the way."""
import json
import subprocess

import botocore.exceptions
import pytest

TEMPLATES = "arn:aws:acm-pca:::template/"


def refusal(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def openssl(*arguments, given=None):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, text=True, check=True).stdout


def make_csr(name):
    return openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj", f"/CN={name}",
                   "-addext", f"subjectAltName=DNS:{name},URI:spiffe://shop/{name}").encode()


def verifies(folder, leaf, chain, root):
    for name, text in (("leaf", leaf), ("chain", chain), ("root", root)):
        (folder / name).write_text(text)
    return "OK" in openssl("verify", "-CAfile", str(folder / "root"), "-untrusted", str(folder / "chain"), str(folder / "leaf"))


def create(pca, name, kind):
    return pca.create_certificate_authority(CertificateAuthorityType=kind, CertificateAuthorityConfiguration={
        "KeyAlgorithm": "EC_prime256v1", "SigningAlgorithm": "SHA256WITHECDSA", "Subject": {"CommonName": name, "Organization": "Shop"}})["CertificateAuthorityArn"]


def issue(pca, authority, csr, template, days):
    arn = pca.issue_certificate(CertificateAuthorityArn=authority, Csr=csr, SigningAlgorithm="SHA256WITHECDSA", TemplateArn=TEMPLATES + template, Validity={"Value": days, "Type": "DAYS"})["CertificateArn"]
    pca.get_waiter("certificate_issued").wait(CertificateAuthorityArn=authority, CertificateArn=arn)
    return arn, pca.get_certificate(CertificateAuthorityArn=authority, CertificateArn=arn)


def csr_of(pca, authority):
    return pca.get_certificate_authority_csr(CertificateAuthorityArn=authority)["Csr"].encode()


@pytest.fixture(scope="module")
def pca(daemon):
    return daemon.client("acm-pca")


@pytest.fixture(scope="module")
def root(pca):
    arn = create(pca, "Shop root", "ROOT")
    assert pca.describe_certificate_authority(CertificateAuthorityArn=arn)["CertificateAuthority"]["Status"] == "PENDING_CERTIFICATE"
    assert refusal(pca.issue_certificate, CertificateAuthorityArn=arn, Csr=make_csr("a"), SigningAlgorithm="SHA256WITHECDSA", Validity={"Value": 1, "Type": "DAYS"}) == "InvalidStateException"
    _, made = issue(pca, arn, csr_of(pca, arn), "RootCACertificate/V1", 365)
    pca.import_certificate_authority_certificate(CertificateAuthorityArn=arn, Certificate=made["Certificate"].encode())
    assert pca.describe_certificate_authority(CertificateAuthorityArn=arn)["CertificateAuthority"]["Status"] == "ACTIVE"
    return arn


def test_a_chain_that_verifies(pca, root, tmp_path):
    sub = create(pca, "Shop services", "SUBORDINATE")
    _, made = issue(pca, root, csr_of(pca, sub), "SubordinateCACertificate_PathLen0/V1", 100)
    assert refusal(pca.import_certificate_authority_certificate, CertificateAuthorityArn=sub, Certificate=made["Certificate"].encode()) == "CertificateMismatchException"
    pca.import_certificate_authority_certificate(CertificateAuthorityArn=sub, Certificate=made["Certificate"].encode(), CertificateChain=made["CertificateChain"].encode())
    arn, leaf = issue(pca, sub, make_csr("orders.local"), "EndEntityCertificate/V1", 7)
    trusted = pca.get_certificate_authority_certificate(CertificateAuthorityArn=root)["Certificate"]
    assert verifies(tmp_path, leaf["Certificate"], leaf["CertificateChain"], trusted)
    assert "DNS:orders.local, URI:spiffe://shop/orders.local" in openssl("x509", "-noout", "-ext", "subjectAltName", given=leaf["Certificate"])
    serial = arn.rsplit("/", 1)[1]
    pca.revoke_certificate(CertificateAuthorityArn=sub, CertificateSerial=serial, RevocationReason="SUPERSEDED")
    assert refusal(pca.revoke_certificate, CertificateAuthorityArn=sub, CertificateSerial=serial, RevocationReason="SUPERSEDED") == "RequestAlreadyProcessedException"


def test_refusals_and_states(pca, root):
    assert refusal(pca.describe_certificate_authority, CertificateAuthorityArn=root[:-1] + "x") == "ResourceNotFoundException"
    assert refusal(pca.issue_certificate, CertificateAuthorityArn=root, Csr=b"none", SigningAlgorithm="SHA256WITHECDSA", Validity={"Value": 1, "Type": "DAYS"}) == "MalformedCSRException"
    assert refusal(pca.issue_certificate, CertificateAuthorityArn=root, Csr=make_csr("a"), SigningAlgorithm="SHA256WITHECDSA", Validity={"Value": 9, "Type": "YEARS"}) == "ValidationException"
    assert refusal(pca.delete_certificate_authority, CertificateAuthorityArn=root) == "InvalidStateException"
    other = create(pca, "Other", "ROOT")
    pca.tag_certificate_authority(CertificateAuthorityArn=other, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    pca.untag_certificate_authority(CertificateAuthorityArn=other, Tags=[{"Key": "a"}, {"Key": "b", "Value": "another"}])
    assert pca.list_tags(CertificateAuthorityArn=other)["Tags"] == [{"Key": "b", "Value": "2"}]
    pca.delete_certificate_authority(CertificateAuthorityArn=other, PermanentDeletionTimeInDays=7)
    assert pca.describe_certificate_authority(CertificateAuthorityArn=other)["CertificateAuthority"]["Status"] == "DELETED"
    pca.restore_certificate_authority(CertificateAuthorityArn=other)
    assert other in [one["Arn"] for one in pca.list_certificate_authorities()["CertificateAuthorities"]]


TEMPLATE = {"Resources": {
    "Root": {"Type": "AWS::ACMPCA::CertificateAuthority", "Properties": {"Type": "ROOT", "KeyAlgorithm": "EC_prime256v1", "SigningAlgorithm": "SHA256WITHECDSA", "Subject": {"CommonName": "Stack root"}}},
    "RootCertificate": {"Type": "AWS::ACMPCA::Certificate", "Properties": {
        "CertificateAuthorityArn": {"Ref": "Root"}, "CertificateSigningRequest": {"Fn::GetAtt": ["Root", "CertificateSigningRequest"]}, "SigningAlgorithm": "SHA256WITHECDSA",
        "TemplateArn": TEMPLATES + "RootCACertificate/V1", "Validity": {"Type": "DAYS", "Value": "100"}}},
    "Activation": {"Type": "AWS::ACMPCA::CertificateAuthorityActivation", "Properties": {
        "CertificateAuthorityArn": {"Ref": "Root"}, "Certificate": {"Fn::GetAtt": ["RootCertificate", "Certificate"]}, "Status": "ACTIVE"}},
}, "Outputs": {"Arn": {"Value": {"Ref": "Root"}}}}


def test_a_stack_makes_an_authority_that_acm_uses(daemon, pca, tmp_path):
    cloudformation = daemon.client("cloudformation")
    cloudformation.create_stack(StackName="pca", TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="pca", WaiterConfig={"Delay": 1})
    authority = cloudformation.describe_stacks(StackName="pca")["Stacks"][0]["Outputs"][0]["OutputValue"]
    assert pca.describe_certificate_authority(CertificateAuthorityArn=authority)["CertificateAuthority"]["Status"] == "ACTIVE"
    acm = daemon.client("acm")
    arn = acm.request_certificate(DomainName="inside.local", CertificateAuthorityArn=authority, KeyAlgorithm="EC_prime256v1")["CertificateArn"]
    described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert described["Status"] == "ISSUED" and described["Type"] == "PRIVATE" and described["CertificateAuthorityArn"] == authority
    made = acm.get_certificate(CertificateArn=arn)
    assert verifies(tmp_path, made["Certificate"], made["CertificateChain"], made["CertificateChain"])
    cloudformation.delete_stack(StackName="pca")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="pca", WaiterConfig={"Delay": 1})
    assert pca.describe_certificate_authority(CertificateAuthorityArn=authority)["CertificateAuthority"]["Status"] == "DELETED"
