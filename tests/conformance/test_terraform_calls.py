"""The calls that Terraform's AWS provider makes when it creates, reads and destroys a resource: each must be answered,
with a result or with the error by which the provider knows that something is not set."""
import json

import pytest
from botocore.exceptions import ClientError

from support import function_package

ROLE = "arn:aws:iam::000000000000:role/lambda"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})


def absent(code, call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    assert refused.value.response["Error"]["Code"] == code


def test_provider(daemon):
    assert daemon.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_queue(daemon):
    sqs = daemon.client("sqs")
    url = sqs.create_queue(QueueName="tf", Attributes={"DelaySeconds": "0", "KmsDataKeyReusePeriodSeconds": "300", "MaximumMessageSize": "262144",
                                                       "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
                                                       "SqsManagedSseEnabled": "true", "VisibilityTimeout": "30"}, tags={"a": "b"})["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})})
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["QueueArn"].endswith(":tf")
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "b"}
    sqs.delete_queue(QueueUrl=url)
    absent("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])


def test_table(daemon):
    dynamodb = daemon.client("dynamodb")
    made = dynamodb.create_table(TableName="terraform", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                                 AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], Tags=[{"Key": "a", "Value": "b"}], DeletionProtectionEnabled=False)
    dynamodb.describe_table(TableName="terraform")
    assert dynamodb.describe_continuous_backups(TableName="terraform")["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    assert dynamodb.describe_time_to_live(TableName="terraform")["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    assert dynamodb.list_tags_of_resource(ResourceArn=made["TableDescription"]["TableArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    dynamodb.delete_table(TableName="terraform")
    absent("ResourceNotFoundException", dynamodb.describe_table, TableName="terraform")


def test_function(daemon):
    functions = daemon.client("lambda")
    arn = functions.create_function(FunctionName="tf", Role=ROLE, Runtime="nodejs20.x", Handler="index.handler", Code={"ZipFile": function_package("exports.handler = async () => 1")}, Publish=False,
                                    Architectures=["x86_64"], EphemeralStorage={"Size": 512}, TracingConfig={"Mode": "PassThrough"}, Tags={"a": "b"})["FunctionArn"]
    read = functions.get_function(FunctionName="tf")
    assert read["Tags"] == {"a": "b"} and read["Configuration"]["State"] == "Active" and read["Code"]["Location"]
    assert functions.get_function_code_signing_config(FunctionName="tf")["FunctionName"] == "tf"
    assert functions.list_versions_by_function(FunctionName="tf", MaxItems=10000)["Versions"][0]["Version"] == "$LATEST"
    absent("ResourceNotFoundException", functions.get_policy, FunctionName="tf")
    functions.add_permission(FunctionName="tf", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")
    assert json.loads(functions.get_policy(FunctionName="tf")["Policy"])["Statement"][0]["Sid"] == "api"
    version = functions.publish_version(FunctionName="tf")["Version"]
    functions.create_alias(FunctionName="tf", Name="live", FunctionVersion=version)
    assert functions.get_alias(FunctionName="tf", Name="live")["FunctionVersion"] == version
    assert functions.list_tags(Resource=arn)["Tags"] == {"a": "b"}
    functions.get_function_concurrency(FunctionName="tf")
    functions.get_runtime_management_config(FunctionName="tf")
    functions.remove_permission(FunctionName="tf", StatementId="api")
    functions.delete_alias(FunctionName="tf", Name="live")
    functions.delete_function(FunctionName="tf")
    absent("ResourceNotFoundException", functions.get_function, FunctionName="tf")


def test_bucket_and_object(daemon):
    s3 = daemon.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="terraform", ObjectOwnership="BucketOwnerEnforced")
    s3.head_bucket(Bucket="terraform")
    absent("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket="terraform")
    assert s3.get_bucket_acl(Bucket="terraform")["Grants"][0]["Permission"] == "FULL_CONTROL"
    absent("NoSuchCORSConfiguration", s3.get_bucket_cors, Bucket="terraform")
    absent("NoSuchWebsiteConfiguration", s3.get_bucket_website, Bucket="terraform")
    assert "Status" not in s3.get_bucket_versioning(Bucket="terraform")
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket="terraform")
    assert s3.get_bucket_request_payment(Bucket="terraform")["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="terraform")
    absent("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, Bucket="terraform")
    absent("ReplicationConfigurationNotFoundError", s3.get_bucket_replication, Bucket="terraform")
    assert s3.get_bucket_encryption(Bucket="terraform")["ServerSideEncryptionConfiguration"]["Rules"]
    absent("ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration, Bucket="terraform")
    assert s3.get_bucket_location(Bucket="terraform").get("LocationConstraint") is None
    absent("NoSuchTagSet", s3.get_bucket_tagging, Bucket="terraform")
    s3.put_public_access_block(Bucket="terraform", PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": True,
                                                                                  "IgnorePublicAcls": True, "RestrictPublicBuckets": True})
    assert s3.get_public_access_block(Bucket="terraform")["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
    s3.put_object(Bucket="terraform", Key="key", Body=b"data", Tagging="a=b")
    assert s3.head_object(Bucket="terraform", Key="key")["ContentLength"] == 4
    assert s3.get_object_tagging(Bucket="terraform", Key="key")["TagSet"] == [{"Key": "a", "Value": "b"}]
    s3.list_object_versions(Bucket="terraform", Prefix="key")
    s3.delete_object(Bucket="terraform", Key="key")
    absent("404", s3.head_object, Bucket="terraform", Key="key")
    s3.delete_bucket(Bucket="terraform")
    absent("404", s3.head_bucket, Bucket="terraform")


def test_role_policy_and_user(daemon):
    iam = daemon.client("iam")
    iam.create_role(RoleName="tf", AssumeRolePolicyDocument=TRUST, Path="/", MaxSessionDuration=3600, Tags=[{"Key": "a", "Value": "b"}])
    assert iam.get_role(RoleName="tf")["Role"]["Tags"] == [{"Key": "a", "Value": "b"}]
    policy = iam.create_policy(PolicyName="tf", PolicyDocument=ALLOW)["Policy"]["Arn"]
    assert iam.get_policy_version(PolicyArn=policy, VersionId=iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"])["PolicyVersion"]["Document"]
    iam.attach_role_policy(RoleName="tf", PolicyArn=policy)
    iam.put_role_policy(RoleName="tf", PolicyName="inline", PolicyDocument=ALLOW)
    assert [p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName="tf")["AttachedPolicies"]] == [policy]
    assert iam.list_role_policies(RoleName="tf")["PolicyNames"] == ["inline"]
    assert iam.list_instance_profiles_for_role(RoleName="tf")["InstanceProfiles"] == []
    iam.delete_role_policy(RoleName="tf", PolicyName="inline")
    iam.detach_role_policy(RoleName="tf", PolicyArn=policy)
    assert [v["VersionId"] for v in iam.list_policy_versions(PolicyArn=policy)["Versions"]] == ["v1"]
    iam.delete_policy(PolicyArn=policy)
    iam.delete_role(RoleName="tf")
    absent("NoSuchEntity", iam.get_role, RoleName="tf")
    iam.create_user(UserName="tf")
    iam.get_user(UserName="tf")
    assert iam.list_groups_for_user(UserName="tf")["Groups"] == []
    # What force_destroy looks for.
    assert iam.list_mfa_devices(UserName="tf")["MFADevices"] == iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    assert iam.list_ssh_public_keys(UserName="tf")["SSHPublicKeys"] == iam.list_signing_certificates(UserName="tf")["Certificates"] == []
    assert iam.list_service_specific_credentials(UserName="tf")["ServiceSpecificCredentials"] == []
    absent("NoSuchEntity", iam.delete_login_profile, UserName="tf")
    absent("NoSuchEntity", iam.list_mfa_devices, UserName="nobody")
    iam.delete_user(UserName="tf")


def test_http_api(daemon):
    api = daemon.client("apigatewayv2")
    made = api.create_api(Name="tf", ProtocolType="HTTP", Tags={"a": "b"})
    assert api.get_api(ApiId=made["ApiId"])["Tags"] == {"a": "b"}
    integration = api.create_integration(ApiId=made["ApiId"], IntegrationType="HTTP_PROXY", IntegrationMethod="GET", IntegrationUri="http://127.0.0.1:9/",
                                         PayloadFormatVersion="1.0")["IntegrationId"]
    api.get_integration(ApiId=made["ApiId"], IntegrationId=integration)
    route = api.create_route(ApiId=made["ApiId"], RouteKey="GET /", Target=f"integrations/{integration}")["RouteId"]
    api.get_route(ApiId=made["ApiId"], RouteId=route)
    api.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    assert api.get_stage(ApiId=made["ApiId"], StageName="$default")["AutoDeploy"]
    deployment = api.create_deployment(ApiId=made["ApiId"])["DeploymentId"]
    assert api.get_deployment(ApiId=made["ApiId"], DeploymentId=deployment)["DeploymentStatus"] == "DEPLOYED"
    api.delete_stage(ApiId=made["ApiId"], StageName="$default")
    api.delete_route(ApiId=made["ApiId"], RouteId=route)
    api.delete_integration(ApiId=made["ApiId"], IntegrationId=integration)
    api.delete_api(ApiId=made["ApiId"])
    absent("NotFoundException", api.get_api, ApiId=made["ApiId"])


def test_rest_api(daemon):
    api = daemon.client("apigateway")
    made = api.create_rest_api(name="tf", endpointConfiguration={"types": ["REGIONAL"]})
    rest = {"restApiId": made["id"]}
    root = api.get_resources(**rest)["items"][0]["id"]
    child = api.create_resource(**rest, parentId=root, pathPart="orders")["id"]
    api.get_resource(**rest, resourceId=child)
    where = {**rest, "resourceId": child, "httpMethod": "GET"}
    api.put_method(**where, authorizationType="NONE")
    api.get_method(**where)
    api.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    api.get_integration(**where)
    api.put_method_response(**where, statusCode="200")
    api.get_method_response(**where, statusCode="200")
    api.put_integration_response(**where, statusCode="200")
    api.get_integration_response(**where, statusCode="200")
    deployment = api.create_deployment(**rest)["id"]
    api.get_deployment(**rest, deploymentId=deployment)
    api.create_stage(**rest, stageName="dev", deploymentId=deployment)
    api.get_stage(**rest, stageName="dev")
    api.delete_stage(**rest, stageName="dev")
    api.delete_deployment(**rest, deploymentId=deployment)
    api.delete_rest_api(**rest)
    absent("NotFoundException", api.get_rest_api, **rest)


def test_log_group_parameter_and_stack(daemon):
    logs = daemon.client("logs")
    logs.create_log_group(logGroupName="/tf", tags={"a": "b"})
    logs.put_retention_policy(logGroupName="/tf", retentionInDays=7)
    group = logs.describe_log_groups(logGroupNamePrefix="/tf")["logGroups"][0]
    assert logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"] == {"a": "b"}
    logs.delete_log_group(logGroupName="/tf")
    ssm = daemon.client("ssm")
    ssm.put_parameter(Name="/tf", Value="v", Type="String", Tier="Standard", Tags=[{"Key": "a", "Value": "b"}])
    assert ssm.get_parameter(Name="/tf", WithDecryption=True)["Parameter"]["Version"] == 1
    assert ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": ["/tf"]}])["Parameters"][0]["Tier"] == "Standard"
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/tf")["TagList"] == [{"Key": "a", "Value": "b"}]
    ssm.delete_parameter(Name="/tf")
    absent("ParameterNotFound", ssm.get_parameter, Name="/tf")
    stacks = daemon.client("cloudformation")
    template = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"Url": {"Value": {"Ref": "Queue"}}}})
    stack = stacks.create_stack(StackName="tf", TemplateBody=template, ClientRequestToken="terraform-1")["StackId"]
    stacks.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    assert stacks.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"][0]["OutputKey"] == "Url"
    assert stacks.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]["Resources"]
    stacks.delete_stack(StackName=stack, ClientRequestToken="terraform-2")
    stacks.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
