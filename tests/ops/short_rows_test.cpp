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

}  // namespace
}  // namespace ops_test
