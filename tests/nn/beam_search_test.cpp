// SPDX-License-Identifier: Apache-2.0
// Beam search against all sequences of a small language, whose next token depends on the last two.
#include <gtest/gtest.h>
#include <nn/beam_search.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support.hpp"

namespace nn {
namespace {

namespace ag = autograd;
constexpr std::int64_t kTokens = 5, kBegin = 0, kEnd = 1;

// Scores of what follows two tokens in sentence s.
std::vector<float> scores_of(std::int64_t s, std::int64_t before, std::int64_t last) {
  std::vector<float> scores;
  for (std::int64_t token = 0; token < kTokens; ++token) {
    const auto place = static_cast<double>(((s * 7 + before) * 11 + last) * 13 + token);
    scores.push_back(static_cast<float>(2 * std::sin(place * place)));
  }
  scores[kBegin] = -std::numeric_limits<float>::infinity();  // never follows
  return scores;
}

// The language as a model with a cache: what each row has read, which `rows` rearranges.
struct Model {
  std::vector<std::int64_t> sentence;
  std::vector<Ids> read;
  int calls = 0, moved = 0;

  explicit Model(std::int64_t n) : read(static_cast<std::size_t>(n)) {
    for (std::int64_t i = 0; i < n; ++i) sentence.push_back(i);
  }
  ag::Tensor operator()(const BeamStep& step) {
    const auto rows = ag::to_vector<std::int64_t>(step.rows);
    const auto last = ag::to_vector<std::int64_t>(step.last);
    std::vector<Ids> now;
    std::vector<std::int64_t> whose;
    std::vector<float> scores;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      now.push_back(read.at(static_cast<std::size_t>(rows[i])));
      whose.push_back(sentence.at(static_cast<std::size_t>(rows[i])));
      EXPECT_EQ(static_cast<std::int64_t>(now[i].size()), step.position);
      now[i].push_back(last[i]);
      const std::int64_t before = step.position == 0 ? kBegin : now[i].end()[-2];
      const std::vector<float> more = scores_of(whose[i], before, last[i]);
      scores.insert(scores.end(), more.begin(), more.end());
    }
    if (step.same_sentences) {
      EXPECT_EQ(whose, sentence);
    } else {
      ++moved;
    }
    ++calls;
    read = now;
    sentence = whose;
    return ag::tensor(scores, {static_cast<std::int64_t>(rows.size()), kTokens});
  }
};

// Log-probability of all of `ids` and, if it is one, of the end behind them.
double score_of(std::int64_t s, const Ids& ids, bool ends) {
  double sum = 0;
  std::int64_t before = kBegin, last = kBegin;
  Ids all = ids;
  if (ends) all.push_back(kEnd);
  for (const std::int64_t token : all) {
    const std::vector<float> scores = scores_of(s, before, last);
    double total = 0;
    for (const float x : scores) total += std::exp(static_cast<double>(x));
    sum += static_cast<double>(scores[static_cast<std::size_t>(token)]) - std::log(total);
    before = last;
    last = token;
  }
  return sum;
}

// The best of all sequences that end within max_length steps.
void best_of_all(std::int64_t s, Ids& ids, std::int64_t max_length, double penalty, double& best,
                 Ids& found) {
  const double score = score_of(s, ids, true) / std::pow(double(ids.size()) + 1, penalty);
  if (score > best) {
    best = score;
    found = ids;
  }
  if (static_cast<std::int64_t>(ids.size()) + 1 == max_length) return;
  for (std::int64_t token = kEnd + 1; token < kTokens; ++token) {
    ids.push_back(token);
    best_of_all(s, ids, max_length, penalty, best, found);
    ids.pop_back();
  }
}

TEST(BeamSearch, AWideBeamFindsTheBestOfAll) {
  constexpr std::int64_t kLength = 4, kSentences = 6;
  for (const double penalty : {0.0, 0.6, 1.0}) {
    Model model(kSentences);
    const auto results = beam_search(kSentences, std::ref(model),
                                     {.beam = 200,
                                      .begin = kBegin,
                                      .end = kEnd,
                                      .max_length = kLength,
                                      .length_penalty = penalty});
    for (std::int64_t s = 0; s < kSentences; ++s) {
      Ids ids, want;
      double best = -std::numeric_limits<double>::infinity();
      best_of_all(s, ids, kLength, penalty, best, want);
      EXPECT_EQ(results[static_cast<std::size_t>(s)], want) << s << " " << penalty;
    }
  }
}

TEST(BeamSearch, ABeamOfOneIsGreedy) {
  constexpr std::int64_t kSentences = 8;
  Model model(kSentences);
  const auto results = beam_search(kSentences, std::ref(model),
                                   {.beam = 1, .begin = kBegin, .end = kEnd, .max_length = 12});
  for (std::int64_t s = 0; s < kSentences; ++s) {
    Ids want;
    std::int64_t before = kBegin, last = kBegin;
    while (want.size() < 12) {
      const std::vector<float> scores = scores_of(s, before, last);
      before = last;
      last = std::max_element(scores.begin(), scores.end()) - scores.begin();
      if (last == kEnd) break;
      want.push_back(last);
    }
    EXPECT_EQ(results[static_cast<std::size_t>(s)], want) << s;
  }
  EXPECT_GT(model.moved, 0);            // sentences ended before others
  EXPECT_LT(model.moved, model.calls);  // and not at every step
}

TEST(BeamSearch, SentencesDoNotDependOnTheirBatch) {
  Model together(5);
  const BeamSearchOptions options{.beam = 3, .begin = kBegin, .end = kEnd, .max_length = 20};
  const auto all = beam_search(5, std::ref(together), options);
  for (std::int64_t s = 0; s < 5; ++s) {
    Model alone(1);
    alone.sentence = {s};
    EXPECT_EQ(beam_search(1, std::ref(alone), options)[0], all[static_cast<std::size_t>(s)]);
  }
}

TEST(BeamSearch, StopsAtTheLengthWithWhatThereIs) {
  const auto never_ends = [](const BeamStep& step) {
    const std::int64_t m = step.last.size(0);
    return ag::broadcast_to(ag::tensor(std::vector<float>{0, -100, 1, 2}), ag::Shape{m, 4});
  };
  const auto results =
      beam_search(2, never_ends, {.beam = 2, .begin = kBegin, .end = kEnd, .max_length = 3});
  EXPECT_EQ(results, (std::vector<Ids>{{3, 3, 3}, {3, 3, 3}}));
  EXPECT_TRUE(beam_search(0, never_ends, {}).empty());
}

TEST(BeamSearch, RefusesWhatMakesNoSense) {
  const auto nan = [](const BeamStep& step) {
    return ag::full({step.last.size(0), 3}, std::numeric_limits<double>::quiet_NaN());
  };
  EXPECT_THROW(beam_search(1, nan, {}), ag::ValueError);
  EXPECT_THROW(beam_search(1, nan, {.beam = 0}), ag::ValueError);
  EXPECT_THROW(beam_search(1, nan, {.max_length = 0}), ag::ValueError);
  EXPECT_THROW(beam_search(-1, nan, {}), ag::ValueError);
  const auto always = [](double score) {
    return [score](const BeamStep& step) { return ag::full({step.last.size(0), 3}, score); };
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  nn_test::expect_message<ag::ValueError>(
      "beam_search: nothing to go on with: all scores of a beginning are -inf; need a number among "
      "them",
      [&] { beam_search(1, always(-kInfinity), {}); });
  nn_test::expect_message<ag::ValueError>(
      "beam_search: scores are NaN or +inf; need numbers or -inf",
      [&] { beam_search(1, always(kInfinity), {}); });
  const auto flat = [](const BeamStep&) { return ag::zeros({3}); };
  EXPECT_THROW(beam_search(1, flat, {}), ag::ShapeError);
}

}  // namespace
}  // namespace nn
