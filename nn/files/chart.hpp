// SPDX-License-Identifier: Apache-2.0
// Pictures of a training run, as PNG (needs libpng when nn is built): curves and confusion matrices. Words
// are drawn in capitals: A to Z, digits and . - + _ / : of ASCII.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>

namespace nn {

struct Curve {
  std::string name;
  std::vector<double> values;  ///< evenly spaced from left to right; those not finite are gaps
};

struct ChartOptions {
  std::string title = {};
  std::string x_name = {};   ///< of the horizontal axis
  double x_last = 0;         ///< what stands at its right end; 0: the most values of a curve
  bool logarithmic = false;  ///< upwards; values <= 0 are gaps
};

/// Curves of any lengths over one width, on a common axis. Atomic. Throws ValueError for no curves or more
/// than 8, IoError.
void write_curves(const std::string& path, const std::vector<Curve>& curves,
                  const ChartOptions& options = {});

/// counts: [k, k], rows the truth and columns the prediction; a cell is the darker the larger its share of
/// its row. Numbers are written into the cells up to k = 32, names beside them where given. Atomic. Throws
/// ShapeError unless square with 1 <= k <= 512, ValueError for a negative count or a number of names that
/// is not k, IoError.
void write_confusion_matrix(const std::string& path, const autograd::Tensor& counts,
                            const std::vector<std::string>& names = {});

}  // namespace nn
