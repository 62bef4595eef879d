// SPDX-License-Identifier: Apache-2.0
// Normalization and transposing copies beside plain loops, on awkward sizes, float and double, with every
// instruction set.
#include <autograd/kernels/norm.hpp>
#include <autograd/kernels/transpose.hpp>

#include <cmath>

#include "targets.hpp"

namespace autograd::kernels {
namespace {

constexpr double kEps = 1e-5;

/// All of a normalization's arrays, filled at random.
template <class T> struct Norm {
  NormShape s;
  std::vector<T> x, dy, weight, bias;
  std::vector<double> mean, scale;

  explicit Norm(const NormShape& shape) : s(shape) {
    x = random_array<T>(s.numel(), -2, 3, 1);
    dy = random_array<T>(s.numel(), -1, 1, 2);
    weight = random_array<T>(s.weights(), 0.5, 2, 3);
    bias = random_array<T>(s.weights(), -1, 1, 4);
    mean.resize(s.rows());
    scale.resize(s.rows());
    (void)standardized(true, true);
  }

  // Calls f(element, row, weight) for all elements.
  template <class F> void each(F&& f) const {
    std::size_t at = 0;
    for (std::size_t o = 0; o < s.outer; ++o) {
      for (std::size_t row = 0; row < s.rows(); ++row) {
        for (std::size_t k = 0; k < s.features * s.inner; ++k) {
          f(at++, row, row % s.groups * s.features + k / s.inner);
        }
      }
    }
  }
  double unit(std::size_t i, std::size_t row) const {
    return (static_cast<double>(x[i]) - mean[row]) * scale[row];
  }

  void check_statistics() const {
    const auto n = static_cast<double>(s.row_size());
    std::vector<double> sum(s.rows()), squares(s.rows());
    each([&](std::size_t i, std::size_t row, std::size_t) {
      sum[row] += static_cast<double>(x[i]);
    });
    each([&](std::size_t i, std::size_t row, std::size_t) {
      squares[row] += std::pow(static_cast<double>(x[i]) - sum[row] / n, 2);
    });
    for (std::size_t row = 0; row < s.rows(); ++row) {
      EXPECT_NEAR(mean[row], sum[row] / n, 1e-13);
      EXPECT_NEAR(scale[row], 1 / std::sqrt(squares[row] / n + kEps), 1e-11 * scale[row]);
    }
  }
  // Fills in mean and scale.
  std::vector<T> standardized(bool with_weight, bool with_bias) {
    std::vector<double> variance(s.rows());
    std::vector<T> y(x.size());
    norm_standardize(s, true, kEps, x.data(), with_weight ? weight.data() : nullptr,
                     with_bias ? bias.data() : nullptr,
                     {mean.data(), variance.data(), scale.data()}, y.data());
    return y;
  }
  void check_forward(bool with_weight, bool with_bias, double tolerance) {
    std::vector<T> y(x.size());
    norm_forward(s, x.data(), mean.data(), scale.data(), with_weight ? weight.data() : nullptr,
                 with_bias ? bias.data() : nullptr, y.data());
    EXPECT_EQ(standardized(with_weight, with_bias), y);
    each([&](std::size_t i, std::size_t row, std::size_t w) {
      const double want = unit(i, row) * (with_weight ? static_cast<double>(weight[w]) : 1.0) +
                          (with_bias ? static_cast<double>(bias[w]) : 0.0);
      ASSERT_NEAR(static_cast<double>(y[i]), want, tolerance) << "element " << i;
    });
  }
  void check_backward(NormKind kind, bool with_weight, double tolerance) const {
    std::vector<T> dx(x.size()), dw(s.weights()), db(s.weights());
    norm_backward(s, kind, x.data(), mean.data(), scale.data(),
                  with_weight ? weight.data() : nullptr, dy.data(),
                  NormGradients<T>{dx.data(), dw.data(), db.data()});
    std::vector<double> want_w(s.weights()), want_b(s.weights()), shift(s.rows()), tilt(s.rows());
    const auto slope = [&](std::size_t i, std::size_t w) {
      return static_cast<double>(dy[i]) * (with_weight ? static_cast<double>(weight[w]) : 1.0);
    };
    each([&](std::size_t i, std::size_t row, std::size_t w) {
      want_b[w] += static_cast<double>(dy[i]);
      want_w[w] += static_cast<double>(dy[i]) * unit(i, row);
      shift[row] += slope(i, w) / static_cast<double>(s.row_size());
      tilt[row] += slope(i, w) * unit(i, row) / static_cast<double>(s.row_size());
    });
    each([&](std::size_t i, std::size_t row, std::size_t w) {
      double want = slope(i, w);
      if (kind == NormKind::centered) want -= shift[row];
      if (kind != NormKind::fixed) want -= unit(i, row) * tilt[row];
      ASSERT_NEAR(static_cast<double>(dx[i]), want * scale[row], tolerance * scale[row]) << i;
    });
    const double terms = std::sqrt(static_cast<double>(s.numel() / s.weights()));
    for (std::size_t w = 0; w < s.weights(); ++w) {
      ASSERT_NEAR(static_cast<double>(dw[w]), want_w[w], tolerance * terms) << "weight " << w;
      ASSERT_NEAR(static_cast<double>(db[w]), want_b[w], tolerance * terms) << "bias " << w;
    }
  }
};

template <class T> class NormKernels : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(NormKernels, Types);

TYPED_TEST(NormKernels, AgreeWithPlainLoops) {
  using T = TypeParam;
  const double tolerance = 64 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for_each_target([&] {
    for (const std::size_t n : {1, 2, 7, 17, 63, 65, 127, 1000}) {
      for (const NormShape& s :
           {NormShape{1, 5, 1, n, 1}, NormShape{1, 19, 1, n, 1}, NormShape{3, 1, 2, 1, n},
            NormShape{1, 2, 3, 4, n}, NormShape{n, 1, 3, 1, 1}, NormShape{1, 3, 2, n, 1}}) {
        SCOPED_TRACE(testing::Message() << s.outer << ' ' << s.samples << ' ' << s.groups << ' '
                                        << s.features << ' ' << s.inner);
        if (s.row_size() == 1) continue;
        Norm<T> norm(s);
        norm.check_statistics();
        for (const bool weight : {false, true}) {
          norm.check_forward(weight, !weight, tolerance);
          norm.check_forward(weight, true, tolerance);
          for (const auto kind : {NormKind::fixed, NormKind::centered, NormKind::uncentered}) {
            norm.check_backward(kind, weight, tolerance);
          }
        }
      }
    }
  });
}

TYPED_TEST(NormKernels, TransposingCopies) {
  using T = TypeParam;
  for_each_target([&] {
    for (const std::size_t rows : {1, 3, 7, 16, 17, 63, 65}) {
      for (const std::size_t columns : {1, 2, 5, 16, 33, 127}) {
        const std::size_t ld_from = columns + 3, ld_to = rows + 2;
        const std::vector<T> from = random_array<T>(rows * ld_from, -1, 1, 1);
        std::vector<T> to(columns * ld_to, T(7));
        transpose(from.data(), ld_from, rows, columns, to.data(), ld_to);
        for (std::size_t j = 0; j < columns; ++j) {
          for (std::size_t i = 0; i < ld_to; ++i) {
            ASSERT_EQ(to[j * ld_to + i], i < rows ? from[i * ld_from + j] : T(7)) << i << ' ' << j;
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace autograd::kernels
