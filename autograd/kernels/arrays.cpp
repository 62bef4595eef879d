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
#include "parallel.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

template <class T> constexpr AnyTable<T> any_table() {
  return {&fill_loop<T>,
          &compare_any<T>,
          &select_loop<T>,
          {&convert_loop<float, T>, &convert_loop<double, T>, &convert_loop<std::int64_t, T>,
           &convert_loop<bool, T>}};
}
constexpr ArraysTable kArrays = {
    {any_table<float>(), any_table<double>(), any_table<std::int64_t>(), any_table<bool>()}};
const void* arrays_table() { return &kArrays; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {
namespace {

AUTOGRAD_EXPORT(arrays_table);
constexpr std::size_t kTaskElements = 1 << 15;  // enough to outweigh starting a task

template <class T> const T* at(const T* p, int stride, std::size_t i) {
  return stride == 0 ? p : p + i;
}

constinit const Dispatched<ArraysTable> best([] { return AUTOGRAD_CHOOSE(arrays_table)(); });

template <class T> const AnyTable<T>& any() { return std::get<AnyTable<T>>(best->any); }

}  // namespace

template <class T> void fill(T* y, T value, std::size_t n) {
  parallel_for(n, kTaskElements, [&](std::size_t begin, std::size_t end) {
    any<T>().fill(y + begin, value, end - begin);
  });
}
template <class T>
void compare(Comparison kind, const T* a, int sa, const T* b, int sb, bool* y, std::size_t n) {
  parallel_for(n, kTaskElements, [&](std::size_t begin, std::size_t end) {
    any<T>().compare(kind, at(a, sa, begin), sa, at(b, sb, begin), sb, y + begin, end - begin);
  });
}
template <class T>
void select(const bool* c, int sc, const T* a, int sa, const T* b, int sb, T* y, std::size_t n) {
  parallel_for(n, kTaskElements, [&](std::size_t begin, std::size_t end) {
    any<T>().select(at(c, sc, begin), sc, at(a, sa, begin), sa, at(b, sb, begin), sb, y + begin,
                    end - begin);
  });
}
template <class To, class From> void convert(const From* x, To* y, std::size_t n) {
  parallel_for(n, kTaskElements, [&](std::size_t begin, std::size_t end) {
    std::get<ConvertKernel<To, From>>(any<From>().convert)(x + begin, y + begin, end - begin);
  });
}

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
