// SPDX-License-Identifier: Apache-2.0
#include "reduce.hpp"

#include <cmath>
#include <limits>

#include "../kernels/arrays.hpp"
#include "../kernels/reduce.hpp"
#include "reduce_axes.hpp"

namespace autograd::ops {

namespace {

// The adjoint of a sum or mean of everything where nothing records it: each element is dy / divisor.
Tensor fill_from(const Tensor& dy, const Shape& shape, double divisor) {
  Tensor result = make(shape, dy.dtype());
  dispatch_floating("sum", dy.dtype(), [&]<class T>(T) {
    kernels::fill(data<T>(result), *data<T>(dy) / static_cast<T>(divisor), count(result));
  });
  return result;
}

// For sums that overflow where the mean does not.
template <class T> AUTOGRAD_COLD Tensor divided(const Tensor& x, T divisor) {
  const Dense source(x);
  Tensor y = make(x.shape(), x.dtype());
  const T* from = source.data<T>();
  for (T& value : y.mutable_data<T>()) value = *from++ / divisor;
  return y;
}

template <class T> using AxisKernel = void (*)(const T*, T*, std::size_t, std::size_t, std::size_t);

template <class T> void along(const Tensor& x, const Tensor& y, int axis, AxisKernel<T> kernel) {
  const Tensor source = row_major(x);
  const AxisLayout layout(x.shape(), axis);
  kernel(data<T>(source), data<T>(y), layout.outer, layout.extent, layout.inner);
}

TensorFunction over(const Axes& axes, ReduceOptions options,
                    Tensor (*f)(const Tensor&, const Axes&, ReduceOptions)) {
  return [=](const std::vector<Tensor>& in) { return f(in[0], axes, options); };
}

}  // namespace

Tensor Sum::forward(const Tensor& x) const {
  return dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    return reduce<T>(x, axes, keepdim, &kernels::sum<T>);
  });
}
void Sum::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  const bool one = !dx.recorded() && dy.numel() == 1;
  dx.set(0, one ? fill_from(dy, from, 1) : spread(dy, from, axes));
}
std::vector<OpCase> Sum::cases() {
  constexpr auto f = static_cast<Tensor (*)(const Tensor&, const Axes&, ReduceOptions)>(&sum);
  return {{"all", {{3, 4}}, [](const std::vector<Tensor>& in) { return sum(in[0]); }},
          {"rows", {{3, 4}}, over({0}, {}, f)},
          {"columns, kept", {{3, 4}}, over({-1}, {.keepdim = true}, f)},
          {"outer axes", {{2, 3, 4}}, over({0, 2}, {}, f)},
          {"scalar", {Shape{}}, [](const std::vector<Tensor>& in) { return sum(in[0]); }}};
}

Tensor Mean::forward(const Tensor& x) const {
  return dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    Tensor y = reduce<T>(x, axes, keepdim, &kernels::sum<T>);
    const auto n = static_cast<T>(reduced_count(x.shape(), axes));
    bool finite = true;
    for (T& value : y.mutable_data<T>()) {
      value /= n;
      finite = finite && std::isfinite(value);
    }
    return finite || n == 0 ? y : reduce<T>(divided<T>(x, n), axes, keepdim, &kernels::sum<T>);
  });
}
void Mean::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  const auto n = static_cast<double>(reduced_count(from, axes));
  const bool one = !dx.recorded() && dy.numel() == 1;
  dx.set(0, one ? fill_from(dy, from, n) : spread(dy / n, from, axes));
}
std::vector<OpCase> Mean::cases() {
  constexpr auto f = static_cast<Tensor (*)(const Tensor&, const Axes&, ReduceOptions)>(&mean);
  return {{"all", {{3, 4}}, [](const std::vector<Tensor>& in) { return mean(in[0]); }},
          {"rows, kept", {{3, 4}}, over({0}, {.keepdim = true}, f)},
          {"inner axes", {{2, 3, 4}}, over({1, 2}, {}, f)}};
}

Tensor Max::forward(const Tensor& x) const {
  require_elements(info.name, x, axes);
  return dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    return reduce<T>(x, axes, keepdim, &kernels::max<T>);
  });
}
void Max::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, share_evenly(dy, saved.in[0], saved.y, axes));
}
std::vector<OpCase> Max::cases() {
  constexpr auto f = static_cast<Tensor (*)(const Tensor&, const Axes&, ReduceOptions)>(&max);
  return {{"all", {{3, 4}}, [](const std::vector<Tensor>& in) { return max(in[0]); }},
          {"rows", {{3, 4}}, over({0}, {}, f)},
          {"columns, kept", {{2, 3, 4}}, over({-1}, {.keepdim = true}, f)}};
}

Tensor LogSumExp::forward(const Tensor& x) const {
  const std::uint32_t axes = 1u << axis;
  Tensor y = make(reduced_shape(x.shape(), axes, keepdim), x.dtype());
  dispatch_floating(info.name, x.dtype(),
                    [&]<class T>(T) { along<T>(x, y, axis, &kernels::logsumexp<T>); });
  return y;
}
void LogSumExp::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& x = saved.in[0];
  const std::uint32_t axes = 1u << axis;
  const Tensor g = spread(dy, x.shape(), axes);
  const double infinity = std::numeric_limits<double>::infinity();
  if (saved.y.numel() == 0 || max(detach(saved.y)).item() < infinity) {
    dx.set(0, chain(g, softmax(x, axis)));
    return;
  }
  // Lines with infinities share among these; they are kept from softmax, whose derivative is NaN there.
  const Tensor infinite = where(detach(x) == infinity, constant(x, 1), constant(x, 0));
  const Tensor shared = infinite / sum(infinite, {axis}, {.keepdim = true});
  const Tensor line = spread(detach(saved.y), x.shape(), axes) == infinity;
  dx.set(0, chain(g, where(line, shared, softmax(where(line, 0.0, x), axis))));
}
std::vector<OpCase> LogSumExp::cases() {
  return {{"rows", {{3, 4}}, [](const std::vector<Tensor>& in) { return logsumexp(in[0], 0); }},
          {"columns, kept", {{2, 3, 4}}, [](const std::vector<Tensor>& in) {
             return logsumexp(in[0], -1, {.keepdim = true});
           }}};
}

Tensor Softmax::forward(const Tensor& x) const {
  Tensor y = make(x.shape(), x.dtype());
  dispatch_floating(info.name, x.dtype(),
                    [&]<class T>(T) { along<T>(x, y, axis, &kernels::softmax<T>); });
  return y;
}
void Softmax::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& y = saved.y;
  if (dx.recorded()) {
    dx.set(0, y * (dy - sum(dy * y, {axis}, {.keepdim = true})));
    return;
  }
  const bool reuse = exclusive(dy.node());  // the kernel may write over dy
  const Tensor g = row_major(dy);
  Tensor result = reuse ? dy : make(g.shape(), g.dtype());
  const AxisLayout layout(g.shape(), axis);
  dispatch_floating(info.name, g.dtype(), [&]<class T>(T) {
    kernels::softmax_backward(data<T>(y), data<T>(g), data<T>(result), layout.outer, layout.extent,
                              layout.inner);
  });
  dx.set(0, std::move(result));
}
std::vector<OpCase> Softmax::cases() {
  return {
      {"rows", {{3, 4}}, [](const std::vector<Tensor>& in) { return softmax(in[0], 0); }},
      {"columns", {{2, 3, 4}}, [](const std::vector<Tensor>& in) { return softmax(in[0], -1); }}};
}

Tensor LogSoftmax::forward(const Tensor& x) const {
  Tensor y = make(x.shape(), x.dtype());
  dispatch_floating(info.name, x.dtype(),
                    [&]<class T>(T) { along<T>(x, y, axis, &kernels::log_softmax<T>); });
  return y;
}
void LogSoftmax::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& y = saved.y;
  if (dx.recorded()) {
    dx.set(0, dy - exp(y) * sum(dy, {axis}, {.keepdim = true}));
    return;
  }
  const bool reuse = exclusive(dy.node());  // the kernel may write over dy
  const Tensor g = row_major(dy);
  Tensor result = reuse ? dy : make(g.shape(), g.dtype());
  const AxisLayout layout(g.shape(), axis);
  dispatch_floating(info.name, g.dtype(), [&]<class T>(T) {
    kernels::log_softmax_backward(data<T>(y), data<T>(g), data<T>(result), layout.outer,
                                  layout.extent, layout.inner);
  });
  dx.set(0, std::move(result));
}
std::vector<OpCase> LogSoftmax::cases() {
  return {{"rows", {{3, 4}}, [](const std::vector<Tensor>& in) { return log_softmax(in[0], 0); }},
          {"columns", {{2, 3, 4}}, [](const std::vector<Tensor>& in) {
             return log_softmax(in[0], -1);
           }}};
}

Tensor SumTo::forward(const Tensor& x) const {
  std::uint32_t axes = 0;
  const int lead = x.dim() - shape.dim();
  bool fits = lead >= 0;
  for (int i = 0; fits && i < x.dim(); ++i) {
    if (i < lead || (shape[i - lead] == 1 && x.shape()[i] != 1)) axes |= 1u << i;
    fits = i < lead || shape[i - lead] == 1 || shape[i - lead] == x.shape()[i];
  }
  if (!fits) {
    throw ShapeError("sum_to: the shape does not broadcast to x: shape is " + to_string(shape) +
                     ", x is " + to_string(x.shape()) + "; need equal extents or 1");
  }
  Tensor y = dispatch_floating(
      info.name, x.dtype(), [&]<class T>(T) { return reduce<T>(x, axes, true, &kernels::sum<T>); });
  y.node()->shape = shape;
  std::int64_t stride = 1;
  for (int i = shape.dim() - 1; i >= 0; --i) {
    y.node()->strides[static_cast<std::size_t>(i)] = stride;
    stride *= shape[i];
  }
  return y;
}
void SumTo::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, broadcast_to(dy, from));
}
std::vector<OpCase> SumTo::cases() {
  return {
      {"leading axis", {{3, 4}}, [](const std::vector<Tensor>& in) { return sum_to(in[0], {4}); }},
      {"inner axis",
       {{2, 3, 4}},
       [](const std::vector<Tensor>& in) {
         return sum_to(in[0], {2, 1, 4});
       }},
      {"to one", {{2, 3}}, [](const std::vector<Tensor>& in) { return sum_to(in[0], Shape{}); }}};
}

}  // namespace autograd::ops
