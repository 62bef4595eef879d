// SPDX-License-Identifier: Apache-2.0
// Recurrent layers: RNN (Elman 1990), LSTM (Hochreiter, Schmidhuber 1997; Gers 2000), GRU (Cho et al.
// 2014), and their cells, with torch.nn's formulas, key names and order of gates: LSTM i, f, g, o; GRU
// r, z, n. Sequences of different lengths are padded and given with their lengths.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "dropout.hpp"

namespace nn {

enum class RecurrentKind : std::uint8_t { rnn, lstm, gru };
/// Of RNN alone.
enum class RnnNonlinearity : std::uint8_t { tanh, relu };

struct RecurrentOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;  ///< [n, t, in] instead of [t, n, in]
  double dropout = 0.0;      ///< of every layer's output but the last one's, in training
  bool bidirectional = false;
  RnnNonlinearity nonlinearity = RnnNonlinearity::tanh;
  autograd::DType dtype = autograd::float32;
};

/// What a call may be given. States: [layers directions, n, hidden], or without n; 0 unless given.
struct RecurrentCall {
  Tensor h = {};
  Tensor c = {};                           ///< of LSTM
  std::vector<std::int64_t> lengths = {};  ///< one for each sequence of the batch, 1 to t
};

/// output: [t, n, directions hidden] of the last layer, 0 behind the end of a shorter sequence; h and c
/// after each sequence's last step, of every layer, forward before backward.
struct RecurrentResult {
  Tensor output, h, c;  ///< c: of LSTM, else undefined
};

/// x [t, n, in], [n, t, in] (batch_first) or [t, in], t >= 1. All parameters start uniform on
/// (-1/sqrt(hidden), 1/sqrt(hidden)). Rows of a weight are the gates, one after the other:
///   RNN   h' = tanh(a), a = W_ih x + b_ih + W_hh h + b_hh, or relu(a)
///   LSTM  i, f, o = sigmoid(a), g = tanh(a); c' = f c + i g, h' = o tanh(c')
///   GRU   r, z = sigmoid(a), n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h
/// Padding takes no part in results or gradients. Throws ShapeError and ValueError for what does not
/// fit.
template <RecurrentKind Kind> struct Recurrent : Module {
  Recurrent(std::int64_t in, std::int64_t hidden, Generator& generator,
            const RecurrentOptions& options = {});
  /// Draws from the default generator of this thread.
  Recurrent(std::int64_t in, std::int64_t hidden, const RecurrentOptions& options = {});
  RecurrentResult operator()(const Tensor& x, const RecurrentCall& call = {}) const;

  /// "weight_ih_l0", "bias_hh_l1_reverse", ... Throws ValueError for another name.
  const Parameter& parameter(const std::string& name) const;

 private:
  struct Weights {  // of one layer and direction
    Parameter w_ih, w_hh, b_ih, b_hh;
  };
  struct Input;
  Input prepared(const Tensor& x, const RecurrentCall& call) const;
  RecurrentResult run(const Tensor& x, const RecurrentCall& call) const;

  std::int64_t in_, hidden_;
  RecurrentOptions options_;
  std::vector<Weights> weights_;  // layer 0 forward, layer 0 backward, layer 1 forward, ...
  Dropout dropout_;
};
using RNN = Recurrent<RecurrentKind::rnn>;
using LSTM = Recurrent<RecurrentKind::lstm>;
using GRU = Recurrent<RecurrentKind::gru>;

struct RecurrentCellOptions {
  bool bias = true;
  RnnNonlinearity nonlinearity = RnnNonlinearity::tanh;
  autograd::DType dtype = autograd::float32;
};

struct LstmState {
  Tensor h, c;
};

/// One step of one layer: x [n, in] or [in], state [n, hidden] or [hidden], 0 unless given. RNNCell and
/// GRUCell map to the new h, LSTMCell to {h, c}.
template <RecurrentKind Kind> struct RecurrentCell : Module {
  using State = std::conditional_t<Kind == RecurrentKind::lstm, LstmState, Tensor>;

  Parameter weight_ih, weight_hh;  ///< [gates hidden, in], [gates hidden, hidden]
  Parameter bias_ih, bias_hh;      ///< [gates hidden]; undefined without bias

  RecurrentCell(std::int64_t in, std::int64_t hidden, Generator& generator,
                const RecurrentCellOptions& options = {});
  /// Draws from the default generator of this thread.
  RecurrentCell(std::int64_t in, std::int64_t hidden, const RecurrentCellOptions& options = {});
  State operator()(const Tensor& x, const State& state = {}) const;

 private:
  std::int64_t in_, hidden_;
  bool relu_;
};
using RNNCell = RecurrentCell<RecurrentKind::rnn>;
using LSTMCell = RecurrentCell<RecurrentKind::lstm>;
using GRUCell = RecurrentCell<RecurrentKind::gru>;

struct PadSequenceOptions {
  bool batch_first = false;
  double value = 0.0;
};
struct PaddedSequence {
  Tensor values;  ///< [t, n, ...], or [n, t, ...] with batch_first
  std::vector<std::int64_t> lengths;
};
/// Sequences [t_i, ...] side by side, padded behind their ends to the longest. Throws ValueError for
/// none, ShapeError where the other axes differ.
PaddedSequence pad_sequence(const std::vector<Tensor>& sequences, PadSequenceOptions options = {});
/// The sequences again, views of what was padded.
std::vector<Tensor> unpad_sequence(const PaddedSequence& padded, PadSequenceOptions options = {});

}  // namespace nn
