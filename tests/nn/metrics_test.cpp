// SPDX-License-Identifier: Apache-2.0
// Metrics against numbers worked out by hand, and BLEU against those of sacrebleu's manual.
#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::float64;
using nn_test::labels;
using Tokens = nn::Tokens;

TEST(RunningMean, WeightsAndLongSums) {
  nn::RunningMean mean;
  EXPECT_TRUE(std::isnan(mean.value()));
  mean.update(1.0, 3.0);
  mean.update(5.0);
  EXPECT_EQ(mean.value(), 2.0);
  mean.reset();
  for (int i = 0; i < 1000000; ++i) mean.update(0.1);
  EXPECT_EQ(mean.value(), 0.1);
  mean.update(HUGE_VAL);
  EXPECT_EQ(mean.value(), HUGE_VAL);
  nn::RunningMean other;
  other.load_state_dict(mean.state_dict());
  EXPECT_EQ(other.weight(), mean.weight());
  EXPECT_THROW(other.load_state_dict({}), ag::ValueError);
}

TEST(Accuracy, TopOneAndTopTwo) {
  const ag::Tensor scores =
      ag::tensor({{0.1, 0.7, 0.2}, {0.5, 0.3, 0.2}, {0.1, 0.2, 0.7}, {0.3, 0.3, 0.1}});
  const ag::Tensor target = labels({1, 1, 0, 0});
  nn::Accuracy one, two(2);
  one.update(scores, target);
  two.update(scores, target);
  EXPECT_EQ(one.value(), 0.5);  // the tie counts for the lower class
  EXPECT_EQ(two.value(), 0.75);
  one.update(scores, labels({-100, -100, 2, -100}));
  EXPECT_EQ(one.value(), 0.6);
  EXPECT_EQ(one.total(), 5);
  one.reset();
  EXPECT_TRUE(std::isnan(one.value()));
}

TEST(Accuracy, NanIsTheSmallestAndBinary) {
  nn::Accuracy accuracy;
  accuracy.update(float64({{NAN, 0.1}, {0.1, NAN}, {NAN, NAN}}), labels({1, 0, 0}));
  EXPECT_EQ(accuracy.value(), 1.0);
  nn::Accuracy binary;
  binary.update_binary(ag::tensor({0.9, 0.2, 0.5, 0.7}), ag::tensor({1, 0, 1, 0}));
  EXPECT_EQ(binary.value(), 0.5);
}

TEST(Accuracy, BadInputCountsNothing) {
  nn::Accuracy accuracy;
  const ag::Tensor scores = ag::ones({2, 3});
  expect_message<ag::ValueError>(
      "Accuracy.update: label out of range: element 1 is 3; need 0 <= label < 3", [&] {
        accuracy.update(scores, labels({0, 3}));
      });
  EXPECT_THROW(accuracy.update(scores, labels({0})), ag::ShapeError);
  EXPECT_THROW(accuracy.update(scores, ag::ones({2})), ag::TypeError);
  EXPECT_THROW(accuracy.update(labels({{1, 2}}), labels({0})), ag::TypeError);
  EXPECT_EQ(accuracy.total(), 0);
  nn::Accuracy top_four(4);
  expect_message<ag::ValueError>(
      "Accuracy.update: k out of range: k is 4, the scores are [2, 3]; need k at most the number "
      "of classes, 3",
      [&] {
        top_four.update(scores, labels({0, 1}));
      });
  EXPECT_THROW(nn::Accuracy(0), ag::ValueError);
}

// Labels 0 0 0 1 1 2, predictions 0 0 1 1 1 0.
TEST(ConfusionMatrix, CountsAndAverages) {
  nn::ConfusionMatrix matrix(4);
  matrix.update(labels({0, 0, 1, 1, 1, 0}), labels({0, 0, 0, 1, 1, 2}));
  EXPECT_EQ(matrix.at(0, 1), 1);
  EXPECT_EQ(matrix.at(2, 0), 1);
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 4.0 / 6);
  EXPECT_DOUBLE_EQ(matrix.precision(0), 2.0 / 3);
  EXPECT_DOUBLE_EQ(matrix.recall(0), 2.0 / 3);
  EXPECT_DOUBLE_EQ(matrix.precision(1), 2.0 / 3);
  EXPECT_DOUBLE_EQ(matrix.recall(1), 1.0);
  EXPECT_DOUBLE_EQ(matrix.f1(1), 0.8);
  EXPECT_EQ(matrix.f1(2), 0.0);
  EXPECT_EQ(matrix.f1(3), 0.0);
  using nn::Average;
  EXPECT_DOUBLE_EQ(matrix.f1(Average::micro), 4.0 / 6);
  EXPECT_DOUBLE_EQ(matrix.f1(Average::macro), (2.0 / 3 + 0.8) / 3);  // class 3 does not occur
  EXPECT_DOUBLE_EQ(matrix.f1(Average::weighted), (3 * 2.0 / 3 + 2 * 0.8) / 6);
  EXPECT_DOUBLE_EQ(matrix.recall(Average::macro), (2.0 / 3 + 1.0) / 3);
  EXPECT_EQ(matrix.counts().shape(), (ag::Shape{4, 4}));
  matrix.reset();
  EXPECT_TRUE(std::isnan(matrix.accuracy()));
}

TEST(ConfusionMatrix, ScoresTextAndBadInput) {
  nn::ConfusionMatrix matrix(2);
  matrix.update(ag::tensor({{0.1, 0.9}, {0.8, 0.2}}), labels({1, 1}));
  EXPECT_EQ(matrix.to_string({"cat", "dog"}),
            "         cat   dog total\n"
            "   cat     0     0     0\n"
            "   dog     1     1     2\n");
  EXPECT_THROW(matrix.update(labels({0, 2}), labels({0, 1})), ag::ValueError);
  EXPECT_THROW(matrix.update(labels({0, 1}), labels({0, -1})), ag::ValueError);
  EXPECT_THROW(matrix.update(ag::ones({2, 3}), labels({0, 1})), ag::ShapeError);
  EXPECT_EQ(matrix.at(0, 0), 0);
  EXPECT_THROW(nn::ConfusionMatrix(0), ag::ValueError);
  EXPECT_THROW(nn::ConfusionMatrix(1 << 20), ag::ValueError);
}

TEST(Perplexity, OfAUniformGuess) {
  nn::Perplexity perplexity;
  perplexity.update(std::log(8.0), 10);
  perplexity.update(std::log(2.0), 10);
  EXPECT_NEAR(perplexity.value(), 4.0, 1e-14);
}

TEST(Text, WordsAndCharacters) {
  EXPECT_EQ(nn::split_words("  ein  Hund\tläuft\n"), (Tokens{"ein", "Hund", "läuft"}));
  EXPECT_EQ(nn::split_words(""), Tokens{});
  EXPECT_EQ(nn::split_characters("aä€😀"), (Tokens{"a", "ä", "€", "😀"}));
  // Cut short, alone, too long, never valid: a byte each.
  EXPECT_EQ(nn::split_characters("\xE2\x82").size(), 2u);
  EXPECT_EQ(nn::split_characters("\x80\xFF"
                                 "a")
                .size(),
            3u);
}

// sacrebleu's README, tokenized: BLEU = 48.53 82.4/50.0/45.5/37.5 (BP = 0.943, lengths 17 and 18).
TEST(Bleu, OfThreeSentencesAsSacrebleu) {
  const std::vector<std::string> said = {"The dog bit the man .", "It wasn't surprising .",
                                         "The man had just bitten him ."};
  const std::vector<std::vector<std::string>> wanted = {
      {"The dog bit the man .", "The dog had bit the man ."},
      {"It was not unexpected .", "No one was surprised ."},
      {"The man bit him first .", "The man had bitten the dog ."}};
  nn::Bleu bleu;
  for (std::size_t i = 0; i < 3; ++i) {
    bleu.update(nn::split_words(said[i]),
                {nn::split_words(wanted[i][0]), nn::split_words(wanted[i][1])});
  }
  EXPECT_NEAR(bleu.value(), 48.53, 0.005);
  const std::array<double, 4> p = bleu.precisions();
  EXPECT_NEAR(p[0], 82.4, 0.05);
  EXPECT_NEAR(p[1], 50.0, 0.05);
  EXPECT_NEAR(p[2], 45.5, 0.05);
  EXPECT_NEAR(p[3], 37.5, 0.05);
  EXPECT_NEAR(bleu.brevity_penalty(), 0.943, 0.0005);
}

TEST(Bleu, ClipsAndEdges) {
  nn::Bleu bleu;
  EXPECT_TRUE(std::isnan(bleu.value()));
  // Papineni's example: 2 of 7.
  bleu.update(nn::split_words("the the the the the the the"),
              nn::split_words("the cat is on the mat"));
  EXPECT_NEAR(bleu.precisions()[0], 200.0 / 7, 1e-12);
  EXPECT_EQ(bleu.value(), 0.0);
  bleu.reset();
  bleu.update({}, Tokens{"a"});
  EXPECT_EQ(bleu.value(), 0.0);
  nn::Bleu same({.lower_case = true});
  same.update(nn::split_words("A b C d e"), nn::split_words("a B c d E"));
  EXPECT_NEAR(same.value(), 100.0, 1e-12);
  nn::Bleu smooth({.smooth = true});
  smooth.update(nn::split_words("a b x"), nn::split_words("a b c"));
  EXPECT_GT(smooth.value(), 0.0);
  EXPECT_THROW(bleu.update({}, std::vector<Tokens>{}), ag::ValueError);
}

TEST(ErrorRate, WordsAndCharacters) {
  EXPECT_EQ(nn::edit_distance(nn::split_characters("kitten"), nn::split_characters("sitting")), 3);
  EXPECT_EQ(nn::edit_distance({}, nn::split_characters("abc")), 3);
  EXPECT_EQ(nn::edit_distance(nn::split_characters("abc"), {}), 3);
  nn::ErrorRate words;
  EXPECT_TRUE(std::isnan(words.value()));
  words.update(nn::split_words("seven five two"), nn::split_words("seven nine two"));
  words.update(nn::split_words("one one one"), nn::split_words("one"));
  EXPECT_EQ(words.value(), 0.75);
}

}  // namespace
