"""Clients for the Lambda tests, and functions that go away again."""
import time

import pytest

from support import ROLE, zip_of


@pytest.fixture(scope="module")
def functions(daemon):
    return daemon.client("lambda")


@pytest.fixture(scope="module")
def queues(daemon):
    return daemon.client("sqs")


@pytest.fixture
def make(functions):
    made = []

    def create(text, runtime="nodejs20.x", name=None, **kwargs):
        name = name or f"f-{time.monotonic_ns()}"
        file = "index_dot_py" if runtime.startswith("python") else "bootstrap" if runtime.startswith("provided") else "index_dot_js"
        functions.create_function(FunctionName=name, Runtime=runtime, Role=ROLE, Handler="index.handler", Code={"ZipFile": zip_of(**{file: text})}, **kwargs)
        made.append(name)
        return name
    yield create
    for name in made:
        try:
            functions.delete_function(FunctionName=name)
        except functions.exceptions.ResourceNotFoundException:
            pass
