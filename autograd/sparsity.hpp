// SPDX-License-Identifier: Apache-2.0
// Where a Jacobian or Hessian can be other than zero, and the groups of columns or rows that one sweep
// serves. Internal; sparse.hpp drives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace autograd::detail {

class Trace;

/// Positions in rows, columns ascending: those of row i are columns[begin[i]] to columns[begin[i + 1]].
struct Pattern {
  std::vector<std::int32_t> begin{0};
  std::vector<std::int32_t> columns;

  std::int32_t rows() const { return static_cast<std::int32_t>(begin.size()) - 1; }
  std::span<const std::int32_t> row(std::int32_t i) const {
    const auto k = static_cast<std::size_t>(i);
    return std::span(columns).subspan(static_cast<std::size_t>(begin[k]),
                                      static_cast<std::size_t>(begin[k + 1] - begin[k]));
  }
};

/// The pattern of the Hessian of node y of a trace with n inputs: both triangles. Symbolic edge pushing
/// (Gower and Mello, A new framework for the computation of Hessians, 2012): nodes are eliminated from
/// the last to the first, and what a node is coupled with nonlinearly passes to its operands.
Pattern hessian_pattern(const Trace& trace, std::int32_t n, std::int32_t y);

/// Colors 0, 1, ... of columns, and where the entry at each position of the pattern then stands in the
/// product of the matrix with the sums of the columns of a color: row colors + color.
struct Coloring {
  std::int32_t colors = 0;
  std::vector<std::int32_t> of;    // -1: an empty column
  std::vector<std::int64_t> from;  // for each position
};

/// A star coloring: no path of four vertices has two colors, so that each entry of a symmetric matrix
/// stands alone in one of its two places (Gebremedhin, Manne, Pothen 2005; the algorithm that tracks
/// stars: Gebremedhin, Tarafdar, Manne, Pothen 2007). Columns with very many entries get a color each.
Coloring color_symmetric(const Pattern& pattern);
/// Columns that share a row differ in color (Curtis, Powell, Reid 1974).
Coloring color_columns(const Pattern& pattern, std::int32_t columns);
Pattern transposed(const Pattern& pattern, std::int32_t columns);

/// The recording of a tape as one linear map: node k is the sum of partial[e] times node index[e], e
/// from begin[k] to begin[k + 1]. Nodes 0 to inputs - 1 are the inputs.
struct Linearization {
  std::int32_t inputs = 0;
  std::vector<std::int32_t> begin;
  std::vector<std::int32_t> index;
  std::vector<double> partial;
  std::vector<std::int32_t> outputs;  // -1: a constant

  std::int32_t nodes() const { return static_cast<std::int32_t>(begin.size()) - 1; }
};
/// Which inputs each output depends on.
Pattern jacobian_pattern(const Linearization& f);
/// The Jacobian times the sums of the columns of each color: [outputs, colors].
std::vector<double> push(const Linearization& f, const Coloring& columns);
/// The Jacobian times the direction (v(0), v(1), ...): [outputs].
std::vector<double> push_direction(const Linearization& f, double (*v)(std::size_t));
/// The sums of the rows of each color: [inputs, colors].
std::vector<double> pull(const Linearization& f, const Coloring& rows);

}  // namespace autograd::detail
