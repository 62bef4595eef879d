// SPDX-License-Identifier: Apache-2.0
// Dropout as layers. A layer made with a generator draws from a stream of its own, seeded by the next
// 64 bits of that generator, whose place Module::generator_state() saves: a resumed training run drops
// the same elements as one that was not stopped. One made without draws from default_generator() when
// it is called. Copies of a layer share the stream.
// Inside of autograd::checkpoint use the one without: only default_generator() is wound back there.
#pragma once

#include <memory>

#include "../module.hpp"

namespace nn {

/// In training x / (1 - p) or, with probability p, 0; x itself in evaluation. The constructors throw
/// ValueError for p outside [0, 1]. Srivastava et al. 2014.
struct Dropout : Module {
  explicit Dropout(double p = 0.5);
  Dropout(double p, Generator& generator);
  Tensor operator()(const Tensor& x) const;

  double p() const { return p_; }
  /// A generator for `words` draws that nobody else makes; for layers that drop by other means.
  Generator take(std::int64_t words) const { return stream_->take(words); }

 private:
  double p_;
  std::shared_ptr<RandomStream> stream_;
};

/// The same for whole channels: x [n, c, space...] or [c, space...]. (PyTorch 1.13 takes a Dropout2d
/// of three axes for [n, c, l]; here they are [c, h, w].) Tompson et al. 2015.
template <int Axes> struct DropoutNd : Module {
  explicit DropoutNd(double p = 0.5);
  DropoutNd(double p, Generator& generator);
  Tensor operator()(const Tensor& x) const;

 private:
  double p_;
  std::shared_ptr<RandomStream> stream_;
};
using Dropout1d = DropoutNd<1>;
using Dropout2d = DropoutNd<2>;
using Dropout3d = DropoutNd<3>;

}  // namespace nn
