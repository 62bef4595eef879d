// SPDX-License-Identifier: Apache-2.0
// What a row of elementwise.hpp declares besides its formulas, and the list type that collects rows.
#pragma once

#include <cstddef>
#include <type_traits>

#include "../inline.hpp"

namespace autograd {

struct Interval {
  double low, high;
};

/// Which values a slope reads; the others are not kept for the backward pass.
enum class Reads { nothing, x, y, both };

/// One line of the op table; `cases` are the intervals from which tests draw every argument.
struct RowInfo {
  const char* name;
  const char* value;
  const char* slope;
  Interval cases[2] = {};  // the second one empty (0, 0) when there is a single interval
  double ulp = 0;          // bound on the error of the value in units in the last place
  bool lanes = false;      // calls for one number after the other: no vector kernels
  Reads reads = Reads::x;
  bool selects = false;  // a zero slope means "not this operand": an infinite dy stops there
  const char* note = "";
};

/// A number, or a SIMD vector of numbers: nothing that derivatives pass through.
template <class T>
concept Plain = std::is_arithmetic_v<T> || requires(T x) {
  x.raw;
};

/// The rows of one arity; the position of a row is its index in every kernel table of its list.
template <class... Rows> struct RowList {
  static constexpr std::size_t size = sizeof...(Rows);

  template <class Row> static constexpr bool contains = (std::is_same_v<Row, Rows> || ...);

  template <class Row> static constexpr std::size_t index_of() {
    static_assert(contains<Row>, "this row is not in UnaryRows or BinaryRows: add it to the list");
    static_assert(Row::info.cases[0].low < Row::info.cases[0].high,
                  "this row has no cases: give it an interval to draw test arguments from");
    std::size_t index = 0, found = 0;
    ((std::is_same_v<Row, Rows> ? void(found = index++) : void(++index)), ...);
    return found;
  }

  /// Calls f.template operator()<Row>() for each row in order.
  template <class F> static constexpr void for_each(F&& f) { (f.template operator()<Rows>(), ...); }
};

template <class... Lists> struct JoinedRowLists;
template <class... A, class... B> struct JoinedRowLists<RowList<A...>, RowList<B...>> {
  using type = RowList<A..., B...>;
};
template <class A, class B> using JoinedRows = typename JoinedRowLists<A, B>::type;

}  // namespace autograd
