// SPDX-License-Identifier: Apache-2.0
// Metrics: how good predictions are, in numbers that people compare. Nothing here is differentiated or
// recorded; counts are exact, and a metric over a data set is gathered batch by batch with update().
// Shares of nothing are NaN.
//
// To add one: a class with update(), value() and reset(), or a function; a case in metrics_test.cpp.
// Threads: one at a time for each object.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>

#include "state_dict.hpp"

namespace nn {

using autograd::Tensor;

/// The mean of numbers that come one by one or by batches: mean.update(loss.item(), batch_size).
class RunningMean {
 public:
  /// Adds `value` as often as `weight` says. Kahan's sum: a million small numbers lose nothing.
  void update(double value, double weight = 1.0);
  double value() const;  ///< NaN for nothing
  double weight() const { return weight_; }
  void reset() { *this = {}; }

  StateDict state_dict() const;  ///< one tensor [3]
  void load_state_dict(const StateDict& state);

 private:
  double sum_ = 0, lost_ = 0, weight_ = 0;
};

/// The share of samples whose label is among the k largest scores. scores: [n, c] floating, labels:
/// int64 [n]. Ties count for the lower class; NaN is the smallest. Labels equal to ignore_index are
/// left out. Throws ShapeError, TypeError, ValueError for a label outside [0, c).
class Accuracy {
 public:
  explicit Accuracy(std::int64_t k = 1, std::int64_t ignore_index = -100);
  void update(const Tensor& scores, const Tensor& labels);
  /// Truth values, or probabilities at a threshold of 0.5, against targets of the same shape.
  void update_binary(const Tensor& probability, const Tensor& target);
  double value() const;
  std::int64_t correct() const { return correct_; }
  std::int64_t total() const { return total_; }
  void reset() { correct_ = total_ = 0; }

 private:
  std::int64_t k_, ignore_, correct_ = 0, total_ = 0;
};

/// How F1, precision and recall of several classes become one number: of all decisions together, or
/// the mean over classes (those without any sample or prediction left out), or weighted by samples.
enum class Average : std::uint8_t { micro, macro, weighted };

/// counts()[row c + column] samples of class `row` were predicted as `column`.
class ConfusionMatrix {
 public:
  /// Throws ValueError unless 1 <= classes <= 10,000.
  explicit ConfusionMatrix(std::int64_t classes, std::int64_t ignore_index = -100);
  /// predictions: int64 classes [n], or scores [n, c] whose largest counts; labels: int64 [n].
  void update(const Tensor& predictions, const Tensor& labels);

  std::int64_t classes() const { return classes_; }
  std::int64_t at(std::int64_t label, std::int64_t predicted) const;
  Tensor counts() const;  ///< [c, c] int64, a copy
  double accuracy() const;
  /// Of one class: the share of its predictions that are right, of its samples that are found, and
  /// 2 p r / (p + r). 0 where there is nothing to divide by.
  double precision(std::int64_t label) const;
  double recall(std::int64_t label) const;
  double f1(std::int64_t label) const;
  double precision(Average average) const;
  double recall(Average average) const;
  double f1(Average average) const;
  /// Rows of labels, columns of predictions, with totals: for the terminal.
  std::string to_string(const std::vector<std::string>& names = {}) const;
  void reset();

 private:
  struct Totals {
    std::int64_t hit = 0, labelled = 0, predicted = 0;
  };
  Totals totals(std::int64_t label) const;
  template <class F> double averaged(Average average, F&& of_class) const;

  std::int64_t classes_, ignore_;
  std::vector<std::int64_t> counts_;
};

/// exp of the mean negative log-likelihood of tokens: update(loss.item(), number of tokens).
class Perplexity {
 public:
  void update(double mean_loss, double tokens = 1.0) { mean_.update(mean_loss, tokens); }
  double value() const;
  void reset() { mean_.reset(); }

 private:
  RunningMean mean_;
};

/// A sentence as tokens: words, pieces or characters.
using Tokens = std::vector<std::string>;
/// Words apart by blanks; the code points of UTF-8 text (a wrong byte is one of its own).
Tokens split_words(const std::string& text);
Tokens split_characters(const std::string& text);

struct BleuOptions {
  bool smooth =
      false;  ///< add 1 to counts of 2-grams and longer (Lin, Och 2004), for few sentences
  bool lower_case = false;  ///< ASCII letters
};

/// Corpus BLEU-4 of tokenized sentences, in percent: the geometric mean of the clipped precisions of
/// 1- to 4-grams over the whole corpus, times min(1, exp(1 - r / h)) with r the lengths of the closest
/// references. As multi-bleu.perl, and sacrebleu --tokenize none --smooth-method none; 0 where one
/// precision is. Papineni et al.: BLEU, ACL 2002.
class Bleu {
 public:
  explicit Bleu(BleuOptions options = {}) : options_(options) {}
  /// One sentence and its references. Throws ValueError for no reference.
  void update(const Tokens& hypothesis, const std::vector<Tokens>& references);
  void update(const Tokens& hypothesis, const Tokens& reference) {
    update(hypothesis, std::vector<Tokens>{reference});
  }
  double value() const;
  std::array<double, 4> precisions() const;  ///< in percent
  double brevity_penalty() const;
  void reset() { *this = Bleu(options_); }

 private:
  BleuOptions options_;
  std::array<std::int64_t, 4> match_{}, total_{};
  std::int64_t hypothesis_length_ = 0, reference_length_ = 0;
};

/// The fewest insertions, deletions and substitutions that make b of a (Levenshtein).
std::int64_t edit_distance(const Tokens& a, const Tokens& b);

/// Edits of all sentences over tokens of all references: the word error rate of split_words, the
/// character error rate of split_characters. May be above 1.
class ErrorRate {
 public:
  void update(const Tokens& hypothesis, const Tokens& reference);
  double value() const;
  void reset() { edits_ = length_ = 0; }

 private:
  std::int64_t edits_ = 0, length_ = 0;
};

}  // namespace nn
