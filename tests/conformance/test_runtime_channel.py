"""What passes between a function's runtime and the daemon: payloads of every size, streams, wrappers, and processes that a
function starts."""
import io
import json
import zipfile

import pytest

LARGEST = 6 * 1024 * 1024  # of a request
# A variable that must be there before the interpreter starts rules out a runtime that was booted ahead.
AT_START = {"nodejs20.x": {"NODE_OPTIONS": "--no-warnings"}, "python3.12": {"PYTHONOPTIMIZE": "1"}}
ECHO = {"nodejs20.x": "exports.handler = async (e) => e", "python3.12": "def handler(event, context):\n    return event"}


def zip_of(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name.replace("_dot_", "."))
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, text)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def functions(daemon):
    return daemon.client("lambda")


@pytest.fixture
def make(functions):
    made = []

    def create(text, runtime="nodejs20.x", more=None, **kwargs):
        name = f"channel-{len(made)}"
        files = {"index_dot_py" if runtime.startswith("python") else "index_dot_js": text, **(more or {})}
        functions.create_function(FunctionName=name, Runtime=runtime, Role="arn:aws:iam::000000000000:role/lambda", Handler="index.handler", Code={"ZipFile": zip_of(**files)}, **kwargs)
        made.append(name)
        return name
    yield create
    for name in made:
        functions.delete_function(FunctionName=name)


def invoke(functions, name, payload=None):
    reply = functions.invoke(FunctionName=name, Payload=json.dumps(payload))
    return json.loads(reply["Payload"].read()), reply


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("runtime", ECHO)
def test_payloads_of_every_size(functions, make, runtime, ahead):
    name = make(ECHO[runtime], runtime=runtime, MemorySize=512, Environment={"Variables": {} if ahead else AT_START[runtime]})
    for size in (0, 1, 4_000, 65_536, 1_000_003, LARGEST - 2):
        said, reply = invoke(functions, name, "x" * size)
        assert "FunctionError" not in reply and said == "x" * size
    said, reply = invoke(functions, name, "é" * 3)
    assert said == "ééé"


def test_large_streams(functions, make):
    name = make("""exports.handler = awslambda.streamifyResponse(async (e, stream) => {
        for (let i = 0; i < 80; i++) if (!stream.write(Buffer.alloc(250000, 'a'))) await new Promise(r => stream.once('drain', r));
        stream.end(); })""", MemorySize=512)
    events = functions.invoke_with_response_stream(FunctionName=name, Payload=b"{}")["EventStream"]
    assert sum(len(event["PayloadChunk"]["Payload"]) for event in events if "PayloadChunk" in event) == 20_000_000


def test_wrappers_and_asked_for_warnings(functions, make):
    wrapper = '#!/bin/bash\nexec 3>&-\nexport WRAPPED=yes\nexec "$@"\n'
    name = make("exports.handler = async () => process.env.WRAPPED", more={"wrapper": wrapper}, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}})
    assert invoke(functions, name)[0] == "yes"
    name = make("let seen = []; process.on('warning', w => seen.push(w.code)); exports.handler = async () => seen",
                Environment={"Variables": {"NODE_OPTIONS": "--pending-deprecation"}})
    assert invoke(functions, name)[0] == []


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("runtime", ECHO)
def test_processes_that_a_function_starts_do_not_get_the_connection(functions, make, runtime, ahead):
    code = {"nodejs20.x": """exports.handler = async () => {
                const fds = require('child_process').execSync('ls /proc/self/fd').toString().trim().split('\\n').map(Number);
                return {fds, channel: Object.keys(process.env).filter(name => name.startsWith('ATOLL_'))} }""",
            "python3.12": """import os, subprocess
def handler(event, context):
    fds = subprocess.run(['ls', '/proc/self/fd'], capture_output=True, text=True, close_fds=False).stdout.split()
    return {'fds': [int(fd) for fd in fds], 'channel': [name for name in os.environ if name.startswith('ATOLL_')]}"""}[runtime]
    name = make(code, runtime=runtime, Environment={"Variables": {} if ahead else AT_START[runtime]})
    said, _ = invoke(functions, name)
    assert said["channel"] == [] and all(fd < 4 for fd in said["fds"])  # 3 is what ls reads the folder by

