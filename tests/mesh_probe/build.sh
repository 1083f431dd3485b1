#!/usr/bin/env bash
# Builds the probe as a static program and puts it into an OCI image, probe.tar.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-build}
examples=../../examples/three-services
mkdir -p "$out"
"${CXX:-clang++-19}" -std=c++20 -O2 -static -pthread -w -I "$examples/service1" probe.cc "$examples/service1/http.cc" -o "$out/probe"
strip "$out/probe"
python3 "$examples/image.py" --output "$out/probe.tar" --file "$out/probe=/probe" --entrypoint /probe --port 8080 --user 1000 --name probe:v1
