// SPDX-License-Identifier: Apache-2.0
// gemm against the plain loop: random shapes, all transpositions, wide leading dimensions,
// accumulation and bias, every instruction set; and the same bits for any number of threads.
#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/naive.hpp>
#include <autograd/kernels/parallel.hpp>
#include <cstring>

#include "targets.hpp"

namespace autograd::kernels {
namespace {

template <class T> struct Problem {
  std::vector<T> a, b, c, bias;
  GemmCall<T> call;

  Problem(bool ta, bool tb, std::size_t m, std::size_t n, std::size_t k, std::size_t pad,
          bool accumulate, bool with_bias) {
    const std::size_t lda = (ta ? m : k) + pad, ldb = (tb ? k : n) + pad, ldc = n + pad;
    a = random_array<T>((ta ? k : m) * lda + 1, -1, 1, 1);
    b = random_array<T>((tb ? n : k) * ldb + 1, -1, 1, 2);
    c = random_array<T>(m * ldc + 1, -1, 1, 3);
    bias = random_array<T>(n + 1, -1, 1, 4);
    call = {ta,
            tb,
            m,
            n,
            k,
            a.data(),
            lda,
            b.data(),
            ldb,
            c.data(),
            ldc,
            accumulate,
            with_bias ? bias.data() : nullptr};
  }
};

template <class T> void expect_right(Problem<T>& p) {
  GemmCall<T> g = p.call;
  std::vector<T> want = p.c;
  g.c = want.data();
  gemm_naive(g);
  gemm(p.call);
  // Every product is below 1, so the rounding errors of k additions stay below k eps sqrt(k).
  const double k = static_cast<double>(g.k) + 4;
  const double bound = std::numeric_limits<T>::epsilon() * k;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const bool inside = g.ldc > 0 && i / g.ldc < g.m && i % g.ldc < g.n;
    const double error = std::abs(static_cast<double>(p.c[i]) - want[i]);
    ASSERT_TRUE(inside ? error <= bound : p.c[i] == want[i])
        << (g.transpose_a ? "T" : "N") << (g.transpose_b ? "T " : "N ") << g.m << "x" << g.n << "x"
        << g.k << " lda " << g.lda << " accumulate " << g.accumulate << " bias "
        << (g.bias != nullptr) << " element " << i << ": " << p.c[i] << ", not " << want[i];
  }
}

template <class T> class Gemm : public testing::Test {
 protected:
  ~Gemm() override { set_num_threads(threads_); }
  int threads_ = num_threads();
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Types);

TYPED_TEST(Gemm, SmallShapes) {
  for_each_target([] {
    std::mt19937 random(1);
    for (int round = 0; round < 1500 && !testing::Test::HasFailure(); ++round) {
      const auto below = [&](std::size_t n) { return random() % n; };
      const std::size_t limit = round % 2 ? 17 : 70;
      Problem<TypeParam> p(below(2), below(2), below(limit), below(limit), below(limit), below(4),
                           below(2), below(2));
      expect_right(p);
    }
  });
}

TYPED_TEST(Gemm, LargerShapes) {
  const std::size_t shapes[][3] = {{100, 10, 300}, {9, 200, 300},  {64, 64, 64},  {130, 1030, 40},
                                   {33, 70, 1100}, {66, 520, 600}, {515, 12, 17}, {1, 1000, 700},
                                   {1000, 1, 700}, {3, 3, 5000},   {2, 700, 300}, {3, 333, 520},
                                   {4, 211, 90},   {1000, 1, 33},  {1, 1, 127},   {1, 1, 5000}};
  for_each_target([&] {
    int round = 0;
    for (const auto& [m, n, k] : shapes) {
      for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
          Problem<TypeParam> p(ta, tb, m, n, k, round % 3, round % 2, round % 5 < 2);
          expect_right(p);
          ++round;
        }
      }
    }
  });
}

// Row strides of 4 KiB, packed A, and a B that caches do not hold: the paths of large products alone.
TYPED_TEST(Gemm, LargeShapes) {
  const std::size_t shapes[][3] = {{280, 520, 1024}, {140, 777, 500}, {20, 1301, 900}};
  for (const auto& [m, n, k] : shapes) {
    for (const int t : {0, 1, 2, 3}) {
      Problem<TypeParam> p(t % 2, t / 2, m, n, k, 0, false, true);
      expect_right(p);
    }
  }
}

// A dot product of contiguous vectors, however they are declared.
TYPED_TEST(Gemm, OneDotProduct) {
  using T = TypeParam;
  for_each_target([] {
    for (const std::size_t k : {128, 129, 1000, 300000}) {
      const std::vector<T> a(k, T(0.1)), b(k, T(0.7));
      for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
          T c = 3;
          const T bias = 2;
          gemm(GemmCall<T>{ta, tb, 1, 1, k, a.data(), ta ? 1 : k, b.data(), tb ? k : 1, &c, 1, true,
                           &bias});
          const double want = static_cast<double>(T(0.1)) * static_cast<double>(T(0.7)) * double(k);
          ASSERT_NEAR(c, want + 5,
                      8 * want * std::numeric_limits<T>::epsilon() * std::sqrt(double(k)));
        }
      }
    }
  });
}

TYPED_TEST(Gemm, SameBitsForAnyNumberOfThreads) {
  const std::size_t shapes[][3] = {
      {300, 300, 300}, {700, 40, 1100}, {12, 1500, 900}, {900, 10, 1300}, {60, 2100, 90},
      {530, 520, 520}, {40, 1250, 900}, {3, 5000, 300},  {4000, 1, 500},  {1, 1, 2100000}};
  int round = 0;
  for (const auto& [m, n, k] : shapes) {
    for (const int t : {0, 1, 2, 3}) {
      Problem<TypeParam> p(t % 2, t / 2, m, n, k, 1, round++ % 2, true);
      const std::vector<TypeParam> start = p.c;
      set_num_threads(1);
      gemm(p.call);
      const std::vector<TypeParam> want = p.c;
      for (const int threads : {2, 3, 4, 7}) {
        std::copy(start.begin(), start.end(), p.c.begin());
        set_num_threads(threads);
        gemm(p.call);
        ASSERT_EQ(0, std::memcmp(p.c.data(), want.data(), want.size() * sizeof(TypeParam)))
            << m << "x" << n << "x" << k << " transposed " << t << " on " << threads;
      }
    }
  }
}

}  // namespace
}  // namespace autograd::kernels
