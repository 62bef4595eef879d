// SPDX-License-Identifier: Apache-2.0
// Scratch memory of a thread, kept between kernels and grown when needed. A slot belongs to one
// use; its contents are lost at the next request for the same slot on the same thread.
#pragma once

#include <cstddef>

namespace autograd::kernels {

enum class Scratch {
  gemm_a,
  gemm_b,
  reduce,
  order,
  conv_x,
  conv_y,
  conv_weight,
  conv_reversed,
  attention_queries,
  attention_keys,
  attention_values,
  attention_weights,
  attention_slopes,
  count
};

/// At least `bytes` bytes, aligned to 64. Throws std::bad_alloc.
void* scratch_bytes(Scratch slot, std::size_t bytes);

template <class T> T* scratch(Scratch slot, std::size_t count) {
  return static_cast<T*>(scratch_bytes(slot, count * sizeof(T)));
}

}  // namespace autograd::kernels
