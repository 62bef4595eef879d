// SPDX-License-Identifier: Apache-2.0
#include "drivers.hpp"

namespace bench {

void mlp_drivers(double seconds) {
  const Mlp mlp;
  compare(
      "mlp 2-8-8-1, 200 samples", [&](const auto& at) { return mlp.value(at.data()); },
      Mlp::point(), seconds, true);
}

}  // namespace bench
