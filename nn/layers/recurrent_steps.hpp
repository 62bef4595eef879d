// SPDX-License-Identifier: Apache-2.0
// The time loops of one layer in one direction, and single steps. Internal.
// x: [t, n, in], h and c: [n, hidden], lengths: none, or one of 1 to t for each of the n. One product
// serves the inputs of all steps; the rest is recorded function by function.
#pragma once

#include <cstdint>
#include <vector>

#include <autograd/autograd.hpp>

namespace nn::detail {

using autograd::Tensor;

/// y: [t, n, hidden], 0 behind the end of a sequence; h, c: after the last step of each.
struct LayerRun {
  Tensor y, h, c;
};

/// a: the input's part of the gates, W_ih x + b_ih: [n, gates hidden].
Tensor rnn_step(const Tensor& a, const Tensor& h, const Tensor& w_hh, const Tensor& b_hh,
                bool relu);
Tensor gru_step(const Tensor& a, const Tensor& h, const Tensor& w_hh, const Tensor& b_hh);
void lstm_step(const Tensor& a, Tensor& h, Tensor& c, const Tensor& w_hh, const Tensor& b_hh);

LayerRun rnn_layer(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh,
                   const Tensor& b_ih, const Tensor& b_hh, bool relu,
                   const std::vector<std::int64_t>& lengths);
LayerRun gru_layer(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh,
                   const Tensor& b_ih, const Tensor& b_hh,
                   const std::vector<std::int64_t>& lengths);
LayerRun lstm_layer(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih,
                    const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh,
                    const std::vector<std::int64_t>& lengths);

/// x [t, n, in] with 0 behind the end of each sequence: whatever is there, NaN too, must not reach the
/// gradient of the weights.
Tensor without_padding(const Tensor& x, const std::vector<std::int64_t>& lengths);

/// Each sequence of x [t, n, ...] back to front, its padding left behind its end.
Tensor reversed(const Tensor& x, const std::vector<std::int64_t>& lengths);

}  // namespace nn::detail
