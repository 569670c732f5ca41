#!/usr/bin/env bash
# tools/build.sh PRESET [TARGET...]: builds with as many jobs as cores and memory allow (LibTorch's headers take about
# 1.2 GB a job).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:?usage: tools/build.sh PRESET [TARGET...]}; shift
cores=$(nproc); fit=$(($(awk '/MemAvailable/ {print $2}' /proc/meminfo) / 1300000))
jobs=$((cores < fit ? cores : fit)); [ "$jobs" -ge 1 ] || jobs=1
exec ninja -C "build/$preset" -j "$jobs" "$@"
