// expect: this op is not in ops/list.hpp
// SPDX-License-Identifier: Apache-2.0
// An op that tests, benchmarks and the op table would not see cannot be applied.
#include <autograd/apply.hpp>

using autograd::Tensor, autograd::apply;

struct Twice {
  static constexpr autograd::ops::OpInfo info{"twice", "2 x", "2 dy"};
  static std::vector<autograd::ops::OpCase> cases() { return {}; }
  autograd::ops::Saves saved() const { return autograd::ops::Saves::nothing; }
  Tensor forward(const Tensor& x) const { return x * 2.0; }
  void backward(const autograd::ops::Saved<1>&, const Tensor& dy,
                autograd::ops::Gradients<1>& dx) const {
    dx.set(0, dy * 2.0);
  }
};

Tensor listed(const Tensor& x) { return apply(autograd::ops::Transpose{}, x); }
#ifdef MUST_NOT_COMPILE
Tensor unlisted(const Tensor& x) { return apply(Twice{}, x); }
#endif
