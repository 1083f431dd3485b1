#!/usr/bin/env bash
# A virtual environment in build/venv with the pinned packages of tests/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."
stamp=build/venv/.made-from
if ! cmp -s tests/requirements.txt "$stamp"; then
  rm -rf build/venv
  python3 -m venv build/venv
  build/venv/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt
  cp tests/requirements.txt "$stamp"
fi
