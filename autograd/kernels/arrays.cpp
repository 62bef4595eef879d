// SPDX-License-Identifier: Apache-2.0
// The tables of arrays.hpp for every instruction set, and its public functions.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/arrays.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "arrays-inl.hpp"
#include "arrays_table.hpp"
#include "export.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

template <class T> constexpr AnyTable<T> any_table() {
  return {&fill_loop<T>,
          &compare_any<T>,
          &select_loop<T>,
          {&convert_loop<float, T>, &convert_loop<double, T>, &convert_loop<std::int64_t, T>,
           &convert_loop<bool, T>}};
}
template <class T> constexpr FloatTable<T> float_table() {
  return {&add_to_loop<T>, &axpy_loop<T>, &scale_loop<T>};
}
constexpr ArraysTable kArrays = {
    {any_table<float>(), any_table<double>(), any_table<std::int64_t>(), any_table<bool>()},
    {float_table<float>(), float_table<double>()}};
const void* arrays_table() { return &kArrays; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {
namespace {

AUTOGRAD_EXPORT(arrays_table);
constinit const Dispatched<ArraysTable> best([] { return AUTOGRAD_CHOOSE(arrays_table)(); });

template <class T> const FloatTable<T>& floats() { return std::get<FloatTable<T>>(best->floats); }
template <class T> const AnyTable<T>& any() { return std::get<AnyTable<T>>(best->any); }

}  // namespace

template <class T> void add_to(T* y, const T* x, std::size_t n) { floats<T>().add_to(y, x, n); }
template <class T> void axpy(T* y, T alpha, const T* x, std::size_t n) {
  floats<T>().axpy(y, alpha, x, n);
}
template <class T> void scale(T* y, T alpha, const T* x, std::size_t n) {
  floats<T>().scale(y, alpha, x, n);
}
template <class T> void fill(T* y, T value, std::size_t n) { any<T>().fill(y, value, n); }
template <class T>
void compare(Comparison kind, const T* a, int sa, const T* b, int sb, bool* y, std::size_t n) {
  any<T>().compare(kind, a, sa, b, sb, y, n);
}
template <class T>
void select(const bool* c, int sc, const T* a, int sa, const T* b, int sb, T* y, std::size_t n) {
  any<T>().select(c, sc, a, sa, b, sb, y, n);
}
template <class To, class From> void convert(const From* x, To* y, std::size_t n) {
  std::get<ConvertKernel<To, From>>(any<From>().convert)(x, y, n);
}

template void add_to(float*, const float*, std::size_t);
template void add_to(double*, const double*, std::size_t);
template void axpy(float*, float, const float*, std::size_t);
template void axpy(double*, double, const double*, std::size_t);
template void scale(float*, float, const float*, std::size_t);
template void scale(double*, double, const double*, std::size_t);

// Names T in every function that takes all four dtypes.
#define AUTOGRAD_INSTANTIATE(T)                                                          \
  template void fill(T*, T, std::size_t);                                                \
  template void compare(Comparison, const T*, int, const T*, int, bool*, std::size_t);   \
  template void select(const bool*, int, const T*, int, const T*, int, T*, std::size_t); \
  template void convert(const T*, float*, std::size_t);                                  \
  template void convert(const T*, double*, std::size_t);                                 \
  template void convert(const T*, std::int64_t*, std::size_t);                           \
  template void convert(const T*, bool*, std::size_t);
AUTOGRAD_INSTANTIATE(float)
AUTOGRAD_INSTANTIATE(double)
AUTOGRAD_INSTANTIATE(std::int64_t)
AUTOGRAD_INSTANTIATE(bool)
#undef AUTOGRAD_INSTANTIATE

}  // namespace autograd::kernels
#endif
