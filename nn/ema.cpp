// SPDX-License-Identifier: Apache-2.0
// One pass over each parameter; both arrays are contiguous.
#include "ema.hpp"

#include <algorithm>
#include <string>

namespace nn {

using autograd::ValueError;

namespace {

Tensor copy_of(const Tensor& x) {
  Tensor copy = empty_like(x);
  copy_(copy, detach(x));
  return copy;
}

template <class T> void average(T* __restrict a, const T* __restrict p, std::size_t n, T take) {
  for (std::size_t i = 0; i < n; ++i) a[i] += take * (p[i] - a[i]);
}

std::string key(std::size_t i) { return "average." + std::to_string(i); }

}  // namespace

ExponentialMovingAverage::ExponentialMovingAverage(std::vector<Tensor> parameters,
                                                   EmaOptions options)
    : options_(options), parameters_(std::move(parameters)) {
  if (!(options.decay >= 0 && options.decay <= 1) || parameters_.empty()) {
    throw ValueError("ExponentialMovingAverage: invalid arguments: decay is " +
                     autograd::detail::text(options.decay) + ", of " +
                     std::to_string(parameters_.size()) +
                     " parameters; need 0 <= decay <= 1 and at least one parameter");
  }
  for (const Tensor& p : parameters_) {
    autograd::dispatch_floating("ExponentialMovingAverage", p.dtype(), [](auto) {});
    if (!p.is_contiguous()) {
      throw ValueError("ExponentialMovingAverage: not contiguous: a parameter " +
                       to_string(p.shape()) + " is a strided view; need contiguous(...) of it");
    }
    averages_.push_back(copy_of(p));
  }
}

void ExponentialMovingAverage::update() {
  const double n = static_cast<double>(updates_++);
  const double decay =
      options_.warmup ? std::min(options_.decay, (1 + n) / (10 + n)) : options_.decay;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    autograd::dispatch_floating(
        "ExponentialMovingAverage", parameters_[i].dtype(), [&]<class T>(T) {
          const std::span<const T> p = parameters_[i].data<T>();
          average(averages_[i].mutable_data<T>().data(), p.data(), p.size(), T(1 - decay));
        });
    note_change(averages_[i], "ExponentialMovingAverage.update");
  }
}

void ExponentialMovingAverage::swap() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    autograd::dispatch_floating(
        "ExponentialMovingAverage", parameters_[i].dtype(), [&]<class T>(T) {
          const std::span<T> p = parameters_[i].mutable_data<T>();
          std::swap_ranges(p.begin(), p.end(), averages_[i].mutable_data<T>().begin());
        });
    note_change(parameters_[i], "ExponentialMovingAverage.swap");
    note_change(averages_[i], "ExponentialMovingAverage.swap");
  }
}

StateDict ExponentialMovingAverage::state_dict() const {
  StateDict state;
  state.insert("updates", autograd::tensor(std::vector<std::int64_t>{updates_}, {}));
  for (std::size_t i = 0; i < averages_.size(); ++i) state.insert(key(i), copy_of(averages_[i]));
  return state;
}

void ExponentialMovingAverage::load_state_dict(const StateDict& state) {
  const auto fits = [&](const std::string& name, const autograd::Shape& shape,
                        autograd::DType dtype) {
    if (!state.contains(name)) return false;
    const Tensor& x = state.at(name);
    return x.defined() && x.dtype() == dtype && x.shape() == shape;
  };
  bool ok = state.size() == averages_.size() + 1 && fits("updates", {}, autograd::int64) &&
            state.at("updates").item() >= 0;
  for (std::size_t i = 0; ok && i < averages_.size(); ++i) {
    ok = fits(key(i), averages_[i].shape(), averages_[i].dtype());
  }
  if (!ok) {
    throw ValueError("ExponentialMovingAverage.load_state_dict: the state does not fit: it has " +
                     std::to_string(state.size()) + " entries; need updates and " +
                     std::to_string(averages_.size()) + " averages like the parameters");
  }
  updates_ = contiguous(detach(state.at("updates"))).data<std::int64_t>()[0];
  for (std::size_t i = 0; i < averages_.size(); ++i) copy_(averages_[i], state.at(key(i)));
}

}  // namespace nn
