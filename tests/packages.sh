# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by tests/run.sh and examples/run.sh: what a bare machine has to install, and installing
# it. On a machine with dpkg the packages are asked for; elsewhere each package has a probe, a
# command on the PATH or a header that the compiler finds, so that its name is only advice.

# package | probe
packages_build="
g++          | command c++
cmake        | command cmake
ninja-build  | command ninja
libhwy-dev   | header hwy/highway.h
libtbb-dev   | header tbb/tbb.h
libeigen3-dev | header eigen3/Eigen/Core
nlohmann-json3-dev | header nlohmann/json.hpp
zlib1g-dev   | header zlib.h
libpng-dev   | header png.h
libjpeg-dev  | header jerror.h
libsndfile1-dev | header sndfile.h
"
packages_examples="
libcli11-dev | header CLI/CLI.hpp
libpng-dev   | header png.h
"
packages_tests="
libgtest-dev     | header gtest/gtest.h
libgmock-dev     | header gmock/gmock.h
libbenchmark-dev | header benchmark/benchmark.h
libeigen3-dev    | header eigen3/Eigen/Core
python3          | command python3
clang-format-14  | command clang-format-14
"
packages_clang="
clang            | command clang++
"

# missing_packages LIST: the names of those that are not here, one per line.
missing_packages() {
  local name bar kind what
  local has_dpkg=false
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null && has_dpkg=true
  while read -r name bar kind what; do
    [ -n "$name" ] || continue
    if $has_dpkg; then
      [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    elif [ "$kind" = command ]; then
      command -v "$what" >/dev/null || echo "$name"
    else
      echo "#include <$what>" | c++ -std=c++17 -fsyntax-only -x c++ - 2>/dev/null || echo "$name"
    fi
  done <<<"$1"
}

# need_packages LIST: installs what is missing, or says what to install and returns 1.
need_packages() {
  local missing as_root=()
  missing=$(missing_packages "$1")
  [ -n "$missing" ] || return 0
  missing=$(echo "$missing" | sort -u | tr '\n' ' ')
  if ! command -v apt-get >/dev/null; then
    echo "missing: $missing" >&2
    echo "These are Debian's names and there is no apt-get here: install their like by hand." >&2
    return 1
  fi
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null || { [ ! -t 0 ] && ! sudo -n true 2>/dev/null; }; then
      echo "missing: $missing" >&2
      echo "Not root, and no sudo without a password: run  apt-get install $missing" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "installing: $missing" >&2
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -q &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    echo "could not install: $missing" >&2
    return 1
  fi
  rm -f "$log"
}
