// SPDX-License-Identifier: Apache-2.0
// Gradients of scalar functions over the cost of the functions. This file and primal.cpp are always
// compiled for the processor at hand (CMakeLists.txt): recording is all in headers, so a user's own
// -march=native would do the same.
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "figures.hpp"

namespace bench {
namespace {

using autograd::Tape;
using autograd::Var;

/// Inputs and gradient, kept from call to call as a program that calls often does.
struct Room {
  std::vector<Var> in;
  std::vector<double> dx;

  explicit Room(std::size_t inputs) : in(inputs), dx(inputs) {}
  void make_inputs(Tape& tape, const std::vector<double>& x) {
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = tape.input(x[i]);
  }
  void read_gradient() {
    for (std::size_t i = 0; i < in.size(); ++i) dx[i] = in[i].grad();
  }
};

/// The value; the gradient goes into room.dx. One path at a time: the tape holds 50 steps, not 500,000.
double heston_gradient(const Heston& heston, const std::vector<double>& x, Room& room) {
  Tape tape;
  room.make_inputs(tape, x);
  const Tape::Mark start = tape.mark();
  double value = 0;
  for (int number = 0; number < heston.terms(); ++number) {
    Var y = heston.term(room.in.data(), number);
    value += y.value();
    tape.backward_to(y, start);
  }
  room.read_gradient();
  return value;
}

double rosenbrock_gradient(const Rosenbrock& rosenbrock, const std::vector<double>& x, Room& room) {
  Tape tape;
  room.make_inputs(tape, x);
  Var y = rosenbrock.value(room.in.data());
  tape.backward(y);
  room.read_gradient();
  return y.value();
}

/// A fast wrong gradient is no figure.
void require_close(const char* what, double got, double want, double tolerance) {
  if (!(std::abs(got - want) <= tolerance * std::max(1.0, std::abs(want)))) {
    throw std::runtime_error(std::string(what) + " is " + std::to_string(got) + "; need " +
                             std::to_string(want));
  }
}

void check_heston(const Heston& heston, std::vector<double> x, Room& room) {
  require_close("heston: value", heston_gradient(heston, x, room), heston_primal(heston, x.data()),
                1e-12);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double old = x[i], h = 1e-8 * std::max(1.0, std::abs(old));
    x[i] = old + h;
    const double above = heston_primal(heston, x.data());
    x[i] = old - h;
    const double below = heston_primal(heston, x.data());
    x[i] = old;
    // The step is small because a path that passes a kink within it has no difference quotient.
    require_close("heston: gradient", room.dx[i], (above - below) / (2 * h), 1e-2);
  }
}

void check_rosenbrock(const Rosenbrock& rosenbrock, const std::vector<double>& x, Room& room) {
  require_close("rosenbrock: value", rosenbrock_gradient(rosenbrock, x, room),
                rosenbrock_primal(rosenbrock, x.data()), 1e-12);
  for (std::size_t i = 1; i + 1 < x.size(); ++i) {
    const double want = -400 * x[i] * (x[i + 1] - x[i] * x[i]) - 2 * (1 - x[i]) +
                        200 * (x[i] - x[i - 1] * x[i - 1]);
    require_close("rosenbrock: gradient", room.dx[i], want, 1e-12);
  }
}

}  // namespace

void scalar_figures(Figures& figures, double seconds) {
  const Heston heston;
  const std::vector<double> x = Heston::point();
  Room heston_room(x.size());
  check_heston(heston, x, heston_room);
  const std::vector<double> heston_times =
      take_turns({[&] { keep(heston_primal(heston, x.data())); },
                  [&] { keep(heston_gradient(heston, x, heston_room)); }},
                 seconds);

  const Rosenbrock rosenbrock;
  const std::vector<double> at = rosenbrock.point();
  Room rosenbrock_room(at.size());
  check_rosenbrock(rosenbrock, at, rosenbrock_room);
  const std::vector<double> rosenbrock_times =
      take_turns({[&] { keep(rosenbrock_primal(rosenbrock, at.data())); },
                  [&] { keep(rosenbrock_gradient(rosenbrock, at, rosenbrock_room)); }},
                 seconds);

  figures.push_back({"Heston, 8 inputs: gradient over primal", heston_times[1] / heston_times[0],
                     "x", 2.1, "prototype 1.88, CoDiPack 2.14, Adept 4.76, CppAD 12.2"});
  figures.push_back({"Heston: primal, 10,000 paths of 50 steps", heston_times[0] * 1e3, "ms"});
  figures.push_back({"Rosenbrock, 100,000 inputs: gradient over primal",
                     rosenbrock_times[1] / rosenbrock_times[0], "x", 25,
                     "prototype 23.5, CoDiPack 27.0, Adept 39.5, CppAD 74"});
  figures.push_back({"Rosenbrock: primal", rosenbrock_times[0] * 1e6, "us"});
}

}  // namespace bench
