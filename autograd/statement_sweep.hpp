// SPDX-License-Identifier: Apache-2.0
// The loop that sweeps scalar statements backward, over partial derivatives of type R and adjoints of
// type A. Internal. R = A = double is a Tape's sweep; A = Lanes carries several adjoints at once, for
// the rows of a Jacobian; R = A = Dual or BasicVar is what the drivers of higher order sweep.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

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

/// is_zero, with one branch for a double: `a == 0` takes a second one for NaN.
template <class A> AUTOGRAD_INLINE bool is_zero_adjoint(const A& a) {
  if constexpr (std::same_as<A, double>) {
    return std::bit_cast<std::uint64_t>(a) << 1 == 0;
  } else {
    return is_zero(a);
  }
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

/// How many statements a sweep may pass over, and how many entries they have.
struct Skipped {
  std::int64_t statements, entries;
};
/// The statements from the one of adjoint `last` down, at most `most`, whose adjoints are zero: a payoff
/// that ends worthless leaves its whole path so. Stops at a tensor record.
Skipped skip_zeros(const double* last, const Count* count, std::int64_t most);

/// Checked builds leave the copies of the loop below over nested types out: with a sanitizer's checks they
/// take minutes to compile.
#ifdef AUTOGRAD_CHECKED
template <class A> inline constexpr bool kUnrolled = std::same_as<A, double>;
#else
template <class A> inline constexpr bool kUnrolled = true;
#endif

/// Sweeps statements down to `low`; true when it stopped at a tensor record, with the cursor past it.
template <class R, class A>
AUTOGRAD_INLINE bool sweep_statements(A* __restrict adjoint, Cursor<R>& cursor, std::int32_t low) {
  const BasicEntry<R>* e = cursor.entry;
  const Count* count = cursor.count;
  std::int64_t k = cursor.k;
  bool at_record = false;
  A next = adjoint[k];
  for (;;) {
    if (k <= low) [[unlikely]]
      break;
    const A a = next;
    --k;
    auto m = static_cast<std::uint64_t>(*count++);
    if (is_zero_adjoint(a)) [[unlikely]] {
      if (m == static_cast<std::uint64_t>(kTensorRecord)) {
        --e;
        at_record = true;
        break;
      }
      e -= m;
      next = adjoint[k];
      if constexpr (std::same_as<A, double> && std::same_as<R, double>) {
        if (is_zero_adjoint(next)) {
          const Skipped skipped = skip_zeros(adjoint + k, count, k - low);
          e -= skipped.entries;
          count += skipped.statements;
          k -= skipped.statements;
          next = adjoint[k];
        }
      }
      continue;
    }
    // When an operand is the previous statement its adjoint stays in a register. The store would have to
    // be forwarded to the load that follows at once; and loads run ahead of stores whose addresses are
    // still on their way from memory, and are taken back when it turns out that they were too early
    // (Rosenbrock, whose second operand is the previous statement: 7.2 instead of 2.2 ns a statement).
    next = adjoint[k];
    const auto store = [&](std::int64_t index, const A& sum) AUTOGRAD_ALWAYS_INLINE {
      adjoint[index] = sum;
      if (index == k) [[unlikely]] {
        asm volatile("");  // keeps GCC from turning the branch into a select, which waits for both
        next = sum;
      }
    };
    const auto add = [&](std::uint64_t j) AUTOGRAD_ALWAYS_INLINE {
      const std::int64_t index = e[j].index;
      store(index, add_product(adjoint[index], e[j].get(), a));
    };
    // A number of arguments that the compiler knows.
    const auto add_all = [&]<std::uint64_t... J>(std::index_sequence<J...>) AUTOGRAD_ALWAYS_INLINE {
      e -= sizeof...(J);
      (add(sizeof...(J) - 1 - J), ...);
    };
    // The same for one more argument, the first, that may come again among the others, as the v of
    // v += f(v) does: its sum stays in a register, too (Heston: 2.08 instead of 2.22). Doubles only: a
    // page of nested Duals took half an hour to compile under the sanitizers.
    const auto add_first_and = [&]<std::uint64_t... J>(std::index_sequence<J...>)
        AUTOGRAD_ALWAYS_INLINE {
      if constexpr (!std::same_as<A, double>) {
        add_all(std::make_index_sequence<sizeof...(J) + 1>());
      } else {
        e -= sizeof...(J) + 1;
        const std::int64_t first = e[0].index;
        double sum = adjoint[first];
        const auto add_or_join = [&](std::uint64_t j) AUTOGRAD_ALWAYS_INLINE {
          if (e[j].index == first) [[unlikely]] {
            asm volatile("");
            sum = add_product(sum, e[j].get(), a);
          } else {
            add(j);
          }
        };
        (add_or_join(sizeof...(J) - J), ...);
        store(first, add_product(sum, e[0].get(), a));
      }
    };
    if constexpr (!kUnrolled<A>) {
      e -= m;
      while (m > 0) add(--m);
      continue;
    }
    switch (m) {
      case 0: break;
      case 1: add_all(std::make_index_sequence<1>()); break;
      case 2: add_all(std::make_index_sequence<2>()); break;
      case 3: add_first_and(std::make_index_sequence<2>()); break;
      case 4: add_first_and(std::make_index_sequence<3>()); break;
      case 5: add_first_and(std::make_index_sequence<4>()); break;
      case 6: add_first_and(std::make_index_sequence<5>()); break;
      case 7: add_first_and(std::make_index_sequence<6>()); break;
      case 8: add_first_and(std::make_index_sequence<7>()); break;
      default:
        // Sums of products, as a network's layers have them (mlp: 3.52 instead of 3.77).
        if constexpr (std::same_as<A, double>) {
          for (; m >= 8; m -= 8) add_all(std::make_index_sequence<8>());
        }
        e -= m;
        while (m > 0) add(--m);
    }
  }
  cursor = {e, count, static_cast<std::int32_t>(k)};
  return at_record;
}

}  // namespace autograd::detail
