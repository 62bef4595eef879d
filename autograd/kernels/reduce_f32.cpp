// SPDX-License-Identifier: Apache-2.0
// Reductions and the softmax family for float: the table of every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/reduce_f32.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "dispatch.hpp"
#include "export.hpp"
#include "softmax-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

constexpr ReduceTable<float> kReduce = reduce_table<float>();
const void* reduce_f32() { return &kReduce; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {
namespace {

AUTOGRAD_EXPORT(reduce_f32);
constinit const Dispatched<ReduceTable<float>> best([] { return AUTOGRAD_CHOOSE(reduce_f32)(); });

}  // namespace

template <>
void sum(const float* x, float* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  best->sum(x, y, outer, extent, inner);
}
template <>
void max(const float* x, float* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  best->max(x, y, outer, extent, inner);
}
template <>
void min(const float* x, float* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  best->min(x, y, outer, extent, inner);
}
template <>
void logsumexp(const float* x, float* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  best->logsumexp(x, y, outer, extent, inner);
}
template <>
void softmax(const float* x, float* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  best->softmax(x, y, outer, extent, inner);
}
template <>
void log_softmax(const float* x, float* y, std::size_t outer, std::size_t extent,
                 std::size_t inner) {
  best->log_softmax(x, y, outer, extent, inner);
}
template <>
void softmax_backward(const float* y, const float* dy, float* dx, std::size_t outer,
                      std::size_t extent, std::size_t inner) {
  best->softmax_backward(y, dy, dx, outer, extent, inner);
}
template <>
void log_softmax_backward(const float* y, const float* dy, float* dx, std::size_t outer,
                          std::size_t extent, std::size_t inner) {
  best->log_softmax_backward(y, dy, dx, outer, extent, inner);
}
template <>
void cross_entropy(const LabeledRows& rows, const float* x, float* y, float* shift, float* rest) {
  best->cross_entropy(rows, x, y, shift, rest);
}
template <>
void cross_entropy_backward(const LabeledRows& rows, const float* x, const float* shift,
                            const float* rest, const float* dy, float* dx) {
  best->cross_entropy_backward(rows, x, shift, rest, dy, dx);
}

}  // namespace autograd::kernels
#endif
