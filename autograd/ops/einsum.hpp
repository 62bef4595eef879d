// SPDX-License-Identifier: Apache-2.0
// What an index expression means and in which order its operands are best contracted: shapes and letters
// alone, no tensors. einsum.cpp, one folder up, carries it out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../shape.hpp"

namespace autograd::ops {

/// A letter or an axis of "...", as a number: capitals, small letters, then axes from left to right.
using Label = int;
using Labels = std::vector<Label>;
/// A bit for each label.
using LabelSet = std::uint64_t;

inline constexpr Label kEllipsis = 52;
inline constexpr int kLabels = kEllipsis + kMaxDim;

LabelSet set_of(const Labels& labels);
inline bool contains(LabelSet set, Label label) { return set >> label & 1; }

struct EinsumPlan {
  std::vector<Labels> operands;  // one label for each axis
  Labels output;
  std::array<std::int64_t, kLabels> extent{};
  /// Pairs in the order of their contraction. Results are numbered on after the operands.
  std::vector<std::pair<int, int>> steps;

  /// Throws ValueError for an expression that is none, ShapeError where the shapes do not fit.
  EinsumPlan(const std::string& expression, const std::vector<Shape>& shapes);

  /// The labels of operand k, without repetition and without axes of 1 that others have longer.
  LabelSet present(std::size_t k, const Shape& shape) const;

 private:
  void measure(const std::vector<Shape>& shapes);
};

}  // namespace autograd::ops
