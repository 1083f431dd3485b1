"""The example, deployed as a newcomer would and as an AWS user would."""
import json
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request

import pytest

from support import ROOT, wait_for

EXAMPLE = ROOT / "examples" / "orders"


def request(url, method="GET", body=None):
    """One HTTP request; *.localhost is not in everybody's resolver, so the host goes into the header."""
    parts = urllib.parse.urlsplit(url)
    call = urllib.request.Request(f"http://127.0.0.1:{parts.port}{parts.path}", method=method,
                                  data=json.dumps(body).encode() if body is not None else None,
                                  headers={"Host": parts.netloc, "content-type": "application/json"})
    try:
        with urllib.request.urlopen(call, timeout=30) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def check_system(daemon, url):
    status, order = request(url + "/orders", "POST", {"item": "lamp", "quantity": 12})
    assert (status, order["cents"], order["status"]) == (201, 12960, "PLACED")
    assert request(url + "/orders", "POST", {"item": "lamp"})[0] == 400
    assert request(url + "/orders/none")[0] == 404
    assert request(url + "/nothing") == (404, {"message": "Not Found"})
    wait_for(lambda: request(f"{url}/orders/{order['id']}")[1]["status"] == "CONFIRMED", what="the worker to confirm")
    assert [o["id"] for o in request(url + "/orders")[1]] == [order["id"]]
    spans = json.load(urllib.request.urlopen(f"{daemon.url}/_atoll/traces"))["spans"]
    root = next(s["trace"] for s in spans if s["name"] == "execute-api POST /orders" and s["status"] == 201)
    names = {s["name"] for s in spans if s["trace"] == root}
    assert {"lambda.Invoke", "dynamodb.PutItem", "sqs.SendMessage"} <= names, "one trace covers gateway, functions, table and queue"


def test_atoll_deploy(daemon):
    out = daemon.command("deploy", str(EXAMPLE / "template.yaml"), "--stack", "orders", "--port", str(daemon.port))
    assert "CREATE_COMPLETE" in out
    url = daemon.command("status", "--output", "orders.Url", "--port", str(daemon.port)).strip()
    check_system(daemon, url)
    assert "confirmed" in wait_for(lambda: daemon.command("logs", "orders-Worker", "--port", str(daemon.port), check=False), what="log lines")
    again = daemon.command("deploy", str(EXAMPLE / "template.yaml"), "--stack", "orders", "--port", str(daemon.port))
    assert "nothing changed" in again
    changed = daemon.command("deploy", str(EXAMPLE / "template.yaml"), "--stack", "orders", "--port", str(daemon.port), "--parameter", "BulkDiscountPercent=50")
    assert "UPDATE_COMPLETE" in changed
    assert request(url + "/orders", "POST", {"item": "lamp", "quantity": 10})[1]["cents"] == 6000
    assert "DELETE_COMPLETE" in daemon.command("destroy", "orders", "--port", str(daemon.port))
    assert daemon.client("sqs").list_queues().get("QueueUrls") is None
    assert daemon.client("lambda").list_functions()["Functions"] == []
    assert daemon.client("dynamodb").list_tables()["TableNames"] == []


def test_aws_cloudformation_deploy(daemon, tmp_path):
    aws = shutil.which("aws", path=str(ROOT / "build/venv/bin")) or str(sys.prefix + "/bin/aws")
    daemon.client("s3").create_bucket(Bucket="packages")

    def run(*arguments):
        done = subprocess.run([aws, "cloudformation", *arguments], env=daemon.environment(), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    packaged = tmp_path / "packaged.yaml"
    run("package", "--template-file", str(EXAMPLE / "template.yaml"), "--s3-bucket", "packages", "--output-template-file", str(packaged))
    run("deploy", "--template-file", str(packaged), "--stack-name", "by-cli", "--capabilities", "CAPABILITY_IAM")
    stack = daemon.client("cloudformation").describe_stacks(StackName="by-cli")["Stacks"][0]
    url = next(o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == "Url")
    check_system(daemon, url)
    run("deploy", "--template-file", str(packaged), "--stack-name", "by-cli", "--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset")
    daemon.client("cloudformation").delete_stack(StackName="by-cli")
    daemon.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName="by-cli", WaiterConfig={"Delay": 1})


def test_an_unsupported_type_fails_before_anything_is_created(daemon, tmp_path):
    template = tmp_path / "template.yaml"
    template.write_text("Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: never-made}}\n  X: {Type: AWS::Nowhere::Thing}\n")
    import re
    done = subprocess.run([ROOT / "build/release/atoll", "deploy", str(template), "--stack", "bad", "--port", str(daemon.port)], capture_output=True, text=True)
    assert done.returncode == 1 and re.search("AWS::Nowhere::Thing", done.stdout + done.stderr)
    assert "QueueUrls" not in daemon.client("sqs").list_queues(QueueNamePrefix="never-made")
