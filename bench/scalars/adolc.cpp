// SPDX-License-Identifier: Apache-2.0
// ADOL-C: a tape of operations, interpreted backward. Each evaluation records anew, as ours does.
#include <adolc/adolc.h>

#include <memory>

#include "scalars.hpp"

namespace bench {
namespace {

struct Adolc {
  /// One recording and its sweep; the gradient is added to dx. What does not fit into `room` entries
  /// goes to files.
  template <class F>
  static double sweep(const std::vector<double>& x, std::vector<double>& row,
                      std::vector<double>& dx, int room, F f) {
    constexpr short kTape = 1;
    const std::size_t n = x.size();
    double value = 0;
    trace_on(kTape, 1, room, room, room, room);
    {
      const auto in = std::make_unique<adouble[]>(n);
      for (std::size_t i = 0; i < n; ++i) in[i] <<= x[i];
      adouble y = f(in.get());
      y >>= value;
    }
    trace_off();
    double seed = 1;
    reverse(kTape, 1, static_cast<int>(n), 0, &seed, row.data());
    for (std::size_t i = 0; i < n; ++i) dx[i] += row[i];
    return value;
  }

  template <class W>
  static double gradient(const W& workload, const std::vector<double>& x, std::vector<double>& dx) {
    std::vector<double> row(x.size());
    std::fill(dx.begin(), dx.end(), 0.0);
    double value = 0;
    if constexpr (MonteCarlo<W>) {
      for (int i = 0; i < workload.terms(); ++i) {
        value +=
            sweep(x, row, dx, 1 << 18, [&](const adouble* in) { return workload.term(in, i); });
      }
    } else {
      value = sweep(x, row, dx, 1 << 25, [&](const adouble* in) { return workload.value(in); });
    }
    return value;
  }
};

const RegisterPeer kAdolc({"ADOL-C", [](const Workloads& w) { return for_all(w, Adolc()); }});

}  // namespace
}  // namespace bench
