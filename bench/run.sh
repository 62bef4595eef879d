#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the benchmarks with the release preset in build/bench and runs one; on a bare machine it
# first installs what is missing.
#
# usage: bench/run.sh [figures [SECONDS]]    the table of figures, each with its bound (a minute);
#                                            exit status 1 when one is missed
#        bench/run.sh scalars [--native] [SECONDS [NAME...]]
#                                            ten scalar functions: gradient over function, compiled
#                                            with -O3, or with -O3 -march=native, beside ADOL-C and
#                                            Sacado if they are installed when this is first built
#                                            (packages libadolc-dev, libtrilinos-sacado-dev)
#        bench/run.sh tensors [--threads N] [--seconds OF_EACH] [--neighbor] [--json FILE] [NAME...]
#                                            from four elements to a transformer's layer, beside
#                                            libtorch and oneDNN if they are installed when this is
#                                            first built (packages libtorch-dev, libopenblas0-openmp,
#                                            libdnnl-dev; OMP_NUM_THREADS is oneDNN's number of
#                                            threads); a row per workload whose name contains a NAME;
#                                            --neighbor: single steps, quiet and beside a busy process
#        bench/run.sh operations [--seconds OF_EACH] [NAME...]
#                                            184 operations on a quarter of a million elements, one
#                                            thread, beside libtorch
#        bench/run.sh ops [OPTIONS...]       every operation, by Google Benchmark, whose options
#                                            follow (--benchmark_filter='^tanh/', --help)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tests/packages.sh

name=${1:-figures}
case $name in
  figures | operations | ops | scalars | tensors) ;;
  -h | --help)
    sed -n '3,/^set /{/^#/s/^# \{0,1\}//p}' bench/run.sh
    exit 0
    ;;
  *)
    echo "bench/run.sh: unknown benchmark: $name; need figures, scalars, tensors, operations or ops" >&2
    exit 2
    ;;
esac
[ $# = 0 ] || shift
if [ "$name" = scalars ] && [ "${1:-}" = --native ]; then
  name=scalars_native
  shift
fi

need_packages "$packages_build $packages_examples libbenchmark-dev | header benchmark/benchmark.h"

build=build/bench
mkdir -p "$build"
log=$build/log
quietly() {
  if ! "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    echo "bench/run.sh: failed: $*" >&2
    exit 1
  fi
}
[ -f "$build/build.ninja" ] || echo "building (the first time takes some minutes)" >&2
quietly cmake --preset release -B "$build" -DBUILD_TESTING=ON
quietly cmake --build "$build" --target "bench_$name" -j "${JOBS:-$(nproc)}"
exec "$build/bench/bench_$name" "$@"
