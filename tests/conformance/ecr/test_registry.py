"""The registry through skopeo: push, pull, and what is pushed runs."""
import json
import shutil
import subprocess

import pytest
from botocore.exceptions import ClientError

from fleet import Fleet, get
from support import ROOT, wait_for

pytestmark = pytest.mark.skipif(not shutil.which("skopeo"), reason="needs skopeo")
SERVICE1 = ROOT / "examples" / "three-services" / "service1"


def skopeo(*arguments, check=True):
    done = subprocess.run(["skopeo", "--insecure-policy", *arguments], capture_output=True, text=True, timeout=60)
    if check:
        assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def archive():
    built = SERVICE1 / "build" / "service1.tar"
    if not built.exists():
        subprocess.run([SERVICE1 / "build.sh"], check=True, capture_output=True)
    return built


def test_what_skopeo_pushes_is_listed_runs_and_comes_back(daemon, archive, tmp_path):
    ecr = daemon.client("ecr")
    uri = ecr.create_repository(repositoryName="team/web")["repository"]["repositoryUri"]
    assert uri.endswith("/team/web")
    registry = f"docker://localhost:{daemon.port}/team/web"
    skopeo("copy", "--dest-tls-verify=false", f"oci-archive:{archive}", f"{registry}:v1")
    shown = ecr.describe_images(repositoryName="team/web")["imageDetails"]
    assert [i["imageTags"] for i in shown] == [["v1"]] and shown[0]["imageSizeInBytes"] > 100_000
    inspected = json.loads(skopeo("inspect", "--tls-verify=false", f"{registry}:v1").stdout)
    assert inspected["Digest"] == shown[0]["imageDigest"]
    assert json.loads(skopeo("list-tags", "--tls-verify=false", registry).stdout)["Tags"] == ["v1"]

    skopeo("copy", "--src-tls-verify=false", f"{registry}:v1", f"oci:{tmp_path}/layout:back")
    index = json.loads((tmp_path / "layout" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == shown[0]["imageDigest"]
    daemon.command("image", "--port", str(daemon.port), "import", str(tmp_path / "layout"), "--name", "again:v2")
    assert ecr.list_images(repositoryName="again")["imageIds"] == [{"imageDigest": shown[0]["imageDigest"], "imageTag": "v2"}]

    fleet = Fleet(daemon, archive)
    arn = fleet.run(fleet.register("pushed", "bridge", image=f"{uri}:v1"), awsvpc=False)
    fleet.reach(arn, "RUNNING")
    wait_for(lambda: get(fleet.host_port(arn), "/health")[0] == 200)
    fleet.clear()
    with pytest.raises(ClientError) as refused:
        ecr.delete_repository(repositoryName="team/web")
    assert refused.value.response["Error"]["Code"] == "RepositoryNotEmptyException"
    assert ecr.batch_delete_image(repositoryName="team/web", imageIds=[{"imageTag": "v1"}])["failures"] == []
    ecr.delete_repository(repositoryName="team/web")
    assert skopeo("inspect", "--tls-verify=false", f"{registry}:v1", check=False).returncode != 0


def test_docker_archives_come_in(daemon, archive, tmp_path):
    skopeo("copy", f"oci-archive:{archive}", f"docker-archive:{tmp_path}/saved.tar:shop/saved:7")
    assert daemon.command("image", "--port", str(daemon.port), "import", str(tmp_path / "saved.tar")).strip() == "shop/saved:7"
    assert "shop/saved" in daemon.command("image", "--port", str(daemon.port), "list")
    daemon.command("image", "--port", str(daemon.port), "remove", "shop/saved:7")
    assert "shop/saved" not in daemon.command("image", "--port", str(daemon.port), "list")


def test_an_immutable_tag_stays(daemon, archive):
    daemon.client("ecr").create_repository(repositoryName="fixed", imageTagMutability="IMMUTABLE")
    import urllib.request
    host = f"000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:{daemon.port}"
    manifests = []
    skopeo("copy", "--dest-tls-verify=false", f"oci-archive:{archive}", f"docker://localhost:{daemon.port}/fixed:v1")
    with urllib.request.urlopen(f"{daemon.url}/v2/fixed/manifests/v1") as reply:
        manifests.append(reply.read())
    changed = json.loads(manifests[0])
    changed["annotations"] = {"changed": "yes"}
    request = urllib.request.Request(f"{daemon.url}/v2/fixed/manifests/v1", method="PUT", data=json.dumps(changed).encode(), headers={"Host": host})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert "immutable" in refused.value.read().decode()
    request = urllib.request.Request(f"{daemon.url}/v2/nowhere/manifests/v1", method="PUT", data=manifests[0], headers={"Host": host})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 404 and "NAME_UNKNOWN" in refused.value.read().decode()
