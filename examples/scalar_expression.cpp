// SPDX-License-Identifier: Apache-2.0
// An ordinary C++ function with a loop, and its exact derivatives.
#include <autograd/autograd.hpp>

#include <cstdio>

#include "support/options.hpp"

namespace ag = autograd;

// The price of a bond that pays `coupon` at the end of every year and 1 with the last one. Written
// once: T is double, or ag::Var where derivatives are wanted.
template <class T> T bond_price(const T& rate, const T& coupon, int years) {
  using ag::exp;  // for double; the other types bring their own
  T price = exp(-rate * years);
  for (int year = 1; year <= years; ++year) price += coupon * exp(-rate * year);
  return price;
}

int main(int argc, char** argv) {
  support::takes_no_options(argc, argv, "The price of a bond and its derivatives.");
  std::printf("price as a double: %.10f\n", bond_price(0.03, 0.05, 10));

  ag::Tape tape;  // records while it is in scope
  ag::Var rate = tape.input(0.03), coupon = tape.input(0.05);
  ag::Var price = bond_price(rate, coupon, 10);
  tape.backward(price);
  std::printf("price on the tape: %.10f\n", price.value());
  std::printf("d price / d rate   %.10f\n", rate.grad());
  std::printf("d price / d coupon %.10f\n", coupon.grad());

  const double h = 1e-5;  // the same by central differences, good to about ten digits
  std::printf("differences:       %.7f and %.7f\n",
              (bond_price(0.03 + h, 0.05, 10) - bond_price(0.03 - h, 0.05, 10)) / (2 * h),
              (bond_price(0.03, 0.05 + h, 10) - bond_price(0.03, 0.05 - h, 10)) / (2 * h));
}
