// SPDX-License-Identifier: Apache-2.0
// The vectorized stream against Generator::block, word by word, for every instruction set.
#include <gtest/gtest.h>
#include <autograd/generator.hpp>
#include <autograd/kernels/random.hpp>

#include <cstdint>
#include <limits>
#include <vector>

#include "targets.hpp"

namespace autograd::kernels {
namespace {

TEST(RandomKernel, WordsAreThoseOfTheBlocks) {
  constexpr std::uint64_t kSeed = 0x123456789abcdef0;
  for_each_target([] {
    for (const std::size_t n : {0, 1, 3, 4, 5, 31, 32, 33, 127, 128, 129, 1000}) {
      // The second crosses the border where the counter's high half changes.
      for (const std::uint64_t first : {std::uint64_t{7}, (std::uint64_t{1} << 32) - 3}) {
        std::vector<std::uint32_t> words(n + 1, 77);
        random_words(kSeed, first, n, words.data());
        for (std::size_t i = 0; i < n; ++i) {
          ASSERT_EQ(words[i], Generator::block(kSeed, first + i / 4)[i % 4]) << n << " " << i;
        }
        ASSERT_EQ(words[n], 77u) << n;
      }
    }
  });
}

template <class T> void check_drop() {
  constexpr T kInf = std::numeric_limits<T>::infinity();
  const std::vector<T> x = {1, kInf, 3, std::numeric_limits<T>::quiet_NaN(), -5};
  const std::vector<std::uint32_t> words = {100, 99, 0xffffffff, 0, 0x80000000};
  std::vector<T> y(5, T(7));
  drop(x.data(), words.data(), 100u, T(2), y.data(), x.size());
  EXPECT_EQ(y, (std::vector<T>{2, 0, 6, 0, -10}));
}

TEST(RandomKernel, DropsWhatIsBelowTheLimitWhateverItIs) {
  for_each_target([] {
    check_drop<float>();
    check_drop<double>();
  });
}

}  // namespace
}  // namespace autograd::kernels
