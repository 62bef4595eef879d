// SPDX-License-Identifier: Apache-2.0
// Philox against the known answers of the Random123 distribution (tests/kat_vectors there), and the
// moments and the positions of the streams made from it.
#include <gtest/gtest.h>
#include <autograd/generator.hpp>

#include <cmath>
#include <thread>
#include <vector>

namespace autograd {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST(Generator, KnownAnswers) {
  EXPECT_EQ(Generator::philox({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(Generator::philox({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      Generator::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Generator, DrawsWalkThroughTheBlocks) {
  const std::uint64_t seed = 0x123456789abcdef0;
  Generator g(seed);
  for (std::uint64_t b = 0; b < 3; ++b) {
    for (std::uint32_t word : Generator::block(seed, b)) EXPECT_EQ(g.next32(), word);
  }
  EXPECT_EQ(g.position(), 12u);
  Generator halves(seed), wholes(seed);
  const std::uint64_t low = halves.next32(), high = halves.next32();
  EXPECT_EQ(wholes.next64(), high << 32 | low);
  EXPECT_EQ(Generator::block(seed, 1ull << 32),
            Generator::philox({0, 1, 0, 0}, {0x9abcdef0, 0x12345678}));
}

TEST(Generator, SeekContinuesExactly) {
  Generator g(5);
  for (int used = 0; used < 9; ++used) {
    Generator resumed(5);
    resumed.seek(g.position());
    Generator copy = g;
    for (int i = 0; i < 9; ++i) ASSERT_EQ(resumed.next32(), copy.next32()) << used;
    g.next32();
  }
}

TEST(Generator, ReserveTakesWholeBlocks) {
  Generator g(1);
  EXPECT_EQ(g.reserve(2), 0u);
  EXPECT_EQ(g.next32(), Generator::block(1, 2)[0]);
  EXPECT_EQ(g.reserve(1), 3u);
  EXPECT_EQ(g.next32(), Generator::block(1, 4)[0]);
  EXPECT_EQ(g.reserve(0), 5u);
}

TEST(Generator, Moments) {
  Generator g(11);
  const int n = 200'000;
  double sum = 0, squares = 0, normal = 0, normal2 = 0, normal4 = 0;
  for (int i = 0; i < n; ++i) {
    const double u = g.uniform(), z = g.normal();
    ASSERT_TRUE(u >= 0 && u < 1);
    sum += u;
    squares += u * u;
    normal += z;
    normal2 += z * z;
    normal4 += z * z * z * z;
  }
  // Five standard errors each.
  EXPECT_NEAR(sum / n, 0.5, 5 * 0.289 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0 / 3, 5 * 0.298 / std::sqrt(n));
  EXPECT_NEAR(normal / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(normal2 / n, 1, 5 * 1.414 / std::sqrt(n));
  EXPECT_NEAR(normal4 / n, 3, 5 * 9.8 / std::sqrt(n));
}

TEST(Generator, DefaultGeneratorIsPerThreadAndSeedable) {
  manual_seed(3);
  const std::uint32_t first = default_generator().next32();
  std::thread([] { manual_seed(4); }).join();
  EXPECT_EQ(default_generator().position(), 1u);
  manual_seed(3);
  EXPECT_EQ(default_generator().next32(), first);
  EXPECT_EQ(default_generator().seed(), 3u);
}

}  // namespace
}  // namespace autograd
