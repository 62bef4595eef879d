// SPDX-License-Identifier: Apache-2.0
#include "positional.hpp"

#include <cmath>

#include "check.hpp"

namespace nn {

namespace {

// x plus the rows of the table that its positions have.
Tensor with_positions(const Tensor& x, const Tensor& table, std::int64_t offset, bool batch_first) {
  const std::int64_t d = table.shape()[1], rows = table.shape()[0];
  if ((x.dim() != 2 && x.dim() != 3) || x.shape().back() != d) {
    throw autograd::ShapeError("input has the wrong shape: input is " + to_string(x.shape()) +
                               "; need " + (batch_first ? "[n, l, " : "[l, n, ") +
                               std::to_string(d) + "] or [l, " + std::to_string(d) + "]");
  }
  const std::int64_t length = x.shape()[x.dim() == 3 && batch_first ? 1 : 0];
  if (offset < 0 || offset > rows - length) {
    throw autograd::ValueError("positions are out of range: they are " + std::to_string(offset) +
                               " to " + std::to_string(offset + length - 1) +
                               "; need at least 0 and less than max_len (" + std::to_string(rows) +
                               ")");
  }
  const Tensor part = autograd::narrow(table, 0, offset, length);
  return x + (x.dim() == 3 && !batch_first ? autograd::unsqueeze(part, 1) : part);
}

Tensor waves(std::int64_t max_len, std::int64_t d, autograd::DType dtype) {
  detail::check_at_least("PositionalEncoding", "max_len", max_len, 1);
  detail::check_at_least("PositionalEncoding", "d", d, 1);
  Tensor table = autograd::empty({max_len, d}, autograd::float64);
  const std::span<double> to = table.mutable_data<double>();
  for (std::int64_t i = 0; i < max_len; ++i) {
    for (std::int64_t j = 0; j < d; ++j) {
      const double even = static_cast<double>(j - j % 2);
      const double angle =
          static_cast<double>(i) * std::pow(10000.0, -even / static_cast<double>(d));
      to[static_cast<std::size_t>(i * d + j)] = j % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
  }
  return autograd::to(table, dtype);
}

}  // namespace

PositionalEncoding::PositionalEncoding(std::int64_t d, Dropout drop,
                                       const PositionalEncodingOptions& options)
    : dropout(std::move(drop)),
      table_(waves(options.max_len, d, options.dtype)),
      batch_first_(options.batch_first) {
  register_module("dropout", dropout);
}

PositionalEncoding::PositionalEncoding(std::int64_t d, const PositionalEncodingOptions& options)
    : PositionalEncoding(d, Dropout(options.dropout), options) {}

PositionalEncoding::PositionalEncoding(std::int64_t d, Generator& generator,
                                       const PositionalEncodingOptions& options)
    : PositionalEncoding(d, Dropout(options.dropout, generator), options) {}

Tensor PositionalEncoding::operator()(const Tensor& x, std::int64_t offset) const {
  const Tensor y =
      guard("PositionalEncoding", [&] { return with_positions(x, table_, offset, batch_first_); });
  return dropout(y);
}

LearnedPositionalEncoding::LearnedPositionalEncoding(
    std::int64_t max_len, std::int64_t d, Generator& generator,
    const LearnedPositionalEncodingOptions& options)
    : dropout(options.dropout, generator), batch_first_(options.batch_first) {
  detail::check_at_least("LearnedPositionalEncoding", "max_len", max_len, 1);
  detail::check_at_least("LearnedPositionalEncoding", "d", d, 1);
  weight = Parameter(autograd::empty({max_len, d}, options.dtype));
  normal_(weight, 0.0, options.stddev, generator);
  register_parameter("weight", weight);
  register_module("dropout", dropout);
}

LearnedPositionalEncoding::LearnedPositionalEncoding(
    std::int64_t max_len, std::int64_t d, const LearnedPositionalEncodingOptions& options)
    : LearnedPositionalEncoding(max_len, d, autograd::default_generator(), options) {}

Tensor LearnedPositionalEncoding::operator()(const Tensor& x, std::int64_t offset) const {
  const Tensor y = guard("LearnedPositionalEncoding",
                         [&] { return with_positions(x, weight, offset, batch_first_); });
  return dropout(y);
}

}  // namespace nn
