// SPDX-License-Identifier: Apache-2.0
// The loops of the rows and their tables, once per instruction set: including ops/elementwise.hpp
// here a second time makes its rows available for Vec. A new row needs nothing in this folder.
#if defined(AUTOGRAD_ELEMENTWISE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_ELEMENTWISE_INL
#undef AUTOGRAD_ELEMENTWISE_INL
#else
#define AUTOGRAD_ELEMENTWISE_INL
#endif

#include <tuple>
#include <type_traits>

#include "elementwise.hpp"
#include "lane_math-inl.hpp"
#include "number_loops.hpp"
#include "power-inl.hpp"
#include "trigonometry-inl.hpp"

#define AUTOGRAD_SIMD_ROWS
#include "../ops/elementwise.hpp"
#undef AUTOGRAD_SIMD_ROWS

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

// Tiny arrays are read in pieces of 16 bytes: whatever wrote them stored at least such pieces at once,
// and a wider load that spans two stores waits for both to leave the store buffer.
template <class T> using Piece = hn::CappedTag<T, 16 / sizeof(T)>;
template <class T> AUTOGRAD_INLINE bool in_pieces(std::size_t n) {
  return n <= 8 && n % kLanes<Piece<T>> == 0;
}

template <class Row, class T>
void unary_loop(const T* x, T* y, std::size_t n, const void* parameters) {
  const Row row = row_at<Row>(parameters);
  if (in_pieces<T>(n)) {
    const Piece<T> piece;
    for (std::size_t i = 0; i < n; i += kLanes<Piece<T>>) {
      store(row.value(load(piece, x + i)), y + i);
    }
    return;
  }
  const Tag<T> d;
  constexpr std::size_t kStep = kLanes<Tag<T>>;
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) store(row.value(load(d, x + i)), y + i);
  if (i < n) store_first(row.value(load_first(d, x + i, n - i)), y + i, n - i);
}

// A zero cotangent stays zero even where the slope is infinite or NaN; a row that selects does not
// let an infinite one pass a slope of zero either.
template <class Row, class D> AUTOGRAD_INLINE Vec<D> chain(Vec<D> dy, Vec<D> slope) {
  if constexpr (Row::info.selects) {
    return where(slope == 0.0, Vec<D>::of(0.0), dy * slope);
  } else {
    return where(dy == 0.0, Vec<D>::of(0.0), dy * slope);
  }
}

template <class Row, class T>
void unary_backward_loop(const T* x, const T* y, const T* dy, T* dx, std::size_t n,
                         const void* parameters) {
  const Row row = row_at<Row>(parameters);
  const Tag<T> d;
  constexpr std::size_t kStep = kLanes<Tag<T>>;
  if (x == nullptr) x = dy;  // the row does not use it; loads of it vanish only when optimized
  if (y == nullptr) y = dy;
  if (in_pieces<T>(n)) {
    const Piece<T> piece;
    for (std::size_t j = 0; j < n; j += kLanes<Piece<T>>) {
      const auto slope = row.slope(load(piece, x + j), load(piece, y + j));
      store(chain<Row>(load(piece, dy + j), slope), dx + j);
    }
    return;
  }
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    store(chain<Row>(load(d, dy + i), row.slope(load(d, x + i), load(d, y + i))), dx + i);
  }
  if (i < n) {
    const std::size_t rest = n - i;
    const auto slope = row.slope(load_first(d, x + i, rest), load_first(d, y + i, rest));
    store_first(chain<Row>(load_first(d, dy + i, rest), slope), dx + i, rest);
  }
}

template <class D> AUTOGRAD_INLINE Vec<D> broadcast(D d, const hn::TFromD<D>* p) {
  return {hn::Set(d, *p)};
}

// Row::value and the two slopes of binary rows in one form: f(a, b, y).
template <class Row> struct ValueOf {
  template <class V> static AUTOGRAD_INLINE V of(V a, V b, V) { return Row::value(a, b); }
};
template <class Row> struct SlopeA {
  using Of = Row;
  template <class V> static AUTOGRAD_INLINE V of(V a, V b, V y) { return Row::slope_a(a, b, y); }
};
template <class Row> struct SlopeB {
  using Of = Row;
  template <class V> static AUTOGRAD_INLINE V of(V a, V b, V y) { return Row::slope_b(a, b, y); }
};

template <class Row, class T>
void binary_loop(const T* a, int sa, const T* b, int sb, T* y, std::size_t n) {
  const Tag<T> d;
  constexpr std::size_t kStep = kLanes<Tag<T>>;
  std::size_t i = 0;
  if (n >= kStep) {
    if (sa != 0 && sb != 0) {
      for (; i + kStep <= n; i += kStep) store(Row::value(load(d, a + i), load(d, b + i)), y + i);
    } else if (sa != 0) {
      const auto q = broadcast(d, b);
      for (; i + kStep <= n; i += kStep) store(Row::value(load(d, a + i), q), y + i);
    } else {
      const auto p = broadcast(d, a);
      for (; i + kStep <= n; i += kStep) {
        store(Row::value(p, sb != 0 ? load(d, b + i) : broadcast(d, b)), y + i);
      }
    }
  }
  if (i < n) {
    const std::size_t rest = n - i;
    const auto p = sa != 0 ? load_first(d, a + i, rest) : broadcast(d, a);
    const auto q = sb != 0 ? load_first(d, b + i, rest) : broadcast(d, b);
    store_first(Row::value(p, q), y + i, rest);
  }
}

template <class Slope, class T>
void binary_backward_loop(const T* a, int sa, const T* b, int sb, const T* y, const T* dy, T* dx,
                          std::size_t n) {
  const Tag<T> d;
  constexpr std::size_t kStep = kLanes<Tag<T>>;
  if (a == nullptr) a = dy;  // as in unary_backward_loop
  if (b == nullptr) b = dy;
  if (y == nullptr) y = dy;
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    const auto p = sa != 0 ? load(d, a + i) : broadcast(d, a);
    const auto q = sb != 0 ? load(d, b + i) : broadcast(d, b);
    store(chain<typename Slope::Of>(load(d, dy + i), Slope::of(p, q, load(d, y + i))), dx + i);
  }
  if (i < n) {
    const std::size_t rest = n - i;
    const auto p = sa != 0 ? load_first(d, a + i, rest) : broadcast(d, a);
    const auto q = sb != 0 ? load_first(d, b + i, rest) : broadcast(d, b);
    const auto slope = Slope::of(p, q, load_first(d, y + i, rest));
    store_first(chain<typename Slope::Of>(load_first(d, dy + i, rest), slope), dx + i, rest);
  }
}

// Powers with one exponent for all, the usual ones of which need no logarithm.
template <class T> void pow_loop(const T* a, int sa, const T* b, int sb, T* y, std::size_t n) {
  const bool constant = sa != 0 && (sb == 0 || n == 1);
  if (constant && constant_powers<T>(&power_block<T>, *b, a, nullptr, y, n)) return;
  binary_loop<Pow>(a, sa, b, sb, y, n);
}
template <class T>
void pow_backward_loop(const T* a, int sa, const T* b, int sb, const T* y, const T* dy, T* dx,
                       std::size_t n) {
  const bool constant = sa != 0 && (sb == 0 || n == 1);
  if (constant && constant_powers<T>(&power_block<T>, *b, a, dy, dx, n)) return;
  binary_backward_loop<SlopeA<Pow>>(a, sa, b, sb, y, dy, dx, n);
}

// The same row as it is for plain numbers.
template <std::size_t I, class... Rows>
auto at(RowList<Rows...>) -> std::tuple_element_t<I, std::tuple<Rows...>>;
template <class Row>
using UnaryOfNumbers = decltype(at<UnaryRows::index_of<Row>()>(ops::UnaryRows()));
template <class Row>
using BinaryOfNumbers = decltype(at<BinaryRows::index_of<Row>()>(ops::BinaryRows()));

template <class Row, class T> constexpr UnaryKernel<T> unary_kernel() {
  if constexpr (Row::info.lanes)
    return &unary_numbers<UnaryOfNumbers<Row>, T>;
  else
    return &unary_loop<Row, T>;
}
template <class Row, class T> constexpr UnaryBackwardKernel<T> unary_backward_kernel() {
  if constexpr (Row::info.lanes)
    return &unary_backward_numbers<UnaryOfNumbers<Row>, T>;
  else
    return &unary_backward_loop<Row, T>;
}
template <class Row, class T> constexpr BinaryKernel<T> binary_kernel() {
  if constexpr (Row::info.lanes)
    return &binary_numbers<BinaryOfNumbers<Row>, T>;
  else if constexpr (std::is_same_v<Row, Pow>)
    return &pow_loop<T>;
  else
    return &binary_loop<Row, T>;
}
template <class Row, int Argument, class T>
constexpr BinaryBackwardKernel<T> binary_backward_kernel() {
  using Slope = std::conditional_t<Argument == 0, SlopeA<Row>, SlopeB<Row>>;
  if constexpr (Row::info.lanes)
    return &binary_backward_numbers<BinaryOfNumbers<Row>, Argument, T>;
  else if constexpr (std::is_same_v<Row, Pow> && Argument == 0)
    return &pow_backward_loop<T>;
  else
    return &binary_backward_loop<Slope, T>;
}

// List: what is given here as rows of this instruction set, as rows for numbers.
template <class T, class List, class... Rows>
constexpr UnaryTable<T, List> unary_table(RowList<Rows...>) {
  return {{unary_kernel<Rows, T>()...}};
}
template <class T, class List, class... Rows>
constexpr UnaryBackwardTable<T, List> unary_backward_table(RowList<Rows...>) {
  return {{unary_backward_kernel<Rows, T>()...}};
}
template <class T, class List, class... Rows>
constexpr BinaryTable<T, List> binary_table(RowList<Rows...>) {
  return {{binary_kernel<Rows, T>()...}};
}
template <class T, class List, class... Rows>
constexpr BinaryBackwardTable<T, List> binary_backward_table(RowList<Rows...>) {
  return {{{binary_backward_kernel<Rows, 0, T>()...}, {binary_backward_kernel<Rows, 1, T>()...}}};
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
