"""A daemon for each test module; and a way to start more."""
import pytest

from support import Daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    one = Daemon(tmp_path_factory.mktemp("atoll")).start()
    yield one
    one.stop()


@pytest.fixture
def new_daemon(tmp_path):
    """For tests that restart or kill: gives a function that starts one."""
    made = []

    def make(*options):
        made.append(Daemon(tmp_path / f"atoll-{len(made)}", *options))
        return made[-1].start()

    yield make
    for one in made:
        if one.process.poll() is None:
            one.kill()
