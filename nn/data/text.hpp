// SPDX-License-Identifier: Apache-2.0
// Text into words, n-grams of them, and lists of numbers into tensors. Text is UTF-8; bytes that are not
// pass through unchanged.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <autograd/autograd.hpp>

namespace nn {

/// Lower case of ASCII, Latin (to U+017F), Greek and Cyrillic letters; other characters stay.
std::string lower_case(std::string_view text);

struct TokenizeOptions {
  bool lower = false;        ///< lower_case first
  bool punctuation = false;  ///< each ASCII punctuation mark is a word of its own
};
/// The words between blanks (space, tab, line ends).
std::vector<std::string> tokenize(std::string_view text, TokenizeOptions options = {});

/// All runs of 1 to n neighboring tokens, joined by blanks: the tokens first, then the pairs, ...
/// Throws ValueError for n < 1.
std::vector<std::string> ngrams(const std::vector<std::string>& tokens, int n);

using Ids = std::vector<std::int64_t>;

/// Lists as rows [n, longest] of int64, filled up with `padding` on the right.
autograd::Tensor pad_sequences(const std::vector<Ids>& sequences, std::int64_t padding = 0);
/// The lists' lengths [n], int64.
autograd::Tensor lengths_of(const std::vector<Ids>& sequences);

struct Bags {
  autograd::Tensor ids;      ///< [total] int64, list after list
  autograd::Tensor offsets;  ///< [n] int64: where each begins
};
/// What an embedding bag takes.
Bags flatten_bags(const std::vector<Ids>& sequences);

struct BucketOptions {
  std::int64_t batch_size = 64;  ///< most samples of a batch
  std::int64_t max_tokens = 0;   ///< most elements of a batch, padding counted; 0: no limit
  bool shuffle = true;           ///< else by length, the order of equals kept
};
/// For DataLoaderOptions::batches: batches of samples of similar length, so that little is padding. With
/// shuffle, samples are mixed, sorted within pools of 100 batches, and the batches mixed again. A sample
/// longer than max_tokens is a batch by itself. Throws ValueError for batch_size < 1 or a negative length.
std::function<std::vector<Ids>(autograd::Generator&)> bucket_by_length(
    std::vector<std::int64_t> lengths, BucketOptions options = {});

/// The same for samples of several columns, each padded by itself (a sentence and its translation):
/// columns[k][i] is the length of sample i in column k. Sorted by the first column in steps of two, and
/// within a step by the second, up and down in turn, so that neighbors are alike in both: a twentieth of
/// a batch of sentences is padding, where an order by the sum leaves a sixth. Throws ValueError as above, and
/// for no columns or columns of different length.
std::function<std::vector<Ids>(autograd::Generator&)> bucket_by_lengths(std::vector<Ids> columns,
                                                                        BucketOptions options = {});

}  // namespace nn
