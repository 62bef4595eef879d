// SPDX-License-Identifier: Apache-2.0
// Layers of a few elements against plain loops and the kernels of their rows, to the bit: every size,
// activation, dtype and instruction set, gradients left out one by one.
#include <autograd/kernels/elementwise.hpp>
#include <autograd/kernels/tiny_layer.hpp>
#include <type_traits>

#include "targets.hpp"

namespace autograd::kernels {
namespace {

constexpr std::uint32_t kMost = kTinyLayer;

template <class T> struct Layer {
  std::uint32_t rows, in, out;
  std::vector<T> x = random_array<T>(kMost, -2, 2, 1), w = random_array<T>(kMost, -2, 2, 2);
  std::vector<T> b = random_array<T>(kMost, -2, 2, 3), dy = random_array<T>(kMost, -2, 2, 4);

  Layer(std::uint32_t m, std::uint32_t k, std::uint32_t n) : rows(m), in(k), out(n) {
    dy[0] = 0;  // no slope is read there
  }

  template <class Row> std::vector<T> value() const {
    std::vector<T> y(rows * out);
    for (std::uint32_t r = 0; r < rows; ++r) {
      for (std::uint32_t c = 0; c < out; ++c) {
        T sum = b[c] + x[r * in] * w[c * in];
        for (std::uint32_t s = 1; s < in; ++s) sum += x[r * in + s] * w[c * in + s];
        y[r * out + c] = sum;
      }
    }
    if constexpr (!std::is_void_v<Row>) unary(Row(), y.data(), y.data(), y.size());
    return y;
  }
  template <class Row> std::vector<T> slopes(const std::vector<T>& y) const {
    std::vector<T> g(dy.begin(), dy.begin() + rows * out);
    if constexpr (!std::is_void_v<Row>) {
      unary_backward(Row(), y.data(), y.data(), g.data(), g.data(), g.size());
    }
    return g;
  }
  // The sum over `terms` of f(term), the first one first.
  template <class F> static T sum(std::uint32_t terms, F&& f) {
    T total = f(0);
    for (std::uint32_t s = 1; s < terms; ++s) total += f(s);
    return total;
  }
};

template <class T> void expect_first(const std::vector<T>& got, const std::vector<T>& want) {
  EXPECT_EQ(std::vector<T>(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(want.size())),
            want);
}

template <class Row, class T> void check(const Layer<T>& layer) {
  const auto& table = *TinyLayerTable<T>::best.operator->();
  const auto [m, k, n] = std::tuple(layer.rows, layer.in, layer.out);
  SCOPED_TRACE(testing::Message() << m << " rows, " << k << " in, " << n << " out, row "
                                  << tiny_layer_row<Row>());
  std::vector<T> y(kMost);
  table.forward[tiny_layer_row<Row>()](layer.x.data(), layer.w.data(), layer.b.data(), y.data(), k,
                                       n);
  const std::vector<T> value = layer.template value<Row>();
  expect_first(y, value);

  const std::vector<T> g = layer.template slopes<Row>(value);
  std::vector<T> want_x(m * k), want_w(n * k), want_b(n);
  for (std::uint32_t c = 0; c < k; ++c) {
    for (std::uint32_t r = 0; r < m; ++r) {
      want_x[r * k + c] = Layer<T>::sum(
          n, [&, n = n, k = k](std::uint32_t s) { return g[r * n + s] * layer.w[s * k + c]; });
    }
    for (std::uint32_t r = 0; r < n; ++r) {
      want_w[r * k + c] = Layer<T>::sum(
          m, [&, n = n, k = k](std::uint32_t s) { return g[s * n + r] * layer.x[s * k + c]; });
    }
  }
  for (std::uint32_t c = 0; c < n; ++c) {
    want_b[c] = Layer<T>::sum(m, [&, n = n](std::uint32_t s) { return g[s * n + c]; });
  }
  for (int wanted = 1; wanted < 8; ++wanted) {
    std::vector<T> dx(kMost), dw(kMost), db(kMost);
    TinyLayerGradients<T> arrays{layer.x.data(),
                                 layer.w.data(),
                                 y.data(),
                                 layer.dy.data(),
                                 wanted & 1 ? dx.data() : nullptr,
                                 wanted & 2 ? dw.data() : nullptr,
                                 wanted & 4 ? db.data() : nullptr};
    table.backward[tiny_layer_row<Row>()](arrays, m, k, n);
    const std::vector<T> none(kMost);
    expect_first(dx, wanted & 1 ? want_x : none);
    expect_first(dw, wanted & 2 ? want_w : none);
    expect_first(db, wanted & 4 ? want_b : none);
  }
}

template <class T> class TinyLayers : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(TinyLayers, Types, );

TYPED_TEST(TinyLayers, EverySize) {
  bool any = false;
  for_each_target([&] {
    if (!TinyLayerTable<TypeParam>::best->forward[0]) return;
    any = true;
    for (std::uint32_t m = 1; m <= kMost; ++m) {
      for (std::uint32_t k = 1; m * k <= kMost; ++k) {
        for (std::uint32_t n = 1; m * n <= kMost && k * n <= kMost; ++n) {
          const Layer<TypeParam> layer(m, k, n);
          check<ops::Sigmoid>(layer);
          check<ops::Tanh>(layer);
          check<ops::Relu>(layer);
          check<void>(layer);
        }
      }
    }
  });
  if (!any) GTEST_SKIP() << "no instruction set of this machine has registers of eight elements";
}

}  // namespace
}  // namespace autograd::kernels
