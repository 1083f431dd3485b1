"""An image of the example's first service, and daemons that have it."""
import subprocess

import pytest

from fleet import Fleet
from support import ROOT

SERVICE1 = ROOT / "examples" / "three-services" / "service1"


@pytest.fixture(scope="session")
def archive():
    built = SERVICE1 / "build" / "service1.tar"
    if not built.exists():
        subprocess.run([SERVICE1 / "build.sh"], check=True, capture_output=True)
    return built


@pytest.fixture(scope="module")
def fleet(daemon, archive):
    return Fleet(daemon, archive)


@pytest.fixture
def new_fleet(new_daemon, archive):
    return lambda *options: Fleet(new_daemon(*options), archive)
