// SPDX-License-Identifier: Apache-2.0
#include "sparse.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "create.hpp"
#include "error.hpp"
#include "tape_storage.hpp"

namespace autograd {

Tensor SparseMatrix::dense() const {
  detail::Matrix matrix(static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]));
  for (std::size_t k = 0; k < values.size(); ++k) {
    matrix.at(static_cast<std::size_t>(rows[k]), static_cast<std::size_t>(cols[k])) = values[k];
  }
  return matrix.tensor();
}

detail::Linearization Tape::linearize(std::span<const Var> y) {
  detail::Linearization f;
  const auto n = static_cast<std::size_t>(inputs_), m = y.size();
  f.inputs = inputs_;
  if (storage_->last) {  // tensor records have no entries: every output depends on every input
    std::vector<double> rows(m * n);
    pull_rows(y, rows.data());
    f.partial = std::move(rows);
    f.begin.resize(n + 1, 0);
    for (std::size_t i = 0; i < m; ++i) {
      for (std::int32_t j = 0; j < inputs_; ++j) f.index.push_back(j);
      f.begin.push_back(static_cast<std::int32_t>(f.index.size()));
      f.outputs.push_back(inputs_ + static_cast<std::int32_t>(i));
    }
    return f;
  }
  check_backward("sparse_jacobian");
  const auto count = static_cast<std::size_t>(statements());
  f.begin.reserve(n + count + 1);
  f.begin.resize(n + 1, 0);
  f.index.reserve(2 * count);
  f.partial.reserve(2 * count);
  for (std::size_t i = 0; i <= storage_->chunk; ++i) {
    const detail::Chunk& chunk = storage_->chunks[i];
    const detail::Count* end = i == storage_->chunk ? recorder_.counts : chunk.counts;
    const auto* entry = reinterpret_cast<const detail::Entry*>(chunk.begin);
    const auto* first = reinterpret_cast<const detail::Count*>(storage_->end_of_chunk(i));
    for (const detail::Count* c = first; c-- != end;) {
      for (int e = static_cast<int>(*c); e > 0; --e, ++entry) {
        if (entry->index == 0) continue;
        f.index.push_back(entry->index < 0 ? -entry->index - 1 : inputs_ + entry->index - 1);
        f.partial.push_back(entry->partial);
      }
      f.begin.push_back(static_cast<std::int32_t>(f.index.size()));
    }
  }
  for (const Var& output : y) {
    const std::int32_t index = resolve(output.tag());
    f.outputs.push_back(index == 0 ? -1 : index < 0 ? -index - 1 : inputs_ + index - 1);
  }
  return f;
}

namespace detail {

double SparsePlan::probe(std::size_t i) {
  const double turns = 0.6180339887498949 * static_cast<double>(i + 1);
  return 0.5 + (turns - std::floor(turns));
}

SparseMatrix SparsePlan::recover(const char* driver, const std::vector<double>& compressed,
                                 const std::vector<double>& probed) const {
  SparseMatrix matrix;
  const std::size_t n = pattern.columns.size();
  matrix.shape = {pattern.rows(), columns};
  matrix.rows.reserve(n);
  matrix.cols.reserve(n);
  matrix.values.reserve(n);
  for (std::int32_t i = 0; i < pattern.rows(); ++i) {
    for (const std::int32_t j : pattern.row(i)) {
      matrix.values.push_back(
          compressed[static_cast<std::size_t>(coloring.from[matrix.rows.size()])]);
      matrix.rows.push_back(i);
      matrix.cols.push_back(j);
    }
  }
  if (probed.empty()) return matrix;
  std::vector<double> product(probed.size()), size(probed.size());
  for (std::size_t k = 0; k < n; ++k) {
    const auto i = static_cast<std::size_t>(matrix.rows[k]);
    const double term = matrix.values[k] * probe(static_cast<std::size_t>(matrix.cols[k]));
    product[i] += term;
    size[i] += std::abs(term);
  }
  for (std::size_t i = 0; i < probed.size(); ++i) {
    const double error = std::abs(product[i] - probed[i]);
    // What is not finite proves nothing.
    if (std::isfinite(error) && error > 1e-7 * (size[i] + std::abs(probed[i])) + 1e-280) {
      throw BranchError(std::string(driver) +
                        ": the sparsity pattern is not that of the point it "
                        "was found at: row " +
                        std::to_string(i) +
                        " has derivatives elsewhere; "
                        "need a point where f takes the same branches, or a new pattern");
    }
  }
  return matrix;
}

SparsePlan plan_hessian(const Trace& trace, std::int32_t n, std::int32_t y) {
  SparsePlan plan;
  plan.columns = n;
  plan.pattern = hessian_pattern(trace, n, y);
  plan.coloring = color_symmetric(plan.pattern);
  return plan;
}

namespace {

std::int32_t longest_row(const Pattern& pattern) {
  std::int32_t longest = 0;
  for (std::size_t i = 0; i + 1 < pattern.begin.size(); ++i) {
    longest = std::max(longest, pattern.begin[i + 1] - pattern.begin[i]);
  }
  return longest;
}

}  // namespace

SparsePlan plan_jacobian(const Linearization& f) {
  SparsePlan plan;
  plan.columns = f.inputs;
  plan.pattern = jacobian_pattern(f);
  // Columns need as many colors as the fullest row has entries, rows as the fullest column has.
  const Pattern columns = transposed(plan.pattern, f.inputs);
  plan.by_rows = longest_row(plan.pattern) > longest_row(columns);
  if (!plan.by_rows) {
    plan.coloring = color_columns(plan.pattern, f.inputs);
    return plan;
  }
  plan.coloring = color_columns(columns, plan.pattern.rows());
  // In the order of the pattern: entry (i, j) stands in row j of the product, at the color of i.
  plan.coloring.from.clear();
  for (std::int32_t i = 0; i < plan.pattern.rows(); ++i) {
    for (const std::int32_t j : plan.pattern.row(i)) {
      plan.coloring.from.push_back(std::int64_t{j} * plan.coloring.colors +
                                   plan.coloring.of[static_cast<std::size_t>(i)]);
    }
  }
  return plan;
}

SparseMatrix evaluate(const SparsePlan& plan, const Linearization& f, bool check) {
  check_length("sparse_jacobian", "x", static_cast<std::size_t>(f.inputs), "the pattern",
               static_cast<std::size_t>(plan.columns));
  check_length("sparse_jacobian", "the result of f", f.outputs.size(), "the pattern",
               static_cast<std::size_t>(plan.pattern.rows()));
  std::vector<double> probed;
  if (check) probed = push_direction(f, SparsePlan::probe);
  return plan.recover("sparse_jacobian",
                      plan.by_rows ? pull(f, plan.coloring) : push(f, plan.coloring), probed);
}

}  // namespace detail
}  // namespace autograd
