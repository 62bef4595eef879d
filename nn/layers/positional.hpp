// SPDX-License-Identifier: Apache-2.0
// Positions added to a sequence: x [l, n, d] (batch_first: [n, l, d]) or [l, d]. `offset` is the number
// of the first position, for decoding step by step. Throws ShapeError for other features, ValueError
// for positions from max_len on.
#pragma once

#include <cstdint>

#include "dropout.hpp"

namespace nn {

struct PositionalEncodingOptions {
  std::int64_t max_len = 5000;
  double dropout = 0.0;  ///< of the sum
  bool batch_first = false;
  autograd::DType dtype = autograd::float32;
};

/// Features 2 i and 2 i + 1 get sin and cos of position / 10000^(2 i / d) (Vaswani et al. 2017, section
/// 3.5). The table is computed, not saved.
struct PositionalEncoding : Module {
  Dropout dropout;

  explicit PositionalEncoding(std::int64_t d, const PositionalEncodingOptions& options = {});
  /// With a generator for dropout.
  PositionalEncoding(std::int64_t d, Generator& generator,
                     const PositionalEncodingOptions& options = {});
  Tensor operator()(const Tensor& x, std::int64_t offset = 0) const;

 private:
  PositionalEncoding(std::int64_t d, Dropout drop, const PositionalEncodingOptions& options);

  Tensor table_;  // [max_len, d]
  bool batch_first_;
};

struct LearnedPositionalEncodingOptions {
  double stddev = 0.02;  ///< of the normal start
  double dropout = 0.0;  ///< of the sum
  bool batch_first = false;
  autograd::DType dtype = autograd::float32;
};

/// A learned vector for each position, under Embedding's key name.
struct LearnedPositionalEncoding : Module {
  Parameter weight;  ///< [max_len, d]
  Dropout dropout;

  LearnedPositionalEncoding(std::int64_t max_len, std::int64_t d, Generator& generator,
                            const LearnedPositionalEncodingOptions& options = {});
  /// Draws from the default generator of this thread.
  LearnedPositionalEncoding(std::int64_t max_len, std::int64_t d,
                            const LearnedPositionalEncodingOptions& options = {});
  Tensor operator()(const Tensor& x, std::int64_t offset = 0) const;

 private:
  bool batch_first_;
};

}  // namespace nn
