// SPDX-License-Identifier: Apache-2.0
// In-place changes: unrecorded, counted by the version of the storage.
#include <algorithm>
#include <array>
#include <cstdint>

#include "apply.hpp"
#include "checked_cast.hpp"
#include "functions.hpp"
#include "kernels/arrays.hpp"
#include "kernels/elementwise.hpp"
#include "ops/broadcast.hpp"

namespace autograd {

namespace {

// Two places hold the same element: expanded axes, overlapping windows. Axes in the order of their
// strides must each step over all that the ones before reach.
bool repeats_elements(const detail::Node* x) {
  std::array<int, kMaxDim> axes{};
  std::size_t n = 0;
  const auto stride = [&](int axis) { return x->strides[static_cast<std::size_t>(axis)]; };
  for (int axis = 0; axis < x->shape.dim(); ++axis) {
    if (x->shape[axis] <= 1) continue;
    std::size_t k = n++;
    for (; k > 0 && stride(axes[k - 1]) > stride(axis); --k) axes[k] = axes[k - 1];
    axes[k] = axis;
  }
  std::int64_t reach = 0;
  for (std::size_t k = 0; k < n; ++k) {
    if (stride(axes[k]) <= reach) return true;
    reach += stride(axes[k]) * (x->shape[axes[k]] - 1);
  }
  return false;
}

void check_writable(const char* function, const Tensor& x) {
  const Shape& shape = x.shape();  // throws for no tensor at all
  detail::Node* node = x.node();
  if (detail::is_batched(node)) detail::throw_batched();
  if (!node->contiguous && repeats_elements(node)) {
    throw TapeError(std::string(function) + ": x repeats elements: shape is " + to_string(shape) +
                    "; need memory of its own (clone it first)");
  }
  for (Tape* tape = detail::recorder->tape; tape; tape = tape->parent()) {
    // Only what has joined already counts: a parameter may be changed before the tape uses it.
    if (tape->is_leaf(node)) {
      throw TapeError(std::string(function) +
                      ": x is an input or a parameter that a tape in scope uses; need the change "
                      "before or after the tape, or on detach(x)");
    }
  }
}

// Calls f(x, step_x, y, step_y, n) for rows of n elements of x and of y broadcast to x's shape.
template <class T, class F> void for_each_pair(const Tensor& x, const Tensor& y, const F& f) {
  T* to = ops::data<T>(x);
  const bool one = y.numel() == 1, same = x.shape() == y.shape();
  if (x.is_contiguous() && (one || (same && y.is_contiguous()))) {
    return f(to, 1, ops::data<T>(y), one ? 0 : 1, x.numel());
  }
  if (x.numel() == 0) return;
  const Tensor source = same ? y : broadcast_to(y, x.shape());
  ops::Loops loops;
  loops.dim = x.dim() - 1;  // the last axis is a row
  for (int i = 0; i < loops.dim; ++i) {
    const auto k = static_cast<std::size_t>(i);
    loops.extent[k] = x.shape()[i];
    loops.a[k] = x.node()->strides[k];
    loops.b[k] = source.node()->strides[k];
  }
  const auto last = static_cast<std::size_t>(loops.dim);
  const std::int64_t step_x = x.node()->strides[last], step_y = source.node()->strides[last];
  ops::for_each_row(loops, [&](std::int64_t i, std::int64_t j, std::int64_t) {
    f(to + i, step_x, ops::data<T>(source) + j, step_y, x.shape().back());
  });
}

// y in x's dtype, elements of its own where it overlaps x; throws unless it broadcasts to x.
Tensor source_for(const char* function, const Tensor& x, const Tensor& y) {
  const Shape shape = broadcast_shapes(function, x.shape(), y.shape());
  if (!(shape == x.shape())) {
    throw ShapeError(std::string(function) + ": y does not broadcast to x: x is " +
                     to_string(x.shape()) + ", y is " + to_string(y.shape()) +
                     "; need x's extents or 1");
  }
  Tensor source = to(detach(y), x.dtype());
  if (source.node()->base == x.node()->base) return ops::Contiguous{}.forward(source);
  // Turned around, it would be read with a step.
  const bool turned = source.dim() > 1 && source.shape().back() > 1 &&
                      source.node()->strides[static_cast<std::size_t>(source.dim() - 1)] > 1;
  return turned ? ops::row_major(source) : source;
}

}  // namespace

void note_change(Tensor& x, const char* function) {
  (void)x.shape();  // throws for no tensor at all
  detail::note_change(x.node(), function);
}

void fill_(Tensor& x, double value) {
  check_writable("fill_", x);
  const Tensor any = ops::make({}, x.dtype());
  dispatch(x.dtype(), [&]<class T>(T) {
    const T element = checked_cast<T>("fill_", value);
    for_each_pair<T>(x, any,
                     [element](T* a, std::int64_t step, const T*, std::int64_t, std::int64_t n) {
                       if (step == 1) return kernels::fill(a, element, static_cast<std::size_t>(n));
                       for (std::int64_t i = 0; i < n; ++i) a[i * step] = element;
                     });
  });
  note_change(x, "fill_");
}

void add_(Tensor& x, const Tensor& y, double alpha) {
  check_writable("add_", x);
  const Tensor source = source_for("add_", x, y);
  dispatch_floating("add_", x.dtype(), [&]<class T>(T) {
    const auto factor = static_cast<T>(alpha);
    for_each_pair<T>(
        x, source,
        [factor](T* a, std::int64_t step_a, const T* b, std::int64_t step_b, std::int64_t n) {
          if (step_a == 1 && step_b == 1 && factor == 1) {
            kernels::binary<ops::Add, T>(a, 1, b, 1, a, static_cast<std::size_t>(n));
          } else if (step_a == 1 && step_b == 1) {
            for (std::int64_t i = 0; i < n; ++i) a[i] += factor * b[i];
          } else {
            for (std::int64_t i = 0; i < n; ++i) a[i * step_a] += factor * b[i * step_b];
          }
        });
  });
  note_change(x, "add_");
}

void copy_(Tensor& x, const Tensor& y) {
  check_writable("copy_", x);
  const Tensor source = source_for("copy_", x, y);
  dispatch(x.dtype(), [&]<class T>(T) {
    for_each_pair<T>(
        x, source, [](T* a, std::int64_t step_a, const T* b, std::int64_t step_b, std::int64_t n) {
          if (step_a == 1 && step_b == 1) {
            std::copy_n(b, n, a);
          } else {
            for (std::int64_t i = 0; i < n; ++i) a[i * step_a] = b[i * step_b];
          }
        });
  });
  note_change(x, "copy_");
}

void fill_(Tensor&& x, double value) { fill_(x, value); }
void add_(Tensor&& x, const Tensor& y, double alpha) { add_(x, y, alpha); }
void copy_(Tensor&& x, const Tensor& y) { copy_(x, y); }

}  // namespace autograd
