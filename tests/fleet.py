"""ECS with one cluster and an image, and short ways to use it."""
import json
import urllib.error
import urllib.request

from support import wait_for

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}  # stands for the daemon's own first subnet


class Fleet:
    """ECS with one cluster on a daemon that has the image service1:v1."""

    def __init__(self, daemon, archive):
        self.daemon, self.ecs = daemon, daemon.client("ecs")
        daemon.command("image", "--port", str(daemon.port), "import", str(archive), "--name", "service1:v1")
        first = daemon.subnets(1)[0]

        def name_subnet(params, **_):
            network = params.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
            if network.get("subnets") == NETWORK["awsvpcConfiguration"]["subnets"]:
                return {**params, "networkConfiguration": {"awsvpcConfiguration": {**network, "subnets": [first]}}}

        self.ecs.meta.events.register("provide-client-params.ecs.*", name_subnet)
        self.ecs.create_cluster(clusterName="c")

    def register(self, family="s", mode="awsvpc", env=None, **container):
        task = {key: container.pop(key) for key in ("taskRoleArn", "volumes") if key in container}
        sidecars = container.pop("sidecars", [])
        one = {"name": "app", "image": "service1:v1", "memory": 128, "portMappings": [{"containerPort": 8080}],
               "environment": [{"name": k, "value": v} for k, v in (env or {}).items()], **container}
        return self.ecs.register_task_definition(family=family, networkMode=mode, containerDefinitions=[one, *sidecars], **task)["taskDefinition"]["taskDefinitionArn"]

    def run(self, definition, awsvpc=True, **options):
        if awsvpc:
            options["networkConfiguration"] = NETWORK
        return self.ecs.run_task(cluster="c", taskDefinition=definition, **options)["tasks"][0]["taskArn"]

    def task(self, arn):
        return self.ecs.describe_tasks(cluster="c", tasks=[arn])["tasks"][0]

    def reach(self, arn, status, seconds=10):
        def look():
            task = self.task(arn)
            if status == "RUNNING" and task["lastStatus"] == "STOPPED":
                raise AssertionError(f"stopped: {task.get('stoppedReason')} {[c.get('reason') for c in task['containers']]}")
            return task if task["lastStatus"] == status else None
        return wait_for(look, seconds, f"the task to be {status}")

    def service(self, name):
        return self.ecs.describe_services(cluster="c", services=[name])["services"][0]

    def steady(self, name, seconds=20):
        def look():
            one = self.service(name)
            return one if len(one["deployments"]) == 1 and one["deployments"][0]["rolloutState"] == "COMPLETED" and one["runningCount"] == one["desiredCount"] else None
        return wait_for(look, seconds, f"{name} to be steady")

    def tasks_of(self, name):
        arns = self.ecs.list_tasks(cluster="c", serviceName=name)["taskArns"]
        return self.ecs.describe_tasks(cluster="c", tasks=arns)["tasks"] if arns else []

    def host_port(self, arn):
        return self.task(arn)["containers"][0]["networkBindings"][0]["hostPort"]

    def exec(self, arn, *command, container=None):
        options = ["--container", container] if container else []
        return self.daemon.command("exec", "--port", str(self.daemon.port), *options, arn, *command, check=False)

    def clear(self):
        for arn in self.ecs.list_services(cluster="c")["serviceArns"]:
            self.ecs.delete_service(cluster="c", service=arn, force=True)
        for page in self.ecs.get_paginator("list_tasks").paginate(cluster="c"):
            for arn in page["taskArns"]:
                self.ecs.stop_task(cluster="c", task=arn)

        def is_empty():
            cluster = self.ecs.describe_clusters(clusters=["c"])["clusters"][0]
            return cluster["runningTasksCount"] + cluster["pendingTasksCount"] + cluster["activeServicesCount"] == 0
        wait_for(is_empty, what="all tasks and services to end")


def get(port, path):
    """Status, headers and JSON of a reply."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
            return reply.status, dict(reply.headers), json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), json.loads(error.read())
