// SPDX-License-Identifier: Apache-2.0
#include "recurrent_steps.hpp"

#include <algorithm>

namespace nn::detail {

namespace {

/// Which sequences are still running at each step: [n, 1] bool, undefined where all are.
class Running {
 public:
  explicit Running(const std::vector<std::int64_t>& lengths) : lengths_(lengths) {
    if (!lengths.empty()) shortest_ = *std::min_element(lengths.begin(), lengths.end());
  }
  Tensor at(std::int64_t t) const {
    if (lengths_.empty() || t < shortest_) return {};
    std::vector<double> on;
    for (const std::int64_t length : lengths_) on.push_back(t < length ? 1.0 : 0.0);
    const auto n = static_cast<std::int64_t>(on.size());
    return autograd::tensor(on, {n, 1}) > 0.5;
  }

 private:
  const std::vector<std::int64_t>& lengths_;
  std::int64_t shortest_ = 0;
};

Tensor kept(const Tensor& on, const Tensor& now, const Tensor& before) {
  return on.defined() ? autograd::where(on, now, before) : now;
}

/// step(a, h) for each step's gates, stacked.
template <class Step>
LayerRun loop(const Tensor& gates, Tensor h, const std::vector<std::int64_t>& lengths,
              Step&& step) {
  const Running running(lengths);
  const std::vector<Tensor> inputs = autograd::unbind(gates, 0);
  std::vector<Tensor> outputs;
  outputs.reserve(inputs.size());
  for (std::size_t t = 0; t < inputs.size(); ++t) {
    const Tensor on = running.at(static_cast<std::int64_t>(t));
    const Tensor now = step(inputs[t], h, on);
    outputs.push_back(on.defined() ? autograd::where(on, now, 0.0) : now);
    h = kept(on, now, h);
  }
  return {autograd::stack(outputs, 0), h, {}};
}

}  // namespace

Tensor rnn_step(const Tensor& a, const Tensor& h, const Tensor& w_hh, const Tensor& b_hh,
                bool relu) {
  const Tensor sum = a + autograd::linear(h, w_hh, b_hh);
  return relu ? autograd::relu(sum) : autograd::tanh(sum);
}

Tensor gru_step(const Tensor& a, const Tensor& h, const Tensor& w_hh, const Tensor& b_hh) {
  const auto x = autograd::chunk(a, 3, -1);
  const auto y = autograd::chunk(autograd::linear(h, w_hh, b_hh), 3, -1);
  const Tensor r = autograd::sigmoid(x[0] + y[0]), z = autograd::sigmoid(x[1] + y[1]);
  const Tensor n = autograd::tanh(x[2] + r * y[2]);
  return n + z * (h - n);
}

void lstm_step(const Tensor& a, Tensor& h, Tensor& c, const Tensor& w_hh, const Tensor& b_hh) {
  const auto gate = autograd::chunk(a + autograd::linear(h, w_hh, b_hh), 4, -1);
  const Tensor i = autograd::sigmoid(gate[0]), f = autograd::sigmoid(gate[1]);
  const Tensor g = autograd::tanh(gate[2]), o = autograd::sigmoid(gate[3]);
  c = f * c + i * g;
  h = o * autograd::tanh(c);
}

LayerRun rnn_layer(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh,
                   const Tensor& b_ih, const Tensor& b_hh, bool relu,
                   const std::vector<std::int64_t>& lengths) {
  return loop(autograd::linear(x, w_ih, b_ih), h, lengths,
              [&](const Tensor& a, const Tensor& before, const Tensor&) {
                return rnn_step(a, before, w_hh, b_hh, relu);
              });
}

LayerRun gru_layer(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh,
                   const Tensor& b_ih, const Tensor& b_hh,
                   const std::vector<std::int64_t>& lengths) {
  return loop(autograd::linear(x, w_ih, b_ih), h, lengths,
              [&](const Tensor& a, const Tensor& before, const Tensor&) {
                return gru_step(a, before, w_hh, b_hh);
              });
}

LayerRun lstm_layer(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih,
                    const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh,
                    const std::vector<std::int64_t>& lengths) {
  Tensor cell = c;
  LayerRun run = loop(autograd::linear(x, w_ih, b_ih), h, lengths,
                      [&](const Tensor& a, const Tensor& before, const Tensor& on) {
                        Tensor now = before, next = cell;
                        lstm_step(a, now, next, w_hh, b_hh);
                        cell = kept(on, next, cell);
                        return now;
                      });
  run.c = cell;
  return run;
}

Tensor without_padding(const Tensor& x, const std::vector<std::int64_t>& lengths) {
  const std::int64_t steps = x.shape()[0];
  const Running running(lengths);
  if (!running.at(steps - 1).defined()) return x;
  std::vector<Tensor> on;
  const Tensor all = autograd::ones({x.shape()[1], 1}, autograd::boolean);
  for (std::int64_t t = 0; t < steps; ++t) {
    const Tensor some = running.at(t);
    on.push_back(some.defined() ? some : all);
  }
  return autograd::where(autograd::stack(on, 0), x, 0.0);
}

Tensor reversed(const Tensor& x, const std::vector<std::int64_t>& lengths) {
  if (lengths.empty()) return autograd::flip(x, 0);
  const std::int64_t steps = x.shape()[0], n = x.shape()[1];
  std::vector<std::int64_t> rows;  // of x as [t n, ...]
  rows.reserve(static_cast<std::size_t>(steps * n));
  for (std::int64_t t = 0; t < steps; ++t) {
    for (std::int64_t b = 0; b < n; ++b) {
      const std::int64_t length = lengths[static_cast<std::size_t>(b)];
      rows.push_back((t < length ? length - 1 - t : t) * n + b);
    }
  }
  const Tensor flat = autograd::flatten(x, 0, 1);
  return autograd::unflatten(autograd::index_select(flat, 0, autograd::tensor(rows)), 0,
                             {steps, n});
}

}  // namespace nn::detail
