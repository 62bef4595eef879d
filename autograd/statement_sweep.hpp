// SPDX-License-Identifier: Apache-2.0
// The loop that sweeps scalar statements backward, over partial derivatives of type R and adjoints of
// type A. Internal. R = A = double is a Tape's sweep; A = Lanes carries several adjoints at once, for
// the rows of a Jacobian; R = A = Dual or BasicVar is what the drivers of higher order sweep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "dual.hpp"
#include "inline.hpp"
#include "recorder.hpp"
#include "var.hpp"

namespace autograd::detail {

/// Several adjoints or tangents that travel together.
struct Lanes {
  static constexpr int kCount = 8;
  double of[kCount];
};

AUTOGRAD_INLINE bool is_zero(const Lanes& a) {
  bool zero = true;
  for (const double lane : a.of) zero &= lane == 0;
  return zero;
}
template <class R> AUTOGRAD_INLINE bool is_zero(const BasicVar<R>& a) {
  return (a.tag() & kPassive) && is_zero(a.value());
}
template <int N, class T, class L> AUTOGRAD_INLINE bool is_zero(const Dual<N, T, L>& a) {
  if (!is_zero(a.value())) [[likely]]
    return false;
  for (int i = 0; i < N; ++i) {
    if (!is_zero(a.tangent(i))) return false;
  }
  return true;
}

template <int N, class T, class L>
AUTOGRAD_INLINE Dual<N, T, L> scaled_by(double m, const Dual<N, T, L>& slope) {
  return {T(m * slope.value()), scaled(slope.tangents(), m)};
}
template <class R> AUTOGRAD_INLINE BasicVar<R> scaled_by(double m, const BasicVar<R>& slope) {
  return m * slope;
}

template <class R> BasicVar<R> along(const BasicVar<R>& tangent, const BasicVar<R>& slope) {
  if (is_zero(tangent)) return tangent;
  return tangent * slope;
}
template <class R> BasicVar<R> scaled(const BasicVar<R>& tangent, double slope) {
  if (is_zero(tangent)) return tangent;
  return tangent * slope;
}

// sum + partial a.
AUTOGRAD_INLINE double add_product(double sum, double partial, double a) {
  return sum + partial * a;
}
AUTOGRAD_INLINE Lanes add_product(const Lanes& sum, double partial, const Lanes& a) {
  Lanes result;
  for (int i = 0; i < Lanes::kCount; ++i) result.of[i] = sum.of[i] + partial * a.of[i];
  return result;
}
template <int N, class T, class L>
AUTOGRAD_INLINE Dual<N, T, L> add_product(const Dual<N, T, L>& sum, const Dual<N, T, L>& partial,
                                          const Dual<N, T, L>& a) {
  return sum + partial * a;
}
template <class R>
AUTOGRAD_INLINE BasicVar<R> add_product(const BasicVar<R>& sum, const BasicVar<R>& partial,
                                        const BasicVar<R>& a) {
  if (is_zero(sum)) return partial * a;
  return sum + partial * a;
}

/// Where a sweep stands in a chunk: before statement `k`, whose entries end at `entry`.
template <class R> struct Cursor {
  const BasicEntry<R>* entry;
  const Count* count;
  std::int32_t k;
};

/// sweep_statements for anomaly mode: throws where an adjoint stops being finite.
bool sweep_statements_checked(double* adjoint, Cursor<double>& cursor, std::int32_t low);

/// Sweeps statements down to `low`; true when it stopped at a tensor record, with the cursor past it.
template <class R, class A>
AUTOGRAD_INLINE bool sweep_statements(A* __restrict adjoint, Cursor<R>& cursor, std::int32_t low) {
  const BasicEntry<R>* e = cursor.entry;
  const Count* count = cursor.count;
  std::int32_t k = cursor.k;
  bool at_record = false;
  A a = adjoint[k];
  // When an operand is the previous statement its adjoint stays in a register. The store would have to be
  // forwarded to the load that follows at once; and loads run ahead of stores whose addresses are still on
  // their way from memory, and are taken back when it turns out that they were too early (Rosenbrock, whose
  // second operand is the previous statement: 7.2 instead of 2.2 ns a statement).
  constexpr bool kNumber = std::is_same_v<A, double>;
  bool known = false;
  double next = 0;
  const auto add = [&](int j) AUTOGRAD_ALWAYS_INLINE {
    const std::int32_t index = e[-j].index;
    const A sum = add_product(adjoint[index], e[-j].get(), a);
    adjoint[index] = sum;
    if constexpr (kNumber) {
      if (index == k) {
        next = sum;
        known = true;
      }
    }
  };
  while (k > low) {
    --k;
    const auto m = static_cast<std::uint32_t>(*count++);
    if (is_zero(a)) [[unlikely]] {
      if (m == static_cast<std::uint32_t>(kTensorRecord)) {
        --e;
        at_record = true;
        break;
      }
      e -= m;
      a = adjoint[k];
      continue;
    }
    known = false;
    switch (m) {
      default:
        for (int j = static_cast<int>(m) - 1; j > 5; --j) add(j);
        [[fallthrough]];
      case 6: add(5); [[fallthrough]];
      case 5: add(4); [[fallthrough]];
      case 4: add(3); [[fallthrough]];
      case 3: add(2); [[fallthrough]];
      case 2: add(1); [[fallthrough]];
      case 1: break;
      case 0: a = adjoint[k]; continue;
    }
    e -= m;
    const std::int32_t first = e->index;
    const A sum = add_product(adjoint[first], e->get(), a);
    adjoint[first] = sum;
    if (first == k) {
      asm volatile("");  // keeps GCC from turning the branch into a select, which waits for both
      a = sum;
      continue;
    }
    if constexpr (kNumber) {
      if (known) {
        asm volatile("");
        a = next;
        continue;
      }
    }
    a = adjoint[k];
  }
  cursor = {e, count, k};
  return at_record;
}

}  // namespace autograd::detail
