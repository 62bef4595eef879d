// SPDX-License-Identifier: Apache-2.0
// Beam search: the likeliest continuations of many sentences at once, by a model that scores the next token
// of each row of a batch. The search knows tokens and scores only; the model's caches follow `rows`.
// Threads: any number of searches at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "data/text.hpp"

namespace nn {

/// What the model is asked: scores [m, tokens], logits or log-probabilities, of what follows `last`.
struct BeamStep {
  autograd::Tensor last;  ///< int64 [m]: the newest token of each row
  /// int64 [m]: which row of the step before (at position 0: which sentence) each row continues.
  autograd::Tensor rows;
  std::int64_t position = 0;  ///< tokens before `last`
  /// Row i is of the sentence that row i was of before: what depends on sentences alone may stay.
  bool same_sentences = true;
};

struct BeamSearchOptions {
  std::int64_t beam = 5;  ///< beginnings kept of each sentence; 1 is greedy
  std::int64_t begin = 0, end = 1;
  std::int64_t max_length = 100;  ///< of a result, the end not counted
  /// Results compare by log-probability / length^length_penalty, the end counted: 1 is the mean, 0 makes
  /// short ones win.
  double length_penalty = 1.0;
};

/// For each of n sentences the best continuation, without begin and end. A sentence is done when `beam`
/// of its continuations have ended, each among the `beam` best of its step (as fairseq), or at max_length,
/// where one without an end is taken if none has ended: it does not compete with those that have, however
/// much likelier. Equal scores: the lower row, the lower token.
/// Throws ValueError for options out of range and scores that are NaN, ShapeError unless scores are
/// [m, tokens].
std::vector<Ids> beam_search(std::int64_t n,
                             const std::function<autograd::Tensor(const BeamStep&)>& step,
                             const BeamSearchOptions& options = {});

}  // namespace nn
