#!/usr/bin/env bash
# Builds the service as a static program and puts it into an OCI image, service1.tar, without Docker:
#   atoll image import service1.tar --name service1:v1
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-build}
mkdir -p "$out"
CXX=${CXX:-clang++-19}
"$CXX" -std=c++20 -O2 -static -pthread -w main.cc http.cc sigv4.cc -o "$out/service1"
strip "$out/service1"
python3 ../image.py --output "$out/service1.tar" --file "$out/service1=/service1" --entrypoint /service1 --port 8080 --user 1000 --name service1:latest
