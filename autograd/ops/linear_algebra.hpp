// SPDX-License-Identifier: Apache-2.0
// Matrix products.
#pragma once

#include "elementwise.hpp"
#include "op.hpp"
#include "tiny_layer.hpp"

namespace autograd::ops {

/// a [..., m, k] by b [..., k, n]; leading axes broadcast.
struct Matmul {
  static constexpr OpInfo info{"matmul", "a b", "dy b^T, a^T dy"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& a, const Tensor& b) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};

/// x [..., k], W [n, k], b [n]: x W^T + b.
struct Linear {
  static constexpr OpInfo info{"linear", "x W^T + b", "dy W, dy^T x, sum of dy"};
  static constexpr unsigned kSavedInputs = 0b011;
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::inputs; }
  AUTOGRAD_INLINE Tensor forward(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
    if (Tensor y = tiny_layer_forward<void>(x, weight, bias); y.defined()) [[likely]]
      return y;
    return any_size(x, weight, bias);
  }
  template <class Dx>
  AUTOGRAD_INLINE void backward(const Saved<3>& saved, const Tensor& dy, Dx& dx) const {
    if (!tiny_layer_backward<void>(saved, dy, dx)) [[unlikely]]
      any_backward(saved, dy, dx);
  }

 private:
  static Tensor any_size(const Tensor& x, const Tensor& weight, const Tensor& bias);
  static void any_backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx);
};
/// Row(x W^T + b) for a row whose slope reads its value: one record, and no tensor in between.
template <class Row> struct LinearThen {
  static_assert(Row::info.reads == Reads::y);
  static const OpInfo info;
  static constexpr unsigned kSavedInputs = 0b011;
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::both; }
  AUTOGRAD_INLINE Tensor forward(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
    if (Tensor y = tiny_layer_forward<Row>(x, weight, bias); y.defined()) [[likely]]
      return y;
    return any_size(x, weight, bias);
  }
  template <class Dx>
  AUTOGRAD_INLINE void backward(const Saved<3>& saved, const Tensor& dy, Dx& dx) const {
    if (!tiny_layer_backward<Row>(saved, dy, dx)) [[unlikely]]
      any_backward(saved, dy, dx);
  }

 private:
  static Tensor any_size(const Tensor& x, const Tensor& weight, const Tensor& bias);
  static void any_backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx);
};
template <>
inline constexpr OpInfo LinearThen<Sigmoid>::info{"linear, sigmoid", "sigmoid(x W^T + b)",
                                                  "that of linear for dy y (1 - y)"};
template <>
inline constexpr OpInfo LinearThen<Tanh>::info{"linear, tanh", "tanh(x W^T + b)",
                                               "that of linear for dy (1 - y^2)"};
template <>
inline constexpr OpInfo LinearThen<Relu>::info{"linear, relu", "max(x W^T + b, 0)",
                                               "that of linear for dy where y > 0"};
/// Linear without b.
struct LinearNoBias {
  static constexpr OpInfo info{"linear, no bias", "x W^T", "dy W, dy^T x"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& x, const Tensor& weight) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};

}  // namespace autograd::ops
