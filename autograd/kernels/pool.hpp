// SPDX-License-Identifier: Apache-2.0
// Windows over up to three spatial axes, and linear maps along one axis: what pooling and resampling
// come down to. Plain loops, split over planes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace autograd::kernels {

/// The windows along one axis: output o reads inputs first[o] + i step, i < count[o], all inside.
struct AxisWindows {
  std::int64_t in = 1, step = 1;
  std::vector<std::int64_t> first = {0}, count = {1};

  std::int64_t out() const { return static_cast<std::int64_t>(first.size()); }
};
/// Missing axes come first, with extent 1.
using Windows = std::array<AxisWindows, 3>;

/// Where the largest element of each window lies: index[plane, outputs], counted within the plane. Of
/// equal ones the first, else the first NaN; -1 for an empty window. x: [planes, in...].
template <class T>
void max_pool_index(const Windows& windows, const T* x, std::int64_t* index, std::size_t planes);

/// A sparse matrix in rows: output o is the sum of weight[t] x[source[t]] over t from begin[o] to
/// begin[o + 1], divided by divisor[o] where there are divisors.
struct AxisMap {
  std::int64_t in = 0;
  std::vector<std::int64_t> begin = {0}, source;
  std::vector<double> weight, divisor;

  std::int64_t out() const { return static_cast<std::int64_t>(begin.size()) - 1; }
  void add(std::int64_t from, double w) {
    source.push_back(from);
    weight.push_back(w);
  }
  void end_row() { begin.push_back(static_cast<std::int64_t>(source.size())); }
};
/// The adjoint.
AxisMap transposed(const AxisMap& map);

/// y[o, :, i] = map x[o, :, i]; sums in double. x: [outer, map.in, inner].
template <class T>
void resample(const AxisMap& map, const T* x, T* y, std::size_t outer, std::size_t inner);

}  // namespace autograd::kernels
