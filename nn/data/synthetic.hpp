// SPDX-License-Identifier: Apache-2.0
// Made-up classification problems in the plane, for examples that need no download. float32 points [n, 2],
// int64 labels [n], classes in turn; all draw from the generator given, in a fixed order.
#pragma once

#include <cstdint>

#include <autograd/autograd.hpp>

namespace nn {

struct LabeledPoints {
  autograd::Tensor x;  ///< [n, 2] float32
  autograd::Tensor y;  ///< [n] int64
};

struct SyntheticOptions {
  double noise = 0.0;  ///< standard deviation of normal noise on both coordinates
};

/// Two interleaving half circles of radius 1, centers (0, 0) and (1, 0.5), as sklearn's make_moons.
/// Throws ValueError for n < 0, or a noise that is negative or not finite; the same below.
LabeledPoints make_moons(std::int64_t n, SyntheticOptions options = {},
                         autograd::Generator& generator = autograd::default_generator());

struct SpiralsOptions {
  double noise = 0.0;
  std::int64_t classes = 3;
  double turns = 0.75;  ///< of each arm around the origin
};
/// Arms of spirals from the origin to radius 1, one a class, evenly rotated. Needs classes >= 1.
LabeledPoints make_spirals(std::int64_t n, SpiralsOptions options = {},
                           autograd::Generator& generator = autograd::default_generator());

struct BlobsOptions {
  std::int64_t classes = 3;
  double spread = 1.0;  ///< standard deviation of a blob
  double box = 10.0;    ///< centers are uniform on [-box, box)^2
};
/// Normal clouds around random centers, as sklearn's make_blobs.
LabeledPoints make_blobs(std::int64_t n, BlobsOptions options = {},
                         autograd::Generator& generator = autograd::default_generator());

}  // namespace nn
