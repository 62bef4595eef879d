#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds one example and runs it; on a bare machine it first installs what is missing.
#
# usage: examples/run.sh NAME [ARGUMENTS...]
#        examples/run.sh NAME --help             the options of that example
set -euo pipefail
here=$(pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$(pwd)
source tests/packages.sh

# names, and what the first comment behind the license line says of each
examples() { find examples -maxdepth 1 -name '*.cpp' | sed 's|.*/||; s|\.cpp$||' | LC_ALL=C sort; }
about() {
  sed -n '/^\/\/ /{/SPDX/!{s|^// ||p;q}}' "examples/$1.cpp"
}

usage() {
  sed -n '3,/^set /{/^#/s/^# \{0,1\}//p}' examples/run.sh
  echo
  echo "examples:"
  for name in $(examples); do printf '  %-20s %s\n' "$name" "$(about "$name")"; done
}

case ${1:-} in
  "" | -h | --help)
    usage
    exit 0
    ;;
esac
name=$1
shift
if ! examples | grep -qxF -e "$name"; then
  echo "examples/run.sh: unknown example: $name; need one of: $(examples | tr '\n' ' ')" >&2
  exit 2
fi

need_packages "$packages_build $packages_examples"

build=build/release
mkdir -p "$build"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
  if ! "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    echo "examples/run.sh: failed: $*" >&2
    exit 1
  fi
}
[ -f "$build/examples/$name" ] || echo "building $name (the first time takes some minutes)" >&2
# Once configured, ninja itself reruns CMake when a file comes or goes.
[ -f "$build/build.ninja" ] || quietly cmake --preset release -DBUILD_TESTING=ON
quietly cmake --build "$build" --target "example_$name" -j "$(nproc)"

cd "$here"  # files that the example writes belong where the user is
rm -f "$log"
exec "$root/$build/examples/$name" "$@"
