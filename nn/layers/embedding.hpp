// SPDX-License-Identifier: Apache-2.0
// Tables of vectors looked up by int64 indices, one by one or summed over bags. The gradient is a dense
// tensor for everyone, but where a batch uses less than a fourth of a large table (32,768 elements), making
// it costs what the used rows cost, and so does the step of SGD (no momentum, no decay) and Adagrad (no decay).
#pragma once

#include <cstdint>
#include <optional>

#include "../module.hpp"

namespace nn {

struct EmbeddingLayerOptions {
  std::optional<std::int64_t> padding_idx = {};  ///< a row that starts at 0 and gets no gradient
  autograd::DType dtype = autograd::float32;
};

/// The rows of weight at the index: index's shape, then d. weight starts standard normal. Throws
/// ValueError for an index outside [0, v) and for a padding_idx outside [-v, v). torch.nn.Embedding.
struct Embedding : Module {
  Parameter weight;  ///< [v, d]

  Embedding(std::int64_t v, std::int64_t d, Generator& generator,
            const EmbeddingLayerOptions& options = {});
  /// Draws from the default generator of this thread.
  Embedding(std::int64_t v, std::int64_t d, const EmbeddingLayerOptions& options = {});
  Tensor operator()(const Tensor& index) const;

 private:
  autograd::EmbeddingOptions options_;
};

enum class BagMode : std::uint8_t { sum, mean, max };

struct EmbeddingBagOptions {
  BagMode mode = BagMode::mean;
  std::optional<std::int64_t> padding_idx = {};  ///< counts for nothing, also not for the mean
  autograd::DType dtype = autograd::float32;
};

/// Sums, means or largest elements of rows: y [bags, d]. Either index [bags, l], or index [n] and offsets [bags], where
/// bag i takes the index from offsets[i] up to offsets[i + 1] (the last one up to n). An empty bag is
/// 0. per_sample_weights, of index's shape, multiply the rows of a sum. Of equal largest elements the first
/// gets the gradient; NaN is larger than all. torch.nn.EmbeddingBag.
/// Throws ShapeError and TypeError for others, ValueError for offsets that do not start at 0, decrease
/// or exceed n, and for an index outside [0, v).
struct EmbeddingBag : Module {
  Parameter weight;  ///< [v, d]

  EmbeddingBag(std::int64_t v, std::int64_t d, Generator& generator,
               const EmbeddingBagOptions& options = {});
  /// Draws from the default generator of this thread.
  EmbeddingBag(std::int64_t v, std::int64_t d, const EmbeddingBagOptions& options = {});
  Tensor operator()(const Tensor& index, const Tensor& offsets = {},
                    const Tensor& per_sample_weights = {}) const;

 private:
  Tensor bags(const Tensor& index, const Tensor& offsets, const Tensor& weights) const;

  BagMode mode_;
  std::int64_t padding_ = -1;  // a row, or -1
};

}  // namespace nn
