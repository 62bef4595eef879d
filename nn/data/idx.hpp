// SPDX-License-Identifier: Apache-2.0
// IDX, the format of MNIST's four files, gzipped or not.
// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "the IDX file format".
#pragma once

#include <optional>
#include <string>

#include <autograd/autograd.hpp>

namespace nn {

struct IdxOptions {
  /// Of the result; empty: int64 for the integers of the file, its own for float and double.
  std::optional<autograd::DType> dtype = {};
};

/// The array of a file. 60,000 pictures of 28 x 28 bytes as float32 take 188 MB and values 0 to 255:
/// read_idx(path, {.dtype = ag::float32}). Throws IoError for what is damaged, cut off, too long, or claims
/// more elements than the file can hold; TypeError for dtype boolean.
autograd::Tensor read_idx(const std::string& path, IdxOptions options = {});

}  // namespace nn
