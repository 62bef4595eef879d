#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that has to hold, from a bare machine: installs what is missing, builds in a clean
# folder, runs all checks, and ends with the line `N passed, M failed` (exit status 1 when M > 0).
#
# usage: tests/run.sh [--all]
#   --all    also the slow tests, the whole suite under the sanitizers, and a Clang build
#   BUILD_DIR=FOLDER    where to build; removed first (default: build/test)
#   JOBS=N              how many compilers at a time (default: the number of cores)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
source tests/packages.sh

# The programs of ../shared/contract that the library has to satisfy by now.
contract_programs="01 02 04 05 06 07 08 10 11 12"

all=false
for argument in "$@"; do
  case $argument in
    --all) all=true ;;
    -h | --help)
      sed -n '3,/^set /{/^#/s/^# \{0,1\}//p}' tests/run.sh
      exit 0
      ;;
    *)
      echo "tests/run.sh: unknown option: $argument; need --all or --help" >&2
      exit 2
      ;;
  esac
done

build=${BUILD_DIR:-build/test}
jobs=${JOBS:-$(nproc)}
passed=0
failed=0

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

# check NAME COMMAND...: one check; its output is shown only when it fails.
check() {
  local name=$1
  shift
  if "$@" >"$build/log" 2>&1 </dev/null; then
    passed=$((passed + 1))
    say "ok    $name"
  else
    failed=$((failed + 1))
    say "FAILS $name"
    show_log
    return 1
  fi
}

# The whole log, or both ends of one that nobody would read.
show_log() {
  if [ "$(wc -l <"$build/log")" -le 400 ]; then
    sed 's/^/         /' "$build/log"
  else
    { head -n 200 "$build/log" && echo '...' && tail -n 200 "$build/log"; } | sed 's/^/         /'
  fi
}

# tests NAME FOLDER ARGUMENTS...: ctest; each test counts as one.
tests() {
  local name=$1 folder=$2 summary bad=0 total=0
  shift 2
  ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$jobs" "$@" \
    >"$build/log" 2>&1 </dev/null
  local status=$?
  summary=$(grep -E '^[0-9]+% tests passed, ' "$build/log" | tail -n 1)
  if [[ $summary =~ ,\ ([0-9]+)\ tests?\ failed\ out\ of\ ([0-9]+) ]]; then
    bad=${BASH_REMATCH[1]}
    total=${BASH_REMATCH[2]}
  fi
  # A ctest that failed without counting a failure did not get to run its tests.
  [ "$status" = 0 ] || [ "$bad" -gt 0 ] || { bad=1 && total=$((total + 1)); }
  passed=$((passed + total - bad))
  failed=$((failed + bad))
  if [ "$bad" -gt 0 ]; then
    say "FAILS $name: $bad of $total"
    grep -vE '^ *(Start +[0-9]+:|[0-9]+/[0-9]+ Test +#[0-9]+: .* Passed )' "$build/log" |
      sed 's/^/         /'
  else
    say "ok    $name: $total tests"
  fi
}

# configure PRESET FOLDER OPTIONS...
configure() { cmake --preset "$1" -B "$2" "${@:3}"; }
build() { cmake --build "$1" -j "$jobs" "${@:2}"; }

format_check() {
  local formatter=clang-format-14
  command -v $formatter >/dev/null || formatter=clang-format
  # Another version would lay out some templates differently and fail for no fault of the source.
  if ! $formatter --version | grep -q 'version 14\.'; then
    say "skip  format: $($formatter --version) is not version 14"
    return 0
  fi
  local list=(find autograd nn tests bench examples -type f -print0)
  git rev-parse --is-inside-work-tree >/dev/null 2>&1 &&
    list=(git ls-files -z --cached --others --exclude-standard)
  "${list[@]}" | grep -zE '\.[ch]pp$' | while IFS= read -r -d '' file; do
    [ ! -f "$file" ] || printf '%s\0' "$file"  # deleted, but not yet in git
  done | xargs -0 -r $formatter --dry-run -Werror
}

package() {
  cmake --install "$build/release" --prefix "$build/prefix"
}

consumer() {
  cmake -S tests/consumer -B "$build/consumer" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$build/prefix" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF &&
    build "$build/consumer" && "$build/consumer/consumer"
}

# sanitized PRESET: the fast tests, or with --all every test, of an instrumented build.
sanitized() {
  local preset=$1 target=(--target sanitize_tests) label=(-L '^sanitize$')
  local options=(-DAUTOGRAD_QUICK=ON)
  if $all; then
    target=()
    label=(-LE '^house$')
    options=()
  fi
  check "$preset: configure" configure "$preset" "$build/$preset" "${options[@]}" &&
    check "$preset: build" build "$build/$preset" "${target[@]}" &&
    tests "$preset: tests" "$build/$preset" "${label[@]}"
}

# --- run ---------------------------------------------------------------------------------------

wanted="$packages_build $packages_examples $packages_tests"
if $all; then wanted="$wanted $packages_clang"; fi
need_packages "$wanted" || exit 1

rm -rf "$build"
mkdir -p "$build"
build=$(cd "$build" && pwd)
say "$(c++ --version | head -n 1); $(cmake --version | head -n 1); $jobs jobs; $build"

check "format" format_check

# The library alone first: it is what gets installed. The same folder then goes on with the tests.
release=$build/release
if check "release: configure without tests" configure release "$release" -DBUILD_TESTING=OFF &&
  check "release: build the library alone" build "$release" &&
  check "release: install" package; then
  check "consumer project" consumer
  if [ -f ../shared/contract/run.py ]; then
    for program in $contract_programs; do
      CMAKE_GENERATOR=Ninja check "contract $program" \
        python3 ../shared/contract/run.py "$build/prefix" "$program"
    done
  fi
fi

if check "release: configure" configure release "$release" -DBUILD_TESTING=ON; then
  tests "rules of the house" "$release" -L '^house$'
  if check "release: build" build "$release"; then
    skip='^house$'
    $all || skip='^(house|slow)$'
    tests "release: tests" "$release" -LE "$skip"
    sanitized asan
    sanitized tsan
  fi
fi

if $all && check "clang-dev: configure" configure clang-dev "$build/clang-dev"; then
  check "clang-dev: build" build "$build/clang-dev" &&
    tests "clang-dev: tests" "$build/clang-dev" -LE '^house$'
fi

say "done"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
