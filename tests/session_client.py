"""The client's end of Session Manager's data channel, as session-manager-plugin speaks it, written from its messages alone."""
import base64
import hashlib
import json
import os
import socket
import struct
import time
import uuid
from urllib.parse import urlsplit


class SessionClient:
    def __init__(self, session):
        url = urlsplit(session["streamUrl"])
        self.socket = socket.create_connection((url.hostname, url.port), timeout=5)
        self.buffer, self.sent, self.seen, self.printed, self.closed, self.dropped = b"", 0, 0, b"", None, False
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.socket.recv(4096)
            if not piece:
                break
            head += piece
        self.status = int(head.split()[1])
        if self.status != 101:
            return
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert accept in head
        self.buffer = head.split(b"\r\n\r\n", 1)[1]
        self.frame(1, json.dumps({"MessageSchemaVersion": "1.0", "RequestId": str(uuid.uuid4()), "TokenValue": session["tokenValue"], "ClientId": str(uuid.uuid4()), "ClientVersion": "1.2.707.0"}).encode())

    def frame(self, kind, payload):
        mask = os.urandom(4)
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(payload))
        self.socket.sendall(bytes([0x80 | kind]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def message(self, kind, payload_type, payload, sequence=0):
        one = uuid.uuid4().bytes
        head = struct.pack(">I32sIQqQ", 116, kind.encode().ljust(32), 1, int(time.time() * 1000), sequence, 0) + one[8:] + one[:8]
        self.frame(2, head + hashlib.sha256(payload).digest() + struct.pack(">II", payload_type, len(payload)) + payload)

    def input(self, payload_type, payload):
        self.message("input_stream_data", payload_type, payload, self.sent)
        self.sent += 1

    def type(self, text):
        self.input(1, text.encode())

    def resize(self, rows, columns):
        self.input(3, json.dumps({"rows": rows, "cols": columns}).encode())

    def read(self):
        """Takes one frame; false at the end."""
        while True:
            if len(self.buffer) >= 2:
                size, head = self.buffer[1], 2
                if size == 126:
                    head = 4
                    size = struct.unpack(">H", self.buffer[2:4])[0] if len(self.buffer) >= 4 else 1 << 30
                if len(self.buffer) >= head + size:
                    kind, payload = self.buffer[0] & 15, self.buffer[head:head + size]
                    self.buffer = self.buffer[head + size:]
                    if kind == 2:
                        self.take(payload)
                    return kind != 8
            piece = self.socket.recv(65536)
            if not piece:
                return False
            self.buffer += piece

    def take(self, bytes_):
        head, kind, _, _, sequence, _ = struct.unpack(">I32sIQqQ", bytes_[:64])
        payload_type, size = struct.unpack(">II", bytes_[112:120])
        payload = bytes_[head + 4:]
        assert head == 116 and len(payload) == size and bytes_[80:112] == hashlib.sha256(payload).digest()
        kind = kind.decode().strip()
        if kind == "channel_closed":
            self.closed = json.loads(payload)
        if kind != "output_stream_data":
            return
        one = str(uuid.UUID(bytes=bytes_[72:80] + bytes_[64:72]))
        if payload_type == 1 and not self.dropped:
            self.dropped = True
            return  # as one whose terminal is not ready: it must be sent again
        if sequence > self.seen:
            return
        self.message("acknowledge", 0, json.dumps({"AcknowledgedMessageType": kind, "AcknowledgedMessageId": one, "AcknowledgedMessageSequenceNumber": sequence, "IsSequentialMessage": True}).encode())
        if sequence != self.seen:
            return
        self.seen += 1
        if payload_type == 5:
            actions = [{"ActionType": a["ActionType"], "ActionStatus": 1, "ActionResult": None, "Error": ""} for a in json.loads(payload)["RequestedClientActions"]]
            self.input(6, json.dumps({"ClientVersion": "1.2.707.0", "ProcessedClientActions": actions, "Errors": None}).encode())
        if payload_type == 1:
            self.printed += payload

    def until(self, text):
        while text.encode() not in self.printed:
            try:
                assert self.read(), self.printed
            except TimeoutError:
                raise AssertionError(f"no {text!r} in {self.printed[-2000:]}") from None
        return self.printed.decode()
