"""What a container sees and may do, with a shell inside."""
import datetime
import json
import pathlib
import sys
import time

import pytest

from fleet import NETWORK
from support import ROOT, wait_for

sys.path.insert(0, str(ROOT / "examples" / "three-services"))
from image import image  # noqa: E402

pytestmark = pytest.mark.skipif(not pathlib.Path("/bin/busybox").exists(), reason="needs busybox-static")


@pytest.fixture(scope="module")
def shell(fleet, tmp_path_factory):
    """Runs a script in a container, and gives what it printed and the task."""
    busybox = pathlib.Path("/bin/busybox").read_bytes()
    path = tmp_path_factory.mktemp("image") / "box.tar"
    files = [(busybox, f"/bin/{name}", 0o755) for name in ("busybox", "sh")]
    files += [(b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n", "/etc/passwd", 0o644), (b"root:x:0:\napp:x:1000:\n", "/etc/group", 0o644),
              (b"kept", "/data/kept", 0o644)]
    path.write_bytes(image(files, {"Entrypoint": ["/bin/sh", "-c"], "Env": ["FROM_IMAGE=1", "PATH=/bin"], "User": "app", "WorkingDir": "/data", "StopSignal": "SIGINT"}))
    fleet.daemon.command("image", "--port", str(fleet.daemon.port), "import", str(path), "--name", "box:v1")
    logs = fleet.daemon.client("logs")
    logs.create_log_group(logGroupName="/box")
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/box", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "b"}}

    class Shell:
        def start(self, script, **settings):
            arn = fleet.run(fleet.register("box", image="box:v1", command=[script], logConfiguration=log, **settings))
            return arn

        def printed(self, arn, container="app"):
            try:
                events = logs.get_log_events(logGroupName="/box", logStreamName=f"b/{container}/{arn.rsplit('/', 1)[1]}", startFromHead=True)["events"]
            except logs.exceptions.ResourceNotFoundException:
                return []
            return [e["message"] for e in events]

        def __call__(self, script, **settings):
            arn = self.start(script, **settings)
            task = fleet.reach(arn, "STOPPED", 15)
            return self.printed(arn), task["containers"][0], task
    return Shell()


def test_the_images_settings_and_the_definitions(shell):
    lines, container, _ = shell("busybox id -u; busybox pwd; echo $FROM_IMAGE $HOME $EXTRA; busybox cat kept; exit 4", env={"EXTRA": "x"})
    assert lines == ["1000", "/data", "1 /home/app x", "kept"] and container["exitCode"] == 4
    lines, _, _ = shell("busybox id -u; busybox pwd", user="0:0", workingDirectory="/tmp")
    assert lines == ["0", "/tmp"]
    lines, container, task = shell("true", user="nobody-here")
    assert "unable to find user nobody-here" in container["reason"] and task["stopCode"] == "TaskFailedToStart"


def test_files_are_the_containers_own(shell):
    script = "echo changed > kept; busybox mkdir /made; busybox cat kept; busybox ls -d /made"
    assert shell(script, user="0")[0] == ["changed", "/made"]
    assert shell(script, user="0")[0] == ["changed", "/made"]  # the image is as it was
    assert "refused" in shell("echo x > kept || echo refused")[0]  # root's, and this is app
    lines, container, _ = shell("echo x > /data/kept || echo refused; echo y > /scratch/a && busybox cat /scratch/a", user="0", readonlyRootFilesystem=True,
                                linuxParameters={"tmpfs": [{"containerPath": "/scratch", "size": 16}]})
    assert "refused" in lines and lines[-1] == "y"


def test_root_may_become_others_and_give_files_away(shell):
    """As the official images of many servers do at their start."""
    lines, container, _ = shell("busybox touch /tmp/a && busybox chown app:app /tmp/a && busybox ls -ln /tmp/a; busybox su app -c 'busybox id -u'; busybox ls -ln /data/kept", user="0")
    assert container["exitCode"] == 0
    assert lines[0].split()[2:4] == ["1000", "1000"] and lines[1] == "1000" and lines[2].split()[2] == "0"


def test_containers_of_a_task_share_volumes_and_localhost(shell, fleet):
    sidecar = {"name": "other", "image": "box:v1", "memory": 64, "essential": False, "user": "0", "command": ["echo hello > /shared/file; busybox nc -l -p 9000 < /shared/file; busybox sleep 9"],
               "mountPoints": [{"sourceVolume": "v", "containerPath": "/shared"}]}
    lines, _, _ = shell("until busybox nc 127.0.0.1 9000; do busybox sleep 0.1; done; busybox cat /deep/mount/file; touch /deep/mount/x || echo readonly", sidecars=[sidecar], volumes=[{"name": "v"}],
                        dependsOn=[{"containerName": "other", "condition": "START"}], mountPoints=[{"sourceVolume": "v", "containerPath": "/deep/mount", "readOnly": True}])
    assert [line for line in lines if "refused" not in line][:2] == ["hello", "hello"] and "readonly" in lines
    assert not list((fleet.daemon.data / "tasks").iterdir())


def test_tasks_reach_each_other_by_address(shell, fleet):
    server = fleet.run(fleet.register("server", env={"PORT": "80", "VERSION": "9"}))
    task = fleet.reach(server, "RUNNING")
    address = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    lines, container, _ = shell(f"busybox wget -q -O - http://{address}:80/version; echo; busybox wget -q -T 3 -O - http://{address}:81/ || echo refused")
    assert json.loads(lines[0])["version"] == "9" and "refused" in lines
    fleet.ecs.stop_task(cluster="c", task=server)


def test_metadata_tells_a_task_who_it_is(shell):
    lines, _, task = shell("busybox wget -q -O - $ECS_CONTAINER_METADATA_URI_V4; echo; busybox wget -q -O - $ECS_CONTAINER_METADATA_URI_V4/task")
    container, whole = json.loads(lines[0]), json.loads(lines[1])
    assert container["Name"] == "app" and container["ContainerARN"] == task["containers"][0]["containerArn"]
    assert whole["TaskARN"] == task["taskArn"] and whole["Family"] == "box" and whole["Containers"][0]["Networks"][0]["IPv4Addresses"] == [task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]]


def test_stopping_sends_the_images_signal_then_kills(shell, fleet):
    arn = shell.start("trap 'echo interrupted; exit 5' INT; while true; do busybox sleep 0.1; done")
    fleet.reach(arn, "RUNNING")
    time.sleep(0.3)
    fleet.ecs.stop_task(cluster="c", task=arn)
    assert fleet.reach(arn, "STOPPED")["containers"][0]["exitCode"] == 5 and shell.printed(arn) == ["interrupted"]
    arn = shell.start("trap '' INT TERM; while true; do busybox sleep 0.1; done", stopTimeout=2)
    fleet.reach(arn, "RUNNING")
    time.sleep(0.3)
    fleet.ecs.stop_task(cluster="c", task=arn)
    assert fleet.reach(arn, "STOPPED")["containers"][0]["exitCode"] == 137


def test_memory_has_its_limit(shell):
    _, container, _ = shell("busybox dd if=/dev/zero of=/dev/null bs=200M count=2", memory=32)
    assert container["exitCode"] == 137 and container["reason"].startswith("OutOfMemoryError")


def test_commands_run_beside_the_workload(shell, fleet):
    arn = shell.start("busybox sleep 60", user="app")
    fleet.reach(arn, "RUNNING")
    assert fleet.exec(arn, "sh", "-c", "busybox id -u; echo $FROM_IMAGE") == "1000\n1\n"
    with pytest.raises(RuntimeError, match="nothing-here.*executable file not found"):
        fleet.daemon.command("exec", "--port", str(fleet.daemon.port), arn, "nothing-here")
    fleet.ecs.stop_task(cluster="c", task=arn)


def test_names_are_given(shell):
    lines, _, _ = shell("busybox hostname; busybox cat /etc/hosts /etc/resolv.conf", extraHosts=[{"hostname": "db.local", "ipAddress": "10.9.9.9"}])
    assert lines[0].startswith("ip-172-31-") and "10.9.9.9 db.local" in lines and "nameserver 169.254.100.1" in lines


def test_services_publish_what_their_tasks_use(shell, fleet):
    definition = fleet.register("burn", image="box:v1", command=["while true; do :; done"], cpu=256, memory=64, portMappings=[])
    fleet.ecs.create_service(cluster="c", serviceName="burn", taskDefinition=definition, desiredCount=1, networkConfiguration=NETWORK)
    fleet.steady("burn")
    for _ in range(3):
        fleet.daemon.advance(10)
        time.sleep(0.4)
    cloudwatch = fleet.daemon.client("cloudwatch")
    now = datetime.datetime.fromtimestamp(time.time() + 600, datetime.timezone.utc)

    def look(metric):
        points = cloudwatch.get_metric_statistics(Namespace="AWS/ECS", MetricName=metric, Statistics=["Maximum"], Period=60, StartTime=now - datetime.timedelta(hours=1), EndTime=now,
                                                  Dimensions=[{"Name": "ClusterName", "Value": "c"}, {"Name": "ServiceName", "Value": "burn"}])["Datapoints"]
        return max((p["Maximum"] for p in points), default=0)
    wait_for(lambda: look("CPUUtilization") > 50)
    assert 0 < look("MemoryUtilization") < 100
    fleet.clear()


def test_containers_of_a_bridge_task_call_each_other_by_their_links(shell, fleet):
    server = {"name": "db", "image": "box:v1", "memory": 64, "essential": False, "user": "0", "stopTimeout": 2, "command": ["while true; do echo linked | busybox nc -l -p 9000; done"]}
    one = {"name": "app", "image": "box:v1", "memory": 64, "links": ["db:database"], "user": "0",
           "command": ["until busybox nc -w 2 database 9000; do busybox sleep 0.1; done; busybox grep -c database /etc/hosts"],
           "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/box", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "b"}}}
    definition = fleet.ecs.register_task_definition(family="linked", networkMode="bridge", containerDefinitions=[server, one])["taskDefinition"]["taskDefinitionArn"]
    arn = fleet.run(definition, awsvpc=False)
    fleet.reach(arn, "STOPPED", 20)
    assert [line for line in shell.printed(arn) if "refused" not in line] == ["linked", "1"]
    with pytest.raises(fleet.ecs.exceptions.ClientException, match="Links are not supported"):
        fleet.ecs.register_task_definition(family="linked", networkMode="awsvpc", containerDefinitions=[server, one])


def test_metadata_tells_a_task_what_it_uses(shell):
    lines, _, _ = shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; for x in stats task/stats; do busybox wget -q -O - $ECS_CONTAINER_METADATA_URI_V4/$x; echo; done")
    one, every = json.loads(lines[0]), json.loads(lines[1])
    assert one["cpu_stats"]["cpu_usage"]["total_usage"] > 0 and one["cpu_stats"]["system_cpu_usage"] > one["cpu_stats"]["cpu_usage"]["total_usage"]
    assert 0 < one["memory_stats"]["usage"] <= one["memory_stats"]["max_usage"] and one["memory_stats"]["limit"] == 128 << 20
    assert list(every) == [one["id"]]
    after = every[one["id"]]
    assert after["precpu_stats"]["cpu_usage"] == one["cpu_stats"]["cpu_usage"] and after["networks"]


def test_a_task_has_its_part_of_the_processors(shell, fleet):
    if "processor limits are not kept" in fleet.daemon.command("doctor", check=False):
        pytest.skip("no control groups here")
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/box", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "b"}}
    one = {"name": "app", "image": "box:v1", "command": ["busybox time -f '%e %U %S' sh -c 'i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done' 2>&1"], "logConfiguration": log}
    arn = fleet.run(fleet.ecs.register_task_definition(family="quarter", networkMode="awsvpc", cpu="256", memory="512", containerDefinitions=[one])["taskDefinition"]["taskDefinitionArn"])
    fleet.reach(arn, "STOPPED", 30)
    real, user, system = (float(word) for word in shell.printed(arn)[0].split())
    assert real > 0.8 and (user + system) / real < 0.4, (real, user, system)
