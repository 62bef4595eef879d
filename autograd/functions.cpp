// SPDX-License-Identifier: Apache-2.0
// Public names of the structured operations: arguments are checked and normalized here.
#include "functions.hpp"

#include <numeric>

#include "apply.hpp"
#include "create.hpp"
#include "ops/axes.hpp"
#include "ops/integers.hpp"
#include "text.hpp"

namespace autograd {

namespace {

using ops::axis_mask;

Tensor floating(const Tensor& x) { return is_floating(x.dtype()) ? x : to(x, float32); }

int softmax_axis(const char* function, const Tensor& x, std::int64_t axis) {
  return x.dim() == 0
             ? throw ShapeError(std::string(function) + ": a scalar has no axes; need at least one")
             : normalize_axis(function, axis, x.dim());
}

}  // namespace

Tensor sum(const Tensor& x) { return sum(x, {}, {}); }
Tensor sum(const Tensor& x, const Axes& axes, ReduceOptions options) {
  const std::uint32_t mask = axis_mask("sum", x, axes);
  if (!is_floating(x.dtype())) return ops::fold_integers(ops::Fold::sum, x, mask, options.keepdim);
  return apply(ops::Sum{mask, options.keepdim, x.shape()}, x);
}
Tensor mean(const Tensor& x) { return mean(x, {}, {}); }
Tensor mean(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return apply(ops::Mean{axis_mask("mean", x, axes), options.keepdim, x.shape()}, floating(x));
}
Tensor max(const Tensor& x) { return max(x, Axes{}, {}); }
Tensor max(const Tensor& x, const Axes& axes, ReduceOptions options) {
  const ops::Max op{axis_mask("max", x, axes), options.keepdim};
  if (is_floating(x.dtype())) return apply(op, x);
  ops::require_elements("max", x, op.axes);
  return to(ops::fold_integers(ops::Fold::max, x, op.axes, op.keepdim), x.dtype());
}
Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return apply(ops::SumTo{shape, x.shape()}, x);
}
Tensor logsumexp(const Tensor& x, std::int64_t axis, ReduceOptions options) {
  return apply(ops::LogSumExp{softmax_axis("logsumexp", x, axis), options.keepdim}, floating(x));
}
Tensor softmax(const Tensor& x, std::int64_t axis) {
  return apply(ops::Softmax{softmax_axis("softmax", x, axis)}, floating(x));
}
Tensor log_softmax(const Tensor& x, std::int64_t axis) {
  return apply(ops::LogSoftmax{softmax_axis("log_softmax", x, axis)}, floating(x));
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  const int da = a.dim(), db = b.dim();
  if (da >= 2 && db >= 2) [[likely]]
    return apply(ops::Matmul{}, a, b);
  if (da == 0 || db == 0) {
    throw ShapeError("matmul: a scalar operand: a is " + to_string(a.shape()) + ", b is " +
                     to_string(b.shape()) + "; need at least one axis each (use a * b)");
  }
  const std::int64_t inner = db == 1 ? b.shape()[0] : b.shape()[db - 2];
  if (a.shape()[da - 1] != inner) {
    throw ShapeError("matmul: inner dimensions differ: a is " + to_string(a.shape()) + ", b is " +
                     to_string(b.shape()) + "; need a.shape[-1] == b.shape[" +
                     (db == 1 ? "0" : "-2") + "] (" + std::to_string(a.shape()[da - 1]) +
                     " != " + std::to_string(inner) + ")");
  }
  // The forward pass would throw too, but after reshape was recorded.
  if (a.dtype() != b.dtype()) return ops::Matmul{}.forward(a, b);
  // A vector is a row on the left, a column on the right; its axis is dropped from the result.
  const Tensor left = da == 1 ? reshape(a, Shape{1, a.shape()[0]}) : a;
  const Tensor right = db == 1 ? reshape(b, Shape{b.shape()[0], 1}) : b;
  const Tensor y = apply(ops::Matmul{}, left, right);
  Shape shape;
  for (int i = 0; i < y.dim(); ++i) {
    if ((i == y.dim() - 2 && da == 1) || (i == y.dim() - 1 && db == 1)) continue;
    shape.push_back(y.shape()[i]);
  }
  return reshape(y, shape);
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (!bias.defined()) return apply(ops::LinearNoBias{}, x, weight);
  return apply(ops::Linear{}, x, weight, bias);
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  if (!bias.defined()) {
    const Tensor y = linear(x, weight, bias);
    switch (activation) {
      case Activation::none: return y;
      case Activation::sigmoid: return sigmoid(y);
      case Activation::tanh: return tanh(y);
      case Activation::relu: return relu(y);
    }
  }
  switch (activation) {
    case Activation::none: break;
    case Activation::sigmoid: return apply(ops::LinearThen<ops::Sigmoid>{}, x, weight, bias);
    case Activation::tanh: return apply(ops::LinearThen<ops::Tanh>{}, x, weight, bias);
    case Activation::relu: return apply(ops::LinearThen<ops::Relu>{}, x, weight, bias);
  }
  return apply(ops::Linear{}, x, weight, bias);
}

Tensor mean_squared_error(const Tensor& a, const Tensor& b) {
  return apply(ops::MeanSquaredError{}, a, b);
}

Tensor cross_entropy(const Tensor& x, const Tensor& label, double smoothing) {
  if (x.dim() != 2 || label.dim() != 1 || x.shape()[0] != label.shape()[0]) {
    throw ShapeError("cross_entropy: the shapes do not fit: x is " + to_string(x.shape()) +
                     ", label is " + to_string(label.shape()) + "; need [n, c] and [n]");
  }
  if (label.dtype() != int64) {
    throw TypeError(std::string("cross_entropy: label is ") + name(label.dtype()) + "; need int64");
  }
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw ValueError("cross_entropy: smoothing out of range: " + detail::text(smoothing) +
                     "; need 0 <= smoothing <= 1");
  }
  const std::int64_t n = x.shape()[0], c = x.shape()[1];
  const Tensor labels = ops::row_major(label);
  const auto values = labels.data<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < -1 || values[i] >= c) {
      throw ValueError("cross_entropy: label out of range: label[" + std::to_string(i) + "] is " +
                       std::to_string(values[i]) + "; need at least -1 and less than " +
                       std::to_string(c));
    }
  }
  const Tensor rows = floating(x);
  return apply(ops::CrossEntropy{labels, smoothing, ops::make(Shape{2, n}, rows.dtype())}, rows);
}

Tensor transpose(const Tensor& x) {
  if (x.dim() < 2) {
    throw ShapeError("transpose: too few axes: x is " + to_string(x.shape()) +
                     "; need at least 2 (or name the axes)");
  }
  return apply(ops::Transpose{x.dim() - 2, x.dim() - 1}, x);
}
Tensor transpose(const Tensor& x, std::int64_t axis0, std::int64_t axis1) {
  return apply(ops::Transpose{normalize_axis("transpose", axis0, x.dim()),
                              normalize_axis("transpose", axis1, x.dim())},
               x);
}

template <std::same_as<Shape> S> Tensor reshape(const Tensor& x, const S& shape) {
  if (shape.numel() != x.numel()) {
    throw ShapeError("reshape: the number of elements differs: x is " + to_string(x.shape()) +
                     ", asked for " + to_string(shape) + "; need " + std::to_string(x.numel()) +
                     " elements (" + std::to_string(shape.numel()) + " asked for)");
  }
  return apply(ops::Reshape{shape, x.shape()}, x);
}
template Tensor reshape(const Tensor&, const Shape&);
Tensor reshape(const Tensor& x, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> extents = shape;
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::int64_t& extent : extents) {
    if (extent != -1) {
      known *= extent;
    } else if (open) {
      throw ShapeError("reshape: two extents are -1; need at most one");
    } else {
      open = &extent;
    }
  }
  if (open) {
    if (known <= 0 || x.numel() % known != 0) {
      throw ShapeError("reshape: -1 cannot be filled in: x is " + to_string(x.shape()) +
                       "; need the other extents to divide " + std::to_string(x.numel()) + " (" +
                       std::to_string(known) + ")");
    }
    *open = x.numel() / known;
  }
  return reshape(x, Shape(extents));
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  return apply(ops::BroadcastTo{shape, x.shape()}, x);
}
Tensor contiguous(const Tensor& x) {
  if (x.is_contiguous()) [[likely]]
    return x;
  return apply(ops::Contiguous{}, x);
}
Tensor clone(const Tensor& x) { return apply(ops::Contiguous{}, x); }
Tensor to(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  const ops::Cast op{dtype, x.dtype()};
  if (is_floating(dtype) && is_floating(x.dtype())) return apply(op, x);
  if (const auto* scope = detail::batch_scope({x})) [[unlikely]] {
    return detail::batched(to(detail::operand_of(x.node(), *scope).x, dtype), *scope);
  }
  return op.forward(detach(x));  // integers carry no gradient
}

Tensor pick(const Tensor& x, const Tensor& index) {
  const std::int64_t columns = x.dim() == 2 ? x.shape()[1] : 0;
  return apply(ops::Pick{contiguous(index), columns}, x);
}
Tensor unpick(const Tensor& y, const Tensor& index, std::int64_t columns) {
  return apply(ops::Unpick{contiguous(index), columns}, y);
}

Tensor detach(const Tensor& x) {
  const Shape& shape = x.shape();  // throws for no tensor at all
  if (detail::is_batched(x.node())) return detail::detached_batch(x);
  return Tensor::adopt(detail::make_view(x.node(), x.node()->data, shape, x.node()->strides));
}

// --- Messages of apply.hpp.

void detail::throw_stale(const char* function) {
  throw TapeError(std::string(function) +
                  ": an operand was recorded on a tape that has ended, was rewound or consumed, or "
                  "belongs to another thread; need a value of the tape in scope (compute it anew, "
                  "or pass detach(x) to use it as a constant)");
}
void detail::require_known(Node* node, const char* function) {
  if (!Tape::is_known(node)) throw_stale(function);
}
void detail::throw_changed(const char* function, const Node* node) {
  throw TapeError(std::string(function) + ": an operand of shape " + to_string(node->shape) +
                  " was changed in place by " +
                  (node->base->changed_by ? node->base->changed_by : "an in-place operation") +
                  " after it was recorded, so the tape does not know its value; need a value "
                  "computed without in-place changes (or detach(x) to use it as a constant)");
}

Tensor detail::in_place_of(const Tensor& x, const Tape& tape, std::int32_t slot) {
  Node* node = x.node();
  // Not a leaf, whose elements the caller reads, nor memory that the caller lent.
  const bool reusable = tape.consumes() && slot > 0 && ops::exclusive(node) && node->block_bytes;
  if (!reusable) return ops::make(x.shape(), x.dtype());
  node->generation = 0;
  return x;
}

void detail::throw_saved_changed(const char* function, const Node* node) {
  throw TapeError(std::string("backward of ") + function + ": a tensor of shape " +
                  to_string(node->shape) + " that it had saved was changed in place by " +
                  (node->base->changed_by ? node->base->changed_by : "an in-place operation") +
                  "; need backward before the change, or a change of a copy (clone)");
}

}  // namespace autograd
