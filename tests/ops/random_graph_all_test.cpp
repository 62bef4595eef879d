// SPDX-License-Identifier: Apache-2.0
// The 10,000 random graphs of tests/run.sh --all; see random_graph_test.cpp.
#include "random_graph.hpp"

namespace ops_test {
namespace {

TEST(RandomGraphAllTest, TenThousandSeeds) { check_graphs(1, 10000); }

}  // namespace
}  // namespace ops_test
