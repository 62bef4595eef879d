// SPDX-License-Identifier: Apache-2.0
// The rows of elementwise.hpp as operations on tensors: one template for each arity.
#pragma once

#include "../kernels/arrays.hpp"
#include "../kernels/elementwise.hpp"
#include "broadcast_values.hpp"
#include "elementwise.hpp"
#include "op.hpp"
#include "tiny.hpp"

namespace autograd::ops {

constexpr Saves saves_of(Reads reads) { return static_cast<Saves>(reads); }
static_assert(saves_of(Reads::nothing) == Saves::nothing && saves_of(Reads::x) == Saves::inputs &&
              saves_of(Reads::y) == Saves::output && saves_of(Reads::both) == Saves::both);

/// dy times the slope in functions that can be recorded; zero where dy is, or where a row that selects
/// has slope zero.
template <class Row> Tensor recorded_chain(const Tensor& dy, const Tensor& slope) {
  return Row::info.selects ? chain(slope, dy) : chain(dy, slope);
}

/// y = row(x).
template <class Row> struct UnaryOp {
  [[no_unique_address]] Row row{};

  static constexpr RowInfo info = Row::info;
  static_assert(UnaryRows::index_of<Row>() < UnaryRows::size);

  static constexpr Saves saved() { return saves_of(info.reads); }

  Tensor forward(const Tensor& x) const {
    const Dense source(x);
    Tensor y = make_same(source.node());
    dispatch_floating(info.name, x.node()->dtype, [&]<class T>(T) {
      kernels::unary(row, source.data<T>(), data<T>(y), count(y));
    });
    return y;
  }

  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
    if (dx.recorded()) {
      // A slope that reads neither x nor y is a constant and takes its dtype from dy.
      const Tensor& x = info.reads == Reads::nothing ? dy : saved.in[0];
      dx.set(0, recorded_chain<Row>(dy, row.slope(x, saved.y)));
      return;
    }
    // What the slope does not read was not saved: dy stands in for it.
    dx.set(0, gradient(saves_inputs(UnaryOp::saved()) ? saved.in[0] : dy,
                       saves_output(UnaryOp::saved()) ? saved.y : dy, dy, row));
  }

  /// dy times the slope; in dy's own storage where nobody else holds it any more.
  static AUTOGRAD_INLINE Tensor gradient(const Tensor& saved_x, const Tensor& saved_y,
                                         const Tensor& dy, const Row& row = {}) {
    const Dense g(dy), x(saved_x), y(saved_y);
    Tensor result = exclusive(dy.node()) ? dy : make_same(g.node());
    dispatch_floating(info.name, dy.node()->dtype, [&]<class T>(T) {
      kernels::unary_backward(row, x.data<T>(), y.data<T>(), g.data<T>(), data<T>(result),
                              count(result));
    });
    return result;
  }
};

/// dy times the slope by operand k, from functions that can be recorded.
template <class Row> Tensor recorded_gradient(int k, const Saved<2>& saved, const Tensor& dy) {
  // A slope that reads neither operand is a constant and takes its dtype from dy.
  const Tensor& a = Row::info.reads == Reads::nothing ? dy : saved.in[0];
  return recorded_chain<Row>(
      dy, k == 0 ? Row::slope_a(a, saved.in[1], saved.y) : Row::slope_b(a, saved.in[1], saved.y));
}

/// y = Row(a, b) for operands of one shape and dtype.
template <class Row> struct BinaryOp {
  static constexpr RowInfo info = Row::info;
  /// Every operand's adjoint is dy itself.
  static constexpr bool kPassesThrough = std::is_same_v<Row, Add>;

  static constexpr Saves saved() { return saves_of(info.reads); }

  AUTOGRAD_INLINE Tensor forward(const Tensor& a, const Tensor& b) const {
    if constexpr (kPlainArithmetic<Row>) {
      if (both_tiny(a.node(), b.node())) {
        Tensor y = make_same(a.node());
        tiny<Row>(a.node(), b.node(), y.node());
        return y;
      }
    }
    return any_size(a, b);
  }

  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
    if (!dx.recorded()) return plain_backward(saved, dy, dx);
    for (int k = 0; k < 2; ++k) {
      const auto i = static_cast<std::size_t>(k);
      if (dx.wants(i)) dx.set(i, recorded_gradient<Row>(k, saved, dy));
    }
  }

 private:
  __attribute__((noinline)) static Tensor any_size(const Tensor& a, const Tensor& b) {
    if (!a.is_contiguous() || !b.is_contiguous()) return broadcast_values(kRowKernels<Row>, a, b);
    Tensor y = make_same(a.node());
    dispatch_floating(info.name, a.node()->dtype, [&]<class T>(T) {
      kernels::binary<Row, T>(data<T>(a), 1, data<T>(b), 1, data<T>(y), count(y));
    });
    return y;
  }

  // The last gradient goes to dy's own storage where nobody else holds it any more.
  static void plain_backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) {
    // What the slopes do not read was not saved: dy stands in for it.
    const Dense g(dy), a(saves_inputs(BinaryOp::saved()) ? saved.in[0] : dy),
        b(saves_inputs(BinaryOp::saved()) ? saved.in[1] : dy);
    const Dense y(saves_output(BinaryOp::saved()) ? saved.y : dy);
    const bool both = dx.wants(0) && dx.wants(1);
    const int last = dx.wants(1) ? 1 : 0;
    const bool reuse = exclusive(dy.node());
    Tensor first, second = reuse ? dy : make_same(g.node());
    if (both) first = make_same(g.node());
    dispatch_floating(info.name, dy.node()->dtype, [&]<class T>(T) {
      if (both) {
        kernels::binary_backward_both<Row, T>(a.data<T>(), b.data<T>(), y.data<T>(), g.data<T>(),
                                              data<T>(first), data<T>(second), count(second));
      } else {
        kernels::binary_backward<Row, T>(last, a.data<T>(), 1, b.data<T>(), 1, y.data<T>(),
                                         g.data<T>(), data<T>(second), count(second));
      }
    });
    if (both) dx.set(0, std::move(first));
    dx.set(static_cast<std::size_t>(last), std::move(second));
  }
};

/// y = Row(a, b) for operands of one dtype whose shapes broadcast.
template <class Row> struct BroadcastOp {
  static constexpr RowInfo info = Row::info;

  Saves saved() const { return saves_of(info.reads); }
  // Of a repeated operand backward needs the shape, whatever the slopes read.
  static bool saves_shape(const detail::Node* operand, const detail::Node* y) {
    return !(operand->shape == y->shape);
  }

  Tensor forward(const Tensor& a, const Tensor& b) const {
    return broadcast_values(kRowKernels<Row>, a, b);
  }

  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
    for (int k = 0; k < 2; ++k) {
      const auto i = static_cast<std::size_t>(k);
      if (!dx.wants(i)) continue;
      Tensor g = std::is_same_v<Row, Add> ? dy
                 : dx.recorded()          ? recorded_gradient<Row>(k, saved, dy)
                                          : gradient(k, saved, row_major(dy));
      // An operand that was not repeated has dy's shape, and may not have been saved.
      dx.set(i, saved.in[i].defined() ? sum_to(g, saved.in[i].shape()) : std::move(g));
    }
  }

 private:
  static Tensor gradient(int k, const Saved<2>& saved, const Tensor& dy) {
    // What the slopes do not read was not saved: dy stands in for it.
    constexpr bool kNothing = info.reads == Reads::nothing;
    return broadcast_gradient(kRowKernels<Row>, k, kNothing ? dy : saved.in[0],
                              kNothing ? dy : saved.in[1],
                              saves_output(saves_of(info.reads)) ? saved.y : dy, dy);
  }
};

}  // namespace autograd::ops
