#!/usr/bin/env bash
# Places orders for a while and shows the latencies:  examples/orders/load.sh [seconds] [connections]
set -euo pipefail
cd "$(dirname "$0")"
atoll=${ATOLL:-../../build/release/atoll} port=${PORT:-4566}
url=$("$atoll" status --output orders.Url --port "$port")
export HOST=${url#http://}
exec wrk -t1 -c"${2:-16}" -d"${1:-10}" --latency -s load.lua "http://127.0.0.1:$port/orders"
