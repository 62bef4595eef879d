// SPDX-License-Identifier: Apache-2.0
#include "linear_algebra.hpp"

#include "../kernels/elementwise.hpp"
#include "../kernels/gemm.hpp"
#include "../kernels/reduce.hpp"
#include "broadcast.hpp"
#include "elementwise_ops.hpp"
#include "tiny_linear.hpp"

namespace autograd::ops {

namespace {

// The last two axes of x as gemm takes them: rows one after the other, or columns.
struct Matrix {
  Tensor x;
  bool transposed = false;
  std::size_t stride = 0;

  explicit Matrix(const Tensor& source) : x(source) {
    if (!describe()) {
      x = row_major(source);
      describe();
    }
  }

 private:
  bool describe() {
    const auto d = static_cast<std::size_t>(x.dim());
    const auto& strides = x.node()->strides;
    const std::int64_t rows = x.shape()[x.dim() - 2], columns = x.shape()[x.dim() - 1];
    const std::int64_t down = strides[d - 2], across = strides[d - 1];
    if ((across == 1 || columns == 1) && (down >= columns || rows == 1)) {
      transposed = false;
      stride = static_cast<std::size_t>(std::max(down, columns));
      return true;
    }
    transposed = true;
    stride = static_cast<std::size_t>(std::max(across, rows));
    return (down == 1 || rows == 1) && (across >= rows || columns == 1);
  }
};

std::int64_t batch_stride(const Tensor& x, int axis, int dim) {
  const int i = axis - (dim - (x.dim() - 2));
  return i < 0 || x.shape()[i] == 1 ? 0 : x.node()->strides[static_cast<std::size_t>(i)];
}

// Calls f(offset_a, offset_b, index) for every matrix of the broadcast batch.
template <class F>
void for_each_matrix(const Shape& lead, const Tensor& a, const Tensor& b, F&& f) {
  Loops loops;
  loops.dim = lead.dim();
  for (int i = 0; i < lead.dim(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    loops.extent[k] = lead[i];
    loops.a[k] = batch_stride(a, i, lead.dim());
    loops.b[k] = batch_stride(b, i, lead.dim());
  }
  for_each_row(loops, f);
}

template <class T>
void product(const Matrix& a, const Matrix& b, const Tensor& y, std::int64_t i, std::int64_t j,
             std::int64_t at) {
  const int da = a.x.dim(), dy = y.dim();
  kernels::GemmCall<T> call;
  call.transpose_a = a.transposed;
  call.transpose_b = b.transposed;
  call.m = static_cast<std::size_t>(y.shape()[dy - 2]);
  call.n = static_cast<std::size_t>(y.shape()[dy - 1]);
  call.k = static_cast<std::size_t>(a.x.shape()[da - 1]);
  call.a = data<T>(a.x) + i;
  call.lda = a.stride;
  call.b = data<T>(b.x) + j;
  call.ldb = b.stride;
  call.c = data<T>(y) + at * static_cast<std::int64_t>(call.m * call.n);
  call.ldc = call.n;
  kernels::gemm(call);
}

void check_same_dtype(const char* function, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) {
    throw TypeError(std::string(function) + ": dtypes differ: a is " + name(a.dtype()) + ", b is " +
                    name(b.dtype()) + "; need one dtype (convert with to)");
  }
}

AUTOGRAD_COLD void explain_linear(const Tensor& x, const Tensor& weight, const Tensor* bias) {
  check_same_dtype("linear", x, weight);
  if (x.dim() < 1 || weight.dim() != 2 || x.shape().back() != weight.shape()[1]) {
    throw ShapeError("linear: inner dimensions differ: x is " + to_string(x.shape()) +
                     ", weight is " + to_string(weight.shape()) +
                     "; need x.shape[-1] == weight.shape[1] and a 2-D weight");
  }
  if (!bias) return;
  check_same_dtype("linear", x, *bias);
  throw ShapeError("linear: the bias does not fit: bias is " + to_string(bias->shape()) +
                   ", weight is " + to_string(weight.shape()) + "; need shape [" +
                   std::to_string(weight.shape()[0]) + "]");
}

// x: [..., k]  weight: [n, k]  bias: [n]
AUTOGRAD_INLINE void check_linear(const Tensor& x, const Tensor& weight, const Tensor* bias) {
  const detail::Node *a = x.node(), *w = weight.node(), *b = bias ? bias->node() : nullptr;
  const bool fits =
      a && w && a->dtype == w->dtype && a->shape.dim() >= 1 && w->shape.dim() == 2 &&
      a->shape.back() == w->shape[1] &&
      (!b || (b->dtype == a->dtype && b->shape.dim() == 1 && b->shape[0] == w->shape[0]));
  if (!fits) [[unlikely]]
    explain_linear(x, weight, bias);
}

// x W^T, with bias where there is one.
Tensor linear_forward(const Tensor& x, const Tensor& weight, const Tensor* bias) {
  check_linear(x, weight, bias);
  const auto n = static_cast<std::size_t>(weight.node()->shape[0]);
  const auto k = static_cast<std::size_t>(weight.node()->shape[1]);
  const Dense source(x), w(weight), b(bias ? *bias : x);
  Tensor y;
  if (x.node()->shape.dim() == 2) [[likely]] {
    y = make_matrix(x.node()->shape[0], weight.node()->shape[0], x.node()->dtype);
  } else {
    Shape shape = x.node()->shape;
    shape[shape.dim() - 1] = weight.node()->shape[0];
    y = make(shape, x.node()->dtype);
  }
  dispatch_floating("linear", x.node()->dtype, [&]<class T>(T) {
    const T* added = bias ? b.data<T>() : nullptr;
    const std::size_t m = n == 0 ? 0 : count(y) / n;
    using Tiny = TinyProduct<T, TinyForm::transposed_b>;
    if (Tiny::fits(m, n, k)) {
      return Tiny{source.data<T>(), w.data<T>(), added, data<T>(y), m, n}.run(k);
    }
    kernels::gemm(kernels::GemmCall<T>{.transpose_b = true,
                                       .m = m,
                                       .n = n,
                                       .k = k,
                                       .a = source.data<T>(),
                                       .lda = k,
                                       .b = w.data<T>(),
                                       .ldb = k,
                                       .c = data<T>(y),
                                       .ldc = n,
                                       .bias = added});
  });
  return y;
}

// The product of all extents but the last.
std::int64_t rows_of(const Shape& shape) {
  std::int64_t rows = 1;
  for (int i = 0; i + 1 < shape.dim(); ++i) rows *= shape[i];
  return rows;
}

// The products of the backward pass, straight to the kernels.
template <class T, std::size_t N>
void linear_kernels(const Saved<N>& saved, const Tensor& dy, Gradients<N>& dx) {
  const Dense g(dy), x(saved.in[0]), w(saved.in[1]);
  const Shape &x_shape = saved.in[0].node()->shape, &w_shape = saved.in[1].node()->shape;
  const auto n = static_cast<std::size_t>(w_shape[0]), k = static_cast<std::size_t>(w_shape[1]);
  const auto m = static_cast<std::size_t>(rows_of(x_shape));
  const T *gd = g.template data<T>(), *xd = x.template data<T>(), *wd = w.template data<T>();
  if (dx.wants(0)) {
    Tensor result = make_same(x.node());
    using Tiny = TinyProduct<T, TinyForm::normal>;
    if (Tiny::fits(m, k, n)) {
      Tiny{gd, wd, nullptr, data<T>(result), m, k}.run(n);
    } else {
      kernels::gemm(kernels::GemmCall<T>{.m = m,
                                         .n = k,
                                         .k = n,
                                         .a = gd,
                                         .lda = n,
                                         .b = wd,
                                         .ldb = k,
                                         .c = data<T>(result),
                                         .ldc = k});
    }
    dx.set(0, std::move(result));
  }
  if (dx.wants(1)) {
    Tensor result = make_same(w.node());
    using Tiny = TinyProduct<T, TinyForm::transposed_a>;
    if (Tiny::fits(n, k, m)) {
      Tiny{gd, xd, nullptr, data<T>(result), n, k}.run(m);
    } else {
      kernels::gemm(kernels::GemmCall<T>{.transpose_a = true,
                                         .m = n,
                                         .n = k,
                                         .k = m,
                                         .a = gd,
                                         .lda = n,
                                         .b = xd,
                                         .ldb = k,
                                         .c = data<T>(result),
                                         .ldc = k});
    }
    dx.set(1, std::move(result));
  }
  if constexpr (N == 3) {
    if (!dx.wants(2)) return;
    Tensor result = make_vector(w_shape[0], dy.node()->dtype);
    using Tiny = TinyProduct<T, TinyForm::column_sums>;
    if (Tiny::fits(1, n, m)) {
      Tiny{nullptr, gd, nullptr, data<T>(result), 1, n}.run(m);
    } else {
      kernels::sum<T>(gd, data<T>(result), 1, m, n);
    }
    dx.set(2, std::move(result));
  }
}

template <std::size_t N>
void linear_backward(const Saved<N>& saved, const Tensor& dy, Gradients<N>& dx) {
  if (!dx.recorded()) {
    return dispatch_floating("linear", dy.node()->dtype,
                             [&]<class T>(T) { linear_kernels<T>(saved, dy, dx); });
  }
  const Tensor &x = saved.in[0], &w = saved.in[1];
  // dy: [rows, n]  x: [rows, k]
  const Tensor rows = reshape(dy, Shape{rows_of(x.shape()), w.shape()[0]});
  if (dx.wants(0)) dx.set(0, reshape(matmul(rows, w), x.shape()));
  if (dx.wants(1)) {
    dx.set(1, matmul(transpose(rows), reshape(x, Shape{rows.shape()[0], w.shape()[1]})));
  }
  if constexpr (N == 3) {
    if (dx.wants(2)) dx.set(2, sum(rows, {0}));
  }
}

}  // namespace

// The product of two matrices of a few elements, in one of its forms; undefined for any others.
template <TinyForm kForm> Tensor tiny_matmul(const Tensor& left, const Tensor& right) {
  const detail::Node *a = left.node(), *b = right.node();
  if (a->tiny == detail::Tiny::no || b->tiny == detail::Tiny::no || a->shape.dim() != 2 ||
      b->shape.dim() != 2) {
    return {};
  }
  constexpr int kTermAxis = kForm == TinyForm::transposed_a ? 0 : 1;
  constexpr int kColumnAxis = kForm == TinyForm::transposed_b ? 0 : 1;
  const std::int64_t m = a->shape[1 - kTermAxis], k = a->shape[kTermAxis];
  const std::int64_t n = b->shape[kColumnAxis];
  const auto rows = static_cast<std::size_t>(m), columns = static_cast<std::size_t>(n);
  const auto terms = static_cast<std::size_t>(k);
  if (!TinyProduct<float, kForm>::fits(rows, columns, terms)) return {};
  Tensor y = make_matrix(m, n, a->dtype);
  dispatch_floating("matmul", a->dtype, [&]<class T>(T) {
    TinyProduct<T, kForm>{data<T>(left), data<T>(right), nullptr, data<T>(y), rows, columns}.run(
        terms);
  });
  return y;
}

Tensor Matmul::forward(const Tensor& a, const Tensor& b) const {
  check_same_dtype("matmul", a, b);
  const int da = a.dim(), db = b.dim();
  if (a.shape()[da - 1] != b.shape()[db - 2]) [[unlikely]] {
    throw ShapeError("matmul: inner dimensions differ: a is " + to_string(a.shape()) + ", b is " +
                     to_string(b.shape()) + "; need a.shape[-1] == b.shape[-2] (" +
                     std::to_string(a.shape()[da - 1]) +
                     " != " + std::to_string(b.shape()[db - 2]) + ")");
  }
  if (Tensor y = tiny_matmul<TinyForm::normal>(a, b); y.defined()) return y;
  Shape shape, lead;
  if (da > 2 || db > 2) {
    shape = lead = broadcast_batches("matmul", a.shape(), 2, b.shape(), 2);
  }
  shape.push_back(a.shape()[da - 2]);
  shape.push_back(b.shape()[db - 1]);
  Tensor y = make(shape, a.dtype());
  if (y.numel() == 0) return y;
  const Matrix left(a), right(b);
  dispatch_floating("matmul", a.dtype(), [&]<class T>(T) {
    if (lead.dim() == 0) return product<T>(left, right, y, 0, 0, 0);
    for_each_matrix(lead, left.x, right.x, [&](std::int64_t i, std::int64_t j, std::int64_t at) {
      product<T>(left, right, y, i, j, at);
    });
  });
  return y;
}

void Matmul::backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
  const Tensor &a = saved.in[0], &b = saved.in[1];
  if (!dx.recorded() && dy.node()->tiny != detail::Tiny::no) {
    Tensor da = dx.wants(0) ? tiny_matmul<TinyForm::transposed_b>(dy, b) : Tensor();
    Tensor db = dx.wants(1) ? tiny_matmul<TinyForm::transposed_a>(a, dy) : Tensor();
    if (da.defined() == dx.wants(0) && db.defined() == dx.wants(1)) {
      if (da.defined()) dx.set(0, std::move(da));
      if (db.defined()) dx.set(1, std::move(db));
      return;
    }
  }
  if (dy.dim() == 2 && dy.numel() == 1) {  // of a dot product: no sums
    if (dx.wants(0)) dx.set(0, dy * transpose(b));
    if (dx.wants(1)) dx.set(1, transpose(a) * dy);
    return;
  }
  if (dx.wants(0)) {
    Tensor g = matmul(dy, transpose(b));
    dx.set(0, g.shape() == a.shape() ? std::move(g) : sum_to(g, a.shape()));
  }
  if (dx.wants(1)) {
    Tensor g = matmul(transpose(a), dy);
    dx.set(1, g.shape() == b.shape() ? std::move(g) : sum_to(g, b.shape()));
  }
}

std::vector<OpCase> Matmul::cases() {
  const TensorFunction f = [](const std::vector<Tensor>& in) { return matmul(in[0], in[1]); };
  return {{"matrices", {{3, 4}, {4, 2}}, f},
          {"batch", {{2, 3, 4}, {2, 4, 5}}, f},
          {"broadcast batch", {{2, 1, 3, 4}, {3, 4, 2}}, f},
          {"vector by matrix", {{4}, {4, 2}}, f},
          {"matrix by vector", {{3, 4}, {4}}, f},
          {"vectors", {{4}, {4}}, f},
          {"transposed operand",
           {{4, 3}, {4, 2}},
           [](const std::vector<Tensor>& in) { return matmul(transpose(in[0]), in[1]); }},
          {"with itself", {{3, 3}}, [](const std::vector<Tensor>& in) {
             return matmul(in[0], in[0]);
           }}};
}

Tensor Linear::any_size(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return linear_forward(x, weight, &bias);
}
void Linear::any_backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) {
  linear_backward(saved, dy, dx);
}
std::vector<OpCase> Linear::cases() {
  const TensorFunction f = [](const std::vector<Tensor>& in) {
    return linear(in[0], in[1], in[2]);
  };
  return {{"rows", {{4, 2}, {3, 2}, {3}}, f},
          {"batch", {{2, 3, 4}, {5, 4}, {5}}, f},
          {"vector", {{4}, {2, 4}, {2}}, f}};
}
template <class Row>
constexpr Activation kActivation = std::is_same_v<Row, Sigmoid> ? Activation::sigmoid
                                   : std::is_same_v<Row, Tanh>  ? Activation::tanh
                                                                : Activation::relu;
template <class Row>
Tensor LinearThen<Row>::any_size(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensor y = linear_forward(x, weight, &bias);
  dispatch_floating(info.name, y.node()->dtype,
                    [&]<class T>(T) { kernels::unary(Row(), data<T>(y), data<T>(y), count(y)); });
  return y;
}
template <class Row>
void LinearThen<Row>::any_backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) {
  // The slope reads y alone, so y stands in for x.
  linear_backward(saved,
                  dx.recorded() ? recorded_chain<Row>(dy, Row::slope(saved.y, saved.y))
                                : UnaryOp<Row>::gradient(saved.y, saved.y, dy),
                  dx);
}
template <class Row> std::vector<OpCase> LinearThen<Row>::cases() {
  const TensorFunction f = [](const std::vector<Tensor>& in) {
    return linear(in[0], in[1], in[2], kActivation<Row>);
  };
  return {{"rows", {{4, 2}, {3, 2}, {3}}, f}, {"batch", {{2, 3, 4}, {5, 4}, {5}}, f}};
}
template struct LinearThen<Sigmoid>;
template struct LinearThen<Tanh>;
template struct LinearThen<Relu>;

Tensor LinearNoBias::forward(const Tensor& x, const Tensor& weight) const {
  return linear_forward(x, weight, nullptr);
}
void LinearNoBias::backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
  linear_backward(saved, dy, dx);
}
std::vector<OpCase> LinearNoBias::cases() {
  return {{"rows", {{4, 2}, {3, 2}}, [](const std::vector<Tensor>& in) {
             return linear(in[0], in[1], Tensor());
           }}};
}

}  // namespace autograd::ops
