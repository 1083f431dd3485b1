"""Inside a sandbox AWS's own names lead here, over TLS that the usual libraries trust without being told."""
import json
import socket
import subprocess

import boto3
import pytest
from support import ATOLL, function_package, wait_for

NODE = """const https = require('https');
exports.handler = ({url}) => new Promise((resolve, reject) => https.get(url, (r) => {
  let text = ''; r.on('data', (d) => text += d); r.on('end', () => resolve({status: r.statusCode, text}));
}).on('error', reject));"""
PYTHON = """import urllib.request, urllib.error
def handler(event, context):
    try:
        with urllib.request.urlopen(event['url']) as r:
            return {'status': r.status, 'text': r.read().decode()}
    except urllib.error.HTTPError as e:
        return {'status': e.code, 'text': e.read().decode()}
"""


@pytest.fixture(scope="module")
def fetch(daemon):
    client = daemon.client("lambda", read_timeout=30)
    for name, runtime, text, file in (("node", "nodejs20.x", NODE, "index.js"), ("python", "python3.12", PYTHON, "index.py")):
        client.create_function(FunctionName=f"inside-{name}", Runtime=runtime, Role="arn:aws:iam::000000000000:role/r", Handler="index.handler",
                               Timeout=20, Code={"ZipFile": function_package(text, file)})

    def call(language, url):
        out = client.invoke(FunctionName=f"inside-{language}", Payload=json.dumps({"url": url}))
        return json.loads(out["Payload"].read())
    yield call
    for name in ("node", "python"):
        client.delete_function(FunctionName=f"inside-{name}")


@pytest.mark.parametrize("language", ["node", "python"])
def test_https_to_the_names_of_services(daemon, fetch, language):
    daemon.client("s3").create_bucket(Bucket=f"inside-{language}")
    daemon.client("s3").put_object(Bucket=f"inside-{language}", Key="hello", Body=b"from here")
    for host in (f"inside-{language}.s3.us-east-1.amazonaws.com", f"inside-{language}.s3.amazonaws.com"):
        assert fetch(language, f"https://{host}/hello") == {"status": 200, "text": "from here"}
    assert fetch(language, f"https://s3.eu-west-1.amazonaws.com/inside-{language}/hello")["text"] == "from here"


@pytest.mark.parametrize("language", ["node", "python"])
def test_https_to_an_api_of_api_gateway(daemon, fetch, language):
    gateway = daemon.client("apigatewayv2")
    api = gateway.create_api(Name="inside", ProtocolType="HTTP", Target="arn:aws:lambda:us-east-1:000000000000:function:inside-node")
    reply = fetch(language, f"https://{api['ApiId']}.execute-api.us-east-1.amazonaws.com/nowhere?url=x")
    gateway.delete_api(ApiId=api["ApiId"])
    assert reply["status"] == 500  # the function was reached, and cannot fetch what it was given
    assert json.loads(reply["text"]) == {"message": "Internal Server Error"}


@pytest.mark.parametrize("options", ["", "--no-warnings", "--use-bundled-ca"])
def test_node_trusts_however_it_was_started(daemon, options):
    """Booted ahead, started cold, told to keep to its own list; and so do the Node processes that it starts."""
    code = """const {execFile} = require('child_process');
    const script = "require('https').get('https://s3.amazonaws.com/', (r) => process.exit(r.statusCode == 200 ? 0 : 1)).on('error', (e) => { console.error(e); process.exit(2); })";
    exports.handler = () => new Promise((done) => execFile(process.execPath, ['-e', script], (error) => require('https').get('https://s3.amazonaws.com/', (r) =>
      done([error ? String(error) : 'trusted', r.statusCode, Object.keys(process.env).filter((name) => name.startsWith('ATOLL_'))])).on('error', (e) => done(String(e)))));"""
    client = daemon.client("lambda")
    name = "trusts" + options
    client.create_function(FunctionName=name, Runtime="nodejs20.x", Role="arn:aws:iam::000000000000:role/r", Handler="index.handler", Timeout=20,
                           Code={"ZipFile": function_package(code)}, Environment={"Variables": {"NODE_OPTIONS": options} if options else {}})
    assert json.loads(client.invoke(FunctionName=name)["Payload"].read()) == ["trusted", 200, []]
    client.delete_function(FunctionName=name)


def test_with_a_data_folder_that_is_named_from_where_one_stands(daemon, tmp_path):
    port = free_port()
    process = subprocess.Popen([ATOLL, "start", "--foreground", "--port", str(port), "--data", "data"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = boto3.client("lambda", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        wait_for(lambda: answers(port), what="the daemon")
        client.create_function(FunctionName="here", Runtime="nodejs20.x", Role="arn:aws:iam::000000000000:role/r", Handler="index.handler",
                               Code={"ZipFile": function_package("exports.handler = async () => require('fs').existsSync(process.env.NODE_EXTRA_CA_CERTS)")})
        assert client.invoke(FunctionName="here")["Payload"].read() == b"true"
    finally:
        process.terminate()
        process.wait()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
