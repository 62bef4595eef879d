// SPDX-License-Identifier: Apache-2.0
// Fast paths for short rows, lines of indices and copies, against the same computed in another way, bit by
// bit: rows of 1 to 40 elements of operands that are repeated, strided or dense; indices along an axis of
// odd extents, and one that is out of range among many.
#include <cstring>

#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

constexpr DType kDTypes[] = {float32, float64};

void expect_same_bits(const Tensor& a, const Tensor& b, const std::string& what) {
  ASSERT_EQ(to_string(a.shape()), to_string(b.shape())) << what;
  const Tensor x = contiguous(a), y = contiguous(b);
  dispatch(x.dtype(), [&]<class T>(T) {
    EXPECT_EQ(std::memcmp(x.data<T>().data(), y.data<T>().data(), x.data<T>().size_bytes()), 0)
        << what;
  });
}

using Binary = Tensor (*)(const Tensor&, const Tensor&);

// Against operands that were laid out in full before, values and gradients; a gradient is summed to the
// operand's shape by sum_to.
void expect_broadcast(const std::string& what, Binary f, const Tensor& a, const Tensor& b) {
  const Shape shape = f(a, b).shape();
  Generator generator(5);
  const Tensor seed = randn(shape, generator, a.dtype());
  Tape tape;
  const Tensor p = tape.input(a), q = tape.input(b), y = f(p, q);
  tape.backward(y, {.seed = seed});
  Tape full;
  const Tensor r = full.input(contiguous(broadcast_to(a, shape))),
               s = full.input(contiguous(broadcast_to(b, shape))), z = f(r, s);
  full.backward(z, {.seed = seed});
  expect_same_bits(detach(y), detach(z), what);
  expect_same_bits(p.grad(), sum_to(r.grad(), a.shape()), what + ", gradient of a");
  expect_same_bits(q.grad(), sum_to(s.grad(), b.shape()), what + ", gradient of b");
}

TEST(ShortRows, AnyWidthAndLayout) {
  constexpr Binary kFunctions[] = {[](const Tensor& a, const Tensor& b) { return a - b; },
                                   [](const Tensor& a, const Tensor& b) { return a * b; },
                                   [](const Tensor& a, const Tensor& b) { return a / b; },
                                   [](const Tensor& a, const Tensor& b) { return atan2(a, b); }};
  for (const DType dtype : kDTypes) {
    Generator generator(3);
    const auto random = [&](const Shape& shape) { return randn(shape, generator, dtype); };
    for (const std::int64_t width : {1, 2, 3, 5, 7, 31, 32, 40}) {
      const std::string what = std::string(name(dtype)) + ", width " + std::to_string(width);
      const Tensor thin = random({701, width});
      for (const Binary f : kFunctions) {
        expect_broadcast(what + ", a row", f, thin, random({width}));
        expect_broadcast(what + ", a column", f, thin, random({701, 1}));
        expect_broadcast(what + ", a row and a column", f, random({701, 1}), random({width}));
        expect_broadcast(what + ", part of wider rows", f,
                         narrow(random({701, width + 2}), 1, 1, width), random({width}));
        expect_broadcast(what + ", in the middle", f, random({19, 37, width}),
                         random({19, 1, width}));
        expect_broadcast(what + ", outer and middle", f, random({23, 1, width}), random({11, 1}));
        expect_broadcast(what + ", transposed", f, transpose(random({37, 19, width}), 0, 1),
                         random({19, 1, 1}));
      }
    }
  }
}

TEST(ShortRows, NothingTouchesNaNAndInfinityOfOtherRows) {
  Generator generator(3);
  Tensor thin = randn({1000, 3}, generator);
  thin.mutable_data<float>()[1234] = std::numeric_limits<float>::quiet_NaN();
  thin.mutable_data<float>()[2345] = std::numeric_limits<float>::infinity();
  const Tensor y = thin * tensor({1, 2, 3});
  for (std::size_t i = 0; i < 3000; ++i) {
    const float value = y.data<float>()[i];
    EXPECT_EQ(std::isnan(value), i == 1234) << i;
    EXPECT_EQ(std::isinf(value), i == 2345) << i;
  }
}

// [rows, n] indices into an extent.
Tensor many_indices(std::int64_t rows, std::int64_t n, std::int64_t extent) {
  std::vector<std::int64_t> list(static_cast<std::size_t>(rows * n));
  for (std::size_t i = 0; i < list.size(); ++i) {
    list[i] = static_cast<std::int64_t>(i * 7919) % extent;
  }
  return tensor(list, {rows, n});
}

TEST(IndexLines, GatherAndScatterAddAgainstLoops) {
  for (const DType dtype : kDTypes) {
    for (const std::int64_t n : {1, 3, 4, 131}) {
      constexpr std::int64_t kRows = 301, kExtent = 129;
      Generator generator(7);
      const Tensor x = randn({kRows, kExtent}, generator, dtype);
      const Tensor source = randn({kRows, n}, generator, dtype);
      const Tensor index = many_indices(kRows, n, kExtent);
      Tensor taken = zeros({kRows, n}, dtype), chosen = zeros({kRows, n}, dtype),
             added = contiguous(x) * 1.0;
      const auto at = index.data<std::int64_t>();
      dispatch_floating("test", dtype, [&]<class T>(T) {
        for (std::size_t e = 0; e < at.size(); ++e) {
          const std::size_t row = e / static_cast<std::size_t>(n);
          const auto line = row * kExtent, column = static_cast<std::size_t>(at[e]);
          taken.mutable_data<T>()[e] = x.data<T>()[line + column];
          added.mutable_data<T>()[line + column] += source.data<T>()[e];
          const auto first = static_cast<std::size_t>(at[e % static_cast<std::size_t>(n)]);
          chosen.mutable_data<T>()[e] = x.data<T>()[line + first];
        }
      });
      const std::string what = std::string(name(dtype)) + ", " + std::to_string(n);
      expect_same_bits(gather(x, 1, index), taken, what + ": gather");
      expect_same_bits(index_select(x, 1, select(index, 0, 0)), chosen, what + ": index_select");
      expect_same_bits(scatter_add(x, 1, index, source), added, what + ": scatter_add");
      const Tensor turned = contiguous(transpose(index));
      expect_same_bits(gather(transpose(x), 0, turned), transpose(taken), what + ": gather 0");
      expect_same_bits(scatter_add(transpose(x), 0, turned, transpose(source)), transpose(added),
                       what + ": scatter_add 0");
    }
  }
}

TEST(IndexLines, OneOutOfRangeAmongMany) {
  const Tensor x = ones({301, 129}), before = contiguous(x) * 1.0;
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{129}, INT64_MIN, INT64_MAX}) {
    for (const std::int64_t place : {0, 20000, 301 * 131 - 1}) {
      Tensor index = many_indices(301, 131, 129);
      index.mutable_data<std::int64_t>()[static_cast<std::size_t>(place)] = bad;
      const std::string rest = ": index out of range: " + std::to_string(bad) + " at element " +
                               std::to_string(place) +
                               " of the index; need at least 0 and less than 129";
      expect_message<ValueError>("gather" + rest, [&] { gather(x, 1, index); });
      expect_message<ValueError>("scatter_add" + rest, [&] {
        scatter_add(x, 1, index, ones({301, 131}));
      });
      expect_message<ValueError>("scatter" + rest, [&] { scatter(x, 1, index, ones({301, 131})); });
      expect_message<ValueError>("index_select" + rest, [&] {
        index_select(reshape(x, {-1, 129}), 1, reshape(index, {-1}));
      });
      expect_same_bits(x, before, "the operand");
    }
  }
}

// Element [i, j, k] of x, wherever it lies.
double at(const Tensor& x, std::int64_t i, std::int64_t j, std::int64_t k) {
  return select(select(select(x, 0, i), 0, j), 0, k).item();
}

TEST(Copies, StackedElementsAndRepeatedOnes) {
  for (const DType dtype : {float32, float64, int64, boolean}) {
    Generator generator(3);
    const Tensor a = to(randn({19, 7}, generator) > 0.0, dtype);
    const Tensor b = to(randn({19, 7}, generator) > 0.0, dtype), c = transpose(reshape(a, {7, 19}));
    const Tensor y = stack({a, b, c}, -1), z = repeat_interleave(a, 3, 1), w = repeat(c, {1, 2});
    dispatch(dtype, [&]<class T>(T) {
      for (std::int64_t e = 0; e < 19 * 7; ++e) {
        const std::int64_t i = e / 7, j = e % 7;
        const auto p = a.data<T>()[static_cast<std::size_t>(e)];
        const auto q = a.data<T>()[static_cast<std::size_t>(j * 19 + i)];  // c[i, j]
        const auto* stacked = &y.data<T>()[static_cast<std::size_t>(3 * e)];
        EXPECT_EQ(stacked[0], p) << i << ", " << j;
        EXPECT_EQ(stacked[1], b.data<T>()[static_cast<std::size_t>(e)]) << i << ", " << j;
        EXPECT_EQ(stacked[2], q) << i << ", " << j;
        for (std::int64_t k = 0; k < 3; ++k) {
          EXPECT_EQ(z.data<T>()[static_cast<std::size_t>(i * 21 + 3 * j + k)], p) << i << ", " << j;
        }
        for (std::int64_t k = 0; k < 2; ++k) {
          EXPECT_EQ(w.data<T>()[static_cast<std::size_t>(i * 14 + 7 * k + j)], q) << i << ", " << j;
        }
      }
    });
  }
}

TEST(Copies, AnyLayoutMadeContiguous) {
  Generator generator(3);
  const Tensor x = randn({5, 7, 6}, generator);
  const Tensor views[] = {permute(x, {2, 0, 1}),
                          permute(x, {1, 2, 0}),
                          transpose(x, 0, 1),
                          narrow(x, 2, 1, 3),
                          narrow(x, 1, 2, 4),
                          x(ellipsis, slice(0, 6, 2)),
                          broadcast_to(narrow(x, 1, 3, 1), {5, 7, 6}),
                          broadcast_to(narrow(x, 2, 3, 1), {5, 7, 6}),
                          transpose(narrow(x, 0, 2, 1), 1, 2),
                          reshape(broadcast_to(reshape(x, {5, 42, 1}), {5, 42, 4}), {5, 21, 8})};
  for (const Tensor& view : views) {
    const Tensor y = contiguous(view);
    std::size_t e = 0;
    for (std::int64_t i = 0; i < view.shape()[0]; ++i) {
      for (std::int64_t j = 0; j < view.shape()[1]; ++j) {
        for (std::int64_t k = 0; k < view.shape()[2]; ++k) {
          EXPECT_EQ(y.data<float>()[e++], at(view, i, j, k)) << i << ", " << j << ", " << k;
        }
      }
    }
  }
}

// More than 255 words of bools, and lengths that are not whole words.
TEST(Sums, OfIntegersAndBools) {
  for (const std::int64_t n : {1, 7, 8, 9, 2039, 2040, 2048, 2049, 70001}) {
    std::vector<std::int64_t> values;
    std::int64_t want = 0, trues = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      values.push_back((i * 7919) % 509 - 250);
      want += values.back();
      trues += values.back() > -200;
    }
    const Tensor x = tensor(values);
    EXPECT_EQ(sum(x).item(), want) << n;
    EXPECT_EQ(sum(x > -200.0).item(), trues) << n;
    EXPECT_EQ(count_nonzero(x > -200.0).item(), trues) << n;
    EXPECT_EQ(sum(x > -300.0).item(), n) << n;
    EXPECT_EQ(any(x == double(values.back())).item(), 1) << n;
    EXPECT_EQ(any(x > 300.0).item(), 0) << n;
  }
}

// By the definitions: the nearest source; between the two neighbors of (o + 1/2) in / out - 1/2.
TEST(Interpolate, LinesAgainstLoops) {
  for (const DType dtype : kDTypes) {
    constexpr std::int64_t kH = 13, kW = 9, kToH = 31, kToW = 25;
    Generator generator(3);
    const Tensor x = randn({2, 3, kH, kW}, generator, dtype);
    const Tensor nearest = interpolate(x, {.size = {kToH, kToW}});
    const Tensor linear = interpolate(x, {.size = {kToH, kToW}, .mode = Interpolation::linear});
    dispatch_floating("test", dtype, [&]<class T>(T) {
      for (std::int64_t e = 0; e < linear.numel(); ++e) {
        const std::int64_t plane = e / (kToH * kToW), i = e / kToW % kToH, j = e % kToW;
        const T* from = x.data<T>().data() + plane * kH * kW;
        const auto k = static_cast<std::size_t>(e);
        EXPECT_EQ(nearest.data<T>()[k], from[i * kH / kToH * kW + j * kW / kToW]) << e;
        const auto source = [](std::int64_t o, std::int64_t in, std::int64_t out) {
          return std::max(0.0, (double(o) + 0.5) * double(in) / double(out) - 0.5);
        };
        const double row = source(i, kH, kToH), column = source(j, kW, kToW);
        const auto r = static_cast<std::int64_t>(row), c = static_cast<std::int64_t>(column);
        const std::int64_t below = std::min(r + 1, kH - 1), right = std::min(c + 1, kW - 1);
        const double v = row - double(r), u = column - double(c);
        const double want =
            (1 - v) * ((1 - u) * double(from[r * kW + c]) + u * double(from[r * kW + right])) +
            v * ((1 - u) * double(from[below * kW + c]) + u * double(from[below * kW + right]));
        EXPECT_NEAR(double(linear.data<T>()[k]), want, dtype == float32 ? 1e-6 : 1e-14) << e;
      }
    });
  }
}

TEST(Interpolate, NearestCopiesWhatIsNotANumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Tensor x = ones({1, 1, 2, 2});
  x.mutable_data<float>()[0] = nan;
  x.mutable_data<float>()[3] = -0.0f;
  const Tensor y = interpolate(x, {.size = {4, 4}});
  for (std::size_t e = 0; e < 16; ++e) {
    const bool top = e < 8, left = e % 4 < 2;
    EXPECT_EQ(std::isnan(y.data<float>()[e]), top && left) << e;
    EXPECT_EQ(std::signbit(y.data<float>()[e]), !top && !left) << e;
  }
}

}  // namespace
}  // namespace ops_test
