"""IAM and STS: entities come back as they were put, keys are verified."""
import json

import pytest
from botocore.exceptions import ClientError

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})


@pytest.fixture(scope="module")
def iam(daemon):
    return daemon.client("iam")


def test_role_with_policies(iam):
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "b"}])["Role"]
    assert role["Arn"] == "arn:aws:iam::000000000000:role/r"
    assert iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"] == json.loads(TRUST)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=ALLOW)
    assert iam.get_role_policy(RoleName="r", PolicyName="p")["PolicyDocument"] == json.loads(ALLOW)
    arn = iam.create_policy(PolicyName="managed", PolicyDocument=ALLOW)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    assert iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"][0]["RoleName"] == "r"
    with pytest.raises(ClientError) as caught:
        iam.delete_role(RoleName="r")
    assert caught.value.response["Error"]["Code"] == "DeleteConflict"
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    iam.delete_role(RoleName="r")
    with pytest.raises(ClientError) as caught:
        iam.get_role(RoleName="r")
    assert caught.value.response["Error"] == {"Type": "Sender", "Code": "NoSuchEntity", "Message": "The role with name r cannot be found."}


def test_issued_keys_are_verified(iam, daemon):
    user = iam.create_user(UserName="u", Path="/team/")["User"]
    key = iam.create_access_key(UserName="u")["AccessKey"]
    good = daemon.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    who = good.get_caller_identity()
    assert (who["Arn"], who["UserId"]) == ("arn:aws:iam::000000000000:user/team/u", user["UserId"])
    iam.update_user(UserName="u", NewPath="/other/")
    assert good.get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:user/other/u"
    bad = daemon.client("sts", key=key["AccessKeyId"], secret="wrong")
    with pytest.raises(ClientError) as caught:
        bad.get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    json_client = daemon.client("dynamodb", key=key["AccessKeyId"], secret="wrong")
    with pytest.raises(ClientError) as caught:
        json_client.list_tables()
    assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"


def test_assumed_roles(daemon):
    sts = daemon.client("sts")
    assert sts.get_caller_identity()["Account"] == "000000000000"
    got = sts.assume_role(RoleArn="arn:aws:iam::111122223333:role/x", RoleSessionName="session")
    credentials = got["Credentials"]
    from botocore.config import Config
    import boto3
    inside = boto3.client("sts", endpoint_url=daemon.url, region_name="us-east-1", aws_access_key_id=credentials["AccessKeyId"],
                          aws_secret_access_key=credentials["SecretAccessKey"], aws_session_token=credentials["SessionToken"],
                          config=Config(retries={"max_attempts": 0}))
    who = inside.get_caller_identity()
    assert (who["Account"], who["Arn"]) == ("111122223333", "arn:aws:sts::111122223333:assumed-role/x/session")


def test_strict_mode_refuses_unknown_keys(new_daemon):
    strict = new_daemon("--auth", "strict")
    with pytest.raises(ClientError) as caught:
        strict.client("sqs").list_queues()
    assert caught.value.response["Error"]["Code"] == "UnrecognizedClientException"
    with pytest.raises(ClientError) as caught:
        strict.client("sts").get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "InvalidClientTokenId"


@pytest.mark.parametrize("statement, words", [({"Effect": "Allow", "Resource": "*"}, "Policy statement must contain actions."), ({"Effect": "Allow", "Action": "s3:*"}, "Policy statement must contain resources."),
                                              ({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}, "Policy document should not specify a principal."),
                                              ({"Effect": "Maybe", "Action": "s3:*", "Resource": "*"}, "Syntax errors in policy.")])
def test_policies_that_say_too_little_or_too_much(daemon, statement, words):
    iam = daemon.client("iam")
    for document in ({"Version": "2012-10-17", "Statement": statement}, {"Version": "2012-10-17", "Statement": [statement]}):
        with pytest.raises(ClientError) as error:
            iam.create_policy(PolicyName="never", PolicyDocument=json.dumps(document))
        assert error.value.response["Error"]["Code"] == "MalformedPolicyDocument" and error.value.response["Error"]["Message"] == words


@pytest.mark.parametrize("statement, words", [({"Effect": "Allow", "Action": "sts:AssumeRole"}, "Missing required field Principal"),
                                              ({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", "Resource": "*"}, "Has prohibited field Resource")])
def test_trust_that_says_too_little_or_too_much(daemon, statement, words):
    with pytest.raises(ClientError, match=words):
        daemon.client("iam").create_role(RoleName="never", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
