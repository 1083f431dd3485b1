"""Commands in running containers: sessions with a terminal, over ExecuteCommand and over `atoll exec`."""
import os
import pathlib
import pty
import sys

import pytest

from session_client import SessionClient
from support import ATOLL, ROOT, wait_for

sys.path.insert(0, str(ROOT / "examples" / "three-services"))
from image import image  # noqa: E402

pytestmark = pytest.mark.skipif(not pathlib.Path("/bin/busybox").exists(), reason="needs busybox-static")


@pytest.fixture(scope="module")
def task(fleet, tmp_path_factory):
    busybox = pathlib.Path("/bin/busybox").read_bytes()
    path = tmp_path_factory.mktemp("image") / "box.tar"
    path.write_bytes(image([(busybox, f"/bin/{name}", 0o755) for name in ("busybox", "sh")], {"Entrypoint": ["/bin/sh", "-c"], "Env": ["PATH=/bin", "FROM_IMAGE=1"]}))
    fleet.daemon.command("image", "--port", str(fleet.daemon.port), "import", str(path), "--name", "shell:v1")
    arn = fleet.run(fleet.register("shell", image="shell:v1", command=["busybox sleep 600"]), enableExecuteCommand=True)
    fleet.reach(arn, "RUNNING")
    yield arn
    fleet.ecs.stop_task(cluster="c", task=arn)


def execute(fleet, task, command="/bin/sh", **options):
    return fleet.ecs.execute_command(**{"cluster": "c", "task": task, "command": command, "interactive": True, **options})


def test_a_shell_with_a_terminal(fleet, task):
    agent = fleet.task(task)["containers"][0]["managedAgents"][0]
    assert agent["name"] == "ExecuteCommandAgent" and agent["lastStatus"] == "RUNNING"
    out = execute(fleet, task)
    assert out["containerName"] == "app" and out["taskArn"] == task and out["session"]["sessionId"].startswith("ecs-execute-command-")
    client = SessionClient(out["session"])
    client.until("# ")
    client.resize(40, 132)
    client.type("busybox stty size; echo $FROM_IMAGE-$((1+1))\r")
    assert "40 132" in client.until("1-2")
    client.type("busybox sleep 100\r")
    wait_for(lambda: "sleep 100" in fleet.exec(task, "busybox", "ps"))
    client.type("\x03")  # interrupts the command, not the shell
    client.type("echo still $((2+3))\r")
    client.until("still 5")
    client.type("busybox seq 1 5000\r")  # more than is on its way at once
    client.until("\r\n4999\r\n5000\r\n")
    client.type("exit\r")
    while client.closed is None:
        assert client.read()
    assert client.closed["SessionId"] == out["session"]["sessionId"] and client.closed["Output"] == ""


def test_a_session_is_its_token_holders_alone_and_ends_with_its_client(fleet, task):
    out = execute(fleet, task, "/bin/sh -c 'busybox sleep 4321'")
    stranger = SessionClient({**out["session"], "tokenValue": "x" * 64})
    assert stranger.status == 101
    while stranger.read():
        pass
    assert stranger.printed == b""
    assert SessionClient({**out["session"], "streamUrl": out["session"]["streamUrl"].replace("ecs-execute", "no")}).status == 404
    client = SessionClient(execute(fleet, task, "/bin/sh -c 'busybox echo here; exec busybox sleep 4321'")["session"])
    client.until("here")
    assert "4321" in fleet.exec(task, "busybox", "ps")
    client.socket.close()
    wait_for(lambda: "4321" not in fleet.exec(task, "busybox", "ps"))


def test_what_cannot_be_executed(fleet, task):
    def refused(**options):
        with pytest.raises(fleet.ecs.exceptions.InvalidParameterException) as caught:
            execute(fleet, **{"task": task, **options})
        return caught.value.response["Error"]["Message"]
    assert refused(interactive=False) == "Interactive is the only mode supported currently."
    assert "does not exist" in refused(container="other")
    assert "not found" in refused(task="0" * 32)
    assert "quotation" in refused(command="sh -c 'x")
    plain = fleet.run(fleet.register("plain"))
    fleet.reach(plain, "RUNNING")
    assert refused(task=plain).startswith("The execute command failed because execute command was not enabled when the task was run")
    fleet.ecs.stop_task(cluster="c", task=plain)


def test_atoll_exec_has_a_terminal(fleet, task):
    process, terminal = pty.fork()
    if process == 0:
        os.execv(ATOLL, [str(ATOLL), "exec", "--port", str(fleet.daemon.port), task, "sh"])
    printed = b""

    def until(text):
        nonlocal printed
        while text not in printed:
            printed += os.read(terminal, 65536)
    until(b"# ")
    os.write(terminal, b"echo it is $((40+2))\r")
    until(b"it is 42")
    os.write(terminal, b"busybox test -c /dev/ptmx && echo terminals can be $((40+4)) made\r")
    until(b"be 44 made")
    if os.geteuid() == 0:
        os.write(terminal, b"busybox tty; echo by $((40+5)) name > $(busybox tty)\r")
        until(b"/dev/pts/0\r\nby 45 name")
    os.write(terminal, b"busybox sleep 200\r")
    wait_for(lambda: "sleep 200" in fleet.exec(task, "busybox", "ps"))
    os.write(terminal, b"\x03")
    os.write(terminal, b"echo and $((40+3))\r")
    until(b"and 43")
    os.write(terminal, b"exit 7\r")
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 7
    os.close(terminal)
