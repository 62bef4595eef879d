// SPDX-License-Identifier: Apache-2.0
#include "scan.hpp"

#include <limits>

#include "../create.hpp"
#include "../kernels/scan.hpp"
#include "../reductions.hpp"
#include "axes.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

kernels::Lines lines_of(const Shape& shape, int axis) {
  const AxisLayout layout(shape, axis);
  return {layout.outer, layout.extent, layout.inner};
}

// y = kernel(x) for a kernel that keeps the shape.
template <class Kernel>
Tensor scanned(const char* function, const Tensor& x, int axis, Kernel&& kernel) {
  const Dense source(x);
  Tensor y = make(x.shape(), x.dtype());
  if (y.numel() == 0) return y;  // however many lines of nothing
  dispatch_floating(function, x.dtype(), [&]<class T>(T) {
    kernel(source.data<T>(), data<T>(y), lines_of(x.shape(), axis));
  });
  return y;
}

}  // namespace

Tensor Prod::forward(const Tensor& x) const {
  const Dense source(x);
  Tensor y = make(reduced_shape(x.shape(), 1u << axis, keepdim), x.dtype());
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    kernels::prod(source.data<T>(), data<T>(y), lines_of(x.shape(), axis));
  });
  return y;
}
void Prod::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& x = saved.in[0];
  if (dx.recorded()) {
    const Tensor before = shift(cumprod(x, axis), axis, 1, 1.0);
    const Tensor behind = shift(cumprod(x, axis, {.reverse = true}), axis, -1, 1.0);
    dx.set(0, chain(spread(dy, x.shape(), 1u << axis), before * behind));
    return;
  }
  const Dense g(dy), source(x);
  Tensor result = make(x.shape(), x.dtype());
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    if (x.numel() == 0) return;
    kernels::prod_backward(source.data<T>(), g.data<T>(), data<T>(result),
                           lines_of(x.shape(), axis));
  });
  dx.set(0, std::move(result));
}
std::vector<OpCase> Prod::cases() {
  return {{"all", {{3, 4}}, [](const Inputs& in) { return prod(in[0]); }},
          {"rows of a transpose",
           {{3, 4}},
           [](const Inputs& in) { return prod(transpose(in[0]), {0}); }},
          {"inner axis, kept",
           {{2, 3, 4}},
           [](const Inputs& in) { return prod(in[0], {1}, {.keepdim = true}); }},
          {"two axes",
           {{2, 3, 2}},
           [](const Inputs& in) {
             return prod(in[0], {0, -1});
           }},
          {"a zero",
           {{2, 4}},
           [](const Inputs& in) {
             return prod(in[0] + tensor({{2, 0, -1.5, 3}, {0, 1, 0, 2}}), {1});
           },
           {0, 0}},
          {"scalar", {Shape{}}, [](const Inputs& in) { return prod(in[0]); }}};
}

Tensor CumSum::forward(const Tensor& x) const {
  return scanned(info.name, x, axis, [&](auto* from, auto* to, const kernels::Lines& lines) {
    kernels::cumsum(from, to, lines, reverse);
  });
}
void CumSum::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, cumsum(dy, axis, {.reverse = !reverse}));
}
std::vector<OpCase> CumSum::cases() {
  return {{"rows", {{3, 4}}, [](const Inputs& in) { return cumsum(in[0], 0); }},
          {"last axis", {{2, 3, 4}}, [](const Inputs& in) { return cumsum(in[0], -1); }},
          {"from the end, strided",
           {{3, 4}},
           [](const Inputs& in) { return cumsum(transpose(in[0]), 1, {.reverse = true}); }},
          {"scalar", {Shape{}}, [](const Inputs& in) { return cumsum(in[0], 0); }},
          {"empty", {{2, 0}}, [](const Inputs& in) { return cumsum(in[0], 1); }}};
}

Tensor CumProd::forward(const Tensor& x) const {
  return scanned(info.name, x, axis, [&](auto* from, auto* to, const kernels::Lines& lines) {
    kernels::cumprod(from, to, lines, reverse);
  });
}
void CumProd::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor &x = saved.in[0], &y = saved.y;
  if (dx.recorded()) {
    const std::int64_t step = reverse ? -1 : 1;
    const Tensor s = linear_scan(shift(x, axis, -step), dy, axis, !reverse);
    dx.set(0, chain(s, shift(y, axis, step, 1.0)));
    return;
  }
  const Dense source(x), g(dy);
  dx.set(
      0,
      scanned(info.name, y, axis, [&]<class T>(const T* from, T* to, const kernels::Lines& lines) {
        kernels::cumprod_backward(source.data<T>(), from, g.data<T>(), to, lines, reverse);
      }));
}
std::vector<OpCase> CumProd::cases() {
  return {{"rows", {{3, 4}}, [](const Inputs& in) { return cumprod(in[0], 0); }},
          {"inner axis", {{2, 3, 4}}, [](const Inputs& in) { return cumprod(in[0], 1); }},
          {"from the end, strided",
           {{3, 4}},
           [](const Inputs& in) { return cumprod(transpose(in[0]), -1, {.reverse = true}); }},
          {"zeros",
           {{2, 4}},
           [](const Inputs& in) {
             return cumprod(in[0] + tensor({{2, 0, -1.5, 3}, {0, 1, 0, 2}}), 1);
           },
           {0, 0}},
          {"scalar", {Shape{}}, [](const Inputs& in) { return cumprod(in[0], -1); }},
          {"empty", {{0, 3}}, [](const Inputs& in) { return cumprod(in[0], 0); }}};
}

Tensor LogCumSumExp::forward(const Tensor& x) const {
  return scanned(info.name, x, axis, [&](auto* from, auto* to, const kernels::Lines& lines) {
    kernels::logcumsumexp(from, to, lines, reverse);
  });
}
void LogCumSumExp::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor &x = saved.in[0], &y = saved.y;
  const double infinity = std::numeric_limits<double>::infinity();
  const std::int64_t back = reverse ? 1 : -1;
  const Tensor at = detach(y), ahead = shift(at, axis, back, infinity);
  if (y.numel() == 0 || max(abs(at)).item() < infinity) {
    const Tensor s = linear_scan(exp(y - shift(y, axis, back)), dy, axis, !reverse);
    dx.set(0, s * exp(x - y));
    return;
  }
  // Where y is -inf nothing has a share yet; where it is +inf the c infinities so far share evenly,
  // which is e^y standing for c times infinity.
  const Tensor zero = constant(x, 0.0), one = constant(x, 1.0);
  const Tensor infinite = where(detach(x) == infinity, one, zero);
  const Tensor number = maximum(cumsum(infinite, axis, {.reverse = reverse}), 1.0);
  const Tensor log_y = where(at == infinity, log(number), where(at == -infinity, zero, y));
  const Tensor step = exp(log_y - shift(log_y, axis, back));
  const Tensor joins = where(ahead == infinity, where(at == infinity, one, zero), one) > 0.5;
  const Tensor a = where(at == -infinity, zero, where(joins, step, zero));
  const Tensor share =
      where(at == infinity, infinite / number, where(at == -infinity, zero, exp(x - log_y)));
  dx.set(0, chain(linear_scan(a, dy, axis, !reverse), share));
}
std::vector<OpCase> LogCumSumExp::cases() {
  return {{"rows", {{3, 4}}, [](const Inputs& in) { return logcumsumexp(in[0], 0); }},
          {"last axis", {{2, 3, 4}}, [](const Inputs& in) { return logcumsumexp(in[0], 2); }},
          {"from the end, strided",
           {{3, 4}},
           [](const Inputs& in) { return logcumsumexp(transpose(in[0]), 1, {.reverse = true}); }},
          {"scalar", {Shape{}}, [](const Inputs& in) { return logcumsumexp(in[0], 0); }},
          {"empty", {{2, 0}}, [](const Inputs& in) { return logcumsumexp(in[0], 1); }}};
}

Tensor LinearScan::forward(const Tensor& a, const Tensor& b) const {
  const Dense factor(a);
  return scanned(info.name, b, axis,
                 [&]<class T>(const T* from, T* to, const kernels::Lines& lines) {
                   kernels::linear_scan(factor.data<T>(), from, to, lines, reverse);
                 });
}
void LinearScan::backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
  const std::int64_t step = reverse ? -1 : 1;
  const Tensor s = linear_scan(shift(saved.in[0], axis, -step), dy, axis, !reverse);
  if (dx.wants(0)) dx.set(0, chain(s, shift(saved.y, axis, step)));
  dx.set(1, s);
}
std::vector<OpCase> LinearScan::cases() {
  return {
      {"rows",
       {{3, 4}, {3, 4}},
       [](const Inputs& in) { return linear_scan(in[0], in[1], 0, false); }},
      {"from the end, strided",
       {{3, 4}, {3, 4}},
       [](const Inputs& in) { return linear_scan(transpose(in[0]), transpose(in[1]), 0, true); }},
      {"inner axis",
       {{2, 3, 4}, {2, 3, 4}},
       [](const Inputs& in) { return linear_scan(in[0], in[1], 1, false); }},
      {"one element", {{2, 1}, {2, 1}}, [](const Inputs& in) {
         return linear_scan(in[0], in[1], 1, false);
       }}};
}

Tensor Shift::forward(const Tensor& x) const {
  const kernels::Lines lines = lines_of(x.shape(), axis);
  const auto extent = static_cast<std::int64_t>(lines.extent);
  return scanned(info.name, x, axis, [&]<class T>(const T* from, T* to, const kernels::Lines&) {
    for (std::size_t o = 0; o < lines.outer; ++o) {
      for (std::int64_t e = 0; e < extent; ++e, to += lines.inner) {
        const std::int64_t source = e - by;
        if (source < 0 || source >= extent) {
          std::fill_n(to, lines.inner, static_cast<T>(fill));
        } else {
          const std::size_t row = o * lines.extent + static_cast<std::size_t>(source);
          std::copy_n(from + row * lines.inner, lines.inner, to);
        }
      }
    }
  });
}
void Shift::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, shift(dy, axis, -by));
}
std::vector<OpCase> Shift::cases() {
  return {
      {"forward", {{3, 4}}, [](const Inputs& in) { return shift(in[0], 1, 1, 1.0); }},
      {"back, strided", {{3, 4}}, [](const Inputs& in) { return shift(transpose(in[0]), 0, -1); }},
      {"inner axis", {{2, 3, 4}}, [](const Inputs& in) { return shift(in[0], 1, -2); }},
      {"empty", {{2, 0}}, [](const Inputs& in) { return shift(in[0], 1, 1); }}};
}

}  // namespace autograd::ops
