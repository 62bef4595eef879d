// SPDX-License-Identifier: Apache-2.0
// Data sets: what has a size and gives sample i. A sample is a list of tensors (input, target, ...); a
// batch is the same list with an axis in front.
//
// Your own: a struct with `std::int64_t size() const` and `nn::Sample get(std::int64_t i) const`, or
// `get(i, generator)` for random transforms (the generator depends on seed, epoch and sample alone). One
// that can make a whole batch faster has `nn::Batch get_batch(std::span<const std::int64_t>) const` also.
// Threads: a loader calls these from its workers, several at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <autograd/autograd.hpp>

namespace nn {

using autograd::Generator;
using autograd::Tensor;

using Sample = std::vector<Tensor>;
using Batch = std::vector<Tensor>;

template <class D>
concept RandomDataset = requires(const D& set, std::int64_t i, Generator& generator) {
  { set.size() } -> std::convertible_to<std::int64_t>;
  { set.get(i, generator) } -> std::convertible_to<Sample>;
};
template <class D>
concept Dataset = RandomDataset<D> || requires(const D& set, std::int64_t i) {
  { set.size() } -> std::convertible_to<std::int64_t>;
  { set.get(i) } -> std::convertible_to<Sample>;
};
template <class D>
concept BatchDataset = requires(const D& set, std::span<const std::int64_t> indices) {
  { set.get_batch(indices) } -> std::convertible_to<Batch>;
};

/// Row i of each tensor is sample i. Shares the elements; batches are copies.
class TensorDataset {
 public:
  /// Throws ValueError for no tensors, ShapeError unless all have the same first extent.
  explicit TensorDataset(std::vector<Tensor> tensors);

  std::int64_t size() const { return tensors_[0].shape()[0]; }
  Sample get(std::int64_t i) const;
  Batch get_batch(std::span<const std::int64_t> indices) const;
  const std::vector<Tensor>& tensors() const { return tensors_; }

 private:
  std::vector<Tensor> tensors_;  // contiguous
};

/// Rows of a contiguous x in the order of `indices`, a copy, of any dtype. Throws ValueError for an index
/// outside [0, x.shape[0]).
Tensor gather_rows(const Tensor& x, std::span<const std::int64_t> indices);

/// Samples with an axis in front: tensor k of the result stacks tensor k of all samples. Throws ValueError
/// for no samples, ShapeError and TypeError where samples differ.
Batch stack_samples(const std::vector<Sample>& samples);

namespace detail {

/// Throws ValueError unless 0 <= index < size for all.
void check_indices(const char* function, std::span<const std::int64_t> indices, std::int64_t size);

}  // namespace detail

/// Chosen samples of a set, which it copies (sets are handles, as tensors are).
template <Dataset D> class Subset {
 public:
  /// Throws ValueError unless all indices are samples of the set.
  Subset(D set, std::vector<std::int64_t> indices)
      : set_(std::move(set)),
        indices_(std::make_shared<const std::vector<std::int64_t>>(std::move(indices))) {
    detail::check_indices("Subset", *indices_, static_cast<std::int64_t>(set_.size()));
  }

  std::int64_t size() const { return static_cast<std::int64_t>(indices_->size()); }
  const std::vector<std::int64_t>& indices() const { return *indices_; }
  /// Throw ValueError unless 0 <= i < size().
  Sample get(std::int64_t i) const requires(!RandomDataset<D>) { return set_.get(index(i)); }
  Sample get(std::int64_t i, Generator& generator) const requires RandomDataset<D> {
    return set_.get(index(i), generator);
  }
  Batch get_batch(std::span<const std::int64_t> places) const requires BatchDataset<D> {
    std::vector<std::int64_t> inner;
    for (const std::int64_t i : places) inner.push_back(index(i));
    return set_.get_batch(inner);
  }

 private:
  std::int64_t index(std::int64_t i) const {
    detail::check_indices("Subset.get", {&i, 1}, size());
    return (*indices_)[static_cast<std::size_t>(i)];
  }

  D set_;
  std::shared_ptr<const std::vector<std::int64_t>> indices_;
};

/// 0 to n - 1 in random order, cut into lists of these lengths. Throws ValueError unless none is negative
/// and they sum to n.
std::vector<std::vector<std::int64_t>> random_parts(std::int64_t n,
                                                    const std::vector<std::int64_t>& lengths,
                                                    Generator& generator);

/// Disjoint random subsets of these lengths, as torch.utils.data.random_split.
template <Dataset D>
std::vector<Subset<D>> random_split(const D& set, const std::vector<std::int64_t>& lengths,
                                    Generator& generator = autograd::default_generator()) {
  std::vector<Subset<D>> parts;
  for (auto& indices : random_parts(set.size(), lengths, generator)) {
    parts.emplace_back(set, std::move(indices));
  }
  return parts;
}

}  // namespace nn
