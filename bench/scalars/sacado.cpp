// SPDX-License-Identifier: Apache-2.0
// Sacado, reverse mode: a graph of nodes in an arena, which the next evaluation uses again.
#define TRILINOS_NO_CONFIG_H  // this one header needs nothing else of Trilinos
#include <Sacado_trad.hpp>

#include <algorithm>

#include "scalars.hpp"

namespace bench {
namespace {

struct Reverse {
  using Scalar = Sacado::Rad::ADvar<double>;

  template <class F>
  static double sweep(const std::vector<double>& x, std::vector<Scalar>& in,
                      std::vector<double>& dx, F f) {
    for (std::size_t i = 0; i < x.size(); ++i) in[i] = x[i];
    Scalar y = f(in.data());
    Scalar::Gradcomp();
    for (std::size_t i = 0; i < x.size(); ++i) dx[i] += in[i].adj();
    return y.val();
  }

  template <class W>
  static double gradient(const W& workload, const std::vector<double>& x, std::vector<double>& dx) {
    std::vector<Scalar> in(x.size());
    std::fill(dx.begin(), dx.end(), 0.0);
    double value = 0;
    if constexpr (MonteCarlo<W>) {
      for (int i = 0; i < workload.terms(); ++i) {
        value += sweep(x, in, dx, [&](const Scalar* p) { return workload.term(p, i); });
      }
    } else {
      value = sweep(x, in, dx, [&](const Scalar* p) { return workload.value(p); });
    }
    return value;
  }
};

const RegisterPeer kSacado({"Sacado", [](const Workloads& w) { return for_all(w, Reverse()); }});

}  // namespace
}  // namespace bench
