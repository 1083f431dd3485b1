"""ECR's repositories through boto3 and CloudFormation."""
import base64
import json

import pytest
from botocore.exceptions import ClientError

from support import wait_for

POLICY = json.dumps({"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3},
                                "action": {"type": "expire"}}]})


def test_a_repository_lives_and_dies(daemon):
    ecr = daemon.client("ecr")
    made = ecr.create_repository(repositoryName="team/orders", tags=[{"Key": "a", "Value": "1"}])["repository"]
    assert made["repositoryArn"] == "arn:aws:ecr:us-east-1:000000000000:repository/team/orders"
    assert made["imageTagMutability"] == "MUTABLE"
    with pytest.raises(ClientError) as twice:
        ecr.create_repository(repositoryName="team/orders")
    assert twice.value.response["Error"]["Code"] == "RepositoryAlreadyExistsException"
    assert ecr.describe_repositories(repositoryNames=["team/orders"])["repositories"] == [made]
    ecr.put_lifecycle_policy(repositoryName="team/orders", lifecyclePolicyText=POLICY)
    assert ecr.get_lifecycle_policy(repositoryName="team/orders")["lifecyclePolicyText"] == POLICY
    ecr.tag_resource(resourceArn=made["repositoryArn"], tags=[{"Key": "b", "Value": "2"}])
    ecr.untag_resource(resourceArn=made["repositoryArn"], tagKeys=["a"])
    assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == [{"Key": "b", "Value": "2"}]
    token = ecr.get_authorization_token()["authorizationData"][0]
    assert base64.b64decode(token["authorizationToken"]).startswith(b"AWS:")
    ecr.delete_repository(repositoryName="team/orders")
    with pytest.raises(ClientError) as gone:
        ecr.describe_repositories(repositoryNames=["team/orders"])
    assert gone.value.response["Error"]["Code"] == "RepositoryNotFoundException"


def test_cloudformation_owns_a_repository(daemon):
    cloudformation, ecr = daemon.client("cloudformation"), daemon.client("ecr")
    template = {"Resources": {"Assets": {"Type": "AWS::ECR::Repository", "Properties": {
        "RepositoryName": "cdk-assets", "ImageScanningConfiguration": {"ScanOnPush": True}, "ImageTagMutability": "IMMUTABLE",
        "LifecyclePolicy": {"LifecyclePolicyText": POLICY}}}},
        "Outputs": {"Uri": {"Value": {"Fn::GetAtt": ["Assets", "RepositoryUri"]}}, "Name": {"Value": {"Ref": "Assets"}}}}
    cloudformation.create_stack(StackName="ecr-stack", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="ecr-stack", WaiterConfig={"Delay": 1})
    outputs = {o["OutputKey"]: o["OutputValue"] for o in cloudformation.describe_stacks(StackName="ecr-stack")["Stacks"][0]["Outputs"]}
    assert outputs["Name"] == "cdk-assets" and outputs["Uri"].endswith("/cdk-assets")
    made = ecr.describe_repositories(repositoryNames=["cdk-assets"])["repositories"][0]
    assert made["imageScanningConfiguration"] == {"scanOnPush": True} and made["imageTagMutability"] == "IMMUTABLE"
    cloudformation.delete_stack(StackName="ecr-stack")
    wait_for(lambda: not [r for r in ecr.describe_repositories()["repositories"] if r["repositoryName"] == "cdk-assets"], what="the repository to go")
