"""Runs the programs that start sandboxes and functions for real, in each tier that this machine has."""
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build/test"


@pytest.mark.parametrize("tier", ["0", "1", "2"])
@pytest.mark.parametrize("program", ["atoll_sandbox_tests", "atoll_function_tests"])
def test_program(program, tier):
    path = BUILD / program
    if not path.exists():
        pytest.skip("the test preset was not built")
    if tier == "0" and os.geteuid() != 0:
        pytest.skip("tier 0 needs root")
    # Leaks are looked for by the unit tests; these end with sandboxes still on their way out.
    result = subprocess.run([path], env={**os.environ, "ATOLL_SANDBOX_TIER": tier, "ASAN_OPTIONS": "detect_leaks=0"}, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
