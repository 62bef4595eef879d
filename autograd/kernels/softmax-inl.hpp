// SPDX-License-Identifier: Apache-2.0
// The softmax family, once per instruction set. Each function is written once over an "axis":
// either vectors run along the line itself (inner == 1) and are combined across lanes in the end,
// or each lane is a line of its own (inner > 1) and nothing needs combining. All subtract the
// largest element first. A line of -inf only has no largest finite element; its softmax is 0 and
// its log_softmax -inf.
#if defined(AUTOGRAD_SOFTMAX_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_SOFTMAX_INL
#undef AUTOGRAD_SOFTMAX_INL
#else
#define AUTOGRAD_SOFTMAX_INL
#endif

#include <type_traits>
#include <utility>

#include "reduce-inl.hpp"
#include "reduce_table.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

/// Vectors along a contiguous line of `extent` elements.
struct AlongLine {
  std::size_t extent;

  // Calls f(offset, lanes in use) for each vector of the line.
  template <class T, class F> AUTOGRAD_INLINE void for_each(F f) const {
    constexpr std::size_t kL = kLanes<Tag<T>>;
    std::size_t i = 0;
    for (; i + kL <= extent; i += kL) f(i, kL);
    if (i < extent) f(i, extent - i);
  }
  template <class Op, class D> AUTOGRAD_INLINE Vec<D> combined(Vec<D> v) const {
    return {hn::Set(D(), combine_lanes<Op>(v))};
  }
};

/// `width` lines side by side, their elements `stride` apart.
struct AcrossLines {
  std::size_t extent, stride, width;

  template <class T, class F> AUTOGRAD_INLINE void for_each(F f) const {
    for (std::size_t e = 0; e < extent; ++e) f(e * stride, width);
  }
  template <class Op, class D> AUTOGRAD_INLINE Vec<D> combined(Vec<D> v) const { return v; }
};

template <class D> AUTOGRAD_INLINE void store_some(Vec<D> v, hn::TFromD<D>* p, std::size_t n) {
  n == kLanes<D> ? store(v, p) : store_first(v, p, n);
}

template <class T> Vec<Tag<T>> largest(const AlongLine& axis, const T* x) {
  return {hn::Set(Tag<T>(), reduce_leaf<MaxOf>(x, axis.extent))};  // in four chains
}
template <class T> AUTOGRAD_INLINE Vec<Tag<T>> largest(const AcrossLines& axis, const T* x) {
  const Tag<T> d;
  Vec<Tag<T>> top = Vec<Tag<T>>::of(MaxOf::identity);
  axis.for_each<T>([&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
    top = max(top, load_or_identity<MaxOf>(d, x + at, n));
  });
  return top;
}

// What is subtracted from x: the largest element where it is finite, else 0, so that -inf - -inf
// does not arise. An infinite or NaN element still reaches the sum through exp.
template <class D> AUTOGRAD_INLINE Vec<D> finite_or_zero(Vec<D> top) {
  return where(abs(top) < infinity(D()), top, Vec<D>::of(0.0));
}

template <class T, class Axis>
AUTOGRAD_INLINE Vec<Tag<T>> sum_of_exp(const Axis& axis, const T* x, Vec<Tag<T>> shift) {
  const Tag<T> d;
  Vec<Tag<T>> total = Vec<Tag<T>>::of(0.0);
  axis.template for_each<T>([&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
    total = total + exp(load_or_identity<MaxOf>(d, x + at, n) - shift);
  });
  return axis.template combined<SumOf>(total);
}

template <class T> struct LogSumExp {
  template <class Axis> static void run(const Axis& axis, const T* x, const T*, T* y) {
    const Vec<Tag<T>> shift = finite_or_zero(largest(axis, x));
    const Vec<Tag<T>> result = shift + log(sum_of_exp(axis, x, shift));
    if constexpr (std::is_same_v<Axis, AlongLine>) {
      *y = hn::GetLane(result.raw);
    } else {
      store_some(result, y, axis.width);
    }
  }
};

template <class T> struct Softmax {
  template <class Axis> static void run(const Axis& axis, const T* x, const T*, T* y) {
    const Tag<T> d;
    using V = Vec<Tag<T>>;
    const V top = largest(axis, x);
    // Unlike above, +inf is subtracted: inf - inf makes the whole line NaN, as it should be.
    const Mask<Tag<T>> empty = top == -infinity(d);
    const V shift = where(empty, V::of(0.0), top);
    V total = V::of(0.0);
    axis.template for_each<T>([&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
      const V e = exp(load_or_identity<MaxOf>(d, x + at, n) - shift);
      total = total + e;
      store_some(e, y + at, n);
    });
    total = where(empty, V::of(1.0), axis.template combined<SumOf>(total));
    // e / total by two steps of its quotient, the second for what the first left (Markstein 1990): as exact
    // as a division, which takes three times as long.
    const V factor = V::of(1.0) / total, minus = -total;
    axis.template for_each<T>([&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
      const V e = load_or_identity<SumOf>(d, y + at, n), quotient = e * factor;
      store_some(mul_add(mul_add(quotient, minus, e), factor, quotient), y + at, n);
    });
  }
};

/// log_softmax(x) is x - shift - rest.
template <class T> struct Subtracted {
  Vec<Tag<T>> shift, rest;

  template <class Axis> static AUTOGRAD_INLINE Subtracted of(const Axis& axis, const T* x) {
    const Vec<Tag<T>> shift = finite_or_zero(largest(axis, x));
    const Vec<Tag<T>> total = sum_of_exp(axis, x, shift);
    return {shift, where(total == 0.0, Vec<Tag<T>>::of(0.0), log(total))};
  }
  AUTOGRAD_INLINE Vec<Tag<T>> from(Vec<Tag<T>> x) const { return x - shift - rest; }
};

template <class T> struct LogSoftmax {
  template <class Axis> static void run(const Axis& axis, const T* x, const T*, T* y) {
    const Tag<T> d;
    const Subtracted<T> subtracted = Subtracted<T>::of(axis, x);
    axis.template for_each<T>([&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
      store_some(subtracted.from(load_or_identity<MaxOf>(d, x + at, n)), y + at, n);
    });
  }
};

template <class T> struct SoftmaxBackward {
  template <class Axis> static void run(const Axis& axis, const T* y, const T* dy, T* dx) {
    const Tag<T> d;
    using V = Vec<Tag<T>>;
    V dot = V::of(0.0);
    axis.template for_each<T>([&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
      const V p = load_or_identity<SumOf>(d, y + at, n), q = load_or_identity<SumOf>(d, dy + at, n);
      dot = mul_add(p, q, dot);
    });
    dot = axis.template combined<SumOf>(dot);
    axis.template for_each<T>([&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
      const V p = load_or_identity<SumOf>(d, y + at, n), q = load_or_identity<SumOf>(d, dy + at, n);
      store_some(p * (q - dot), dx + at, n);
    });
  }
};

template <class T> struct LogSoftmaxBackward {
  template <class Axis> static void run(const Axis& axis, const T* y, const T* dy, T* dx) {
    const Tag<T> d;
    using V = Vec<Tag<T>>;
    V total = V::of(0.0);
    axis.template for_each<T>([&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
      total = total + load_or_identity<SumOf>(d, dy + at, n);
    });
    total = axis.template combined<SumOf>(total);
    axis.template for_each<T>([&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
      const V p = load_or_identity<SumOf>(d, y + at, n), q = load_or_identity<SumOf>(d, dy + at, n);
      store_some(q - exp(p) * total, dx + at, n);
    });
  }
};

// One row of cross_entropy.
template <class T>
void cross_entropy_row(const T* x, std::size_t label, T smoothing, std::size_t c, T& y, T& shift,
                       T& rest) {
  const Tag<T> d;
  using V = Vec<Tag<T>>;
  const AlongLine row{c};
  const Subtracted<T> subtracted = Subtracted<T>::of(row, x);
  shift = hn::GetLane(subtracted.shift.raw);
  rest = hn::GetLane(subtracted.rest.raw);
  const T own = x[label] - shift - rest;
  y = -own;
  if (smoothing == 0) return;  // 0 times an infinite logarithm would be NaN
  // Sums of 32 vectors are added up, so that the error grows with the root of c where it would with c.
  constexpr std::size_t kPart = 32 * kLanes<Tag<T>>;
  V total = V::of(0.0), part = total;
  row.template for_each<T>([&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
    V logarithm = subtracted.from(load_or_identity<SumOf>(d, x + at, n));
    if (n < kLanes<Tag<T>>)
      logarithm = where(Mask<Tag<T>>{hn::FirstN(d, n)}, logarithm, V::of(0.0));
    part = part + logarithm;
    if (at % kPart == 0 || at + n == c) total = total + std::exchange(part, V::of(0.0));
  });
  const T mean = hn::GetLane(row.template combined<SumOf>(total).raw) / static_cast<T>(c);
  y = -((1 - smoothing) * own + smoothing * mean);
}

// dx may be x.
template <class T>
void cross_entropy_row_backward(const T* x, std::size_t label, T smoothing, std::size_t c, T shift,
                                T rest, T dy, T* dx) {
  const Tag<T> d;
  using V = Vec<Tag<T>>;
  const Subtracted<T> subtracted{{hn::Set(d, shift)}, {hn::Set(d, rest)}};
  const V factor{hn::Set(d, dy)}, even{hn::Set(d, smoothing / static_cast<T>(c))};
  const V own{hn::Set(d, x[label])};
  AlongLine{c}.template for_each<T>(
      [&](std::size_t at, std::size_t n) HWY_ATTR AUTOGRAD_ALWAYS_INLINE {
        const V x_at = load_or_identity<MaxOf>(d, x + at, n);
        store_some(factor * (exp(subtracted.from(x_at)) - even), dx + at, n);
      });
  const V difference = exp(subtracted.from(own)) - V{hn::Set(d, 1 - smoothing)};
  dx[label] = hn::GetLane((factor * (difference - even)).raw);
}

// f(i) for every row.
template <class F> void each_row(const LabeledRows& rows, const F& f) {
  const std::size_t grain = kTaskElements / 8 / std::max<std::size_t>(1, rows.c) + 1;
  parallel_for(rows.n, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) f(i);
  });
}

template <class T>
void cross_entropy_rows(const LabeledRows& rows, const T* x, T* y, T* shift, T* rest) {
  each_row(rows, [&](std::size_t i) {
    if (rows.label[i] < 0) {
      y[i] = shift[i] = rest[i] = 0;
      return;
    }
    cross_entropy_row(x + i * rows.c, static_cast<std::size_t>(rows.label[i]),
                      static_cast<T>(rows.smoothing), rows.c, y[i], shift[i], rest[i]);
  });
}

template <class T>
void cross_entropy_rows_backward(const LabeledRows& rows, const T* x, const T* shift, const T* rest,
                                 const T* dy, T* dx) {
  each_row(rows, [&](std::size_t i) {
    T* row = dx + i * rows.c;
    if (rows.label[i] < 0) {
      std::fill_n(row, rows.c, T(0));
      return;
    }
    cross_entropy_row_backward(x + i * rows.c, static_cast<std::size_t>(rows.label[i]),
                               static_cast<T>(rows.smoothing), rows.c, shift[i], rest[i], dy[i],
                               row);
  });
}

// Kernel::run for every line; `a` and `b` are inputs of the full size (b may be null), y has
// `y_extent` elements per line.
template <class Kernel, class T>
void each_line(const T* a, const T* b, T* y, std::size_t outer, std::size_t extent,
               std::size_t y_extent, std::size_t inner) {
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const std::size_t blocks = inner == 1 ? 1 : (inner + kL - 1) / kL;
  const std::size_t task_elements = std::max<std::size_t>(1, extent * std::min(inner, kL));
  parallel_for(
      outer * blocks, kTaskElements / 8 / task_elements + 1,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t task = begin; task < end; ++task) {
          const std::size_t o = task / blocks, i = task % blocks * kL;
          const std::size_t at = o * extent * inner + i;
          const T* q = b == nullptr ? nullptr : b + at;
          T* result = y + o * y_extent * inner + i;
          if (inner == 1) {
            Kernel::run(AlongLine{extent}, a + at, q, result);
          } else {
            Kernel::run(AcrossLines{extent, inner, std::min(kL, inner - i)}, a + at, q, result);
          }
        }
      });
}

template <class Kernel, class T>
void forward_lines(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  each_line<Kernel>(x, static_cast<const T*>(nullptr), y, outer, extent, extent, inner);
}
template <class Kernel, class T>
void reduced_lines(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  each_line<Kernel>(x, static_cast<const T*>(nullptr), y, outer, extent, 1, inner);
}
template <class Kernel, class T>
void backward_lines(const T* y, const T* dy, T* dx, std::size_t outer, std::size_t extent,
                    std::size_t inner) {
  each_line<Kernel>(y, dy, dx, outer, extent, extent, inner);
}

template <class T> constexpr ReduceTable<T> reduce_table() {
  return {&reduce<SumOf, T>,
          &reduce<MaxOf, T>,
          &reduce<MinOf, T>,
          &reduced_lines<LogSumExp<T>, T>,
          &forward_lines<Softmax<T>, T>,
          &forward_lines<LogSoftmax<T>, T>,
          &backward_lines<SoftmaxBackward<T>, T>,
          &backward_lines<LogSoftmaxBackward<T>, T>,
          &cross_entropy_rows<T>,
          &cross_entropy_rows_backward<T>};
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
