// SPDX-License-Identifier: Apache-2.0
// Rows are copied with memcpy: a batch of pictures is one pass over memory, and no tape sees it.
#include "dataset.hpp"

#include <cstring>
#include <numeric>
#include <string>

namespace nn {

using autograd::Shape;
using autograd::ShapeError;
using autograd::TypeError;
using autograd::ValueError;

namespace {

/// The elements of a contiguous tensor, whatever their dtype.
const char* bytes_of(const Tensor& x) {
  return autograd::dispatch(
      x.dtype(), [&]<class T>(T) { return reinterpret_cast<const char*>(x.data<T>().data()); });
}
char* writable_bytes(Tensor& x) {
  return autograd::dispatch(
      x.dtype(), [&]<class T>(T) { return reinterpret_cast<char*>(x.mutable_data<T>().data()); });
}

Shape with_front(std::int64_t n, const Shape& row, int skip) {
  std::vector<std::int64_t> extents{n};
  extents.insert(extents.end(), row.begin() + skip, row.end());
  return Shape(extents);
}

}  // namespace

void detail::check_indices(const char* function, std::span<const std::int64_t> indices,
                           std::int64_t size) {
  for (const std::int64_t i : indices) {
    if (i >= 0 && i < size) continue;
    throw ValueError(std::string(function) + ": index out of range: " + std::to_string(i) +
                     "; need 0 <= index < " + std::to_string(size));
  }
}

Tensor gather_rows(const Tensor& x, std::span<const std::int64_t> indices) {
  if (x.dim() == 0) throw ShapeError("gather_rows: no rows: x is []; need at least one axis");
  Tensor y = autograd::empty(with_front(static_cast<std::int64_t>(indices.size()), x.shape(), 1),
                             x.dtype());
  const std::int64_t rows = x.shape()[0];
  const std::size_t bytes =
      rows == 0 ? 0 : static_cast<std::size_t>(x.numel() / rows) * item_size(x.dtype());
  const char* from = bytes_of(x);
  char* to = writable_bytes(y);
  for (const std::int64_t i : indices) {
    if (i < 0 || i >= rows) {
      throw ValueError("gather_rows: index out of range: " + std::to_string(i) +
                       "; need 0 <= index < " + std::to_string(rows));
    }
    if (bytes > 0) std::memcpy(to, from + static_cast<std::size_t>(i) * bytes, bytes);
    to += bytes;
  }
  return y;
}

Batch stack_samples(const std::vector<Sample>& samples) {
  if (samples.empty()) throw ValueError("stack_samples: no samples: the list is empty; need one");
  Batch batch;
  for (std::size_t k = 0; k < samples[0].size(); ++k) {
    const Tensor& first = samples[0][k];
    Tensor all = autograd::empty(
        with_front(static_cast<std::int64_t>(samples.size()), first.shape(), 0), first.dtype());
    const std::size_t bytes = static_cast<std::size_t>(first.numel()) * item_size(first.dtype());
    char* to = writable_bytes(all);
    for (const Sample& sample : samples) {
      if (sample.size() != samples[0].size() || sample[k].shape() != first.shape()) {
        throw ShapeError("stack_samples: samples differ: " +
                         (sample.size() == samples[0].size() ? to_string(sample[k].shape())
                                                             : std::to_string(sample.size())) +
                         " beside " +
                         (sample.size() == samples[0].size()
                              ? to_string(first.shape())
                              : std::to_string(samples[0].size()) + " tensors") +
                         "; need equal shapes, or a collate function that pads");
      }
      if (sample[k].dtype() != first.dtype()) {
        throw TypeError(std::string("stack_samples: dtypes differ: ") + name(sample[k].dtype()) +
                        " beside " + name(first.dtype()) + "; need equal dtypes");
      }
      const Tensor row = autograd::contiguous(autograd::detach(sample[k]));
      if (bytes > 0) std::memcpy(to, bytes_of(row), bytes);
      to += bytes;
    }
    batch.push_back(std::move(all));
  }
  return batch;
}

TensorDataset::TensorDataset(std::vector<Tensor> tensors) {
  if (tensors.empty()) throw ValueError("TensorDataset: no tensors: the list is empty; need one");
  for (const Tensor& tensor : tensors) {
    if (tensor.dim() == 0 || tensors[0].dim() == 0 || tensor.size(0) != tensors[0].size(0)) {
      throw ShapeError("TensorDataset: numbers of samples differ: " + to_string(tensor.shape()) +
                       " beside " + to_string(tensors[0].shape()) + "; need the same first extent");
    }
    tensors_.push_back(autograd::contiguous(autograd::detach(tensor)));
  }
}

Sample TensorDataset::get(std::int64_t i) const {
  Sample sample;
  for (const Tensor& row : get_batch({&i, 1})) {
    sample.push_back(
        autograd::reshape(row, Shape(std::span(row.shape().begin() + 1, row.shape().end()))));
  }
  return sample;
}

Batch TensorDataset::get_batch(std::span<const std::int64_t> indices) const {
  Batch batch;
  for (const Tensor& tensor : tensors_) batch.push_back(gather_rows(tensor, indices));
  return batch;
}

std::vector<std::vector<std::int64_t>> random_parts(std::int64_t n,
                                                    const std::vector<std::int64_t>& lengths,
                                                    Generator& generator) {
  std::int64_t sum = 0;
  bool fits = true;
  for (const std::int64_t length : lengths) {
    fits = fits && length >= 0 && length <= n - sum;
    if (fits) sum += length;
  }
  if (!fits || sum != n) {
    throw ValueError("random_split: the lengths do not sum to the size: " +
                     to_string(autograd::tensor(lengths)) + "; need lengths >= 0 with sum " +
                     std::to_string(n));
  }
  const std::vector<std::int64_t> order =
      autograd::to_vector<std::int64_t>(autograd::randperm(n, generator));
  std::vector<std::vector<std::int64_t>> parts;
  auto at = order.begin();
  for (const std::int64_t length : lengths) {
    parts.emplace_back(at, at + length);
    at += length;
  }
  return parts;
}

}  // namespace nn
