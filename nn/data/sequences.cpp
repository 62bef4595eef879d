// SPDX-License-Identifier: Apache-2.0
#include "sequences.hpp"

#include <algorithm>
#include <functional>
#include <string>

namespace nn {

using autograd::ValueError;

SequenceDataset::SequenceDataset(std::vector<std::vector<Ids>> columns, std::int64_t padding)
    : columns_(std::make_shared<const std::vector<std::vector<Ids>>>(std::move(columns))),
      padding_(padding) {
  if (columns_->empty()) throw ValueError("SequenceDataset: no columns; need at least one");
  for (const std::vector<Ids>& column : *columns_) {
    if (column.size() == columns_->front().size()) continue;
    throw ValueError(
        "SequenceDataset: columns differ in length: " + std::to_string(columns_->front().size()) +
        " and " + std::to_string(column.size()) + "; need a sequence of each in every sample");
  }
}

Sample SequenceDataset::get(std::int64_t i) const {
  detail::check_indices("SequenceDataset.get", {&i, 1}, size());
  Sample sample;
  for (const std::vector<Ids>& column : *columns_) {
    sample.push_back(autograd::tensor(column[static_cast<std::size_t>(i)]));
  }
  return sample;
}

Batch SequenceDataset::get_batch(std::span<const std::int64_t> indices) const {
  detail::check_indices("SequenceDataset.get_batch", indices, size());
  Batch batch;
  for (const std::vector<Ids>& column : *columns_) {
    std::vector<Ids> chosen;
    for (const std::int64_t i : indices) chosen.push_back(column[static_cast<std::size_t>(i)]);
    batch.push_back(pad_sequences(chosen, padding_));
  }
  return batch;
}

Ids SequenceDataset::lengths() const {
  Ids all(columns_->front().size());
  for (const Ids& lengths : column_lengths()) {
    std::transform(all.begin(), all.end(), lengths.begin(), all.begin(), std::plus<>());
  }
  return all;
}

std::vector<Ids> SequenceDataset::column_lengths() const {
  std::vector<Ids> all;
  for (const std::vector<Ids>& column : *columns_) {
    Ids& lengths = all.emplace_back();
    for (const Ids& sequence : column)
      lengths.push_back(static_cast<std::int64_t>(sequence.size()));
  }
  return all;
}

}  // namespace nn
