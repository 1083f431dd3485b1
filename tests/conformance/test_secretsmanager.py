import json

import pytest
from botocore.exceptions import ClientError

from support import function_package, wait_for


@pytest.fixture(scope="module")
def secrets(daemon):
    return daemon.client("secretsmanager")


def code_of(caught):
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_versions_and_stages(secrets):
    made = secrets.create_secret(Name="db/main", SecretString="one", Description="the main one", Tags=[{"Key": "team", "Value": "a"}])
    assert made["ARN"].rsplit(":", 1)[1].startswith("db/main-") and len(made["ARN"].rsplit("-", 1)[1]) == 6
    second = secrets.put_secret_value(SecretId="db/main", SecretString="two")
    assert second["VersionStages"] == ["AWSCURRENT"]
    assert secrets.get_secret_value(SecretId=made["ARN"])["SecretString"] == "two"
    assert secrets.get_secret_value(SecretId=made["ARN"][:-7])["SecretString"] == "two"
    assert secrets.get_secret_value(SecretId="db/main", VersionStage="AWSPREVIOUS")["VersionId"] == made["VersionId"]
    assert secrets.describe_secret(SecretId="db/main")["VersionIdsToStages"] == {made["VersionId"]: ["AWSPREVIOUS"], second["VersionId"]: ["AWSCURRENT"]}
    secrets.update_secret_version_stage(SecretId="db/main", VersionStage="AWSCURRENT", MoveToVersionId=made["VersionId"], RemoveFromVersionId=second["VersionId"])
    assert secrets.get_secret_value(SecretId="db/main")["SecretString"] == "one"
    with pytest.raises(ClientError) as caught:
        secrets.get_secret_value(SecretId="db/main", VersionStage="BLUE")
    assert code_of(caught) == ("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: BLUE")


def test_binary_and_idempotent_creation(secrets):
    token = "a" * 32
    first = secrets.create_secret(Name="binary", SecretBinary=b"\x00\xff", ClientRequestToken=token)
    assert secrets.create_secret(Name="binary", SecretBinary=b"\x00\xff", ClientRequestToken=token)["ARN"] == first["ARN"]
    assert secrets.get_secret_value(SecretId="binary")["SecretBinary"] == b"\x00\xff"
    with pytest.raises(ClientError) as caught:
        secrets.create_secret(Name="binary", SecretString="x")
    assert code_of(caught) == ("ResourceExistsException", "The operation failed because the secret binary already exists.")
    with pytest.raises(ClientError) as caught:
        secrets.put_secret_value(SecretId="binary", SecretString="x", ClientRequestToken=token)
    assert code_of(caught)[0] == "ResourceExistsException"


def test_missing(secrets):
    with pytest.raises(ClientError) as caught:
        secrets.get_secret_value(SecretId="nope")
    assert code_of(caught) == ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


def test_deletion_and_recovery(secrets, daemon):
    secrets.create_secret(Name="gone", SecretString="x")
    secrets.delete_secret(SecretId="gone", RecoveryWindowInDays=7)
    with pytest.raises(ClientError) as caught:
        secrets.get_secret_value(SecretId="gone")
    assert code_of(caught)[0] == "InvalidRequestException"
    assert "DeletedDate" in secrets.describe_secret(SecretId="gone")
    secrets.restore_secret(SecretId="gone")
    assert secrets.get_secret_value(SecretId="gone")["SecretString"] == "x"
    secrets.delete_secret(SecretId="gone", RecoveryWindowInDays=7)
    daemon.advance(7 * 86400 + 1)
    with pytest.raises(ClientError) as caught:
        secrets.describe_secret(SecretId="gone")
    assert code_of(caught)[0] == "ResourceNotFoundException"
    secrets.create_secret(Name="gone", SecretString="again")


def test_lists_and_batches(secrets):
    for i in range(5):
        secrets.create_secret(Name=f"list/{i}", SecretString=str(i), Tags=[{"Key": "n", "Value": str(i)}])
    names = [s["Name"] for page in secrets.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": ["list/"]}], PaginationConfig={"PageSize": 2})
             for s in page["SecretList"]]
    assert names == [f"list/{i}" for i in range(5)]
    assert [s["Name"] for s in secrets.list_secrets(Filters=[{"Key": "tag-value", "Values": ["3"]}])["SecretList"]] == ["list/3"]
    got = secrets.batch_get_secret_value(SecretIdList=["list/1", "missing"])
    assert got["SecretValues"][0]["SecretString"] == "1" and got["Errors"][0]["ErrorCode"] == "ResourceNotFoundException"


def test_random_password(secrets):
    one = secrets.get_random_password(PasswordLength=40, ExcludePunctuation=True, ExcludeCharacters="abc")["RandomPassword"]
    assert len(one) == 40 and one.isalnum() and not set("abc") & set(one)


def test_resource_policy(secrets):
    secrets.create_secret(Name="policy", SecretString="x")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}]}
    with pytest.raises(ClientError) as caught:
        secrets.put_resource_policy(SecretId="policy", ResourcePolicy=json.dumps(policy), BlockPublicPolicy=True)
    assert code_of(caught)[0] == "PublicPolicyException"
    secrets.put_resource_policy(SecretId="policy", ResourcePolicy=json.dumps(policy))
    assert json.loads(secrets.get_resource_policy(SecretId="policy")["ResourcePolicy"]) == policy


# Speaks the API by hand: functions have no boto3 here.
NODE_ROTATE = """
const http = require('http');
const call = (operation, body) => new Promise((resolve, reject) => {
  const url = new URL(process.env.AWS_ENDPOINT_URL);
  const request = http.request({host: url.hostname, port: url.port, method: 'POST', path: '/', headers: {
    'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.' + operation,
    'authorization': `AWS4-HMAC-SHA256 Credential=${process.env.AWS_ACCESS_KEY_ID}/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0`,
  }}, (response) => {
    let text = '';
    response.on('data', (part) => text += part);
    response.on('end', () => response.statusCode === 200 ? resolve(JSON.parse(text || '{}')) : reject(new Error(text)));
  });
  request.on('error', reject);
  request.end(JSON.stringify(body));
});
exports.handler = async (event) => {
  const SecretId = event.SecretId, ClientRequestToken = event.ClientRequestToken;
  if (event.Step === 'createSecret')
    await call('PutSecretValue', {SecretId, ClientRequestToken, SecretString: 'rotated', VersionStages: ['AWSPENDING']});
  if (event.Step === 'finishSecret') {
    const described = await call('DescribeSecret', {SecretId});
    const current = Object.entries(described.VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT'))[0];
    await call('UpdateSecretVersionStage', {SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId: ClientRequestToken, RemoveFromVersionId: current});
  }
};
"""


def test_rotation(new_daemon):
    daemon = new_daemon()
    secrets, functions, iam = daemon.client("secretsmanager"), daemon.client("lambda"), daemon.client("iam")
    role = iam.create_role(RoleName="rotate", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')["Role"]["Arn"]
    arn = functions.create_function(FunctionName="rotate", Runtime="nodejs20.x", Role=role, Handler="index.handler", Timeout=20,
                                    Code={"ZipFile": function_package(NODE_ROTATE)})["FunctionArn"]
    secrets.create_secret(Name="turning", SecretString="first")
    with pytest.raises(ClientError) as caught:
        secrets.rotate_secret(SecretId="turning")
    assert code_of(caught) == ("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
    started = secrets.rotate_secret(SecretId="turning", RotationLambdaARN=arn, RotationRules={"AutomaticallyAfterDays": 10})
    wait_for(lambda: secrets.get_secret_value(SecretId="turning")["SecretString"] == "rotated", what="the rotation")
    described = wait_for(lambda: (d := secrets.describe_secret(SecretId="turning")).get("LastRotatedDate") and d, what="its end")
    assert described["VersionIdsToStages"][started["VersionId"]] == ["AWSCURRENT"] and described["RotationEnabled"]
    # By the clock.
    daemon.advance(10 * 86400 + 120)
    wait_for(lambda: secrets.get_secret_value(SecretId="turning")["VersionId"] != started["VersionId"], what="the next rotation")


def test_a_rotation_that_is_not_begun_at_once_is_tested(new_daemon):
    daemon = new_daemon()
    secrets, functions = daemon.client("secretsmanager"), daemon.client("lambda")
    script = """exports.handler = async event => {
      const {SecretId, ClientRequestToken, Step} = event;
      console.log('STEP', Step, ClientRequestToken);
    };"""
    arn = functions.create_function(FunctionName="tested", Runtime="nodejs20.x", Role="arn:aws:iam::000000000000:role/r", Handler="index.handler",
                                    Code={"ZipFile": function_package(script)})["FunctionArn"]
    first = secrets.create_secret(Name="tested", SecretString="as it is")
    begun = secrets.rotate_secret(SecretId="tested", RotationLambdaARN=arn, RotationRules={"AutomaticallyAfterDays": 10}, RotateImmediately=False)
    logs = daemon.client("logs")

    def steps():
        try:
            return [e["message"].split("STEP ")[1].split() for e in logs.filter_log_events(logGroupName="/aws/lambda/tested", filterPattern="STEP")["events"]]
        except ClientError:
            return []
    wait_for(lambda: steps() == [["testSecret", begun["VersionId"]]], what="the test")
    # The version that it was tried on is gone, and nothing was rotated.
    wait_for(lambda: list(secrets.describe_secret(SecretId="tested")["VersionIdsToStages"]) == [first["VersionId"]], what="the end of the test")
    shown = secrets.describe_secret(SecretId="tested")
    assert shown["RotationEnabled"] and "LastRotatedDate" not in shown
    assert secrets.get_secret_value(SecretId="tested")["SecretString"] == "as it is"
