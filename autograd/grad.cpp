// SPDX-License-Identifier: Apache-2.0
#include "grad.hpp"

#include <algorithm>
#include <string>

#include "apply.hpp"
#include "create.hpp"

namespace autograd {

namespace {

std::string count(std::size_t n) { return std::to_string(n); }

// An input that f does not use.
[[noreturn]] void throw_unused(const char* driver, std::size_t k) {
  throw TapeError(std::string(driver) + ": f does not use input " + count(k) +
                  "; need every input to reach the output, or {.allow_unused = true} for zeros");
}

Tensor zeros_of(const Tensor& x) { return zeros(x.shape(), x.dtype()); }

/// One call of f on inputs of a tape of its own.
class Recorded {
 public:
  Recorded(const char* driver, const TensorFunction& f, const std::vector<Tensor>& inputs)
      : driver_(driver) {
    if (!f) throw ValueError(std::string(driver) + ": f is empty; need a function to call");
    for (const Tensor& x : inputs) leaves_.push_back(tape_.input(x));
    y_ = f(leaves_);
    if (!y_.defined()) throw ValueError(std::string(driver) + ": f returned no tensor");
  }

  const Tensor& y() const { return y_; }
  void require_one_element() const {
    if (y_.numel() == 1) return;
    throw TapeError(std::string(driver_) + ": f returns more than one element: shape is " +
                    to_string(y_.shape()) +
                    "; need one element (use sum), or vjp with a cotangent of that shape as seed");
  }
  /// The adjoints of the inputs; zeros for those that f does not use, where that is allowed.
  std::vector<Tensor> pull(const Tensor& cotangent, bool allow_unused, bool retain = false) {
    std::vector<Tensor> gradients(leaves_.size());
    if (tape_.find(y_.node())) gradients = tape_.gradients(y_, cotangent, leaves_, retain);
    for (std::size_t k = 0; k < leaves_.size(); ++k) {
      if (gradients[k].defined()) continue;
      if (!allow_unused) throw_unused(driver_, k);
      gradients[k] = zeros_of(leaves_[k]);
    }
    return gradients;
  }

 private:
  const char* driver_;
  Tape tape_;
  std::vector<Tensor> leaves_;
  Tensor y_;
};

void check_directions(const char* driver, const std::vector<Tensor>& inputs,
                      const std::vector<Tensor>& v) {
  if (v.size() != inputs.size()) {
    throw ShapeError(std::string(driver) + ": there are " + count(v.size()) + " directions and " +
                     count(inputs.size()) + " inputs; need one direction per input (" +
                     count(v.size()) + " != " + count(inputs.size()) + ")");
  }
  for (std::size_t k = 0; k < v.size(); ++k) {
    if (v[k].shape() == inputs[k].shape() && v[k].dtype() == inputs[k].dtype()) continue;
    throw ShapeError(std::string(driver) + ": direction " + count(k) + " does not fit: it is " +
                     name(v[k].dtype()) + " " + to_string(v[k].shape()) + ", the input is " +
                     name(inputs[k].dtype()) + " " + to_string(inputs[k].shape()) +
                     "; need equal shape and dtype");
  }
}

// The sum of all products of elements.
Tensor inner_product(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  Tensor total;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (a[k].numel() == 0) continue;
    const Tensor term = sum(a[k] * b[k]);
    total = total.defined() ? total + to(term, total.dtype()) : term;
  }
  return total;
}

// ds/du by the sweep of the tape, which ends its recording; zeros when s does not depend on u.
Tensor adjoint_of(Tape& tape, const Tensor& s, const Tensor& u) {
  Tensor adjoint;
  if (s.defined() && tape.find(s.node())) adjoint = tape.gradients(s, Tensor(), {u})[0];
  return adjoint.defined() ? adjoint : zeros_of(u);
}

// Element i is 1, the others are 0.
Tensor unit(const Tensor& like, std::int64_t i) {
  Tensor e = zeros_of(like);
  if (e.dtype() == float32) {
    e.mutable_data<float>()[static_cast<std::size_t>(i)] = 1;
  } else {
    e.mutable_data<double>()[static_cast<std::size_t>(i)] = 1;
  }
  return e;
}

Shape joined(const Shape& a, const Shape& b) {
  std::vector<std::int64_t> extents;
  for (int i = 0; i < a.dim(); ++i) extents.push_back(a[i]);
  for (int i = 0; i < b.dim(); ++i) extents.push_back(b[i]);
  return Shape(extents);
}

/// A matrix of m rows that arrive one by one, each of the shape of x: in the end [y..., x...].
class Rows {
 public:
  Rows(const Tensor& y, const Tensor& x) : y_(y.shape()), x_(x.shape()), m_(y.numel()) {
    rows_ = zeros({m_, x.numel()}, x.dtype());
  }
  void set(std::int64_t i, const Tensor& row) {
    const std::int64_t n = rows_.size(1);
    if (n == 0) return;
    if (!detail::recorder->tape && !detail::is_batched(row.node())) {
      const Tensor source = contiguous(row);
      const auto at = static_cast<std::size_t>(i * n), size = static_cast<std::size_t>(n);
      if (row.dtype() == float32) {
        std::ranges::copy(source.data<float>(),
                          rows_.mutable_data<float>().subspan(at, size).data());
      } else {
        std::ranges::copy(source.data<double>(),
                          rows_.mutable_data<double>().subspan(at, size).data());
      }
    } else {  // recorded by the tapes in scope
      rows_ = rows_ + matmul(unit(zeros({m_, 1}, row.dtype()), i), reshape(row, {1, n}));
    }
  }
  Tensor tensor() const { return reshape(rows_, joined(y_, x_)); }

 private:
  Shape y_, x_;
  std::int64_t m_;
  Tensor rows_;
};

}  // namespace

namespace detail {

std::pair<Tensor, std::vector<Tensor>> value_and_grad(const char* driver, const TensorFunction& f,
                                                      const std::vector<Tensor>& inputs,
                                                      const Tensor& cotangent,
                                                      GradOptions options) {
  Recorded recorded(driver, f, inputs);
  if (!cotangent.defined()) recorded.require_one_element();
  std::vector<Tensor> gradients = recorded.pull(cotangent, options.allow_unused);
  // The value as the outer tapes know it; this one ends here.
  return {recorded.y(), std::move(gradients)};
}

// The transposed product u -> u^T J is linear in u, and its own transposed product is J v: two reverse
// sweeps, no forward rule of any operation.
std::pair<Tensor, Tensor> jvp(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const std::vector<Tensor>& v, GradOptions options) {
  check_directions("jvp", inputs, v);
  Tape tape;
  Tensor y, u, s;
  {
    // An outer tape records the second sweep too, which reads values of f: they have to belong to a tape
    // that has not ended by then.
    std::vector<Tensor> own = inputs;
    for (Tensor& x : own) {
      if (tape.parent()) x = tape.input(x);
    }
    Recorded recorded("jvp", f, own);
    y = recorded.y();
    u = tape.input(zeros_of(y));
    s = inner_product(recorded.pull(u, options.allow_unused), v);
  }
  return {y, adjoint_of(tape, s, u)};
}

std::vector<Tensor> hvp(const TensorFunction& f, const std::vector<Tensor>& inputs,
                        const std::vector<Tensor>& v, GradOptions options) {
  check_directions("hvp", inputs, v);
  Tape tape;
  std::vector<Tensor> leaves;
  for (const Tensor& x : inputs) leaves.push_back(tape.input(x));
  const Tensor s = inner_product(value_and_grad("hvp", f, leaves, Tensor(), options).second, v);
  std::vector<Tensor> products(inputs.size());
  if (s.defined() && tape.find(s.node())) products = tape.gradients(s, Tensor(), leaves);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!products[k].defined()) products[k] = zeros_of(inputs[k]);  // f is linear in it
  }
  return products;
}

std::vector<Tensor> jacobian(const TensorFunction& f, const std::vector<Tensor>& inputs,
                             GradOptions options) {
  Recorded recorded("jacobian", f, inputs);
  std::vector<Rows> rows;
  for (const Tensor& x : inputs) rows.emplace_back(recorded.y(), x);
  for (std::int64_t i = 0; i < recorded.y().numel(); ++i) {
    const auto gradients = recorded.pull(unit(recorded.y(), i), options.allow_unused, true);
    for (std::size_t k = 0; k < rows.size(); ++k) rows[k].set(i, gradients[k]);
  }
  std::vector<Tensor> result;
  for (const Rows& matrix : rows) result.push_back(matrix.tensor());
  return result;
}

std::vector<std::vector<Tensor>> hessian(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                         GradOptions options) {
  std::vector<std::vector<Tensor>> result;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    // A gradient that does not depend on some input has a derivative of 0 by it: f is linear there.
    const TensorFunction gradient = [&](const std::vector<Tensor>& x) {
      return value_and_grad("hessian", f, x, Tensor(), options).second[k];
    };
    result.push_back(jacobian(gradient, inputs, {.allow_unused = true}));
  }
  return result;
}

}  // namespace detail
}  // namespace autograd
