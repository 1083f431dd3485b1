"""The AWS SDK for JavaScript v3: each test of the *.test.mjs beside this file counts as one test here."""
import json
import pathlib
import re
import subprocess
import xml.etree.ElementTree as xml

import pytest

HERE = pathlib.Path(__file__).resolve().parent
NODE = next(iter(sorted(HERE.glob("node_modules/node-linux-*/bin/node"))), None)

ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def named_tests():
    for script in sorted(HERE.glob("*.test.mjs")):
        for name in re.findall(r'^test\("([^"]+)"', script.read_text(), re.MULTILINE):
            yield pytest.param(script, name, id=f"{script.name.split('.')[0]}: {name}")


@pytest.fixture(scope="module")
def environment(daemon):
    """With an access key that the daemon knows, so that each signature the SDK makes is checked."""
    iam = daemon.client("iam")
    iam.create_user(UserName="js")
    iam.put_user_policy(UserName="js", PolicyName="anything", PolicyDocument=json.dumps(ANYTHING))
    key = iam.create_access_key(UserName="js")["AccessKey"]
    variables = {**daemon.environment(), "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    variables.pop("AWS_PROFILE", None)
    variables.pop("AWS_SESSION_TOKEN", None)
    return variables


@pytest.fixture(scope="module")
def outcomes(environment, tmp_path_factory):
    """Runs a script once and gives what became of each of its tests: None, or what failed."""
    assert NODE, "run tools/setup/node.sh"
    known = {}

    def run(script):
        if script not in known:
            report = tmp_path_factory.mktemp("node") / "report.xml"
            done = subprocess.run(
                [NODE, "--test", "--test-timeout=60000", "--test-reporter=junit", f"--test-reporter-destination={report}", script],
                env=environment, cwd=HERE, capture_output=True, text=True, timeout=240)
            output = done.stdout + done.stderr
            try:
                cases = xml.parse(report).iter("testcase")
            except (OSError, xml.ParseError):
                raise RuntimeError(f"{script.name} gave no report: {output}")
            known[script] = {case.get("name"): "".join(f.get("message", "") + "\n" + (f.text or "") for f in case.findall("failure"))
                             for case in cases}, output
        return known[script]

    return run


@pytest.mark.parametrize("script, name", named_tests())
def test_sdk(outcomes, script, name):
    results, output = outcomes(script)
    assert name in results, f"it did not run: {sorted(results)}\n{output}"
    assert not results[name], results[name]
