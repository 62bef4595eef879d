// SPDX-License-Identifier: Apache-2.0
#include "loss.hpp"

#include "../kernels/elementwise.hpp"
#include "../kernels/reduce.hpp"

namespace autograd::ops {

// Up to here a loop is faster than calls of two kernels and a tensor between them.
constexpr std::int64_t kFew = 16;

Tensor MeanSquaredError::forward(const Tensor& a, const Tensor& b) const {
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) [[unlikely]] {
    throw ShapeError("mean_squared_error: the operands differ: a is " +
                     std::string(name(a.dtype())) + " " + to_string(a.shape()) + ", b is " +
                     name(b.dtype()) + " " + to_string(b.shape()) + "; need equal shape and dtype");
  }
  const Dense x(a), z(b);
  Tensor y = make(Shape(), a.dtype());
  dispatch_floating(info.name, a.dtype(), [&]<class T>(T) {
    if (a.numel() <= kFew) {
      T sum = 0;
      for (std::size_t i = 0; i < count(a); ++i) {
        const T difference = x.data<T>()[i] - z.data<T>()[i];
        sum += difference * difference;
      }
      *data<T>(y) = sum / static_cast<T>(a.numel());
      return;
    }
    const Tensor squares = make(a.shape(), a.dtype());
    constexpr std::size_t kRow = BinaryRows::index_of<SquaredDifference>();
    kernels::binary<T>(kRow, x.data<T>(), 1, z.data<T>(), 1, data<T>(squares), count(a));
    kernels::sum<T>(data<T>(squares), data<T>(y), 1, count(a), 1);
    *data<T>(y) /= static_cast<T>(a.numel());
  });
  return y;
}

void MeanSquaredError::backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
  const Tensor &a = saved.in[0], &b = saved.in[1];
  const double scale = 2.0 / static_cast<double>(a.numel());
  if (dx.recorded()) {
    if (dx.wants(0)) dx.set(0, dy * scale * (a - b));
    if (dx.wants(1)) dx.set(1, dy * scale * (b - a));
    return;
  }
  const Dense x(a), z(b);
  dispatch_floating(info.name, a.dtype(), [&]<class T>(T) {
    const T factor = *data<T>(dy) * static_cast<T>(scale);
    const auto gradient = [&](T sign) {
      Tensor result = make_same(x.node());
      T* g = data<T>(result);
      const T *p = x.data<T>(), *q = z.data<T>();
      const std::size_t n = count(a);
      for (std::size_t i = 0; i < n; ++i) g[i] = sign * factor * (p[i] - q[i]);
      return result;
    };
    if (dx.wants(0)) dx.set(0, gradient(T(1)));
    if (dx.wants(1)) dx.set(1, gradient(T(-1)));
  });
}

std::vector<OpCase> MeanSquaredError::cases() {
  const TensorFunction f = [](const std::vector<Tensor>& in) {
    return mean_squared_error(in[0], in[1]);
  };
  return {{"matrix", {{3, 4}, {3, 4}}, f},
          {"scalar", {Shape{}, Shape{}}, f},
          {"transposed operand", {{4, 3}, {3, 4}}, [](const std::vector<Tensor>& in) {
             return mean_squared_error(transpose(in[0]), in[1]);
           }}};
}

}  // namespace autograd::ops
