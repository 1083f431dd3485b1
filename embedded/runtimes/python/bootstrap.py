"""The Python runtime of functions: takes events from the Runtime API, calls the handler, hands back what it returns.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""
import decimal
import importlib
import importlib.util
import json
import logging
import os
import sys
import time
import traceback

PREFIX = "/2018-06-01/runtime/"


class RuntimeApi:
    """One kept-alive connection with requests in order."""

    def __init__(self, address):
        self.host, port = address.rsplit(":", 1)
        # The descriptor that this process was started with is connected already; a wrapper may not have handed it on.
        channel = os.environ.pop("ATOLL_RUNTIME_CHANNEL", None)
        if channel:
            self.descriptor = int(channel)
            os.set_inheritable(self.descriptor, False)
        else:
            import socket

            connection = socket.create_connection((self.host, int(port)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.descriptor = connection.detach()
        self.file = open(self.descriptor, "rb", 65536, closefd=False)

    def head(self, method, target, headers=(), size=None):
        lines = ["%s %s HTTP/1.1\r\nHost: %s\r\n" % (method, target, self.host)]
        lines.extend("%s: %s\r\n" % pair for pair in headers)
        if size is not None:
            lines.append("Content-Length: %d\r\n" % size)
        lines.append("\r\n")
        return "".join(lines).encode("latin-1", "replace")

    def send(self, *parts):
        rest = memoryview(b"".join(parts))
        while rest:
            rest = rest[os.write(self.descriptor, rest):]

    def receive(self):
        while True:
            status = self.file.readline()
            if not status:
                sys.exit(1)  # the daemon is gone
            headers = {}
            while True:
                line = self.file.readline()
                if line in (b"\r\n", b"\n", b""):
                    break
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.strip().lower()] = value.strip()
            if not status.startswith(b"HTTP/1.1 100"):
                break
        size = int(headers.get("content-length", 0))
        return headers, self.file.read(size) if size else b""

    def get(self, target):
        self.send(self.head("GET", target))
        return self.receive()

    def post(self, target, body, headers=()):
        self.send(self.head("POST", target, headers, len(body)), body)
        return self.receive()


class EndpointTeacher:
    """Makes botocore before 1.31 look at AWS_ENDPOINT_URL, as later ones do: the SDK then calls the system that this
    function runs in, whatever its age. Acts when botocore is imported, if it ever is."""

    def find_spec(self, name, path=None, target=None):
        if name != "botocore.session":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_teach(module):
                load(module)
                self.teach(module)

            spec.loader.exec_module = load_and_teach
        return spec

    @staticmethod
    def teach(module):
        version = getattr(sys.modules.get("botocore"), "__version__", "")
        parts = version.split(".")
        if len(parts) < 2 or not all(part.isdigit() for part in parts[:2]) or tuple(map(int, parts[:2])) >= (1, 31):
            return
        create = module.Session.create_client

        def create_client(self, service_name, region_name=None, api_version=None, use_ssl=True, verify=None, endpoint_url=None, *rest, **more):
            if endpoint_url is None:
                own = "AWS_ENDPOINT_URL_" + service_name.upper().replace("-", "_")
                endpoint_url = os.environ.get(own) or os.environ.get("AWS_ENDPOINT_URL")
            return create(self, service_name, region_name, api_version, use_ssl, verify, endpoint_url, *rest, **more)

        module.Session.create_client = create_client


class ClientContext:
    def __init__(self, data):
        self.custom = data.get("custom")
        self.env = data.get("env")
        client = data.get("client")
        self.client = None
        if client:
            self.client = type("Client", (), {name: client.get(name) for name in (
                "installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")})()


class CognitoIdentity:
    def __init__(self, data):
        self.cognito_identity_id = data.get("cognitoIdentityId")
        self.cognito_identity_pool_id = data.get("cognitoIdentityPoolId")


class LambdaContext:
    def __init__(self, headers, request_id):
        env = os.environ
        self.aws_request_id = request_id
        self.log_group_name = env.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = env.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = env.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = env.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        client = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        identity = headers.get("lambda-runtime-cognito-identity")
        self.identity = CognitoIdentity(json.loads(identity) if identity else {})
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, message):
        write_log(str(message))

    def __repr__(self):
        return "LambdaContext([%s])" % ",".join("%s=%s" % pair for pair in self.__dict__.items())


# ---- logs --------------------------------------------------------------------------------------------------------
current_request_id = [None]


def write_log(text):
    # A carriage return stands for a line break inside one message.
    sys.stdout.write(text.rstrip("\n").replace("\n", "\r") + "\n")
    sys.stdout.flush()


class LambdaLogHandler(logging.Handler):
    def emit(self, record):
        write_log(self.format(record))


class RequestIdFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = current_request_id[0] or ""
        return True


class JsonFormatter(logging.Formatter):
    def format(self, record):
        line = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
            "requestId": current_request_id[0],
        }
        if record.exc_info:
            line["errorType"] = record.exc_info[0].__name__
            line["errorMessage"] = str(record.exc_info[1])
            line["stackTrace"] = [entry.rstrip("\n") for entry in traceback.format_tb(record.exc_info[2])]
        return json.dumps({key: value for key, value in line.items() if value is not None}, default=str)


def set_up_logging():
    sys.stdout.reconfigure(line_buffering=True)
    sys.stderr.reconfigure(line_buffering=True)
    handler = LambdaLogHandler()
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        handler.setFormatter(JsonFormatter())
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO").upper()
        logging.root.setLevel({"TRACE": logging.DEBUG, "FATAL": logging.CRITICAL}.get(level, level))
    else:
        formatter = logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
    handler.addFilter(RequestIdFilter())
    logging.root.addHandler(handler)


# ---- errors ------------------------------------------------------------------------------------------------------
class RuntimeFault(Exception):
    def __init__(self, error_type, message, stack=()):
        super().__init__(message)
        self.error_type = error_type
        self.stack = list(stack)


def own_frames_removed(trace):
    frames = traceback.extract_tb(trace)
    while frames and (frames[0].filename == __file__ or "importlib" in frames[0].filename):
        frames.pop(0)
    return frames


def describe(error, request_id):
    if isinstance(error, RuntimeFault):
        error_type, stack = error.error_type, error.stack
    else:
        error_type, stack = type(error).__name__, traceback.format_list(own_frames_removed(error.__traceback__))
    return {"errorMessage": str(error), "errorType": error_type, "requestId": request_id or "", "stackTrace": stack}


def log_error(failure):
    text = "[ERROR] %s: %s" % (failure["errorType"], failure["errorMessage"])
    if failure["stackTrace"]:
        text += "\nTraceback (most recent call last):\n" + "".join(failure["stackTrace"])
    write_log(text)


def encode_error(failure):
    return json.dumps(failure).encode(), (("Content-Type", "application/json"),
                                          ("Lambda-Runtime-Function-Error-Type", failure["errorType"]))


# ---- handler -----------------------------------------------------------------------------------------------------
def load_handler(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise RuntimeFault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, error))
    try:
        if module_name.split(".")[0] in sys.builtin_module_names:
            raise RuntimeFault("Runtime.BuiltInModuleConflict",
                               "Cannot use built-in module %s as a handler module" % module_name)
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise RuntimeFault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        raise RuntimeFault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error),
                           ['  File "%s" Line %s\n    %s\n' % (error.filename, error.lineno, (error.text or "").strip())])
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise RuntimeFault("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))


def encode_extra(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


ASCII_ONLY = sys.version_info < (3, 12)


def main():
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    if os.environ.get("ATOLL_POOLED"):
        # Booted ahead of time: what this process is for arrives later.
        _, body = api.get("/atoll/assignment")
        assignment = json.loads(body)
        for name in [name for name in os.environ if name not in assignment["env"]]:
            del os.environ[name]
        os.environ.update(assignment["env"])
        if hasattr(time, "tzset"):
            time.tzset()
        os.chdir(assignment["cwd"])
    set_up_logging()
    version = "python%d.%d" % sys.version_info[:2]
    own_folder = os.path.dirname(os.path.abspath(__file__))
    # In the order of the managed runtime: the function, the layers, what came with the interpreter and the runtime.
    rest = [entry for entry in sys.path if entry and os.path.abspath(entry) != own_folder]
    extra = [entry for entry in os.environ.get("PYTHONPATH", "").split(":") if entry and entry not in rest]
    layers = ["/opt/python/lib/%s/site-packages" % version, "/opt/python"]
    root = os.environ.get("ATOLL_LAYER_ROOT")
    if root:
        layers = [root + entry[len("/opt"):] for entry in layers]
    sys.path[:] = [os.environ["LAMBDA_TASK_ROOT"]] + extra + layers + rest + [own_folder + "/site-packages"]
    importlib.invalidate_caches()
    sys.meta_path.insert(0, EndpointTeacher())
    sys.modules["bootstrap"] = sys.modules.pop("__main__")
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:
        failure = describe(error, None)
        log_error(failure)
        api.post(PREFIX + "init/error", *encode_error(failure))
        sys.exit(1)

    next_request = api.head("GET", PREFIX + "invocation/next")
    api.send(next_request)
    while True:
        headers, body = api.receive()
        request_id = headers["lambda-runtime-aws-request-id"]
        current_request_id[0] = request_id
        trace = headers.get("lambda-runtime-trace-id")
        if trace:
            os.environ["_X_AMZN_TRACE_ID"] = trace
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        try:
            try:
                event = json.loads(body)
            except ValueError as error:
                raise RuntimeFault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)
            result = handler(event, LambdaContext(headers, request_id))
            try:
                reply = json.dumps(result, ensure_ascii=ASCII_ONLY, default=encode_extra).encode()
            except (TypeError, ValueError) as error:
                raise RuntimeFault("Runtime.MarshalError", "Unable to marshal response: %s" % error)
            head = api.head("POST", PREFIX + "invocation/" + request_id + "/response",
                            (("Content-Type", "application/json"),), len(reply))
        except Exception as error:
            failure = describe(error, request_id)
            log_error(failure)
            reply, reply_headers = encode_error(failure)
            head = api.head("POST", PREFIX + "invocation/" + request_id + "/error", reply_headers, len(reply))
        # The answer and the wish for the next event leave together.
        api.send(head, reply, next_request)
        api.receive()


main()
