// SPDX-License-Identifier: Apache-2.0
// Apart from reduce.cpp, so that a program without min is linked without it and its public functions.
#include "../kernels/reduce.hpp"
#include "../reductions.hpp"
#include "reduce.hpp"
#include "reduce_axes.hpp"

namespace autograd::ops {

Tensor Min::forward(const Tensor& x) const {
  require_elements(info.name, x, axes);
  return dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    return reduce<T>(x, axes, keepdim, &kernels::min<T>);
  });
}
void Min::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, share_evenly(dy, saved.in[0], saved.y, axes));
}
std::vector<OpCase> Min::cases() {
  return {{"all", {{3, 4}}, [](const std::vector<Tensor>& in) { return min(in[0]); }},
          {"rows of a transpose",
           {{3, 4}},
           [](const std::vector<Tensor>& in) { return min(transpose(in[0]), {0}); }},
          {"columns, kept",
           {{2, 3, 4}},
           [](const std::vector<Tensor>& in) { return min(in[0], {-1}, {.keepdim = true}); }},
          {"scalar", {Shape{}}, [](const std::vector<Tensor>& in) { return min(in[0]); }}};
}

}  // namespace autograd::ops
