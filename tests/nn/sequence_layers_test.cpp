// SPDX-License-Identifier: Apache-2.0
// What attention and recurrent layers promise beyond the table: masks, caches, lengths, gates.
#include <limits>

#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::expect_values;
using nn_test::values;

void expect_near(const ag::Tensor& a, const ag::Tensor& b, double tolerance = 1e-12) {
  ASSERT_EQ(a.shape(), b.shape());
  expect_values(a, values(b), tolerance);
}

ag::Tensor drawn(const ag::Shape& shape, std::uint64_t seed = 1) {
  ag::Generator generator(seed);
  return ag::randn(shape, generator, ag::float64);
}

nn::MultiheadAttention attention(nn::MultiheadAttentionOptions options = {}) {
  ag::Generator generator(2);
  options.dtype = ag::float64;
  return nn::MultiheadAttention(4, 2, generator, options);
}

// True means ignore, as in PyTorch's layer, unless the call says otherwise.
TEST(HardCases, 90_mask_meaning_of_the_layer) {
  const nn::MultiheadAttention layer = attention();
  const ag::Tensor x = drawn({3, 2, 4});
  const ag::Tensor ignore = ag::triu(ag::ones({3, 3}), 1) > 0.5;
  const ag::Tensor infinite =
      ag::where(ignore, ag::full({3, 3}, -std::numeric_limits<double>::infinity()), 0.0);
  const nn::AttentionResult want = layer(x, x, x, {.attn_mask = ignore});
  EXPECT_EQ(want.weights.at({0, 0, 0}), 1.0);
  EXPECT_EQ(want.weights.at({1, 0, 2}), 0.0);
  const auto same = [&](const nn::AttendOptions& options) {
    for (const bool weights : {true, false}) {
      nn::AttendOptions call = options;
      call.need_weights = weights;
      expect_near(layer(x, x, x, call).output, want.output);
    }
  };
  same({.attn_mask = ignore});
  same({.attn_mask = ~ignore, .meaning = nn::MaskMeaning::attend_where});
  same({.attn_mask = infinite});
  same({.is_causal = true});
  same({.attn_mask = ag::broadcast_to(ag::unsqueeze(ignore, 0), {4, 3, 3})});
  same({.attn_mask = ignore, .is_causal = true});
}

TEST(HardCases, 35_layer_of_a_fully_masked_query) {
  const nn::MultiheadAttention layer = attention();
  ag::Tensor x = drawn({2, 2, 4}).set_requires_grad();
  const ag::Tensor nobody = ag::tensor({{1, 1}, {0, 0}}) > 0.5;
  for (const bool weights : {true, false}) {
    x.zero_grad();
    ag::Tape tape;
    const auto y = layer(x, x, x, {.key_padding_mask = nobody, .need_weights = weights});
    // Sample 0 attends to nothing: the bias of out_proj, which starts at 0.
    EXPECT_EQ(ag::max(ag::abs(ag::select(y.output, 1, 0))).item(), 0.0);
    tape.backward(ag::sum(ag::square(y.output)));
    for (const double g : values(x.grad())) EXPECT_TRUE(std::isfinite(g));
  }
}

TEST(MultiheadAttention, NanInIgnoredKeys) {
  const nn::MultiheadAttention layer = attention();
  ag::Tensor key = drawn({3, 1, 4});
  ag::fill_(ag::select(key, 0, 2), NAN);
  const ag::Tensor query = drawn({2, 1, 4}, 3), mask = ag::tensor({{0, 0, 1}}) > 0.5;
  for (const bool weights : {true, false}) {
    const auto y = layer(query, key, key, {.key_padding_mask = mask, .need_weights = weights});
    expect_near(y.output, layer(query, ag::narrow(key, 0, 0, 2), ag::narrow(key, 0, 0, 2)).output);
  }
}

TEST(MultiheadAttention, MessagesOfMasks) {
  const nn::MultiheadAttention layer = attention();
  const ag::Tensor x = drawn({3, 2, 4});
  expect_message<ag::ShapeError>(
      "MultiheadAttention: attn_mask has the wrong shape: it is [3, 2]; need [3, 3] or [4, 3, 3]",
      [&] {
        layer(x, x, x, {.attn_mask = ag::ones({3, 2})});
      });
  expect_message<ag::ShapeError>(
      "MultiheadAttention: key_padding_mask has the wrong shape: it is [3, 2]; need [2, 3]", [&] {
        layer(x, x, x, {.key_padding_mask = ag::ones({3, 2})});
      });
  expect_message<ag::TypeError>(
      "MultiheadAttention: attn_mask is int64; need bool or a floating dtype", [&] {
        layer(x, x, x, {.attn_mask = ag::zeros({3, 3}, ag::int64)});
      });
  expect_message<ag::ShapeError>(
      "MultiheadAttention: key and value do not fit: key is [3, 2, 4], value is [2, 2, 4]; need a "
      "value for each key",
      [&] { layer(x, x, ag::narrow(x, 0, 0, 2)); });
  expect_message<ag::ShapeError>(
      "MultiheadAttention: query and key do not fit: query is [3, 1, 4], key is [3, 2, 4]; need "
      "the same batch",
      [&] { layer(ag::narrow(x, 1, 0, 1), x, x); });
  expect_message<ag::ValueError>(
      "MultiheadAttention: the heads do not share embed_dim evenly: embed_dim is 4, num_heads is "
      "3; need a divisor",
      [] { nn::MultiheadAttention(4, 3); });
  EXPECT_THROW(nn::MultiheadAttention(0, 1), ag::ValueError);
  EXPECT_THROW(nn::MultiheadAttention(-4, 2), ag::ValueError);
  EXPECT_THROW(nn::MultiheadAttention(4, 2, {.dropout = 2}), ag::ValueError);
}

// Position by position over a cache is the causal call on all at once.
TEST(Transformer, StepsAreTheCausalCall) {
  for (const bool batch_first : {false, true}) {
    ag::Generator g(3);
    const nn::TransformerStackOptions options{.layer = {.dim_feedforward = 6,
                                                        .dropout = 0,
                                                        .batch_first = batch_first,
                                                        .norm_first = batch_first,
                                                        .dtype = ag::float64},
                                              .norm = true};
    const nn::TransformerEncoder encoder(2, 4, 2, g, options);
    const nn::TransformerDecoder decoder(2, 4, 2, g, options);
    const std::int64_t time = batch_first ? 1 : 0;
    const ag::Tensor x = drawn(batch_first ? ag::Shape{2, 5, 4} : ag::Shape{5, 2, 4});
    const ag::Tensor memory = drawn(batch_first ? ag::Shape{2, 3, 4} : ag::Shape{3, 2, 4}, 5);
    std::vector<nn::KeysAndValues> caches;
    std::vector<nn::DecoderCache> decoding = decoder.start(memory);
    std::vector<ag::Tensor> encoded, decoded;
    for (std::int64_t i = 0; i < 5; ++i) {
      const ag::Tensor at = ag::narrow(x, time, i, 1);
      encoded.push_back(encoder.step(at, caches));
      decoded.push_back(decoder.step(at, decoding));
    }
    expect_near(ag::cat(encoded, time), encoder(x, {.is_causal = true}));
    expect_near(ag::cat(decoded, time), decoder(x, memory, {.tgt_is_causal = true}));
    // A beam search keeps rows: the second sequence twice.
    const ag::Tensor rows = ag::tensor({1, 1}, ag::int64);
    const nn::DecoderCache kept = decoding[0].rows(rows);
    EXPECT_TRUE(ag::equal(kept.self.keys(0), decoding[0].self.keys(1)));
    EXPECT_TRUE(ag::equal(kept.memory.values(1), decoding[0].memory.values(1)));
    caches.pop_back();
    EXPECT_THROW(encoder.step(ag::narrow(x, time, 0, 1), caches), ag::ValueError);
    EXPECT_THROW(decoder.step(ag::ones({1, 1, 3}, ag::float64), decoding), ag::ShapeError);
    EXPECT_EQ(decoding[0].self.keys.size(2), 5);  // nothing advanced
  }
}

// Several new positions at a time, causal by the flag or by a mask between them of each kind.
TEST(Transformer, StepsOfSeveralPositions) {
  ag::Generator g(4);
  const nn::TransformerStackOptions options{
      .layer = {.dim_feedforward = 6, .dropout = 0, .batch_first = true, .dtype = ag::float64}};
  const nn::TransformerEncoder encoder(2, 4, 2, g, options);
  const nn::TransformerDecoder decoder(2, 4, 2, g, options);
  const ag::Tensor x = drawn({2, 5, 4}), memory = drawn({2, 3, 4}, 5);
  const ag::Tensor encoded = encoder(x, {.is_causal = true});
  const ag::Tensor decoded = decoder(x, memory, {.tgt_is_causal = true});
  const auto later = [](std::int64_t l) { return ag::triu(ag::ones({l, l}), 1) > 0.5; };
  const std::vector<std::function<nn::EncoderCall(std::int64_t)>> calls = {
      [](std::int64_t) { return nn::EncoderCall{.is_causal = true}; },
      [&](std::int64_t l) { return nn::EncoderCall{.mask = later(l)}; },
      [&](std::int64_t l) {
        return nn::EncoderCall{.mask = ~later(l), .meaning = nn::MaskMeaning::attend_where};
      },
      [&](std::int64_t l) {
        return nn::EncoderCall{.mask = ag::where(later(l), ag::full({l, l}, -1e30, ag::float64),
                                                 ag::zeros({l, l}, ag::float64))};
      }};
  for (const auto& call_of : calls) {
    for (const std::vector<std::int64_t>& lengths :
         {std::vector<std::int64_t>{1, 3, 1}, {2, 2, 1}, {3, 2}}) {
      std::vector<nn::KeysAndValues> caches;
      std::vector<nn::DecoderCache> decoding = decoder.start(memory);
      std::vector<ag::Tensor> some, others;
      std::int64_t begin = 0;
      for (const std::int64_t l : lengths) {
        const ag::Tensor now = ag::narrow(x, 1, begin, l);
        const nn::EncoderCall call = call_of(l);
        some.push_back(encoder.step(now, caches, call));
        others.push_back(decoder.step(
            now, decoding,
            {.tgt_mask = call.mask, .tgt_is_causal = call.is_causal, .meaning = call.meaning}));
        begin += l;
      }
      expect_near(ag::cat(some, 1), encoded);
      expect_near(ag::cat(others, 1), decoded);
    }
  }
  const nn::MultiheadAttention attention(4, 2);
  expect_message<ag::ValueError>("MultiheadAttention: past is -1; need a number of keys, >= 0",
                                 [&] {
                                   const ag::Tensor some = ag::ones({3, 1, 4});
                                   attention(some, some, some, {.is_causal = true, .past = -1});
                                 });
}

// 0 NaN would be NaN in the product that sums the gradient of the weights over all steps.
TEST(Recurrent, WhateverThePaddingHolds) {
  using Limits = std::numeric_limits<double>;
  for (const double padding : {0.0, 1e30, Limits::infinity(), Limits::quiet_NaN()}) {
    ag::Generator g(5);
    const nn::GRU gru(2, 3, g, {.num_layers = 2, .bidirectional = true, .dtype = ag::float64});
    ag::Tensor x = ag::ones({3, 2, 2}, ag::float64);
    ag::Tensor behind = x(ag::slice(1), 1);
    ag::fill_(behind, padding);
    x.set_requires_grad();
    std::vector<ag::Tensor> grads;
    ag::Tape tape;
    tape.backward(ag::sum(gru(x, {.lengths = {3, 1}}).output));
    grads.push_back(x.grad());
    for (const auto& [name, p] : gru.named_parameters()) grads.push_back(p.grad());
    static const std::vector<ag::Tensor> want = grads;
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_TRUE(ag::equal(grads[i], want[i])) << padding << ", gradient " << i;
    }
  }
}

TEST(Transformer, LayersOfAStackDiffer) {
  ag::Generator g(3);
  const nn::TransformerEncoder encoder(2, 4, 2, g);
  EXPECT_FALSE(ag::equal(encoder.layers[0].linear1.weight, encoder.layers[1].linear1.weight));
  EXPECT_THROW(nn::TransformerEncoder(-1, 4, 2, g), ag::ValueError);
}

// The formulas of the header, written out: i, f, g, o and r, z, n are the order of the rows.
TEST(HardCases, 91_gate_order) {
  ag::Generator g(4);
  const nn::LSTM lstm(3, 2, g, {.dtype = ag::float64});
  const nn::GRU gru(3, 2, g, {.dtype = ag::float64});
  const ag::Tensor x = drawn({1, 5, 3}), h = drawn({5, 2}, 2), c = drawn({5, 2}, 3);
  const auto part = [&](const auto& layer, const char* kind, const ag::Tensor& in, int gate) {
    const auto rows = [&](const std::string& name) {
      return ag::narrow(layer.parameter(name), 0, 2 * gate, 2);
    };
    return ag::linear(in, rows(std::string("weight_") + kind + "_l0"),
                      rows(std::string("bias_") + kind + "_l0"));
  };
  const auto sum = [&](int gate) {
    return part(lstm, "ih", x(0), gate) + part(lstm, "hh", h, gate);
  };
  const ag::Tensor next = ag::sigmoid(sum(1)) * c + ag::sigmoid(sum(0)) * ag::tanh(sum(2));
  const auto result = lstm(x, {.h = ag::unsqueeze(h, 0), .c = ag::unsqueeze(c, 0)});
  expect_near(result.c(0), next);
  expect_near(result.h(0), ag::sigmoid(sum(3)) * ag::tanh(next));
  const ag::Tensor r = ag::sigmoid(part(gru, "ih", x(0), 0) + part(gru, "hh", h, 0));
  const ag::Tensor z = ag::sigmoid(part(gru, "ih", x(0), 1) + part(gru, "hh", h, 1));
  const ag::Tensor n = ag::tanh(part(gru, "ih", x(0), 2) + r * part(gru, "hh", h, 2));
  expect_near(gru(x, {.h = ag::unsqueeze(h, 0)}).h(0), (1.0 - z) * n + z * h);
}

// Truncated: a state that is detached carries values on, and no gradient.
TEST(HardCases, 91_truncated_backpropagation_through_time) {
  ag::Generator g(4);
  const nn::LSTM lstm(3, 2, g, {.num_layers = 2, .dtype = ag::float64});
  const ag::Tensor x = drawn({6, 2, 3});
  const auto whole = lstm(x);
  const auto first = lstm(ag::narrow(x, 0, 0, 4));
  const auto rest = lstm(ag::narrow(x, 0, 4, 2), {.h = first.h, .c = first.c});
  expect_near(rest.output, ag::narrow(whole.output, 0, 4, 2), 1e-14);
  expect_near(rest.c, whole.c, 1e-14);
  ag::Tensor early = ag::detach(ag::narrow(x, 0, 0, 4)) * 1.0;
  early.set_requires_grad();
  for (const bool cut : {false, true}) {
    early.zero_grad();
    ag::Tape tape;
    auto state = lstm(early);
    if (cut) state = {state.output, ag::detach(state.h), ag::detach(state.c)};
    const auto y = lstm(ag::narrow(x, 0, 4, 2), {.h = state.h, .c = state.c});
    tape.backward(ag::sum(y.output));
    EXPECT_EQ(early.has_grad(), !cut);
  }
}

TEST(Recurrent, LengthsAreTheSequencesAlone) {
  ag::Generator g(4);
  const nn::GRU gru(3, 2, g, {.num_layers = 2, .bidirectional = true, .dtype = ag::float64});
  const std::vector<ag::Tensor> sequences = {drawn({2, 3}, 1), drawn({4, 3}, 2), drawn({1, 3}, 3)};
  const nn::PaddedSequence padded = nn::pad_sequence(sequences, {.value = 1e3});
  EXPECT_EQ(padded.values.shape(), (ag::Shape{4, 3, 3}));
  EXPECT_EQ(padded.lengths, (std::vector<std::int64_t>{2, 4, 1}));
  const auto all = gru(padded.values, {.lengths = padded.lengths});
  const auto outputs = nn::unpad_sequence({all.output, padded.lengths});
  for (std::size_t i = 0; i < 3; ++i) {
    const auto alone = gru(sequences[i]);
    expect_near(outputs[i], alone.output, 1e-14);
    expect_near(ag::select(all.h, 1, static_cast<std::int64_t>(i)), alone.h, 1e-14);
  }
  EXPECT_EQ(ag::max(ag::abs(all.output(3, 0))).item(), 0.0);
  const nn::PaddedSequence first = nn::pad_sequence(sequences, {.batch_first = true});
  EXPECT_EQ(first.values.shape(), (ag::Shape{3, 4, 3}));
  EXPECT_TRUE(ag::equal(nn::unpad_sequence(first, {.batch_first = true})[1], sequences[1]));
}

TEST(Recurrent, Messages) {
  const nn::LSTM lstm(3, 2);
  const nn::GRU gru(3, 2);
  const ag::Tensor x = ag::ones({4, 2, 3});
  expect_message<ag::ShapeError>(
      "LSTM: input has the wrong shape: it is [4, 2, 2]; need [t, n, 3] or [t, 3] with t >= 1",
      [&] {
        lstm(ag::ones({4, 2, 2}));
      });
  expect_message<ag::ShapeError>("LSTM: h has the wrong shape: it is [2, 2]; need [1, 2, 2]", [&] {
    lstm(x, {.h = ag::ones({2, 2})});
  });
  expect_message<ag::ValueError>("GRU: c is given; need a call without it, which is LSTM's alone",
                                 [&] {
                                   gru(x, {.c = ag::ones({1, 2, 2})});
                                 });
  expect_message<ag::ValueError>(
      "GRU: a wrong number of lengths: 1; need one for each sequence (2)",
      [&] { gru(x, {.lengths = {4}}); });
  expect_message<ag::ValueError>("GRU: a length is out of range: lengths[1] is 5; need 1 to 4",
                                 [&] {
                                   gru(x, {.lengths = {4, 5}});
                                 });
  expect_message<ag::ValueError>(
      "GRU: no such parameter: 'weight'; need weight_ih_l0 or another of named_parameters()",
      [&] { gru.parameter("weight"); });
  EXPECT_THROW(gru.parameter("weight_ih_l1"), ag::ValueError);
  EXPECT_EQ(gru.parameter("bias_hh_l0").shape(), (ag::Shape{6}));
  EXPECT_THROW(nn::LSTM(0, 2), ag::ValueError);
  EXPECT_THROW(nn::GRU(3, 2, {.num_layers = 0}), ag::ValueError);
  EXPECT_THROW(nn::LSTMCell(3, 2)(ag::ones({2, 3}), {ag::ones({2, 3}), {}}), ag::ShapeError);
  EXPECT_THROW(nn::pad_sequence({}), ag::ValueError);
  EXPECT_THROW(nn::pad_sequence({ag::ones({2, 3}), ag::ones({2, 4})}), ag::ShapeError);
  EXPECT_THROW(nn::unpad_sequence({x, {1}}), ag::ShapeError);
  EXPECT_THROW(nn::unpad_sequence({x, {1, 5}}), ag::Error);
}

TEST(PositionalEncoding, Offset) {
  const nn::PositionalEncoding waves(6, {.max_len = 8, .batch_first = true, .dtype = ag::float64});
  const ag::Tensor x = drawn({2, 5, 6});
  expect_near(waves(ag::narrow(x, 1, 3, 2), 3), ag::narrow(waves(x), 1, 3, 2), 0);
  EXPECT_TRUE(waves.state_dict().empty());  // computed, not saved
  expect_message<ag::ValueError>(
      "PositionalEncoding: positions are out of range: they are 4 to 8; need at least 0 and less "
      "than max_len (8)",
      [&] { waves(x, 4); });
  EXPECT_THROW(waves(x, -1), ag::ValueError);
}

}  // namespace
