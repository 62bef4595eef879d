// SPDX-License-Identifier: Apache-2.0
// einsum: diagonals and sums of single operands, then products of pairs as ops/einsum.hpp plans them.
// Made of recorded functions, so derivatives of all orders are theirs.
#include "ops/einsum.hpp"
#include "apply.hpp"
#include "linalg.hpp"
#include "ops/matrices.hpp"

namespace autograd {

namespace {

using ops::EinsumPlan;
using ops::Label;
using ops::Labels;
using ops::LabelSet;

struct Operand {
  Tensor x;
  Labels labels;
};

// The axes of x in the order of `labels`, which are its own.
Tensor arranged(const Operand& operand, const Labels& labels) {
  Tensor x = operand.x;
  Labels have = operand.labels;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::size_t j = i;
    while (have[j] != labels[i]) ++j;
    if (i == j) continue;
    x = transpose(x, static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
    std::swap(have[i], have[j]);
  }
  return x;
}

Shape extents_of(const EinsumPlan& plan, const Labels& labels) {
  Shape shape;
  for (Label label : labels) shape.push_back(plan.extent[static_cast<std::size_t>(label)]);
  return shape;
}

std::int64_t product_of(const EinsumPlan& plan, const Labels& labels) {
  return extents_of(plan, labels).numel();
}

Labels joined(Labels a, const Labels& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Diagonals of repeated letters taken, axes of extent 1 that others have longer dropped, and what
// nobody else needs summed over.
Operand prepared(const EinsumPlan& plan, std::size_t k, const Tensor& source, LabelSet needed) {
  Operand y{source, plan.operands[k]};
  const LabelSet present = plan.present(k, source.shape());
  for (std::size_t i = 0; i < y.labels.size(); ++i) {
    for (std::size_t j = i + 1; j < y.labels.size();) {
      if (y.labels[i] != y.labels[j]) {
        ++j;
        continue;
      }
      y.x = detail::part(
          y.x, ops::Section::diagonal(y.x.shape(), static_cast<int>(i), static_cast<int>(j)));
      y.labels.erase(y.labels.begin() + static_cast<std::ptrdiff_t>(j));
    }
  }
  Labels long_ones, left;
  Axes summed;
  for (Label label : y.labels) {
    if (!ops::contains(present, label)) continue;
    if (ops::contains(needed, label)) {
      left.push_back(label);
    } else {
      summed.push_back(static_cast<std::int64_t>(long_ones.size()));
    }
    long_ones.push_back(label);
  }
  if (long_ones.size() != y.labels.size()) y.x = reshape(y.x, extents_of(plan, long_ones));
  if (!summed.empty()) y.x = sum(y.x, summed);
  y.labels = left;
  return y;
}

// a_bl c_br without a sum, all four kinds of axes as one each: [b, l, r].
Tensor broadcast_product(const Tensor& a, const Tensor& b, std::int64_t batch, std::int64_t left,
                         std::int64_t right) {
  if (left == 1 && right == 1) return reshape(a, Shape{batch}) * reshape(b, Shape{batch});
  return reshape(a, Shape{batch, left, 1}) * reshape(b, Shape{batch, 1, right});
}

Operand contracted(const EinsumPlan& plan, const Operand& a, const Operand& b, LabelSet needed) {
  const LabelSet of_a = ops::set_of(a.labels), of_b = ops::set_of(b.labels);
  Labels batch, summed, left, right;
  for (Label label : a.labels) {
    if (!ops::contains(of_b, label)) {
      left.push_back(label);
    } else {
      (ops::contains(needed, label) ? batch : summed).push_back(label);
    }
  }
  for (Label label : b.labels) {
    if (!ops::contains(of_a, label)) right.push_back(label);
  }
  const std::int64_t p = product_of(plan, batch), k = product_of(plan, summed);
  const std::int64_t m = product_of(plan, left), n = product_of(plan, right);
  const Tensor x = arranged(a, joined(joined(batch, left), summed));
  Operand y{{}, joined(joined(batch, left), right)};
  if (summed.empty()) {
    y.x = broadcast_product(x, arranged(b, joined(batch, right)), p, m, n);
  } else if (batch.empty()) {
    y.x = matmul(reshape(x, Shape{m, k}), reshape(arranged(b, joined(summed, right)), Shape{k, n}));
  } else if (left.empty() && right.empty()) {
    y.x = sum(reshape(x, Shape{p, k}) * reshape(arranged(b, joined(batch, summed)), Shape{p, k}),
              {-1});
  } else {
    const Tensor z = arranged(b, joined(joined(batch, summed), right));
    y.x = matmul(reshape(x, Shape{p, m, k}), reshape(z, Shape{p, k, n}));
  }
  y.x = reshape(y.x, extents_of(plan, y.labels));
  return y;
}

void check_dtypes(const std::vector<Tensor>& operands) {
  for (const Tensor& x : operands) {
    if (!is_floating(x.dtype())) throw_not_floating("einsum", x.dtype());
    ops::require_same_dtype("einsum", operands[0], x);
  }
}

}  // namespace

Tensor einsum(const std::string& expression, const std::vector<Tensor>& operands) {
  std::vector<Shape> shapes;
  for (const Tensor& x : operands) shapes.push_back(x.shape());
  const EinsumPlan plan(expression, shapes);
  check_dtypes(operands);
  // The labels that each operand and result still has to have, by how many others use them.
  std::vector<Operand> values;
  std::vector<LabelSet> live;
  const auto needed_beside = [&](std::size_t i, std::size_t j) {
    LabelSet needed = ops::set_of(plan.output);
    for (std::size_t k = 0; k < live.size(); ++k) needed |= k == i || k == j ? 0 : live[k];
    return needed;
  };
  for (std::size_t k = 0; k < operands.size(); ++k) live.push_back(plan.present(k, shapes[k]));
  for (std::size_t k = 0; k < operands.size(); ++k) {
    values.push_back(prepared(plan, k, operands[k], needed_beside(k, k)));
  }
  for (std::size_t k = 0; k < operands.size(); ++k) live[k] = ops::set_of(values[k].labels);
  for (const auto& [i, j] : plan.steps) {
    const auto p = static_cast<std::size_t>(i), q = static_cast<std::size_t>(j);
    values.push_back(contracted(plan, values[p], values[q], needed_beside(p, q)));
    live[p] = live[q] = 0;
    live.push_back(ops::set_of(values.back().labels));
  }
  return arranged(values.back(), plan.output);
}

}  // namespace autograd
