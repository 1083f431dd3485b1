import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def ssm(daemon):
    return daemon.client("ssm")


def test_versions_labels_and_history(ssm):
    assert ssm.put_parameter(Name="/a/b", Value="1", Type="String")["Version"] == 1
    with pytest.raises(ClientError) as caught:
        ssm.put_parameter(Name="/a/b", Value="2", Type="String")
    assert caught.value.response["Error"]["Code"] == "ParameterAlreadyExists"
    assert ssm.put_parameter(Name="/a/b", Value="2", Overwrite=True)["Version"] == 2
    ssm.label_parameter_version(Name="/a/b", ParameterVersion=1, Labels=["old"])
    assert ssm.get_parameter(Name="/a/b")["Parameter"]["Value"] == "2"
    assert ssm.get_parameter(Name="/a/b:1")["Parameter"]["Value"] == "1"
    assert ssm.get_parameter(Name="/a/b:old")["Parameter"]["Selector"] == ":old"
    assert [v["Version"] for v in ssm.get_parameter_history(Name="/a/b")["Parameters"]] == [1, 2]


def test_paths_in_pages(ssm):
    for i in range(12):
        ssm.put_parameter(Name=f"/p/{i:02}", Value="x", Type="String")
    ssm.put_parameter(Name="/p/deep/er", Value="x", Type="SecureString")
    pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/p"))
    assert sum(len(p["Parameters"]) for p in pages) == 12 and len(pages) == 2
    deep = ssm.get_parameters_by_path(Path="/p/deep", Recursive=True, WithDecryption=True)["Parameters"]
    assert deep[0]["Value"] == "x" and deep[0]["Type"] == "SecureString"
    assert ssm.get_parameters_by_path(Path="/p/deep")["Parameters"][0]["Value"] != "x"


def test_missing(ssm):
    out = ssm.get_parameters(Names=["/nope", "/a/b"])
    assert out["InvalidParameters"] == ["/nope"] and len(out["Parameters"]) == 1
    with pytest.raises(ClientError) as caught:
        ssm.get_parameter(Name="/nope")
    assert caught.value.response["Error"]["Code"] == "ParameterNotFound"


def test_values_fit_the_allowed_pattern(daemon):
    ssm = daemon.client("ssm")
    with pytest.raises(ClientError) as error:
        ssm.put_parameter(Name="/patterned", Value="x", Type="String", AllowedPattern=r"^\d+$")
    assert error.value.response["Error"] == {"Code": "ParameterPatternMismatchException", "Message": r"Parameter value, cannot be validated against allowedPattern: ^\d+$"}
    with pytest.raises(ClientError, match="InvalidAllowedPatternException"):
        ssm.put_parameter(Name="/patterned", Value="x", Type="String", AllowedPattern="[")
    assert ssm.put_parameter(Name="/patterned", Value="12", Type="String", AllowedPattern=r"^\d+$")["Version"] == 1
