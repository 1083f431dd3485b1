"""What the tests of EC2 share: its client, a VPC, and calls that it must refuse."""
import pytest
from botocore.exceptions import ClientError


def refused(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code, caught.value
    return caught.value.response["Error"]["Message"]


@pytest.fixture
def ec2(daemon):
    return daemon.client("ec2")


@pytest.fixture
def vpc(ec2):
    return ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
