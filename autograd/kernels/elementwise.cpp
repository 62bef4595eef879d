// SPDX-License-Identifier: Apache-2.0
// Elementwise kernels over all threads. Pieces are whole numbers of vectors, so that every element
// goes through the same instructions however many threads there are.
#include "elementwise.hpp"

#include <algorithm>

#include "parallel.hpp"

namespace autograd::kernels::detail {
namespace {

// A multiple of every vector's length; enough work to outweigh starting a task.
constexpr std::size_t kGrain = 16384;

template <class F> void for_pieces(std::size_t n, const F& f) {
  const std::size_t pieces = (n + kGrain - 1) / kGrain;
  parallel_for(pieces, 1, [&](std::size_t first, std::size_t last) {
    const std::size_t begin = first * kGrain;
    const std::size_t end = last == pieces ? n : last * kGrain;
    f(begin, end - begin);
  });
}

template <class T> const T* at(const T* p, std::size_t offset) {
  return p == nullptr ? nullptr : p + offset;
}
template <class T> const T* at(const T* p, int stride, std::size_t offset) {
  return at(p, stride == 0 ? 0 : offset);
}

}  // namespace

template <class T>
void unary_threads(UnaryKernel<T> kernel, const T* x, T* y, std::size_t n, const void* row) {
  for_pieces(n, [&](std::size_t i, std::size_t count) { kernel(x + i, y + i, count, row); });
}

template <class T>
void unary_backward_threads(UnaryBackwardKernel<T> kernel, const T* x, const T* y, const T* dy,
                            T* dx, std::size_t n, const void* row) {
  for_pieces(n, [&](std::size_t i, std::size_t count) {
    kernel(at(x, i), at(y, i), dy + i, dx + i, count, row);
  });
}

template <class T>
void binary_threads(BinaryKernel<T> kernel, const T* a, int sa, const T* b, int sb, T* y,
                    std::size_t n) {
  for_pieces(n, [&](std::size_t i, std::size_t count) {
    kernel(at(a, sa, i), sa, at(b, sb, i), sb, y + i, count);
  });
}

template <class T>
void binary_backward_threads(BinaryBackwardKernel<T> kernel, const T* a, int sa, const T* b, int sb,
                             const T* y, const T* dy, T* dx, std::size_t n) {
  for_pieces(n, [&](std::size_t i, std::size_t count) {
    kernel(at(a, sa, i), sa, at(b, sb, i), sb, at(y, i), dy + i, dx + i, count);
  });
}

template <class T>
void binary_backward_blocks(BinaryBackwardKernel<T> by_a, BinaryBackwardKernel<T> by_b, const T* a,
                            const T* b, const T* y, const T* dy, T* da, T* db, std::size_t n) {
  for_pieces(n, [&](std::size_t begin, std::size_t piece) {
    for (std::size_t i = begin; i < begin + piece; i += kBlock) {
      const std::size_t count = std::min(kBlock, begin + piece - i);
      by_a(at(a, 1, i), 1, at(b, 1, i), 1, at(y, i), dy + i, da + i, count);
      by_b(at(a, 1, i), 1, at(b, 1, i), 1, at(y, i), dy + i, db + i, count);
    }
  });
}

template void unary_threads(UnaryKernel<float>, const float*, float*, std::size_t, const void*);
template void unary_threads(UnaryKernel<double>, const double*, double*, std::size_t, const void*);
template void unary_backward_threads(UnaryBackwardKernel<float>, const float*, const float*,
                                     const float*, float*, std::size_t, const void*);
template void unary_backward_threads(UnaryBackwardKernel<double>, const double*, const double*,
                                     const double*, double*, std::size_t, const void*);
template void binary_threads(BinaryKernel<float>, const float*, int, const float*, int, float*,
                             std::size_t);
template void binary_threads(BinaryKernel<double>, const double*, int, const double*, int, double*,
                             std::size_t);
template void binary_backward_threads(BinaryBackwardKernel<float>, const float*, int, const float*,
                                      int, const float*, const float*, float*, std::size_t);
template void binary_backward_threads(BinaryBackwardKernel<double>, const double*, int,
                                      const double*, int, const double*, const double*, double*,
                                      std::size_t);
template void binary_backward_blocks(BinaryBackwardKernel<float>, BinaryBackwardKernel<float>,
                                     const float*, const float*, const float*, const float*, float*,
                                     float*, std::size_t);
template void binary_backward_blocks(BinaryBackwardKernel<double>, BinaryBackwardKernel<double>,
                                     const double*, const double*, const double*, const double*,
                                     double*, double*, std::size_t);

}  // namespace autograd::kernels::detail
