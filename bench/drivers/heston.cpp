// SPDX-License-Identifier: Apache-2.0
#include "drivers.hpp"

namespace bench {

void heston_drivers(double seconds) {
  const Heston heston(2000);
  const std::vector<double> x = Heston::point();
  compare(
      "heston, one path", [&](const auto& at) { return heston.term(at.data(), 7); }, x, seconds,
      true);
  compare(
      "heston, 2,000 paths at once", [&](const auto& at) { return value_of(heston, at.data()); }, x,
      seconds, true);
}

}  // namespace bench
