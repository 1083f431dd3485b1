"""Lambda's revisions, versions and errors, as recorded from AWS."""

import pytest
from botocore.exceptions import ClientError

from support import function_package

ROLE = "arn:aws:iam::000000000000:role/lambda"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


@pytest.fixture(scope="module")
def functions(daemon):
    return daemon.client("lambda")


@pytest.fixture
def made(functions, request):
    name = request.node.name
    created = functions.create_function(FunctionName=name, Runtime="nodejs20.x", Role=ROLE, Handler="index.handler",
                                        Code={"ZipFile": function_package("exports.handler = async () => 1")})
    yield name, created
    functions.delete_function(FunctionName=name)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def test_revisions_change_with_each_state(functions, made):
    name, created = made
    active = functions.get_function_configuration(FunctionName=name)
    assert created["State"] == "Pending" and active["State"] == "Active" and created["RevisionId"] != active["RevisionId"]
    updating = functions.update_function_configuration(FunctionName=name, Timeout=4, RevisionId=active["RevisionId"])
    updated = functions.get_function_configuration(FunctionName=name)
    assert len({active["RevisionId"], updating["RevisionId"], updated["RevisionId"]}) == 3
    functions.tag_resource(Resource=created["FunctionArn"], Tags={"a": "b"})
    assert functions.get_function_configuration(FunctionName=name)["RevisionId"] != updated["RevisionId"]
    assert refusal(functions.update_function_code, FunctionName=name, ZipFile=function_package(""), RevisionId="wrong")[0] == "PreconditionFailedException"


def test_a_version_is_published_again_only_when_something_changed(functions, made):
    name, _ = made
    first = functions.publish_version(FunctionName=name, Description="first")
    assert functions.publish_version(FunctionName=name, Description="again")["Version"] == first["Version"] == "1"
    functions.update_function_configuration(FunctionName=name, Description="another")
    assert functions.publish_version(FunctionName=name)["Version"] == "2"
    assert first["RuntimeVersionConfig"]["RuntimeVersionArn"].startswith("arn:aws:lambda:us-east-1::runtime:")
    assert "RuntimeVersionConfig" not in functions.list_versions_by_function(FunctionName=name)["Versions"][0]


def test_what_is_not_there_is_named_as_aws_does(functions, made):
    name, _ = made
    assert refusal(functions.delete_function, FunctionName=name, Qualifier="$LATEST") == (
        "InvalidParameterValueException", "$LATEST version cannot be deleted without deleting the function.")
    assert refusal(functions.delete_function, FunctionName="none", Qualifier="7")[1] == f"Function not found: {ARN}none"
    assert refusal(functions.get_function, FunctionName=f"{ARN}f".replace("us-east-1", "eu-west-1"))[1] == (
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")
    assert refusal(functions.create_function_url_config, FunctionName="none", AuthType="NONE")[1] == "Function does not exist"
    assert refusal(functions.get_function_url_config, FunctionName="none")[1] == "The resource you requested does not exist."
    assert refusal(functions.get_function_event_invoke_config, FunctionName=name)[1] == f"The function {ARN}{name}:$LATEST doesn't have an EventInvokeConfig"
    assert refusal(functions.put_function_event_invoke_config, FunctionName="none", MaximumRetryAttempts=1)[1] == "The function doesn't exist."
    assert refusal(functions.put_function_event_invoke_config, FunctionName=name)[1] == "You must specify at least one of error handling or destination setting."
    assert refusal(functions.update_alias, FunctionName=name, Name="none", FunctionVersion="1")[1] == f"Alias not found: {ARN}{name}:none"
    assert refusal(functions.put_function_concurrency, FunctionName="none", ReservedConcurrentExecutions=1)[1] == f"Function not found: {ARN}none:$LATEST"


def test_what_is_wrong_is_named_as_aws_does(functions, made):
    name, _ = made
    create = dict(FunctionName="new", Role=ROLE, Handler="index.handler", Code={"ZipFile": function_package("")})
    code, message = refusal(functions.create_function, Runtime="cobol", **create)
    assert code == "InvalidParameterValueException" and message.startswith("Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs20.x, ")
    assert refusal(functions.create_function, Runtime="nodejs20.x", **{**create, "Environment": {"Variables": {"LARGE": "x" * 4096}}})[1].startswith(
        "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {\"LARGE\":\"x")
    assert refusal(functions.get_function, FunctionName="a!b")[1].startswith("1 validation error detected: Value 'a!b' at 'functionName'")
    assert "(eusc-)?" in refusal(functions.get_function, FunctionName="a!b")[1]
    permission = dict(FunctionName=name, Action="lambda:InvokeFunction")
    assert refusal(functions.add_permission, StatementId="a", Principal="invalid.nonaws.com", **permission)[1] == (
        "The provided principal was invalid. Please check the principal and try again.")
    for number, principal in enumerate(("*", "000000000000", "arn:aws:iam::000000000000:root", "s3.amazonaws.com", "alexa-appkit.amazon.com")):
        functions.add_permission(StatementId=f"s{number}", Principal=principal, **permission)


def test_layers_that_a_function_cannot_have(functions, made):
    name, _ = made
    package = {"ZipFile": function_package("layer", "a.txt")}
    first, second = (functions.publish_layer_version(LayerName="words", Content=package)["LayerVersionArn"] for _ in range(2))
    for pair in ([first, second], [first, first]):
        assert refusal(functions.update_function_configuration, FunctionName=name, Layers=pair) == (
            "InvalidParameterValueException", "Two different versions of the same layer are not allowed to be referenced in the same function. "
            f"{pair[0]} and {pair[1]} are versions of the same layer.")
    assert refusal(functions.update_function_configuration, FunctionName=name, Layers=[first.replace("us-east-1", "eu-west-1")])[1] \
        == "Layers are not in the same region as the function. Layers are expected to be in region us-east-1."
    assert refusal(functions.delete_layer_version, LayerName="words", VersionNumber=-1) == ("InvalidParameterValueException", "Layer Version Cannot be less than 1")


def test_permissions_of_what_is_not_there(functions, made):
    name, _ = made
    grant = {"Action": "lambda:InvokeFunction", "StatementId": "s3", "Principal": "s3.amazonaws.com"}
    assert refusal(functions.add_permission, FunctionName=f"{name}:nobody", **grant)[1] == f"Cannot find alias arn: {ARN}{name}:nobody"
    assert refusal(functions.add_permission, FunctionName=name, Qualifier="with-$", **grant)[1] == f"Function not found: {ARN}{name}:with-$"
    assert refusal(functions.remove_permission, FunctionName=f"{name}:nobody", StatementId="s3")[1] == f"Cannot find alias arn: {ARN}{name}:nobody"
    assert refusal(functions.remove_permission, FunctionName="nobody", StatementId="s3")[1] == f"No policy found for: {ARN}nobody"
    assert refusal(functions.get_policy, FunctionName="nobody")[1] == "The resource you requested does not exist."


def test_a_subnet_has_a_form(functions, made):
    code, text = refusal(functions.update_function_configuration, FunctionName=made[0], VpcConfig={"SubnetIds": ["bad-"], "SecurityGroupIds": ["sg-1"]})
    assert code == "ValidationException" and "'vpcConfig.subnetIds'" in text and "pattern: subnet-[0-9a-z]*" in text
