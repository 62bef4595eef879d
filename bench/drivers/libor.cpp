// SPDX-License-Identifier: Apache-2.0
#include "drivers.hpp"

namespace bench {

void libor_drivers(double seconds) {
  const Libor libor;
  compare(
      "libor, one path", [&](const auto& at) { return libor.term(at.data(), 7); }, Libor::point(),
      seconds, true);
}

}  // namespace bench
