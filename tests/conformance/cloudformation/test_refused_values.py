"""Values that nobody here could carry out are found before anything is created, wherever parameters, mappings and conditions put them."""
import json

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/r"
FUNCTION = {"Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": "x"}}

REFUSED = [
    ("AWS::Lambda::Function", FUNCTION | {"Runtime": {"Ref": "Runtime"}}, "The runtime parameter of java21 is not supported"),
    ("AWS::Lambda::Function", FUNCTION | {"Runtime": {"Fn::FindInMap": ["Runtimes", "any", "name"]}}, "The runtime parameter of ruby3.3 is not supported"),
    ("AWS::Lambda::Function", {"Role": ROLE, "PackageType": "Image", "Code": {"ImageUri": "x"}}, "PackageType: Image is not supported"),
    ("AWS::Lambda::Function", FUNCTION | {"Runtime": "nodejs22.x", "MemorySize": "64"}, "Value '64' at 'memorySize'"),
    ("AWS::Lambda::Function", FUNCTION | {"Runtime": "nodejs22.x", "Code": {"S3Bukcet": "x"}}, r"extraneous key \[S3Bukcet\] is not permitted"),
    ("AWS::Lambda::EventSourceMapping", {"FunctionName": "f", "EventSourceArn": {"Fn::Sub": "arn:aws:kinesis:${AWS::Region}:${AWS::AccountId}:stream/s"}}, "kinesis:us-east-1:000000000000:stream/s' is not supported"),
    ("AWS::Lambda::EventInvokeConfig", {"FunctionName": "f", "Qualifier": "$LATEST", "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::b"}}}, "S3 destination arn:aws:s3:::b is not supported"),
    ("AWS::ApiGatewayV2::Api", {"Name": "a", "ProtocolType": {"Fn::If": ["Always", "WEBSOCKET", "HTTP"]}}, "ProtocolType: WEBSOCKET is not supported"),
    ("AWS::ApiGatewayV2::Integration", {"ApiId": "a", "IntegrationType": "AWS_PROXY", "IntegrationSubtype": "Kinesis-PutRecord"}, "IntegrationSubtype: Kinesis-PutRecord is not supported"),
    ("AWS::ApiGateway::Method", {"RestApiId": "a", "ResourceId": "r", "HttpMethod": "GET", "Integration": {"Type": "AWS"}}, "Integration/Type: AWS .* is not supported"),
    ("AWS::ApiGateway::Stage", {"RestApiId": "a", "StageName": "s", "CacheClusterEnabled": True}, "CacheClusterEnabled: a cache cluster is not supported"),
    ("AWS::ECS::TaskDefinition", {"NetworkMode": "awsvpc", "ContainerDefinitions": [{"Name": "c", "Image": {"Fn::Sub": "${First}:x"}, "PortMappings": [{"ContainerPort": 53, "Protocol": "udp"}]}]}, "protocol udp of the container c"),
    ("AWS::ECS::Service", {"DeploymentController": {"Type": "CODE_DEPLOY"}}, "deployment controller CODE_DEPLOY is not supported"),
    ("AWS::EC2::VPCEndpoint", {"ServiceName": "s", "VpcId": "v", "VpcEndpointType": "GatewayLoadBalancer"}, "type GatewayLoadBalancer are not supported"),
    ("AWS::EC2::FlowLog", {"ResourceId": "v", "ResourceType": "TransitGateway"}, "Flow logs of a TransitGateway are not supported"),
    ("AWS::SQS::Queue", {"QueueName": {"Fn::FindInMap": ["Runtimes", "none", "name"]}}, "Unable to get mapping for Runtimes::none::name"),
    ("AWS::SQS::Queue", {"QueueName": {"Fn::Nope": "x"}}, "Encountered unsupported function: Fn::Nope Supported functions are"),
    ("AWS::SQS::Queue", {"QueueName": {"Fn::Select": [2, ["a", "b"]]}}, "cannot select nonexistent value at index 2"),
]


@pytest.mark.parametrize("type_name, properties, words", REFUSED)
def test_nothing_is_created(daemon, type_name, properties, words):
    stacks = daemon.client("cloudformation")
    template = {"Parameters": {"Runtime": {"Type": "String", "Default": "java21"}}, "Mappings": {"Runtimes": {"any": {"name": "ruby3.3"}}},
                "Conditions": {"Always": {"Fn::Equals": [1, 1]}}, "Resources": {"First": {"Type": "AWS::SQS::Queue"}, "Second": {"Type": type_name, "Properties": properties}}}
    with pytest.raises(ClientError, match=words) as error:
        stacks.create_stack(StackName="never", TemplateBody=json.dumps(template))
    assert error.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(ClientError, match="does not exist"):
        stacks.describe_stacks(StackName="never")


@pytest.mark.parametrize("output, words", [({"Value": {"a": 1}}, "must evaluate to a String"), ({"Value": ["a"]}, "must evaluate to a String"), ({"Description": "x"}, "The Value attribute must be set"),
                                           ({"Value": {"Fn::FindInMap": ["A", "b", "c"]}}, "Unable to get mapping for A::b::c")])
def test_outputs_are_checked_beforehand(daemon, output, words):
    with pytest.raises(ClientError, match=words):
        daemon.client("cloudformation").create_stack(StackName="never", TemplateBody=json.dumps({"Resources": {"A": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"O": output}}))
