// SPDX-License-Identifier: Apache-2.0
// Views, copies and choices: operations that move elements without computing.
#pragma once

#include "op.hpp"

namespace autograd::ops {

struct Transpose {
  static constexpr OpInfo info{"transpose", "two axes exchanged", "transpose(dy)", "a view"};
  static std::vector<OpCase> cases();
  int axis0 = 0, axis1 = 1;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Reshape {
  static constexpr OpInfo info{"reshape", "the same elements, another shape", "reshape(dy)",
                               "a view where strides allow"};
  static std::vector<OpCase> cases();
  Shape shape, from;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct BroadcastTo {
  static constexpr OpInfo info{"broadcast_to", "x repeated to a shape", "dy summed to x's shape",
                               "a view"};
  static std::vector<OpCase> cases();
  Shape shape, from;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Contiguous {
  static constexpr OpInfo info{"contiguous", "a row-major copy of x", "dy"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Cast {
  static constexpr OpInfo info{"to", "x in another dtype", "dy in x's dtype"};
  static std::vector<OpCase> cases();
  DType dtype = DType::float32, from = DType::float32;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// a where c, else b; the condition is an attribute, never differentiated.
struct Where {
  static constexpr OpInfo info{"where", "c ? a : b", "dy where c, dy where not c",
                               "the other side gets 0, never NaN"};
  static std::vector<OpCase> cases();
  Attribute condition;
  Shape a_shape, b_shape;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& a, const Tensor& b) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};
struct Pick {
  static constexpr OpInfo info{"pick", "x[i, index[i]]", "unpick(dy)"};
  static std::vector<OpCase> cases();
  Attribute index;
  std::int64_t columns = 0;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Unpick {
  static constexpr OpInfo info{"unpick", "zeros with y[i] at [i, index[i]]", "pick(dy)"};
  static std::vector<OpCase> cases();
  Attribute index;
  std::int64_t columns = 0;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& y) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
