// SPDX-License-Identifier: Apache-2.0
// A moving average of the weights, which often predicts better than the weights themselves: update it
// after every optimizer.step(), evaluate under with_average.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>

#include "state_dict.hpp"

namespace nn {

using autograd::Tensor;

struct EmaOptions {
  double decay = 0.999;
  /// The decay of update n is at most (1 + n) / (10 + n), so that early weights are soon forgotten.
  bool warmup = false;
};

/// a += (1 - decay) (p - a), from a = p at construction. Threads: one at a time. Throws ValueError for
/// no parameters or a decay outside [0, 1], TypeError unless float32 or float64.
class ExponentialMovingAverage {
 public:
  explicit ExponentialMovingAverage(std::vector<Tensor> parameters, EmaOptions options = {});

  void update();
  /// Exchanges the weights and their averages; a second call takes it back. Not recorded.
  void swap();
  /// f() with the averages in place of the weights, which are back afterwards, also when f throws.
  template <class F> decltype(auto) with_average(F&& f) {
    struct Guard {
      ExponentialMovingAverage& self;
      ~Guard() { self.swap(); }
    };
    swap();
    const Guard guard{*this};
    return std::forward<F>(f)();
  }
  /// In the order of the parameters.
  const std::vector<Tensor>& averages() const { return averages_; }

  StateDict state_dict() const;  ///< copies
  /// Throws ValueError for a state that does not fit, and then changes nothing.
  void load_state_dict(const StateDict& state);

 private:
  EmaOptions options_;
  std::vector<Tensor> parameters_, averages_;
  std::int64_t updates_ = 0;
};

}  // namespace nn
