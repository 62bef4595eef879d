#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the op table into README.md, between its two marks, from the op list. Builds what it needs
# with the preset given (default: release).
#
# usage: tests/update_op_table.sh [PRESET]
set -eu
cd "$(dirname "$0")/.."
preset=${1:-release}
case $preset in
  -*)
    sed -n '3,/^set /{/^#/s/^# \{0,1\}//p}' tests/update_op_table.sh
    [ "$preset" = --help ] || [ "$preset" = -h ]
    exit
    ;;
esac
cmake --preset "$preset"
cmake --build --preset "$preset" --target op_table_test
AUTOGRAD_UPDATE_OP_TABLE=1 "build/$preset/tests/op_table_test" --gtest_filter=OpTable.ReadmeShowsTheOpList
