// SPDX-License-Identifier: Apache-2.0
// topk of few elements of long lines, which does not sort them, against the beginning of sort.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <limits>

namespace autograd {
namespace {

// Lines with many ties, zeros of both signs, infinities and NaN.
Tensor lines(std::int64_t n, DType dtype) {
  Generator generator(5);
  Tensor x = to(randint(-9, 9, {4, n}, generator), float64) * -0.5;
  const double special[] = {NAN, -0.0, INFINITY, -INFINITY, 0.0, NAN};
  for (int row = 1; row < 4; ++row) {  // the first has none, the last many
    for (std::int64_t i = 0; i < (row < 3 ? 6 : n); i += row < 3 ? 1 : 7) {
      fill_(select(select(x, 0, row), 0, (i * 331 + 17) % n), special[i % 6]);
    }
  }
  return dtype == int64 ? to(where(isfinite(x), x * 2.0, 0.0), int64) : to(x, dtype);
}

TEST(Topk, OfLongLinesIsTheBeginningOfSort) {
  for (const DType dtype : {float32, float64, int64}) {
    for (const std::int64_t n : {16, 97, 1024, 2003}) {
      const Tensor x = lines(n, dtype);
      for (const std::int64_t k : {1, 2, 6, 60}) {
        for (const bool largest : {true, false}) {
          if (k > n) continue;
          const ValuesAndIndices top = topk(x, k, 1, {.largest = largest});
          const ValuesAndIndices all = sort(x, 1, {.descending = largest});
          EXPECT_TRUE(equal(top.indices, narrow(all.indices, 1, 0, k)))
              << name(dtype) << " " << n << " " << k << " " << largest;
        }
      }
    }
  }
}

}  // namespace
}  // namespace autograd
