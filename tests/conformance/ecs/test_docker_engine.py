"""Images that only a Docker engine of this machine has; here a small one, on a socket of its own."""
import http.server
import socketserver
import threading

import pytest


class Engine(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path != "/images/orders:built/get":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/x-tar")
        self.end_headers()
        self.wfile.write(self.server.archive)

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass


@pytest.fixture
def engine(tmp_path, archive, monkeypatch):
    server = socketserver.ThreadingUnixStreamServer(str(tmp_path / "docker.sock"), Engine)
    server.asked, server.archive = [], archive.read_bytes()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    yield server
    server.shutdown()
    server.server_close()


def test_an_image_is_taken_from_the_docker_engine_once(engine, new_fleet):
    fleet = new_fleet()
    definition = fleet.register("orders", image="orders:built")
    tasks = [fleet.run(definition) for _ in range(3)]
    for arn in tasks:
        fleet.reach(arn, "RUNNING")
    assert engine.asked == ["/images/orders:built/get"]
    assert any(line.startswith("orders ") and "built" in line for line in fleet.daemon.command("image", "list", "--port", str(fleet.daemon.port)).splitlines())
    missing = fleet.reach(fleet.run(fleet.register("none", image="orders:unknown")), "STOPPED")
    assert missing["stopCode"] == "TaskFailedToStart" and "CannotPullContainerError" in missing["stoppedReason"]
    assert engine.asked[-1] == "/images/orders:unknown/get"


def test_without_an_engine_an_image_is_just_missing(tmp_path, new_fleet, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    fleet = new_fleet()
    missing = fleet.reach(fleet.run(fleet.register("none", image="orders:unknown")), "STOPPED")
    assert "CannotPullContainerError" in missing["stoppedReason"]
