// SPDX-License-Identifier: Apache-2.0
// What the parts of bench_figures share: one line of its table, and how times are taken. Each part
// is a function that appends its lines; bench_figures.cpp prints them.
//
// Times are minima: a neighbor on the machine makes a window longer, never shorter. Jobs that are
// compared take turns in short windows, so that a slow spell hits all of them. Windows of a
// millisecond and more are measured in processor time: it does not count what others ran meanwhile.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "../timing.hpp"
#include "../workloads.hpp"

namespace bench {

struct Figure {
  std::string what;
  double value;
  const char* unit;
  double bound = 0;            ///< met when value <= bound; 0: printed for information
  const char* reference = "";  ///< other programs' figures for the same, from one other machine
};
using Figures = std::vector<Figure>;

void footprint_figures(Figures& figures, const std::string& scratch_folder);
void tensor_figures(Figures& figures, double seconds);
void scalar_figures(Figures& figures, double seconds);
void chain_figures(Figures& figures);

// The functions themselves, in a file of their own: beside the gradient's code the compiler could
// share work between the two or drop one.
double heston_primal(const Heston& heston, const double* x);
double rosenbrock_primal(const Rosenbrock& rosenbrock, const double* x);

/// The smallest time in seconds of one call of each job; they take turns for `seconds` altogether.
std::vector<double> take_turns(const std::vector<std::function<void()>>& jobs, double seconds);

}  // namespace bench
