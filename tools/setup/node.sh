#!/usr/bin/env bash
# The npm packages of tests/js, by its lock file. Node itself is one of them (22, as Lambda runs; Debian's 18 is too old
# for the AWS SDK): the package of the machine's architecture holds the program, so no install script runs, which newer
# versions of npm refuse anyway, and the lock file's hash covers it. Any Node that can run npm will do to install.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/setup/packages.sh
install_packages nodejs npm
stamp=tests/js/node_modules/.made-from
if ! cmp -s tests/js/package-lock.json "$stamp"; then
  (cd tests/js && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  cp tests/js/package-lock.json "$stamp"
fi
