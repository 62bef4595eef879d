// SPDX-License-Identifier: Apache-2.0
// Layers that draw while they compute: what is dropped, and that a resumed run drops the same.
#include <thread>

#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::values;

TEST(HardCases, 82_dropout_layers) {
  ag::Generator generator(5);
  nn::Dropout half(0.5, generator), all(1.0), none(0.0);
  const ag::Tensor x = ag::ones({1000}).set_requires_grad();
  ag::Tape tape;
  const ag::Tensor y = half(x);
  tape.backward(ag::sum(y));
  double kept = 0;
  for (const double v : values(y)) {
    EXPECT_TRUE(v == 0 || v == 2) << v;
    kept += v == 2;
  }
  EXPECT_NEAR(kept, 500, 60);
  EXPECT_TRUE(ag::equal(x.grad(), ag::detach(y)));  // the same mask
  EXPECT_FALSE(ag::equal(half(x), half(x)));        // and another one each time
  EXPECT_EQ(ag::max(ag::abs(all(x * INFINITY))).item(), 0.0);
  EXPECT_TRUE(ag::equal(none(x), x));
  half.eval();
  EXPECT_TRUE(ag::equal(half(x), x));
  expect_message<ag::ValueError>("Dropout: p out of range: 1.5; need 0 to 1",
                                 [] { nn::Dropout(1.5); });
  EXPECT_THROW(nn::Dropout2d(NAN), ag::ValueError);
}

TEST(Dropout, WholeChannels) {
  ag::Generator generator(5);
  const nn::Dropout2d drop(0.5, generator);
  const ag::Tensor x = ag::ones({8, 16, 2, 3});
  const std::vector<double> y = values(drop(x));
  double kept = 0;
  for (std::size_t channel = 0; channel < 8 * 16; ++channel) {
    for (std::size_t i = 1; i < 6; ++i) EXPECT_EQ(y[channel * 6 + i], y[channel * 6]);
    kept += y[channel * 6] == 2;
  }
  EXPECT_NEAR(kept, 64, 25);
  EXPECT_EQ(drop(ag::ones({4, 2, 2})).shape(), (ag::Shape{4, 2, 2}));
  EXPECT_EQ(ag::max(nn::Dropout2d(1.0)(x * INFINITY)).item(), 0.0);
  EXPECT_EQ(nn::Dropout1d(0.5)(ag::ones({2, 3, 4})).shape(), (ag::Shape{2, 3, 4}));
  EXPECT_EQ(nn::Dropout3d(0.5)(ag::ones({2, 3, 4, 1})).shape(), (ag::Shape{2, 3, 4, 1}));
}

TEST(Dropout, DefaultGeneratorAndCheckpoint) {
  const nn::Dropout drop(0.5);
  const ag::Tensor x = ag::ones({64});
  ag::manual_seed(3);
  const ag::Tensor first = drop(x);
  ag::manual_seed(3);
  EXPECT_TRUE(ag::equal(drop(x), first));
  EXPECT_TRUE(drop.generator_state().empty());
  const ag::Tensor w = ag::ones({64}).set_requires_grad();
  ag::Tape tape;
  const ag::Tensor input = w * 1.0;
  const ag::Tensor y =
      ag::checkpoint([&](const std::vector<ag::Tensor>& in) { return drop(in[0]); }, {input});
  tape.backward(ag::sum(y));
  EXPECT_TRUE(ag::equal(w.grad(), ag::detach(y)));
}

struct Model : nn::Module {
  nn::Dropout first;
  nn::Sequential rest;
  explicit Model(std::uint64_t seed) : Model(ag::Generator(seed)) {}
  ag::Tensor operator()(const ag::Tensor& x) const { return rest(first(x)); }

 private:
  explicit Model(ag::Generator generator)
      : first(0.5, generator),
        rest{nn::Linear(8, 8, generator), nn::Dropout2d(0.5), nn::Dropout(0.3, generator)} {
    register_module("first", first);
    register_module("rest", rest);
  }
};

// A checkpoint is state_dict() and generator_state().
TEST(Dropout, ResumesWithTheSameDraws) {
  const ag::Tensor x = ag::ones({2, 8, 8, 8});
  Model whole(1), resumed(2);
  ag::manual_seed(7);
  (void)whole(x);
  const nn::StateDict draws = whole.generator_state();
  EXPECT_EQ(draws.size(), 2u);
  EXPECT_TRUE(draws.contains("first.generator"));
  EXPECT_TRUE(draws.contains("rest.2.generator"));
  ag::Generator other = ag::default_generator();
  const ag::Tensor want = whole(x);
  ag::default_generator() = other;
  resumed.load_state_dict(whole.state_dict());
  resumed.load_generator_state(draws);
  EXPECT_TRUE(ag::equal(resumed(x), want));
}

TEST(Dropout, GeneratorStateOfAnotherModel) {
  Model model(1);
  const nn::StateDict before = model.generator_state();
  const auto stays = [&] {
    const nn::StateDict now = model.generator_state();
    for (const auto& [key, place] : before) EXPECT_TRUE(ag::equal(place, now.at(key))) << key;
  };
  nn::StateDict missing, misshapen, unexpected;
  missing.insert("first.generator", ag::tensor({9, 9}, ag::int64));
  expect_message<ag::ValueError>(
      "load_generator_state: the state does not fit the module: at 'rest.2.generator'; need the "
      "names of generator_state(), int64 [2] each (1 given, 2 there)",
      [&] { model.load_generator_state(missing); });
  for (const auto& [key, place] : before) {
    misshapen.insert(key, key[0] == 'f' ? ag::tensor({9, 9}, ag::int64) : ag::ones({2}));
    unexpected.insert(key, ag::tensor({9, 9}, ag::int64));
  }
  unexpected.insert("more", ag::tensor({9, 9}, ag::int64));
  EXPECT_THROW(model.load_generator_state(misshapen), ag::ValueError);
  EXPECT_THROW(model.load_generator_state(unexpected), ag::ValueError);
  stays();
}

// Threads that share a layer get numbers of their own; how many were taken does not depend on them.
TEST(Dropout, TakesFromSeveralThreads) {
  ag::Generator generator(1);
  const nn::Dropout drop(0.5, generator);
  const ag::Tensor x = ag::ones({10});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) (void)drop(x);
    });
  }
  for (std::thread& thread : threads) thread.join();
  // 200 calls of 10 words, in blocks of 4.
  EXPECT_EQ(drop.generator_state().at("generator").at({1}), 200 * 12);
}

// Inside of other layers, too: on in training, with a stream that resumes, off in evaluation.
template <class F> void expect_drops(nn::Module& layer, F&& call) {
  const nn::StateDict start = layer.generator_state();
  EXPECT_FALSE(start.empty());
  std::vector<ag::Tensor> places;
  for (const auto& [key, place] : start) places.push_back(place);
  const ag::Tensor first = call(), second = call();
  EXPECT_FALSE(ag::equal(first, second));
  layer.load_generator_state(start);
  EXPECT_TRUE(ag::equal(call(), first));
  layer.eval();
  EXPECT_TRUE(ag::equal(call(), call()));
}

TEST(Dropout, InsideOfLayers) {
  ag::Generator g(1);
  const ag::Tensor x = ag::randn({6, 3, 8}, g);
  nn::MultiheadAttention attention(8, 2, g, {.dropout = 0.5});
  expect_drops(attention, [&] { return attention(x, x, x).output; });
  attention.train();
  expect_drops(attention, [&] { return attention(x, x, x, {.need_weights = false}).output; });
  nn::TransformerEncoderLayer encoder(8, 2, g, {.dim_feedforward = 16});
  expect_drops(encoder, [&] { return encoder(x); });
  nn::TransformerDecoderLayer decoder(8, 2, g, {.dim_feedforward = 16});
  expect_drops(decoder, [&] { return decoder(x, x); });
  nn::LSTM lstm(8, 5, g, {.num_layers = 2, .dropout = 0.5});
  expect_drops(lstm, [&] { return lstm(x).output; });
  nn::PositionalEncoding waves(8, g, {.dropout = 0.5});
  expect_drops(waves, [&] { return waves(x); });
  nn::LearnedPositionalEncoding learned(9, 8, g, {.dropout = 0.5});
  expect_drops(learned, [&] { return learned(x); });
}

}  // namespace
