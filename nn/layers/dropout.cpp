// SPDX-License-Identifier: Apache-2.0
#include "dropout.hpp"

#include "check.hpp"

namespace nn {

namespace {

constexpr const char* kNames[] = {"", "Dropout1d", "Dropout2d", "Dropout3d"};

std::shared_ptr<RandomStream> own_stream(Generator& generator) {
  return std::make_shared<RandomStream>(generator.next64());
}

}  // namespace

Dropout::Dropout(double p) : p_(p), stream_(std::make_shared<RandomStream>()) {
  detail::check_probability("Dropout", p);
}

Dropout::Dropout(double p, Generator& generator) : p_(p), stream_(own_stream(generator)) {
  detail::check_probability("Dropout", p);
  register_generator("generator", stream_);
}

Tensor Dropout::operator()(const Tensor& x) const {
  return guard("Dropout", [&] {
    const bool draws = is_training() && p_ > 0;
    Generator generator = draws ? stream_->take(x.numel()) : Generator();
    return autograd::dropout(x, generator, {.p = p_, .training = draws});
  });
}

template <int Axes>
DropoutNd<Axes>::DropoutNd(double p) : p_(p), stream_(std::make_shared<RandomStream>()) {
  detail::check_probability(kNames[Axes], p);
}

template <int Axes>
DropoutNd<Axes>::DropoutNd(double p, Generator& generator) : p_(p), stream_(own_stream(generator)) {
  detail::check_probability(kNames[Axes], p);
  register_generator("generator", stream_);
}

template <int Axes> Tensor DropoutNd<Axes>::operator()(const Tensor& x) const {
  return guard(kNames[Axes], [&] {
    if (x.dim() != Axes + 1 && x.dim() != Axes + 2) {
      throw autograd::ShapeError("input has the wrong shape: input is " + to_string(x.shape()) +
                                 "; need " + std::to_string(Axes + 1) + " or " +
                                 std::to_string(Axes + 2) + " axes");
    }
    if (!is_training() || p_ == 0) return x;
    autograd::Shape channels = x.shape();
    for (int i = x.dim() - Axes; i < x.dim(); ++i) channels[i] = 1;
    Generator generator = stream_->take(channels.numel());
    // Zeros where a channel is dropped; where() keeps NaN and infinities of dropped channels out.
    const Tensor scale =
        autograd::dropout(autograd::ones(channels, x.dtype()), generator, {.p = p_});
    return autograd::where(scale > 0.0, x * scale, 0.0);
  });
}

template struct DropoutNd<1>;
template struct DropoutNd<2>;
template struct DropoutNd<3>;

}  // namespace nn
