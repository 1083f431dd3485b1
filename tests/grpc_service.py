"""A gRPC server and client without generated code: methods by name, messages as bytes."""
import threading
import time
from concurrent import futures

import grpc


class RpcServer:
    """The service test.Echo, which says who it is. `fail` holds statuses that its next calls end with."""

    def __init__(self, name="rpc", port=0):
        self.name, self.metadata, self.calls, self.fail, self.health = name, [], [], [], grpc.StatusCode.OK
        self.cancelled, self.checks = threading.Event(), 0
        self.server = grpc.server(futures.ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
        one = grpc.unary_unary_rpc_method_handler
        self.server.add_generic_rpc_handlers((
            grpc.method_handlers_generic_handler("test.Echo", {
                "Say": one(self.say), "Slow": one(self.slow), "Other": one(self.say),
                "Count": grpc.unary_stream_rpc_method_handler(self.count), "Sum": grpc.stream_unary_rpc_method_handler(self.sum),
                "Talk": grpc.stream_stream_rpc_method_handler(self.talk), "Endless": grpc.unary_stream_rpc_method_handler(self.endless)}),
            grpc.method_handlers_generic_handler("test.Health", {"Check": one(self.check)}),
            grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": one(self.standard_check)}),
            grpc.method_handlers_generic_handler("test.Other", {"Say": one(self.say)})))
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.server.start()

    def note(self, method, context):
        self.calls.append(method)
        self.metadata.append({**{one.key: one.value for one in context.invocation_metadata()}, "remaining": context.time_remaining()})

    def say(self, message, context):
        self.note("Say", context)
        if self.fail:
            context.abort(self.fail.pop(0), "as the test wishes")
        if message.startswith(b"abort "):
            context.abort(getattr(grpc.StatusCode, message[6:].decode()), "a reason: 100% \u00fc")
        context.send_initial_metadata((("x-served-by", self.name), ("x-some-bin", b"\x00\xff")))
        context.set_trailing_metadata((("x-after", "trailer"),))
        return self.name.encode() + b":" + message

    def slow(self, message, context):
        self.note("Slow", context)
        time.sleep(float(message))
        return message

    def count(self, message, context):
        self.note("Count", context)
        for i in range(int(message)):
            yield b"%d" % i
        context.set_trailing_metadata((("x-after", "counted"),))

    def sum(self, messages, context):
        self.note("Sum", context)
        return b"%d" % sum(len(one) for one in messages)

    def talk(self, messages, context):
        self.note("Talk", context)
        for one in messages:
            if one == b"fail":
                context.abort(grpc.StatusCode.DATA_LOSS, "mid-way")
            yield b"re:" + one

    def endless(self, message, context):
        self.note("Endless", context)
        context.add_callback(self.cancelled.set)
        while context.is_active():
            yield message
            time.sleep(0.01)

    def check(self, message, context):
        if self.health is not grpc.StatusCode.OK:
            context.abort(self.health, "not well")
        return b""

    def standard_check(self, message, context):
        """HealthCheckResponse with SERVING or NOT_SERVING."""
        self.checks += 1
        return b"\x08\x01" if self.health is grpc.StatusCode.OK else b"\x08\x02"

    def stop(self):
        self.server.stop(None).wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class RpcClient:
    def __init__(self, address, trusted=None, name=None):
        options = [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        if trusted is None:
            if name:
                options.append(("grpc.default_authority", name))
            self.channel = grpc.insecure_channel(address, options)
        else:
            if name:
                options.append(("grpc.ssl_target_name_override", name))
            self.channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(trusted), options)

    def unary(self, method, message=b"hi", timeout=10, **more):
        """The reply, its metadata and its trailers."""
        reply, call = self.channel.unary_unary(f"/test.{method}").with_call(message, timeout=timeout, **more)
        return reply, dict(call.initial_metadata()), dict(call.trailing_metadata())

    def status(self, method, message=b"hi", timeout=10, **more):
        """The status that a call ends with, and its details."""
        try:
            self.unary(method, message, timeout, **more)
            return grpc.StatusCode.OK, ""
        except grpc.RpcError as error:
            return error.code(), error.details()

    def count(self, n, timeout=20):
        return list(self.channel.unary_stream("/test.Echo/Count")(b"%d" % n, timeout=timeout))

    def sum(self, messages, timeout=20):
        return self.channel.stream_unary("/test.Echo/Sum")(iter(messages), timeout=timeout)

    def talk(self, messages, timeout=20):
        return self.channel.stream_stream("/test.Echo/Talk")(iter(messages), timeout=timeout)

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ping_pong(client, rounds=20):
    """Sends each message when the reply to the one before has come: whoever holds back a message ends this by time."""
    turn = threading.Semaphore(1)

    def messages():
        for i in range(rounds):
            turn.acquire()
            yield b"%d" % i
    out = []
    for one in client.talk(messages()):
        out.append(one)
        turn.release()
    return out == [b"re:%d" % i for i in range(rounds)]


def check_all_kinds(client, server):
    """What every way to a gRPC service has to pass on unharmed."""
    reply, metadata, trailers = client.unary("Echo/Say", b"hello", metadata=(("x-asks", "who"), ("x-raw-bin", b"\x01\xfe")))
    assert reply == server.name.encode() + b":hello" and metadata["x-served-by"] == server.name and metadata["x-some-bin"] == b"\x00\xff" and trailers["x-after"] == "trailer"
    seen = server.metadata[-1]
    assert seen["x-asks"] == "who" and seen["x-raw-bin"] == b"\x01\xfe" and 2 < seen["remaining"] < 11
    assert client.unary("Echo/Say", b"x" * 3_000_000)[0] == server.name.encode() + b":" + b"x" * 3_000_000
    assert client.status("Echo/Say", b"abort NOT_FOUND") == (grpc.StatusCode.NOT_FOUND, "a reason: 100% \u00fc")
    assert client.status("Echo/Missing")[0] is grpc.StatusCode.UNIMPLEMENTED
    assert client.count(2000) == [b"%d" % i for i in range(2000)]
    assert client.count(0) == []
    assert client.sum([b"x" * 10_000] * 200) == b"2000000"
    assert ping_pong(client)
    assert client.status("Echo/Slow", b"2", timeout=0.3)[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    half_way = client.talk([b"a", b"fail"])
    assert next(half_way) == b"re:a"
    try:
        next(half_way)
        raise AssertionError("the call went on")
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.DATA_LOSS and error.details() == "mid-way"
    endless = client.channel.unary_stream("/test.Echo/Endless")(b"more")
    assert [next(endless) for _ in range(3)] == [b"more"] * 3
    endless.cancel()
    assert server.cancelled.wait(5)
    server.cancelled.clear()
