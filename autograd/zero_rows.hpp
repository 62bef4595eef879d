// SPDX-License-Identifier: Apache-2.0
// Gradients of large tables of which a step uses few rows: dense tensors for everyone, whose zeros cost
// nothing. Such a tensor knows the rows that were written. When it dies, these are cleared and its block
// waits for the next tensor of that size; an optimizer that leaves a parameter alone where the gradient
// is zero visits only these rows. Whoever else may write makes it an ordinary tensor: ops::exclusive
// says no, Tensor::mutable_data drops the rows, functions in place raise the version. Internal.
//
// Thread-safe as tensors are: blocks may come back in any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor.hpp"

namespace autograd::detail {

/// Zeros [v, d], of which the caller is going to write `rows` alone: ascending, each once. Throws as
/// allocate does.
Tensor zeros_but_rows(std::int64_t v, std::int64_t d, DType dtype, std::vector<std::int64_t> rows);

/// The rows of x outside of which all is zero; null where nobody knows any.
const std::vector<std::int64_t>* nonzero_rows(const Node* x) noexcept;

/// Called with a node that dies: true when its block was cleared and waits for the next one.
bool keep_zeros(const Node* node) noexcept;

/// Bytes of the blocks that wait.
std::size_t waiting_zeros() noexcept;
/// Gives them back to the pool.
void release_zeros() noexcept;

}  // namespace autograd::detail
