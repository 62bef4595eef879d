// SPDX-License-Identifier: Apache-2.0
// Sequences of numbers of different lengths as a data set, for language.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataset.hpp"
#include "text.hpp"

namespace nn {

/// Sample i is sequence i of each column (a sentence, its translation); a batch has them padded on the right
/// to the longest: int64 [n, longest] for each column. Copies share the sequences.
class SequenceDataset {
 public:
  /// Throws ValueError for no columns, or columns of different length.
  explicit SequenceDataset(std::vector<std::vector<Ids>> columns, std::int64_t padding = 0);

  std::int64_t size() const { return static_cast<std::int64_t>((*columns_)[0].size()); }
  Sample get(std::int64_t i) const;
  Batch get_batch(std::span<const std::int64_t> indices) const;
  const std::vector<Ids>& column(std::size_t k) const { return columns_->at(k); }
  /// Of each sample, all columns together: what bucket_by_length takes.
  Ids lengths() const;
  /// Of each column, the length of every sample: what bucket_by_lengths takes.
  std::vector<Ids> column_lengths() const;

 private:
  std::shared_ptr<const std::vector<std::vector<Ids>>> columns_;
  std::int64_t padding_;
};

}  // namespace nn
