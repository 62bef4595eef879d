// SPDX-License-Identifier: Apache-2.0
#include "apply.hpp"
#include "network.hpp"
#include "spatial.hpp"
#include "text.hpp"

namespace autograd {

Tensor ops::drop(const Tensor& x, double p, std::uint64_t seed, std::uint64_t first_block) {
  return apply(Dropout{p, seed, first_block}, x);
}

Tensor dropout(const Tensor& x, Generator& generator, DropoutOptions options) {
  detail::check_floating("dropout", x);
  if (!(options.p >= 0 && options.p <= 1)) {
    throw ValueError("dropout: p out of range: " + detail::text(options.p) + "; need 0 to 1");
  }
  if (!options.training || options.p == 0) return x;
  const auto blocks = static_cast<std::uint64_t>((x.numel() + 3) / 4);
  const std::uint64_t first = generator.reserve(blocks);
  return ops::drop(x, options.p, generator.seed(), first);
}

Tensor dropout(const Tensor& x, DropoutOptions options) {
  return dropout(x, default_generator(), options);
}

}  // namespace autograd
