// SPDX-License-Identifier: Apache-2.0
// Forward mode over the workloads: what it says is held against every reverse mode that is timed.
#include <autograd/autograd.hpp>

#include <algorithm>

#include "scalars.hpp"

namespace bench {
namespace {

constexpr int kWidth = 8;  // inputs at a time
using autograd::Dual;

struct Forward {
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  template <class W>
  static double gradient(const W& workload, const std::vector<double>& x, std::vector<double>& dx) {
    std::vector<Dual<kWidth>> in(x.begin(), x.end());
    const int size = static_cast<int>(x.size());
    double value = 0;
    for (int first = 0; first < size; first += kWidth) {
      const int n = std::min(kWidth, size - first);
      for (int i = 0; i < n; ++i) in[at(first + i)].set_tangent(i, 1);
      const Dual<kWidth> y = value_of(workload, in.data());
      value = y.value();
      for (int i = 0; i < n; ++i) {
        dx[at(first + i)] = y.tangent(i);
        in[at(first + i)].set_tangent(i, 0);
      }
    }
    return value;
  }
};

}  // namespace

Gradients forward_gradients(const Workloads& workloads) {
  Gradients gradients = for_all(workloads, Forward());
  gradients[kRows - 1] = gradients[3];
  return gradients;
}

}  // namespace bench
