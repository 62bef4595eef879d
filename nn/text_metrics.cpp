// SPDX-License-Identifier: Apache-2.0
// Metrics of text: BLEU and edit distances.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "metrics.hpp"
#include "utf8.hpp"

namespace nn {

namespace {

using Counts = std::map<std::vector<std::int64_t>, std::int64_t>;

/// Tokens as numbers that are equal where the tokens are; one table for a sentence and its references.
class Numbering {
 public:
  explicit Numbering(bool lower_case) : lower_case_(lower_case) {}
  std::vector<std::int64_t> operator()(const Tokens& tokens) {
    std::vector<std::int64_t> numbers;
    numbers.reserve(tokens.size());
    for (std::string token : tokens) {
      if (lower_case_) {
        for (char& c : token) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      const auto next = static_cast<std::int64_t>(numbers_.size());
      numbers.push_back(numbers_.emplace(std::move(token), next).first->second);
    }
    return numbers;
  }

 private:
  bool lower_case_;
  std::map<std::string, std::int64_t> numbers_;
};

Counts ngrams(const std::vector<std::int64_t>& tokens, std::size_t n) {
  Counts counts;
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    const auto first = tokens.begin() + static_cast<std::ptrdiff_t>(i);
    ++counts[{first, first + static_cast<std::ptrdiff_t>(n)}];
  }
  return counts;
}

bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

}  // namespace

Tokens split_words(const std::string& text) {
  Tokens words;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    while (i < text.size() && !blank(text[i])) ++i;
    if (i > begin) words.push_back(text.substr(begin, i - begin));
    while (i < text.size() && blank(text[i])) ++i;
  }
  return words;
}

Tokens split_characters(const std::string& text) {
  Tokens characters;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = std::max<std::size_t>(detail::code_point_length(text, i), 1);
    characters.push_back(text.substr(i, length));
    i += length;
  }
  return characters;
}

void Bleu::update(const Tokens& hypothesis, const std::vector<Tokens>& references) {
  if (references.empty()) {
    throw autograd::ValueError("Bleu.update: no reference: the list is empty; need at least one");
  }
  Numbering number(options_.lower_case);
  const std::vector<std::int64_t> said = number(hypothesis);
  std::vector<std::vector<std::int64_t>> wanted;
  for (const Tokens& reference : references) wanted.push_back(number(reference));
  const auto length = static_cast<std::int64_t>(said.size());
  // Of references as close as each other the shorter one.
  std::int64_t closest = static_cast<std::int64_t>(wanted[0].size());
  for (const auto& reference : wanted) {
    const auto other = static_cast<std::int64_t>(reference.size());
    const std::int64_t gain = std::abs(closest - length) - std::abs(other - length);
    if (gain > 0 || (gain == 0 && other < closest)) closest = other;
  }
  hypothesis_length_ += length;
  reference_length_ += closest;
  for (std::size_t n = 1; n <= 4; ++n) {
    Counts most;
    for (const auto& reference : wanted) {
      for (const auto& [gram, count] : ngrams(reference, n)) {
        most[gram] = std::max(most[gram], count);
      }
    }
    for (const auto& [gram, count] : ngrams(said, n)) {
      const auto found = most.find(gram);
      if (found != most.end()) match_[n - 1] += std::min(count, found->second);
      total_[n - 1] += count;
    }
  }
}

std::array<double, 4> Bleu::precisions() const {
  std::array<double, 4> percent{};
  for (std::size_t n = 0; n < 4; ++n) {
    const std::int64_t more = options_.smooth && n > 0 ? 1 : 0;
    const std::int64_t total = total_[n] + more;
    if (total > 0) {
      percent[n] = 100 * static_cast<double>(match_[n] + more) / static_cast<double>(total);
    }
  }
  return percent;
}

double Bleu::brevity_penalty() const {
  if (hypothesis_length_ >= reference_length_) return 1;
  if (hypothesis_length_ == 0) return 0;
  return std::exp(1 -
                  static_cast<double>(reference_length_) / static_cast<double>(hypothesis_length_));
}

double Bleu::value() const {
  if (reference_length_ == 0 && hypothesis_length_ == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double logarithms = 0;
  for (const double percent : precisions()) {
    if (percent <= 0) return 0;
    logarithms += std::log(percent / 100);
  }
  return 100 * brevity_penalty() * std::exp(logarithms / 4);
}

std::int64_t edit_distance(const Tokens& a, const Tokens& b) {
  // row[j]: edits from the part of a so far to the first j of b
  std::vector<std::int64_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<std::int64_t>(j);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::int64_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::int64_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j + 1] + 1, row[j] + 1});
    }
  }
  return row.back();
}

void ErrorRate::update(const Tokens& hypothesis, const Tokens& reference) {
  edits_ += edit_distance(hypothesis, reference);
  length_ += static_cast<std::int64_t>(reference.size());
}

double ErrorRate::value() const {
  if (length_ == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(edits_) / static_cast<double>(length_);
}

}  // namespace nn
