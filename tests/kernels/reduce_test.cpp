// SPDX-License-Identifier: Apache-2.0
// Reductions and the softmax family against their plain twins for every instruction set; infinities
// and NaN; accuracy of long sums; the same bits for any number of threads.
#include <autograd/kernels/naive.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/reduce.hpp>
#include <cstring>

#include "targets.hpp"

namespace autograd::kernels {
namespace {

template <class T> constexpr T kInf = std::numeric_limits<T>::infinity();

const std::size_t kShapes[][3] = {{1, 1, 1},    {1, 7, 1}, {3, 8, 1},   {5, 17, 1},   {2, 1000, 1},
                                  {1, 9000, 1}, {4, 3, 2}, {1, 300, 3}, {2, 130, 17}, {3, 5, 64},
                                  {1, 700, 70}, {0, 5, 2}, {2, 0, 1},   {2, 0, 3},    {40, 10, 1}};

template <class T> using Forward = void (*)(const T*, T*, std::size_t, std::size_t, std::size_t);
template <class T>
using Backward = void (*)(const T*, const T*, T*, std::size_t, std::size_t, std::size_t);

template <class T> struct ForwardCase {
  const char* name;
  Forward<T> fast, naive;
  bool reduces;
  double tolerance;  // in epsilons, of max(1, |y|)
};
template <class T>
const ForwardCase<T> kForward[] = {
    {"sum", sum<T>, sum_naive<T>, true, 300},
    {"max", max<T>, max_naive<T>, true, 0},
    {"min", min<T>, min_naive<T>, true, 0},
    {"logsumexp", logsumexp<T>, logsumexp_naive<T>, true, 8},
    {"softmax", softmax<T>, softmax_naive<T>, false, 8},
    {"log_softmax", log_softmax<T>, log_softmax_naive<T>, false, 8},
};

template <class T>
void expect_close(const char* name, const std::vector<T>& got, const std::vector<T>& want,
                  double tolerance) {
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i]))) continue;
    const double bound = tolerance * std::numeric_limits<T>::epsilon() *
                         std::max(1.0, std::abs(static_cast<double>(want[i])));
    const double error = std::abs(static_cast<double>(got[i]) - want[i]);
    ASSERT_TRUE(error <= bound) << name << " element " << i << ": " << got[i] << ", not "
                                << want[i];
  }
}

template <class T>
void check_forward(const ForwardCase<T>& c, const std::vector<T>& x, std::size_t outer,
                   std::size_t extent, std::size_t inner) {
  std::vector<T> got(c.reduces ? outer * inner : x.size(), T(7)), want = got;
  c.fast(x.data(), got.data(), outer, extent, inner);
  c.naive(x.data(), want.data(), outer, extent, inner);
  SCOPED_TRACE(testing::Message() << outer << "," << extent << "," << inner);
  expect_close(c.name, got, want, c.tolerance);
}

template <class T> class Reduce : public testing::Test {
 protected:
  ~Reduce() override { set_num_threads(threads_); }
  int threads_ = num_threads();
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Reduce, Types);

TYPED_TEST(Reduce, ForwardAgreesWithNaive) {
  using T = TypeParam;
  for_each_target([] {
    for (const auto& [outer, extent, inner] : kShapes) {
      const std::vector<T> x = random_array<T>(outer * extent * inner, -4, 4, 1);
      for (const auto& c : kForward<T>) check_forward(c, x, outer, extent, inner);
    }
  });
}

TYPED_TEST(Reduce, InfinitiesAndNaN) {
  using T = TypeParam;
  for_each_target([] {
    for (const T special : {kInf<T>, -kInf<T>, std::numeric_limits<T>::quiet_NaN(), T(1e30)}) {
      for (const std::size_t inner : {1, 3}) {
        for (const std::size_t extent : {1, 5, 40}) {
          for (std::size_t at = 0; at < extent; at += 3) {
            std::vector<T> x = random_array<T>(extent * inner, -4, 4, 1);
            x[at * inner] = special;
            for (const auto& c : kForward<T>) check_forward(c, x, 1, extent, inner);
          }
          const std::vector<T> all(extent * inner, special);
          for (const auto& c : kForward<T>) check_forward(c, all, 1, extent, inner);
        }
      }
    }
  });
}

TYPED_TEST(Reduce, LineOfMinusInfinity) {
  using T = TypeParam;
  for_each_target([] {
    const std::vector<T> x(6, -kInf<T>);
    std::vector<T> y(6);
    softmax(x.data(), y.data(), 1, 6, 1);
    EXPECT_EQ(y, std::vector<T>(6, T(0)));
    log_softmax(x.data(), y.data(), 2, 3, 1);
    EXPECT_EQ(y, x);
    logsumexp(x.data(), y.data(), 1, 3, 2);
    EXPECT_EQ(y[0], -kInf<T>);
  });
}

TYPED_TEST(Reduce, BackwardAgreesWithNaive) {
  using T = TypeParam;
  for_each_target([] {
    for (const auto& [outer, extent, inner] : kShapes) {
      const std::size_t n = outer * extent * inner;
      const std::vector<T> x = random_array<T>(n, -4, 4, 1), dy = random_array<T>(n, -1, 1, 2);
      std::vector<T> y(n), got(n), want(n);
      softmax_naive(x.data(), y.data(), outer, extent, inner);
      softmax_backward(y.data(), dy.data(), got.data(), outer, extent, inner);
      softmax_backward_naive(y.data(), dy.data(), want.data(), outer, extent, inner);
      expect_close("softmax_backward", got, want, 8);
      log_softmax_naive(x.data(), y.data(), outer, extent, inner);
      got = dy;  // in place
      log_softmax_backward(y.data(), got.data(), got.data(), outer, extent, inner);
      log_softmax_backward_naive(y.data(), dy.data(), want.data(), outer, extent, inner);
      expect_close("log_softmax_backward", got, want, 60);
    }
  });
}

template <class T>
void check_cross_entropy(std::size_t n, std::size_t c, double smoothing, const std::vector<T>& x) {
  SCOPED_TRACE(testing::Message() << n << " x " << c << ", smoothing " << smoothing);
  std::vector<std::int64_t> label(n);
  for (std::size_t i = 0; i < n; ++i) {
    label[i] = i % 4 == 3 ? -1 : static_cast<std::int64_t>(i * 7 % c);
  }
  const LabeledRows rows{label.data(), smoothing, n, c};
  const std::vector<T> dy = random_array<T>(n, -1, 1, 3);
  std::vector<T> y(n), wanted_y(n), shift(n), rest(n), dx(n * c, T(7)), wanted_dx(n * c);
  cross_entropy(rows, x.data(), y.data(), shift.data(), rest.data());
  cross_entropy_naive(rows, x.data(), wanted_y.data());
  expect_close("cross_entropy", y, wanted_y, 16);
  cross_entropy_backward(rows, x.data(), shift.data(), rest.data(), dy.data(), dx.data());
  cross_entropy_backward_naive(rows, x.data(), dy.data(), wanted_dx.data());
  expect_close("cross_entropy_backward", dx, wanted_dx, 16);
}

TYPED_TEST(Reduce, CrossEntropyAgreesWithNaive) {
  using T = TypeParam;
  for_each_target([] {
    for (const double smoothing : {0.0, 0.1, 1.0}) {
      for (const std::size_t c : {1, 7, 17, 63, 65, 127, 1000}) {
        check_cross_entropy<T>(9, c, smoothing, random_array<T>(9 * c, -4, 4, 1));
        check_cross_entropy<T>(9, c, smoothing, random_array<T>(9 * c, 1000, 1020, 1));
      }
      check_cross_entropy<T>(0, 5, smoothing, {});
    }
  });
}

TYPED_TEST(Reduce, CrossEntropyOfSpecialValues) {
  using T = TypeParam;
  for_each_target([] {
    for (const T special : {kInf<T>, -kInf<T>, std::numeric_limits<T>::quiet_NaN(), T(1e30)}) {
      for (const std::size_t c : {1, 5, 40}) {
        for (std::size_t at = 0; at < c; at += 3) {
          std::vector<T> x = random_array<T>(4 * c, -4, 4, 1);
          for (std::size_t i = 0; i < 4; ++i) x[i * c + at] = special;
          check_cross_entropy<T>(4, c, 0.0, x);
          check_cross_entropy<T>(4, c, 0.1, x);
        }
        check_cross_entropy<T>(4, c, 0.1, std::vector<T>(4 * c, special));
      }
    }
  });
}

TYPED_TEST(Reduce, LongSumsStayAccurate) {
  using T = TypeParam;
  const std::size_t n = 3000000;
  const std::vector<T> x = random_array<T>(n, 0, 1, 5);
  for (const std::size_t inner : {1, 3}) {
    std::vector<T> y(inner), want(inner);
    sum(x.data(), y.data(), 1, n / inner, inner);
    sum_naive(x.data(), want.data(), 1, n / inner, inner);
    // The leaves add up to 128 elements in order; all larger steps are pairwise.
    for (std::size_t i = 0; i < inner; ++i) {
      EXPECT_LE(std::abs(y[i] - want[i]) / want[i], 16 * std::numeric_limits<T>::epsilon());
    }
  }
}

TYPED_TEST(Reduce, SameBitsForAnyNumberOfThreads) {
  using T = TypeParam;
  const std::size_t shapes[][3] = {{1, 1000003, 1}, {300, 1001, 1}, {3, 2000, 150}, {1, 5000, 33}};
  for (const auto& [outer, extent, inner] : shapes) {
    const std::vector<T> x = random_array<T>(outer * extent * inner, -1, 1, 6);
    for (const auto& c : kForward<T>) {
      std::vector<T> got(c.reduces ? outer * inner : x.size()), want = got;
      set_num_threads(1);
      c.fast(x.data(), want.data(), outer, extent, inner);
      for (const int threads : {2, 3, 4}) {
        set_num_threads(threads);
        c.fast(x.data(), got.data(), outer, extent, inner);
        EXPECT_EQ(0, std::memcmp(got.data(), want.data(), got.size() * sizeof(T))) << c.name;
      }
    }
  }
}

}  // namespace
}  // namespace autograd::kernels
