// SPDX-License-Identifier: Apache-2.0
// conv against its naive twin on random shapes, float and double; and the same bits for any number of
// threads on shapes that are large enough for several.
#include <autograd/kernels/conv.hpp>
#include <autograd/kernels/naive_conv.hpp>
#include <autograd/kernels/parallel.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "targets.hpp"

namespace autograd::kernels {
namespace {

std::int64_t numel(std::int64_t a, std::int64_t b, const ConvShape::Axes& space) {
  return a * b * space[0] * space[1] * space[2];
}

template <class T> struct Problem {
  ConvShape s;
  std::vector<T> x, w, y, bias;

  explicit Problem(const ConvShape& shape) : s(shape) {
    for (std::size_t a = 0; a < 3; ++a) {
      const std::int64_t room = s.in[a] + 2 * s.padding[a] - s.dilation[a] * (s.kernel[a] - 1) - 1;
      s.out[a] = room < 0 ? 0 : room / s.stride[a] + 1;
    }
    const auto fill = [](std::int64_t n, unsigned seed) {
      return random_array<T>(static_cast<std::size_t>(n), -1, 1, seed);
    };
    x = fill(numel(s.images, s.channels, s.in), 1);
    w = fill(numel(s.filters, s.channels / s.groups, s.kernel), 2);
    y = fill(numel(s.images, s.filters, s.out), 3);
    bias = fill(s.filters, 4);
  }
  bool possible() const { return s.out[0] * s.out[1] * s.out[2] > 0; }

  std::vector<T> forward() const {
    std::vector<T> result(y.size());
    conv_forward(s, x.data(), w.data(), bias.data(), result.data());
    return result;
  }
  std::vector<T> data() const {
    std::vector<T> result(x.size());
    conv_data(s, y.data(), w.data(), result.data());
    return result;
  }
  std::vector<T> weight() const {
    std::vector<T> result(w.size());
    conv_weight(s, x.data(), y.data(), result.data());
    return result;
  }
  void expect_right(ConvOperand into, const std::vector<T>& got) const {
    std::vector<T> want(got.size());
    conv_naive(s, into, x.data(), w.data(), y.data(), want.data(), want.size());
    if (into == ConvOperand::y) {
      const std::size_t plane = want.size() / static_cast<std::size_t>(s.images * s.filters);
      for (std::size_t i = 0; i < want.size(); ++i) want[i] += bias[i / plane % bias.size()];
    }
    const double terms = static_cast<double>(x.size() + w.size() + y.size());
    const double bound = std::numeric_limits<T>::epsilon() * (4 + terms);
    for (std::size_t i = 0; i < want.size(); ++i) {
      ASSERT_LE(std::abs(static_cast<double>(got[i]) - static_cast<double>(want[i])), bound)
          << "element " << i << " of operand " << static_cast<int>(into);
    }
  }
  void check() const {
    expect_right(ConvOperand::y, forward());
    expect_right(ConvOperand::x, data());
    expect_right(ConvOperand::w, weight());
  }
};

template <class T> void expect_same_bits(const Problem<T>& problem) {
  const int before = num_threads();
  set_num_threads(1);
  const auto y = problem.forward(), x = problem.data(), w = problem.weight();
  for (int threads : {2, 3, 8}) {
    set_num_threads(threads);
    const auto same = [](const auto& a, const auto& b) {
      return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
    };
    EXPECT_TRUE(same(problem.forward(), y)) << threads;
    EXPECT_TRUE(same(problem.data(), x)) << threads;
    EXPECT_TRUE(same(problem.weight(), w)) << threads;
  }
  set_num_threads(before);
}

template <class T> class Conv : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Conv, Types);

TYPED_TEST(Conv, AgreesWithTheNaiveTwin) {
  std::mt19937 random(5);
  const auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  for (int trial = 0; trial < 150; ++trial) {
    ConvShape s;
    s.images = draw(1, 3);
    s.groups = draw(1, 3);
    s.channels = s.groups * draw(1, 5);
    s.filters = s.groups * draw(1, 6);
    for (std::size_t a = trial % 3 ? 1 : 0; a < 3; ++a) {
      s.in[a] = draw(1, 8);
      s.kernel[a] = draw(1, 4);
      s.stride[a] = draw(1, 3);
      s.padding[a] = draw(0, 3);
      s.dilation[a] = draw(1, 3);
    }
    const Problem<TypeParam> problem(s);
    if (!problem.possible()) continue;
    SCOPED_TRACE(trial);
    problem.check();
  }
}

// What serves a shape depends on its channels and filters: every way, on both sides of each bound.
TYPED_TEST(Conv, EveryNumberOfChannelsByFilters) {
  for (const std::int64_t channels : {1, 3, 4, 15, 16, 24, 32, 33}) {
    for (const std::int64_t filters : {1, 3, 4, 15, 16, 24, 32, 33}) {
      for (const auto& [stride, padding] : {std::array{1, 1}, {1, 0}, {2, 1}}) {
        SCOPED_TRACE(testing::Message() << channels << " to " << filters << " by " << stride);
        ConvShape s{.images = 1, .channels = channels, .filters = filters, .in = {1, 4, 9}};
        s.kernel = {1, 3, 3};
        s.padding = {0, padding, padding};
        s.stride = {1, stride, stride};
        Problem<TypeParam>(s).check();
      }
    }
  }
}

// Rows of less than a vector, of some, and of a wide tile; every second element of them.
TYPED_TEST(Conv, FewFiltersOverRowsOfAnyWidth) {
  struct Channels {
    std::int64_t groups, in, out;
  };
  for (const auto& [groups, in, out] : {Channels{1, 1, 1}, {3, 3, 3}, {2, 2, 4}, {1, 2, 7}}) {
    for (const std::int64_t width : {7, 16, 17, 32, 33, 63, 64, 70}) {
      for (const std::int64_t stride : {1, 2, 3}) {
        SCOPED_TRACE(testing::Message() << groups << " groups, " << in << " to " << out
                                        << ", width " << width << " by " << stride);
        ConvShape s{.images = 2, .channels = in, .filters = out, .groups = groups};
        s.in = {1, 6, width};
        s.kernel = {1, 3, 5};
        s.padding = {0, 1, 2};
        s.stride = {1, stride, stride};
        Problem<TypeParam>(s).check();
      }
    }
  }
}

TYPED_TEST(Conv, DilationOutOfProportion) {
  for (const std::int64_t stride : {1, 2}) {
    ConvShape s{.images = 2, .channels = 2, .filters = 3, .in = {1, 5, 6}, .kernel = {1, 3, 3}};
    s.dilation = s.padding = {0, 400, 400};
    s.dilation[0] = 1;
    s.stride = {1, stride, stride};
    Problem<TypeParam>(s).check();
  }
}

TYPED_TEST(Conv, PaddingWiderThanVectors) {
  ConvShape s{.images = 2, .channels = 3, .filters = 5, .in = {1, 5, 8}, .kernel = {1, 1, 41}};
  s.padding = {0, 0, 20};
  Problem<TypeParam>(s).check();
  s.kernel = {1, 31, 41};
  s.padding = {0, 15, 20};
  Problem<TypeParam>(s).check();
}

TYPED_TEST(Conv, InputsBeyondTheLastWindow) {  // as output_padding leaves them
  ConvShape s{.images = 1, .channels = 2, .filters = 3, .in = {1, 6, 7}, .kernel = {1, 2, 3}};
  s.stride = {1, 4, 3};
  Problem<TypeParam>(s).check();
}

TYPED_TEST(Conv, OneTap) {
  for (const std::int64_t groups : {1, 3}) {
    for (const std::int64_t filters : {3, 24, 66}) {
      ConvShape s{.images = 3, .channels = 30, .filters = filters, .groups = groups};
      s.in = {2, 9, 31};
      Problem<TypeParam>(s).check();
      s.stride = {1, 2, 2};
      Problem<TypeParam>(s).check();
      s.padding = {0, 1, 0};
      Problem<TypeParam>(s).check();
    }
  }
}

TYPED_TEST(Conv, TheSameBitsForAnyNumberOfThreads) {
  for (const std::int64_t groups : {2, 32}) {
    ConvShape s{.images = 5, .channels = 32, .filters = 32, .groups = groups};
    s.in = {1, 60, 61};
    expect_same_bits(Problem<TypeParam>(s));
    s.kernel = {1, 3, 3};
    s.padding = {0, 1, 1};
    expect_same_bits(Problem<TypeParam>(s));
  }
}

}  // namespace
}  // namespace autograd::kernels
