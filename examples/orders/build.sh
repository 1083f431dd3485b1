#!/usr/bin/env bash
# Builds the C++ function as a static binary named bootstrap, which runs on AWS as well. The other two need no build.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p pricing/build
if [ ! -x pricing/build/bootstrap ] || [ pricing/pricing.cc -nt pricing/build/bootstrap ]; then
  "${CXX:-clang++-19}" -std=c++20 -O2 -static -s -o pricing/build/bootstrap.new pricing/pricing.cc
  mv pricing/build/bootstrap.new pricing/build/bootstrap
fi
