// SPDX-License-Identifier: Apache-2.0
// Convolution with its two adjoints. The three are the partial derivatives of one trilinear form
// F(x, w, y) = sum x[..] w[..] y[..]: y = dF/dy, x = dF/dx, w = dF/dw. So the derivative of each is one
// of the other two, and every order comes out of these three.
#pragma once

#include "../kernels/conv.hpp"
#include "op.hpp"

namespace autograd {
struct ConvOptions;
struct ConvTransposeOptions;
}  // namespace autograd

namespace autograd::ops {

/// A checked convolution of tensors with `axes` spatial axes.
struct ConvGeometry {
  int axes = 2;
  kernels::ConvShape s;

  Shape x() const { return shape(s.images, s.channels, s.in); }
  Shape w() const { return shape(s.filters, s.channels / s.groups, s.kernel); }
  Shape y() const { return shape(s.images, s.filters, s.out); }

 private:
  Shape shape(std::int64_t first, std::int64_t second, const kernels::ConvShape::Axes& space) const;
};

/// From the shapes of x [n, c, ...] and weight. Throws in the name of `function`.
ConvGeometry conv_geometry(const char* function, const Shape& x, const Shape& weight,
                           const ConvOptions& options);
/// The one whose adjoint conv_transpose is: `y` is what that function takes as its x.
ConvGeometry conv_transpose_geometry(const char* function, const Shape& y, const Shape& weight,
                                     const ConvTransposeOptions& options);

// Recorded: x [n, c, ...], w [o, c / groups, ...], y [n, o, ...], bias [o].
Tensor convolve(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry);
Tensor convolve_data(const Tensor& y, const Tensor& w, const ConvGeometry& geometry);
Tensor convolve_weight(const Tensor& x, const Tensor& y, const ConvGeometry& geometry);

struct Conv {
  static constexpr OpInfo info{"conv", "cross-correlation of x with a weight, plus bias",
                               "conv_data(dy, w), conv_weight(x, dy), sum(dy)",
                               "one to three spatial axes"};
  static std::vector<OpCase> cases();
  static constexpr unsigned kSavedInputs = 0b011;
  ConvGeometry geometry;

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& x, const Tensor& w, const Tensor& bias) const;
  void backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const;
};
struct ConvData {
  static constexpr OpInfo info{"conv_data", "the adjoint of conv in x: conv_transpose",
                               "conv(dy, w), conv_weight(dy, y)"};
  static std::vector<OpCase> cases();
  ConvGeometry geometry;

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& y, const Tensor& w) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};
struct ConvWeight {
  static constexpr OpInfo info{"conv_weight", "the adjoint of conv in its weight",
                               "conv_data(y, dy), conv(x, dy)"};
  static std::vector<OpCase> cases();
  ConvGeometry geometry;

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& x, const Tensor& y) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};

}  // namespace autograd::ops
