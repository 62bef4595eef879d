// SPDX-License-Identifier: Apache-2.0
// Reductions and the softmax family for double: the table of every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/reduce_f64.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "dispatch.hpp"
#include "export.hpp"
#include "softmax-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

constexpr ReduceTable<double> kReduce = reduce_table<double>();
const void* reduce_f64() { return &kReduce; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {
namespace {

AUTOGRAD_EXPORT(reduce_f64);
constinit const Dispatched<ReduceTable<double>> best([] { return AUTOGRAD_CHOOSE(reduce_f64)(); });

}  // namespace

template <>
void sum(const double* x, double* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  best->sum(x, y, outer, extent, inner);
}
template <>
void max(const double* x, double* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  best->max(x, y, outer, extent, inner);
}
template <>
void min(const double* x, double* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  best->min(x, y, outer, extent, inner);
}
template <>
void logsumexp(const double* x, double* y, std::size_t outer, std::size_t extent,
               std::size_t inner) {
  best->logsumexp(x, y, outer, extent, inner);
}
template <>
void softmax(const double* x, double* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  best->softmax(x, y, outer, extent, inner);
}
template <>
void log_softmax(const double* x, double* y, std::size_t outer, std::size_t extent,
                 std::size_t inner) {
  best->log_softmax(x, y, outer, extent, inner);
}
template <>
void softmax_backward(const double* y, const double* dy, double* dx, std::size_t outer,
                      std::size_t extent, std::size_t inner) {
  best->softmax_backward(y, dy, dx, outer, extent, inner);
}
template <>
void log_softmax_backward(const double* y, const double* dy, double* dx, std::size_t outer,
                          std::size_t extent, std::size_t inner) {
  best->log_softmax_backward(y, dy, dx, outer, extent, inner);
}
template <>
void cross_entropy(const LabeledRows& rows, const double* x, double* y, double* shift,
                   double* rest) {
  best->cross_entropy(rows, x, y, shift, rest);
}
template <>
void cross_entropy_backward(const LabeledRows& rows, const double* x, const double* shift,
                            const double* rest, const double* dy, double* dx) {
  best->cross_entropy_backward(rows, x, shift, rest, dy, dx);
}

}  // namespace autograd::kernels
#endif
