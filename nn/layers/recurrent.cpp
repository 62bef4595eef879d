// SPDX-License-Identifier: Apache-2.0
// Layers, directions and shapes; the time loops are in recurrent_steps.cpp.
#include "recurrent.hpp"

#include "../utf8.hpp"
#include "check.hpp"
#include "recurrent_steps.hpp"

namespace nn {

namespace {

using autograd::Shape;
using autograd::ShapeError;
using autograd::ValueError;

constexpr const char* kLayer[] = {"RNN", "LSTM", "GRU"};
constexpr const char* kCell[] = {"RNNCell", "LSTMCell", "GRUCell"};
constexpr std::int64_t kGates[] = {1, 4, 3};

constexpr std::size_t at(RecurrentKind kind) { return static_cast<std::size_t>(kind); }

[[noreturn]] void throw_shape(const char* what, const Tensor& x, const std::string& need) {
  throw ShapeError(std::string(what) + " has the wrong shape: it is " + to_string(x.shape()) +
                   "; need " + need);
}

/// The state given, else zeros.
Tensor state_or_zeros(const char* what, const Tensor& given, const Shape& shape,
                      const Tensor& like) {
  if (!given.defined()) return autograd::zeros(shape, like.dtype());
  if (!(given.shape() == shape)) throw_shape(what, given, to_string(shape));
  return given;
}

void check_lengths(const std::vector<std::int64_t>& lengths, std::int64_t n, std::int64_t t) {
  if (lengths.empty()) return;
  if (static_cast<std::int64_t>(lengths.size()) != n) {
    throw ValueError("a wrong number of lengths: " + std::to_string(lengths.size()) +
                     "; need one for each sequence (" + std::to_string(n) + ")");
  }
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] >= 1 && lengths[i] <= t) continue;
    throw ValueError("a length is out of range: lengths[" + std::to_string(i) + "] is " +
                     std::to_string(lengths[i]) + "; need 1 to " + std::to_string(t));
  }
}

}  // namespace

// --- Layers -------------------------------------------------------------------------------------

/// A call's arguments as the loops take them.
template <RecurrentKind Kind> struct Recurrent<Kind>::Input {
  Tensor x;     // [t, n, in]
  Tensor h, c;  // [layers directions, n, hidden]
  std::vector<std::int64_t> lengths;
};

template <RecurrentKind Kind>
Recurrent<Kind>::Recurrent(std::int64_t in, std::int64_t hidden, Generator& generator,
                           const RecurrentOptions& options)
    : in_(in), hidden_(hidden), options_(options), dropout_(options.dropout, generator) {
  constexpr const char* name = kLayer[at(Kind)];
  detail::check_at_least(name, "in", in, 1);
  detail::check_at_least(name, "hidden", hidden, 1);
  detail::check_at_least(name, "num_layers", options.num_layers, 1);
  const double bound = detail::bound_of(hidden);
  const std::int64_t gates = kGates[at(Kind)] * hidden, directions = options.bidirectional ? 2 : 1;
  for (std::int64_t layer = 0; layer < options.num_layers; ++layer) {
    for (std::int64_t direction = 0; direction < directions; ++direction) {
      const std::string end = "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
      const auto draw = [&](const char* which, const Shape& shape) {
        return detail::uniform_parameter(*this, which + end, shape, bound, generator,
                                         options.dtype);
      };
      Weights w;
      w.w_ih = draw("weight_ih", {gates, layer == 0 ? in : hidden * directions});
      w.w_hh = draw("weight_hh", {gates, hidden});
      if (options.bias) {
        w.b_ih = draw("bias_ih", {gates});
        w.b_hh = draw("bias_hh", {gates});
      }
      weights_.push_back(w);
    }
  }
  register_module("dropout", dropout_);
}

template <RecurrentKind Kind>
Recurrent<Kind>::Recurrent(std::int64_t in, std::int64_t hidden, const RecurrentOptions& options)
    : Recurrent(in, hidden, autograd::default_generator(), options) {}

template <RecurrentKind Kind>
const Parameter& Recurrent<Kind>::parameter(const std::string& name) const {
  const std::string front = name.substr(0, name.find("_l"));
  std::size_t i = 0;
  for (const Weights& w : weights_) {
    const std::size_t directions = options_.bidirectional ? 2 : 1;
    const std::string end =
        "_l" + std::to_string(i / directions) + (i % directions == 1 ? "_reverse" : "");
    ++i;
    if (name.size() <= end.size() || name != front + end) continue;
    if (front == "weight_ih") return w.w_ih;
    if (front == "weight_hh") return w.w_hh;
    if (front == "bias_ih" && options_.bias) return w.b_ih;
    if (front == "bias_hh" && options_.bias) return w.b_hh;
  }
  throw ValueError(describe(kLayer[at(Kind)]) + ": no such parameter: " + detail::quote(name) +
                   "; need weight_ih_l0 or another of named_parameters()");
}

template <RecurrentKind Kind>
typename Recurrent<Kind>::Input Recurrent<Kind>::prepared(const Tensor& x,
                                                          const RecurrentCall& call) const {
  const bool batched = x.dim() == 3;
  const int time = batched && options_.batch_first ? 1 : 0;
  if ((x.dim() != 2 && !batched) || x.shape().back() != in_ || x.shape()[time] < 1) {
    throw_shape("input", x,
                (options_.batch_first ? "[n, t, " : "[t, n, ") + std::to_string(in_) + "] or [t, " +
                    std::to_string(in_) + "] with t >= 1");
  }
  if (call.c.defined() && Kind != RecurrentKind::lstm) {
    throw ValueError("c is given; need a call without it, which is LSTM's alone");
  }
  Input in{.x = x, .h = {}, .c = {}, .lengths = call.lengths};
  if (!batched) {
    in.x = autograd::unsqueeze(x, 1);
  } else if (options_.batch_first) {
    in.x = autograd::transpose(x, 0, 1);
  }
  const std::int64_t n = in.x.shape()[1];
  check_lengths(call.lengths, n, in.x.shape()[0]);
  in.x = detail::without_padding(in.x, call.lengths);
  const auto rows = static_cast<std::int64_t>(weights_.size());
  const Shape state = batched ? Shape{rows, n, hidden_} : Shape{rows, hidden_};
  const std::vector<std::int64_t> inside = {rows, n, hidden_};
  in.h = autograd::reshape(state_or_zeros("h", call.h, state, x), inside);
  if (Kind == RecurrentKind::lstm) {
    in.c = autograd::reshape(state_or_zeros("c", call.c, state, x), inside);
  }
  return in;
}

template <RecurrentKind Kind>
RecurrentResult Recurrent<Kind>::run(const Tensor& x, const RecurrentCall& call) const {
  const Input in = prepared(x, call);
  const std::size_t directions = options_.bidirectional ? 2 : 1;
  std::vector<Tensor> last_h, last_c;
  Tensor y = in.x;
  for (std::size_t row = 0; row < weights_.size(); row += directions) {
    if (row > 0) y = dropout_(y);
    std::vector<Tensor> sides;
    for (std::size_t side = 0; side < directions; ++side) {
      const Weights& w = weights_[row + side];
      const auto place = static_cast<std::int64_t>(row + side);
      const Tensor from = side == 1 ? detail::reversed(y, in.lengths) : y;
      const Tensor h = autograd::select(in.h, 0, place);
      detail::LayerRun run;
      if constexpr (Kind == RecurrentKind::rnn) {
        run = detail::rnn_layer(from, h, w.w_ih, w.w_hh, w.b_ih, w.b_hh,
                                options_.nonlinearity == RnnNonlinearity::relu, in.lengths);
      } else if constexpr (Kind == RecurrentKind::gru) {
        run = detail::gru_layer(from, h, w.w_ih, w.w_hh, w.b_ih, w.b_hh, in.lengths);
      } else {
        run = detail::lstm_layer(from, h, autograd::select(in.c, 0, place), w.w_ih, w.w_hh, w.b_ih,
                                 w.b_hh, in.lengths);
        last_c.push_back(run.c);
      }
      last_h.push_back(run.h);
      sides.push_back(side == 1 ? detail::reversed(run.y, in.lengths) : run.y);
    }
    y = directions == 1 ? sides[0] : autograd::cat(sides, 2);
  }
  RecurrentResult result{.output = y, .h = autograd::stack(last_h), .c = {}};
  if (!last_c.empty()) result.c = autograd::stack(last_c);
  if (x.dim() == 2) {
    result.output = autograd::squeeze(y, 1);
    result.h = autograd::squeeze(result.h, 1);
    if (result.c.defined()) result.c = autograd::squeeze(result.c, 1);
  } else if (options_.batch_first) {
    result.output = autograd::transpose(y, 0, 1);
  }
  return result;
}

template <RecurrentKind Kind>
RecurrentResult Recurrent<Kind>::operator()(const Tensor& x, const RecurrentCall& call) const {
  try {
    RecurrentResult result = run(x, call);
    observe(kLayer[at(Kind)], result.output);
    return result;
  } catch (const autograd::Error&) {
    rethrow(kLayer[at(Kind)]);
  }
}

template struct Recurrent<RecurrentKind::rnn>;
template struct Recurrent<RecurrentKind::lstm>;
template struct Recurrent<RecurrentKind::gru>;

// --- Cells --------------------------------------------------------------------------------------

template <RecurrentKind Kind>
RecurrentCell<Kind>::RecurrentCell(std::int64_t in, std::int64_t hidden, Generator& generator,
                                   const RecurrentCellOptions& options)
    : in_(in), hidden_(hidden), relu_(options.nonlinearity == RnnNonlinearity::relu) {
  detail::check_at_least(kCell[at(Kind)], "in", in, 1);
  detail::check_at_least(kCell[at(Kind)], "hidden", hidden, 1);
  const std::int64_t gates = kGates[at(Kind)] * hidden;
  const auto draw = [&](const char* name, const Shape& shape) {
    return detail::uniform_parameter(*this, name, shape, detail::bound_of(hidden), generator,
                                     options.dtype);
  };
  weight_ih = draw("weight_ih", {gates, in});
  weight_hh = draw("weight_hh", {gates, hidden});
  if (!options.bias) return;
  bias_ih = draw("bias_ih", {gates});
  bias_hh = draw("bias_hh", {gates});
}

template <RecurrentKind Kind>
RecurrentCell<Kind>::RecurrentCell(std::int64_t in, std::int64_t hidden,
                                   const RecurrentCellOptions& options)
    : RecurrentCell(in, hidden, autograd::default_generator(), options) {}

template <RecurrentKind Kind>
typename RecurrentCell<Kind>::State RecurrentCell<Kind>::operator()(const Tensor& x,
                                                                    const State& state) const {
  try {
    if ((x.dim() != 1 && x.dim() != 2) || x.shape().back() != in_) {
      throw_shape("input", x, "[n, " + std::to_string(in_) + "] or [" + std::to_string(in_) + "]");
    }
    const Shape shape = x.dim() == 2 ? Shape{x.shape()[0], hidden_} : Shape{hidden_};
    const Tensor a = autograd::linear(x, weight_ih, bias_ih);
    if constexpr (Kind == RecurrentKind::lstm) {
      State next{state_or_zeros("h", state.h, shape, x), state_or_zeros("c", state.c, shape, x)};
      detail::lstm_step(a, next.h, next.c, weight_hh, bias_hh);
      observe(kCell[at(Kind)], next.h);
      return next;
    } else {
      const Tensor h = state_or_zeros("h", state, shape, x);
      Tensor y = Kind == RecurrentKind::gru ? detail::gru_step(a, h, weight_hh, bias_hh)
                                            : detail::rnn_step(a, h, weight_hh, bias_hh, relu_);
      observe(kCell[at(Kind)], y);
      return y;
    }
  } catch (const autograd::Error&) {
    rethrow(kCell[at(Kind)]);
  }
}

template struct RecurrentCell<RecurrentKind::rnn>;
template struct RecurrentCell<RecurrentKind::lstm>;
template struct RecurrentCell<RecurrentKind::gru>;

// --- Sequences of different lengths -------------------------------------------------------------

PaddedSequence pad_sequence(const std::vector<Tensor>& sequences, PadSequenceOptions options) {
  if (sequences.empty()) {
    throw ValueError("pad_sequence: no sequences: 0; need at least one");
  }
  PaddedSequence all;
  std::int64_t longest = 0;
  for (const Tensor& s : sequences) {
    if (s.dim() < 1) throw_shape("pad_sequence: a sequence", s, "at least one axis");
    all.lengths.push_back(s.shape()[0]);
    longest = std::max(longest, s.shape()[0]);
  }
  std::vector<Tensor> padded;
  for (const Tensor& s : sequences) {
    std::vector<std::int64_t> amounts(static_cast<std::size_t>(2 * s.dim()));
    amounts.back() = longest - s.shape()[0];
    padded.push_back(amounts.back() == 0 ? s : autograd::pad(s, amounts, {.value = options.value}));
  }
  all.values = autograd::stack(padded, options.batch_first ? 0 : 1);
  return all;
}

std::vector<Tensor> unpad_sequence(const PaddedSequence& padded, PadSequenceOptions options) {
  const int batch = options.batch_first ? 0 : 1;
  const Tensor& x = padded.values;
  if (x.dim() < 2 || x.shape()[batch] != static_cast<std::int64_t>(padded.lengths.size())) {
    throw_shape("unpad_sequence: values", x,
                "a batch axis as long as lengths (" + std::to_string(padded.lengths.size()) + ")");
  }
  std::vector<Tensor> sequences;
  for (std::size_t i = 0; i < padded.lengths.size(); ++i) {
    const Tensor one = autograd::select(x, batch, static_cast<std::int64_t>(i));
    sequences.push_back(autograd::narrow(one, 0, 0, padded.lengths[i]));
  }
  return sequences;
}

}  // namespace nn
