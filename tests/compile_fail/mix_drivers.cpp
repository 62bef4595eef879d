// expect: no match for .operator\*|invalid operands to binary expression
// SPDX-License-Identifier: Apache-2.0
// Variables of a driver inside another driver that starts from plain numbers: taken for one another,
// their tangents would give a wrong derivative.
#include <autograd/drivers.hpp>

double f(const std::vector<double>& at) {
  const auto outer = [](const auto& x) {
    const auto inner = [&](const auto& y) {
#ifdef MUST_NOT_COMPILE
      return x[0] * y[0];
#else
      return x[0].value() * y[0];
#endif
    };
    return x[0] * autograd::jvp(inner, std::vector<double>{1.0}, std::vector<double>{1.0}).second;
  };
  return autograd::jvp(outer, at, at).second;
}
