// SPDX-License-Identifier: Apache-2.0
#include "loss.hpp"

#include <algorithm>

#include "../create.hpp"
#include "../functions.hpp"
#include "../kernels/elementwise.hpp"
#include "../kernels/reduce.hpp"
#include "../shaping.hpp"

namespace autograd::ops {

// Up to here a loop is faster than calls of two kernels and a tensor between them.
constexpr std::int64_t kFew = 16;

Tensor MeanSquaredError::any_size(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) [[unlikely]] {
    throw ShapeError("mean_squared_error: the operands differ: a is " +
                     std::string(name(a.dtype())) + " " + to_string(a.shape()) + ", b is " +
                     name(b.dtype()) + " " + to_string(b.shape()) + "; need equal shape and dtype");
  }
  const Dense x(a), z(b);
  Tensor y = make_scalar(a.dtype());
  dispatch_floating(info.name, a.dtype(), [&]<class T>(T) {
    if (a.numel() <= kFew) {
      *data<T>(y) = mean_of_few_squares(x.data<T>(), z.data<T>(), a.numel());
      return;
    }
    const Tensor squares = make(a.shape(), a.dtype());
    kernels::binary<SquaredDifference, T>(x.data<T>(), 1, z.data<T>(), 1, data<T>(squares),
                                          count(a));
    kernels::sum<T>(data<T>(squares), data<T>(y), 1, count(a), 1);
    *data<T>(y) /= static_cast<T>(a.numel());
  });
  return y;
}

void MeanSquaredError::any_backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) {
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

namespace {

kernels::LabeledRows rows_of(const Tensor& x, const Attribute& label, double smoothing) {
  return {data<std::int64_t>(label.tensor()), smoothing, static_cast<std::size_t>(x.shape()[0]),
          static_cast<std::size_t>(x.shape()[1])};
}

/// The targets: [n, c], 0 in rows that do not count.
Tensor targets(const Tensor& x, const Tensor& label, double smoothing) {
  const std::int64_t c = x.shape()[1];
  Tensor q = zeros_like(x);
  dispatch_floating("cross_entropy", x.dtype(), [&]<class T>(T) {
    for (std::int64_t i = 0; i < x.shape()[0]; ++i) {
      const std::int64_t own = data<std::int64_t>(label)[i];
      if (own < 0) continue;
      T* row = data<T>(q) + i * c;
      std::fill_n(row, c, static_cast<T>(smoothing / static_cast<double>(c)));
      row[own] += static_cast<T>(1 - smoothing);
    }
  });
  return q;
}

}  // namespace

Tensor CrossEntropy::forward(const Tensor& x) const {
  const Dense rows(x);
  Tensor y = make(Shape{x.shape()[0]}, x.dtype());
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    T* const shift = data<T>(subtracted);
    kernels::cross_entropy<T>(rows_of(x, label, smoothing), rows.data<T>(), data<T>(y), shift,
                              shift + x.shape()[0]);
  });
  return y;
}
void CrossEntropy::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& x = saved.in[0];
  const Tensor& own = label.unchanged(info.name);
  if (dx.recorded()) {
    const Tensor factor = unsqueeze(dy, 1);
    const Tensor counts = unsqueeze(own >= 0.0, 1);
    const Tensor g = factor * (softmax(x, 1) - targets(x, own, smoothing));
    dx.set(0, where(counts, g, 0.0));  // a select: a row that does not count may hold anything
    return;
  }
  const Dense rows(x), g(dy);
  Tensor result = dx.in_place_of(0, x);
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    const T* const shift = data<T>(subtracted);
    kernels::cross_entropy_backward<T>(rows_of(x, label, smoothing), rows.data<T>(), shift,
                                       shift + x.shape()[0], g.data<T>(), data<T>(result));
  });
  dx.set(0, std::move(result));
}
std::vector<OpCase> CrossEntropy::cases() {
  const auto some = [](double part) {
    return [part](const std::vector<Tensor>& in) {
      return cross_entropy(in[0], tensor({2, 0, -1, 1}, int64), part);
    };
  };
  return {{"labels, one ignored", {{4, 3}}, some(0)},
          {"smoothed", {{4, 3}}, some(0.2)},
          {"strided", {{20, 4}}, [](const std::vector<Tensor>& in) {
             return cross_entropy(transpose(in[0]), tensor({19, 0, 17, 3}, int64), 0.1);
           }}};
}

}  // namespace autograd::ops
