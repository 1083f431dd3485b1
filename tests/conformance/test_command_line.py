"""What the command says to options and folders that cannot work: at once, by name, with an exit code other than 0."""
import shutil
import subprocess

import pytest
from support import ATOLL


def run(*arguments, **kwargs):
    return subprocess.run([ATOLL, *arguments], capture_output=True, text=True, timeout=30, **kwargs)


@pytest.mark.parametrize("option, value, words", [
    ("--port", "99999", "99999 not in range 0 to 65535"), ("--port", "-1", "-1 not in range"), ("--dns-port", "70000", "70000 not in range"),
    ("--shards", "-1", "-1 not in range"), ("--account", "12", "an account has 12 digits: 12"), ("--region", "x y", "no region: 'x y'"),
    ("--auth", "maybe", "maybe not in"), ("--durability", "never", "never not in")])
def test_options_out_of_range(tmp_path, option, value, words):
    done = run("start", option, value, "--data", str(tmp_path / "data"))
    assert done.returncode != 0 and words in done.stdout + done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("folder", ["/proc/nowhere", "file"])
def test_a_data_folder_that_cannot_be_written(tmp_path, folder):
    (tmp_path / "file").write_text("")
    done = run("start", "--port", "0", "--data", folder, cwd=tmp_path)
    assert done.returncode == 1
    assert f"the data folder {folder} cannot be written" in done.stderr


@pytest.mark.parametrize("address, words", [("nowhere", "is not a numeric address: choose an address"), ("192.0.2.1", "choose an address of this machine")])
def test_an_address_that_is_not_of_this_machine(tmp_path, address, words):
    done = run("start", "--port", "0", "--address", address, "--data", str(tmp_path / "data"))
    assert done.returncode == 1 and words in done.stderr


def test_the_clock_takes_its_port_anywhere(daemon):
    assert "frozen" in run("clock", "freeze", "--port", str(daemon.port)).stdout
    assert "frozen" not in run("clock", "--port", str(daemon.port), "resume").stdout


def test_completion_scripts_are_well_formed():
    for shell in ("bash", "zsh", "fish"):
        script = run("completion", shell).stdout
        assert "atoll" in script
        if shutil.which(shell):
            assert subprocess.run([shell, "-n"], input=script, text=True, capture_output=True).returncode == 0
    assert run("completion", "tcsh").returncode != 0
