"""Runs the function runtimes against a Runtime API of our own making."""
import http.server
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2] / "embedded" / "runtimes"


class Api(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.events, self.results, self.assignments = queue.Queue(), queue.Queue(), queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/atoll/assignment":
            return self.reply(200, self.server.assignments.get())
        number, event = self.server.events.get()
        self.reply(200, event, [
            ("Lambda-Runtime-Aws-Request-Id", f"id-{number}"),
            ("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 3000)),
            ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:f"),
            ("Lambda-Runtime-Trace-Id", "Root=1-2-3"), ("Content-Type", "application/json")])

    def do_POST(self):
        trailers = {}
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            while (line := self.rfile.readline().strip()):
                name, _, value = line.decode().partition(":")
                trailers[name.lower()] = value.strip()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.results.put((self.path.removeprefix("/2018-06-01/runtime/"), body, dict(self.headers), trailers))
        self.reply(202, b'{"status":"OK"}')


class Function:
    def __init__(self, tmp_path, kind, files, handler, env=None, pooled=False):
        self.api, self.count = Api(), 0
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        command = {"node": ["node", str(ROOT / "node/bootstrap.cjs")], "python": [sys.executable, "-B", str(ROOT / "python/bootstrap.py")]}[kind]
        own = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LAMBDA_TASK_ROOT": str(tmp_path), "_HANDLER": handler,
               "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
               "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.api.server_port}", **(env or {})}
        start = dict(own)
        if pooled:
            start = {name: own[name] for name in ("PATH", "HOME", "AWS_LAMBDA_RUNTIME_API")} | {"ATOLL_POOLED": "1"}
        self.process = subprocess.Popen(command, env=start, cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if pooled:
            self.api.assignments.put(json.dumps({"env": own, "cwd": str(tmp_path)}).encode())

    def result(self):
        return self.api.results.get(timeout=10)

    def invoke(self, event=None):
        self.count += 1
        self.api.events.put((self.count, json.dumps(event).encode()))
        path, body, headers, trailers = self.result()
        if path.startswith("invocation/"):
            assert path.startswith(f"invocation/id-{self.count}/"), path
        return path.rsplit("/", 1)[1], body if trailers or headers.get("Transfer-Encoding") else json.loads(body), headers, trailers

    def output(self):
        self.process.kill()
        return self.process.stdout.read().decode()


@pytest.fixture
def function(tmp_path):
    made = []

    def make(*args, **kwargs):
        made.append(Function(tmp_path, *args, **kwargs))
        return made[-1]
    yield make
    for one in made:
        one.process.kill()
        one.process.wait()
        one.api.shutdown()


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("name,text", [
    ("index.js", "exports.handler = async (e, c) => ({e, name: c.functionName, id: c.awsRequestId, left: c.getRemainingTimeInMillis() > 1000, env: process.env.X, trace: process.env._X_AMZN_TRACE_ID});"),
    ("index.mjs", "export const handler = async (e, c) => ({e, name: c.functionName, id: c.awsRequestId, left: c.getRemainingTimeInMillis() > 1000, env: process.env.X, trace: process.env._X_AMZN_TRACE_ID});"),
    ("index.js", "exports.handler = (e, c, done) => setTimeout(() => done(null, {e, name: c.functionName, id: c.awsRequestId, left: true, env: process.env.X, trace: process.env._X_AMZN_TRACE_ID}), 5);"),
    ("index.py", "import os\ndef handler(e, c):\n  return dict(e=e, name=c.function_name, id=c.aws_request_id, left=c.get_remaining_time_in_millis() > 1000, env=os.environ['X'], trace=os.environ['_X_AMZN_TRACE_ID'])"),
])
def test_answers(function, name, text, pooled):
    f = function("python" if name.endswith("py") else "node", {name: text}, "index.handler", {"X": "y"}, pooled)
    for event in ({"a": "ä" * 100_000}, [1, None]):
        kind, body, _, _ = f.invoke(event)
        assert (kind, body) == ("response", {"e": event, "name": "f", "id": f"id-{f.count}", "left": True, "env": "y", "trace": "Root=1-2-3"})


@pytest.mark.parametrize("kind,file,text,expected", [
    ("node", "index.js", "exports.handler = async () => { throw new TypeError('no') }", {"errorType": "TypeError", "errorMessage": "no"}),
    ("node", "index.js", "exports.handler = (e, c, d) => d('text')", {"errorType": "string", "errorMessage": "text"}),
    ("node", "index.js", "exports.handler = (e, c, d) => { setTimeout(() => { throw new Error('late') }, 1) }", {"errorType": "Error", "errorMessage": "late"}),
    ("node", "index.js", "exports.handler = async () => { Promise.reject(new Error('x')); await new Promise(r => setTimeout(r, 50)) }", {"errorType": "Runtime.UnhandledPromiseRejection", "errorMessage": "Error: x"}),
    ("python", "index.py", "def handler(e, c):\n  raise ValueError('no')", {"errorType": "ValueError", "errorMessage": "no", "requestId": "id-1"}),
    ("python", "index.py", "def handler(e, c):\n  return {1, 2}", {"errorType": "Runtime.MarshalError", "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable"}),
])
def test_reports_errors(function, kind, file, text, expected):
    f = function(kind, {file: text}, "index.handler")
    outcome, body, headers, _ = f.invoke({})
    assert outcome == "error" and headers["Lambda-Runtime-Function-Error-Type"] == expected["errorType"]
    assert {key: body[key] for key in expected} == expected


@pytest.mark.parametrize("kind,files,handler,error,message", [
    ("node", {}, "index.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'index'"),
    ("node", {"index.js": "exports.other = 1"}, "index.handler", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
    ("node", {"index.js": "let x ="}, "index.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected"),
    ("python", {}, "index.handler", "Runtime.ImportModuleError", "Unable to import module 'index': No module named 'index'"),
    ("python", {"index.py": ""}, "index.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'"),
    ("python", {"index.py": "def x(:"}, "index.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index'"),
])
def test_reports_init_errors(function, kind, files, handler, error, message):
    f = function(kind, files, handler)
    path, body, headers, _ = f.result()
    assert path == "init/error" and headers["Lambda-Runtime-Function-Error-Type"] == error
    assert json.loads(body)["errorMessage"].startswith(message)
    assert f.process.wait(5) == 1


def test_logs_as_aws_formats_them(function):
    f = function("node", {"index.js": "exports.handler = async () => { console.log('a\\nb', {x: 1}); console.error('c') }"}, "index.handler")
    assert f.invoke({})[:2] == ("response", None)
    first = f.output().split("\n")[0].split("\t")
    assert first[1:] == ["id-1", "INFO", "a\rb { x: 1 }"]
    p = function("python", {"index.py": "import logging\ndef handler(e, c):\n  print('p')\n  logging.warning('w %d', 1)"}, "index.handler")
    assert p.invoke({})[:2] == ("response", None)
    lines = p.output().split("\n")
    assert lines[0] == "p" and lines[1].split("\t")[0] == "[WARNING]" and lines[1].split("\t")[2:] == ["id-1", "w 1"]


def test_empty_event_loop_ends_an_unanswered_invocation(function):
    f = function("node", {"index.js": "exports.handler = async () => new Promise(() => {})"}, "index.handler")
    assert f.invoke({})[:2] == ("response", None)
    assert f.invoke({})[:2] == ("response", None)


def test_streams(function):
    f = function("node", {"index.js": """
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  if (event.fail) { stream.write('part'); await new Promise(r => setTimeout(r, 20)); throw new Error('mid'); }
  stream = awslambda.HttpResponseStream.from(stream, {statusCode: 201});
  for (let i = 0; i < 3; i++) stream.write('x' + i);
  stream.end();
});"""}, "index.handler")
    kind, body, headers, _ = f.invoke({})
    assert headers["Content-Type"] == "application/vnd.awslambda.http-integration-response"
    assert body == b'{"statusCode":201}' + bytes(8) + b"x0x1x2"
    kind, body, headers, trailers = f.invoke({"fail": True})
    assert body == b"part" and trailers["lambda-runtime-function-error-type"] == "Error"
    assert f.invoke({})[0] == "response"


@pytest.mark.parametrize("version, endpoint", [("1.29.27", "http://here"), ("1.40.0", None), ("strange", None)])
def test_old_sdks_find_the_endpoint_as_new_ones_do(function, version, endpoint):
    f = function("python", {
        "botocore/__init__.py": f"__version__ = '{version}'",
        "botocore/session.py": "class Session:\n  def create_client(self, service_name, region_name=None, api_version=None, use_ssl=True,"
                               " verify=None, endpoint_url=None, **more):\n    return [service_name, region_name, endpoint_url]",
        "index.py": "import botocore.session\ndef handler(e, c):\n  s = botocore.session.Session()\n"
                    "  return s.create_client('s3', region_name='r'), s.create_client('sqs', endpoint_url='given')"},
        "index.handler", {"AWS_ENDPOINT_URL": "http://here"})
    assert f.invoke({})[1] == [["s3", "r", endpoint], ["sqs", None, "given"]]
