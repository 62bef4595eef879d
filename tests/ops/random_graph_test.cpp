// SPDX-License-Identifier: Apache-2.0
// Random graphs over the whole op list: reverse mode, forward mode and differences agree. A seed that
// fails becomes a case of its own below.
#include "random_graph.hpp"

namespace ops_test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 200;
#else
constexpr std::uint64_t kSeeds = 400;
#endif

TEST(RandomGraphTest, ReverseForwardAndDifferencesAgree) { check_graphs(1, kSeeds); }

TEST(RandomGraphSlow, TenThousandSeeds) { check_graphs(1, 10000); }

// The same seed is the same graph, to the bit.
TEST(RandomGraphTest, SeedsAreReproducible) {
  const RandomGraph a(7), b(7);
  EXPECT_EQ(a.text(), b.text());
  EXPECT_EQ(a(a.inputs()).item(), b(b.inputs()).item());
}

}  // namespace
}  // namespace ops_test
