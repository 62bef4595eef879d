// SPDX-License-Identifier: Apache-2.0
// A bag is its rows looked up and added at the bag's place, in order: two recorded functions.
#include "embedding.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "check.hpp"

namespace nn {

namespace {

using autograd::ShapeError;
using autograd::TypeError;
using autograd::ValueError;

/// The row that padding_idx means, or -1 for none.
std::int64_t padding_row(const char* layer, const std::optional<std::int64_t>& given,
                         std::int64_t rows) {
  if (!given) return -1;
  if (*given < -rows || *given >= rows) {
    throw ValueError(std::string(layer) + ": padding_idx out of range: " + std::to_string(*given) +
                     "; need at least " + std::to_string(-rows) + " and less than " +
                     std::to_string(rows));
  }
  return *given < 0 ? *given + rows : *given;
}

Parameter make_table(Module& module, const char* layer, std::int64_t v, std::int64_t d,
                     std::int64_t padding, Generator& generator, autograd::DType dtype) {
  detail::check_at_least(layer, "v", v, 1);
  detail::check_at_least(layer, "d", d, 1);
  Parameter weight(autograd::empty({v, d}, dtype));
  normal_(weight, 0.0, 1.0, generator);
  if (padding >= 0) {
    autograd::fill_(autograd::select(autograd::detach(weight), 0, padding), 0.0);
  }
  module.register_parameter("weight", weight);
  return weight;
}

void check_integers(const char* what, const Tensor& x) {
  if (x.dtype() == autograd::int64) return;
  throw TypeError(std::string(what) + " is " + autograd::name(x.dtype()) + "; need int64");
}

/// Which bag each index is in.
std::vector<std::int64_t> bags_of(const Tensor& index, const Tensor& offsets) {
  std::vector<std::int64_t> bag(static_cast<std::size_t>(index.numel()));
  if (index.dim() == 2) {
    for (std::size_t i = 0; i < bag.size(); ++i) {
      bag[i] = static_cast<std::int64_t>(i) / index.shape()[1];
    }
    return bag;
  }
  const std::vector<std::int64_t> starts = autograd::to_vector<std::int64_t>(offsets);
  const std::int64_t n = index.numel();
  for (std::size_t b = 0; b < starts.size(); ++b) {
    const std::int64_t end = b + 1 < starts.size() ? starts[b + 1] : n;
    if ((b == 0 && starts[0] != 0) || starts[b] > end || end > n) {
      throw ValueError("offsets are out of order: offsets[" + std::to_string(b) + "] is " +
                       std::to_string(starts[b]) + ", the bag ends at " + std::to_string(end) +
                       "; need a first one of 0, none that decreases, none above " +
                       std::to_string(n));
    }
    for (std::int64_t i = starts[b]; i < end; ++i) {
      bag[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(b);
    }
  }
  if (starts.empty() && n > 0) throw ValueError("offsets are empty; need one for each bag");
  return bag;
}

void check_bags(const Tensor& index, const Tensor& offsets) {
  check_integers("index", index);
  if (index.dim() == 2 && !offsets.defined()) return;
  if (index.dim() != 1 || !offsets.defined() || offsets.dim() != 1) {
    throw ShapeError("index and offsets do not fit: index is " + to_string(index.shape()) +
                     ", offsets are " +
                     (offsets.defined() ? to_string(offsets.shape()) : "undefined") +
                     "; need index [bags, l] alone, or index [n] with offsets [bags]");
  }
  check_integers("offsets", offsets);
}

/// 1 / max(count, 1) of each bag: [bags, 1].
Tensor shares_of(const std::vector<std::int64_t>& bag, std::int64_t bags, autograd::DType dtype) {
  std::vector<double> counts(static_cast<std::size_t>(bags));
  for (const std::int64_t b : bag) ++counts[static_cast<std::size_t>(b)];
  for (double& count : counts) count = 1.0 / std::max(count, 1.0);
  return autograd::to(autograd::tensor(counts, {bags, 1}), dtype);
}

/// The elements at these places.
std::vector<std::int64_t> chosen(const std::vector<std::int64_t>& from,
                                 const std::vector<std::int64_t>& places) {
  std::vector<std::int64_t> some;
  some.reserve(places.size());
  for (const std::int64_t i : places) some.push_back(from[static_cast<std::size_t>(i)]);
  return some;
}

/// The largest element of each bag and column of rows [n, d]: [bags, d], 0 for an empty bag.
Tensor largest(const Tensor& rows, const std::vector<std::int64_t>& bag, std::int64_t bags) {
  const auto d = static_cast<std::size_t>(rows.shape()[1]);
  std::vector<std::int64_t> winners(static_cast<std::size_t>(bags) * d, -1);
  autograd::dispatch_floating("EmbeddingBag", rows.dtype(), [&]<class T>(T) {
    const std::span<const T> x = rows.data<T>();
    for (std::size_t i = 0; i < bag.size(); ++i) {
      for (std::size_t k = 0; k < d; ++k) {
        std::int64_t& best = winners[static_cast<std::size_t>(bag[i]) * d + k];
        const T so_far = best < 0 ? T(0) : x[static_cast<std::size_t>(best) * d + k];
        // A NaN is larger than all, and the first one stays.
        const bool larger = !(x[i * d + k] <= so_far) && !std::isnan(so_far);
        if (best < 0 || larger) best = static_cast<std::int64_t>(i);
      }
    }
  });
  const Tensor place = autograd::tensor(winners, {bags, rows.shape()[1]}), some = place >= 0.0;
  if (bag.empty()) return autograd::zeros(place.shape(), rows.dtype());
  return where(some, gather(rows, 0, where(some, place, constant(place, 0))), 0.0);
}

}  // namespace

Embedding::Embedding(std::int64_t v, std::int64_t d, Generator& generator,
                     const EmbeddingLayerOptions& options) {
  const std::int64_t padding = padding_row("Embedding", options.padding_idx, v);
  if (padding >= 0) options_.padding_idx = padding;
  weight = make_table(*this, "Embedding", v, d, padding, generator, options.dtype);
}

Embedding::Embedding(std::int64_t v, std::int64_t d, const EmbeddingLayerOptions& options)
    : Embedding(v, d, autograd::default_generator(), options) {}

Tensor Embedding::operator()(const Tensor& index) const {
  return guard("Embedding", [&] { return autograd::embedding(index, weight, options_); });
}

EmbeddingBag::EmbeddingBag(std::int64_t v, std::int64_t d, Generator& generator,
                           const EmbeddingBagOptions& options)
    : mode_(options.mode), padding_(padding_row("EmbeddingBag", options.padding_idx, v)) {
  weight = make_table(*this, "EmbeddingBag", v, d, padding_, generator, options.dtype);
}

EmbeddingBag::EmbeddingBag(std::int64_t v, std::int64_t d, const EmbeddingBagOptions& options)
    : EmbeddingBag(v, d, autograd::default_generator(), options) {}

Tensor EmbeddingBag::operator()(const Tensor& index, const Tensor& offsets,
                                const Tensor& per_sample_weights) const {
  return guard("EmbeddingBag", [&] { return bags(index, offsets, per_sample_weights); });
}

Tensor EmbeddingBag::bags(const Tensor& index, const Tensor& offsets, const Tensor& weights) const {
  check_bags(index, offsets);
  if (weights.defined() && mode_ != BagMode::sum) {
    throw ValueError("per_sample_weights with a mean or maximum; need .mode = BagMode::sum");
  }
  if (weights.defined() && !(weights.shape() == index.shape())) {
    throw ShapeError("per_sample_weights do not fit: they are " + to_string(weights.shape()) +
                     ", index is " + to_string(index.shape()) + "; need one shape");
  }
  const std::int64_t count = index.dim() == 2 ? index.shape()[0] : offsets.numel();
  std::vector<std::int64_t> rows = autograd::to_vector<std::int64_t>(index);
  std::vector<std::int64_t> bag = bags_of(index, offsets);
  Tensor scale = weights.defined() ? autograd::reshape(weights, {-1, 1}) : Tensor();
  if (padding_ >= 0) {  // looked up and added are those that count
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] != padding_) kept.push_back(static_cast<std::int64_t>(i));
    }
    rows = chosen(rows, kept);
    bag = chosen(bag, kept);
    if (scale.defined()) scale = autograd::index_select(scale, 0, autograd::tensor(kept));
  }
  Tensor found = autograd::embedding(autograd::tensor(rows), weight);
  if (mode_ == BagMode::max) return largest(found, bag, count);
  if (scale.defined()) found = found * scale;
  const Tensor sums = autograd::index_add(
      autograd::zeros({count, weight.shape()[1]}, weight.dtype()), 0, autograd::tensor(bag), found);
  if (mode_ == BagMode::sum) return sums;
  return sums * shares_of(bag, count, weight.dtype());
}

}  // namespace nn
