// SPDX-License-Identifier: Apache-2.0
// What the parts of bench_scalars share. Each file here is one way to get the gradients of all
// workloads: ours, and every library that CMakeLists.txt found installed. It makes itself known with a
// static Engine; bench_scalars.cpp times all of them in turn.
#pragma once

#include <functional>
#include <vector>

#include "../workloads.hpp"

namespace bench {

/// Value of a workload at its point; the gradient goes into dx, which has its size.
using Gradient = std::function<double(std::vector<double>& dx)>;

/// The workloads in order, then the mixture of Gaussians swept term by term.
inline constexpr int kRows = 11;
/// By row; an empty function where there is none.
using Gradients = std::vector<Gradient>;

/// A way to get gradients. The first one registered in main() is ours.
struct Engine {
  const char* name;
  Gradients (*make)(const Workloads&);
};
std::vector<Engine>& peers();
struct RegisterPeer {
  explicit RegisterPeer(Engine engine) { peers().push_back(engine); }
};

/// f.gradient(workload, x, dx) for every workload.
template <class F> Gradients for_all(const Workloads& workloads, F f) {
  Gradients gradients;
  workloads.for_each([&]<class W>(const W& workload) {
    gradients.push_back([&workload, f, x = workload.point()](std::vector<double>& dx) mutable {
      return f.gradient(workload, x, dx);
    });
  });
  gradients.resize(kRows);
  return gradients;
}

Gradients our_gradients(const Workloads& workloads);
/// The functions themselves (dx is left alone), in a file of their own: beside the gradient's code the
/// compiler could share work between the two or drop one.
Gradients plain_functions(const Workloads& workloads);
/// By forward mode, a few inputs at a time: what the others are checked against.
Gradients forward_gradients(const Workloads& workloads);

/// What our tape holds of one evaluation, the adjoints included.
struct TapeSize {
  double statements, bytes;
};
std::vector<TapeSize> tape_sizes(const Workloads& workloads);

}  // namespace bench
