"""Servers for load balancers to forward to: small, exact about bytes, stopped with the test."""
import json
import socket
import socketserver
import threading


class Upstream:
    """An HTTP/1.1 server whose handler gets (method, target, headers, body) and gives (status, headers, body), or raw
    bytes to send as they are, or None to close the connection without a word."""

    def __init__(self, handler=None, name="upstream", port=0):
        self.name, self.handler, self.requests, self.connections, self.open = name, handler or self.echo, [], 0, set()
        outer = self

        class Connection(socketserver.StreamRequestHandler):
            def handle(self):
                outer.connections += 1
                outer.open.add(self.connection)
                try:
                    while self.one():
                        pass
                except (OSError, ValueError):
                    pass
                outer.open.discard(self.connection)

            def one(self):
                line = self.rfile.readline()
                if not line:
                    return False
                method, target, _ = line.decode().split()
                headers = {}
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    key, value = line.decode().split(":", 1)
                    headers.setdefault(key.lower(), []).append(value.strip())
                if "100-continue" in headers.get("expect", []):
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = b""
                if "chunked" in headers.get("transfer-encoding", []):
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(headers.get("content-length", ["0"])[0]))
                if target != "/health":
                    outer.requests.append((method, target, headers, body))
                reply = outer.handler(method, target, headers, body)
                if reply is None:
                    return False
                if callable(reply):
                    reply(self.connection)
                    return False
                if isinstance(reply, bytes):
                    self.wfile.write(reply)
                    return b"connection: close" not in reply.lower()
                status, fields, content = reply
                head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{key}: {value}\r\n" for key, value in fields.items())
                self.wfile.write(head.encode() + f"Content-Length: {len(content)}\r\n\r\n".encode() + (b"" if method == "HEAD" else content))
                return True

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads, request_queue_size = True, True, 256

        self.server = Server(("127.0.0.1", port), Connection)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def echo(self, method, target, headers, body):
        shown = {"server": self.name, "method": method, "target": target, "headers": headers, "body": body.decode("latin-1")}
        return 200, {"Content-Type": "application/json"}, json.dumps(shown).encode()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
