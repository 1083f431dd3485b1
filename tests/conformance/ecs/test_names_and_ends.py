"""Service registries, secrets of Secrets Manager, and what is left when a cluster is deleted: nothing."""
import os
import pathlib

import pytest
from botocore.exceptions import ClientError

from fleet import NETWORK, get
from support import wait_for


def groups_of(daemon):
    """Control groups of the daemon's tasks. Those of other daemons come and go meanwhile: a walk passes over what is gone."""
    return [name for _, names, _ in os.walk("/sys/fs/cgroup") for name in names if f"task-{daemon.process.pid}-" in name]


def processes_of(daemon):
    """The sandboxes of a daemon: what its spawner started."""
    def children(pid):
        return [int(p) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for p in (task / "children").read_text().split()]
    return [p for spawner in children(daemon.process.pid) for p in children(spawner)]


def test_tasks_are_instances_of_a_registry(fleet):
    names = fleet.daemon.client("servicediscovery")
    operation = names.create_private_dns_namespace(Name="team.local", Vpc="vpc-1")["OperationId"]
    namespace = wait_for(lambda: names.get_operation(OperationId=operation)["Operation"].get("Targets", {}).get("NAMESPACE"))
    registry = names.create_service(Name="web", NamespaceId=namespace, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 5}]}, HealthCheckCustomConfig={"FailureThreshold": 1})["Service"]
    fleet.ecs.create_service(cluster="c", serviceName="named", taskDefinition=fleet.register("named"), desiredCount=2, launchType="FARGATE", networkConfiguration=NETWORK,
                             serviceRegistries=[{"registryArn": registry["Arn"]}])
    fleet.steady("named")

    def addresses():
        found = names.discover_instances(NamespaceName="team.local", ServiceName="web", HealthStatus="ALL")["Instances"]
        return sorted(i["Attributes"]["AWS_INSTANCE_IPV4"] for i in found)
    own = sorted(t["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for t in fleet.tasks_of("named"))
    wait_for(lambda: addresses() == own)
    fleet.ecs.update_service(cluster="c", service="named", desiredCount=0)
    wait_for(lambda: addresses() == [])
    fleet.clear()


def test_secrets_manager_gives_values_and_members(fleet):
    secrets = fleet.daemon.client("secretsmanager")
    arn = secrets.create_secret(Name="db", SecretString='{"password": "p4ss"}')["ARN"]
    task = fleet.run(fleet.register("db", "bridge", secrets=[{"name": "VERSION", "valueFrom": arn + ":password::"}]), awsvpc=False)
    fleet.reach(task, "RUNNING")
    wait_for(lambda: get(fleet.host_port(task), "/version")[2]["version"] == "p4ss")
    fleet.clear()
    task = fleet.run(fleet.register("db", secrets=[{"name": "VERSION", "valueFrom": arn + ":nothing::"}]))
    assert "did not contain json key nothing" in fleet.reach(task, "STOPPED")["stoppedReason"]


def test_a_deleted_cluster_leaves_nothing_behind(new_fleet):
    fleet = new_fleet()
    fleet.ecs.create_service(cluster="c", serviceName="web", taskDefinition=fleet.register("web", volumes=[{"name": "v"}], mountPoints=[{"sourceVolume": "v", "containerPath": "/v"}]),
                             desiredCount=3, launchType="FARGATE", networkConfiguration=NETWORK)
    fleet.steady("web")
    assert len(processes_of(fleet.daemon)) == 6
    assert groups_of(fleet.daemon) or not os.access("/sys/fs/cgroup/memory", os.W_OK)
    with pytest.raises(ClientError) as refused:
        fleet.ecs.delete_cluster(cluster="c")
    assert refused.value.response["Error"]["Code"] == "ClusterContainsServicesException"
    fleet.clear()
    fleet.ecs.delete_cluster(cluster="c")
    wait_for(lambda: processes_of(fleet.daemon) == [])
    assert list((fleet.daemon.data / "tasks").iterdir()) == []
    assert groups_of(fleet.daemon) == []
    fleet.daemon.command("image", "--port", str(fleet.daemon.port), "remove", "service1:v1")
    wait_for(lambda: not list((fleet.daemon.data / "images" / "roots").iterdir()))
