#!/usr/bin/env bash
# The npm packages of tests/js, by its lock file.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/setup/packages.sh
install_packages nodejs npm
stamp=tests/js/node_modules/.made-from
if ! cmp -s tests/js/package-lock.json "$stamp"; then
  (cd tests/js && npm ci --no-audit --no-fund --loglevel=error)
  cp tests/js/package-lock.json "$stamp"
fi
