// SPDX-License-Identifier: Apache-2.0
// The loops of norm_table.hpp, once per instruction set. Sums are taken in double, in four chains of
// vectors; the elementwise loops in the elements' own type.
#if defined(AUTOGRAD_NORM_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_NORM_INL
#undef AUTOGRAD_NORM_INL
#else
#define AUTOGRAD_NORM_INL
#endif

#include <cstddef>
#include <type_traits>

#include "norm_table.hpp"
#include "simd-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

using Wide = hn::ScalableTag<double>;
inline constexpr std::size_t kWide = kLanes<Wide>;

// kWide elements as doubles.
template <class T> AUTOGRAD_INLINE Vec<Wide> load_wide(const T* p) {
  const Wide d;
  if constexpr (std::is_same_v<T, double>) {
    return {hn::LoadU(d, p)};
  } else {
    return {hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, Wide>(), p))};
  }
}
AUTOGRAD_INLINE double total(Vec<Wide> v) {
  double lanes[kWide];
  hn::StoreU(v.raw, Wide(), lanes);
  for (std::size_t n = kWide / 2; n > 0; n /= 2) {
    for (std::size_t i = 0; i < n; ++i) lanes[i] += lanes[i + n];
  }
  return lanes[0];
}

// The sum of f(element as double) in four chains; f takes vectors and numbers alike.
template <class T, class F> AUTOGRAD_INLINE double wide_sum(std::size_t n, const T* x, F&& f) {
  using V = Vec<Wide>;
  V s0 = V::of(0), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 4 * kWide <= n; i += 4 * kWide) {
    s0 = s0 + f(load_wide(x + i));
    s1 = s1 + f(load_wide(x + i + kWide));
    s2 = s2 + f(load_wide(x + i + 2 * kWide));
    s3 = s3 + f(load_wide(x + i + 3 * kWide));
  }
  double rest = 0;
  for (; i < n; ++i) rest += f(static_cast<double>(x[i]));
  return total((s0 + s1) + (s2 + s3)) + rest;
}
template <class T> double norm_sum(std::size_t n, const T* x) {
  return wide_sum(n, x, [](auto e) AUTOGRAD_ALWAYS_INLINE { return e; });
}
template <class T> double norm_squares(std::size_t n, const T* x, double mean) {
  return wide_sum(n, x, [mean](auto e) AUTOGRAD_ALWAYS_INLINE {
    const auto off = e - mean;
    return off * off;
  });
}

template <class T>
void norm_sums(std::size_t n, const T* x, const T* dy, double mean, double scale, const T* weight,
               double* sums) {
  using V = Vec<Wide>;
  V a0 = V::of(0), a1 = a0, b0 = a0, b1 = a0;
  std::size_t i = 0;
  for (; i + 2 * kWide <= n; i += 2 * kWide) {
    V g0 = load_wide(dy + i), g1 = load_wide(dy + i + kWide);
    if (weight) {
      g0 = g0 * load_wide(weight + i);
      g1 = g1 * load_wide(weight + i + kWide);
    }
    a0 = a0 + g0;
    a1 = a1 + g1;
    b0 = mul_add(g0, load_wide(x + i) - mean, b0);
    b1 = mul_add(g1, load_wide(x + i + kWide) - mean, b1);
  }
  double a = 0, b = 0;
  for (; i < n; ++i) {
    const double g = static_cast<double>(dy[i]) * (weight ? static_cast<double>(weight[i]) : 1.0);
    a += g;
    b += g * (static_cast<double>(x[i]) - mean);
  }
  sums[0] += total(a0 + a1) + a;
  sums[1] += (total(b0 + b1) + b) * scale;
}

// f(vectors or the last elements) at each place: f(load, store) with the accesses of that place.
template <class T, class F> AUTOGRAD_INLINE void each_vector(std::size_t n, F&& f) {
  using D = Tag<T>;
  const D d;
  std::size_t i = 0;
  for (; i + kLanes<D> <= n; i += kLanes<D>) {
    f([i, d](const T* p) AUTOGRAD_ALWAYS_INLINE { return load(d, p + i); },
      [i](Vec<D> v, T* p) AUTOGRAD_ALWAYS_INLINE { store(v, p + i); });
  }
  if (const std::size_t left = n - i) {
    f([i, left, d](const T* p) AUTOGRAD_ALWAYS_INLINE { return load_first(d, p + i, left); },
      [i, left](Vec<D> v, T* p) AUTOGRAD_ALWAYS_INLINE { store_first(v, p + i, left); });
  }
}

template <class T>
void norm_apply(std::size_t n, const T* x, Center<T> center, T scale, Along<T> weight,
                Along<T> bias, T* y) {
  using V = Vec<Tag<T>>;
  const V high{hn::Set(Tag<T>(), center.high)}, low{hn::Set(Tag<T>(), center.low)};
  const V factor{hn::Set(Tag<T>(), scale)};
  const V one_weight{hn::Set(Tag<T>(), weight.all)}, one_bias{hn::Set(Tag<T>(), bias.all)};
  each_vector<T>(n, [&](auto at, auto put) AUTOGRAD_ALWAYS_INLINE {
    const V u = ((at(x) - high) - low) * factor;
    put(u * (weight.each ? at(weight.each) : one_weight) + (bias.each ? at(bias.each) : one_bias),
        y);
  });
}

template <class T>
void norm_give_back(std::size_t n, const T* x, const T* dy, Center<T> center, T scale,
                    Along<T> weight, T shift, T along, T* dx) {
  using V = Vec<Tag<T>>;
  const auto set = [](T c) AUTOGRAD_ALWAYS_INLINE { return V{hn::Set(Tag<T>(), c)}; };
  const V high = set(center.high), low = set(center.low), factor = set(scale),
          one = set(weight.all);
  const V off = set(shift), tilt = set(along);
  each_vector<T>(n, [&](auto at, auto put) AUTOGRAD_ALWAYS_INLINE {
    const V u = ((at(x) - high) - low) * factor;
    put(factor * (at(dy) * (weight.each ? at(weight.each) : one) - off - u * tilt), dx);
  });
}

template <class T>
void norm_columns(std::size_t rows, std::size_t n, const T* x, const T* dy, const double* mean,
                  const double* scale, double* plain, double* times) {
  using V = Vec<Wide>;
  const Wide d;
  std::size_t i = 0;
  for (; i + 2 * kWide <= n; i += 2 * kWide) {
    V a0 = load(d, plain + i), a1 = load(d, plain + i + kWide);
    V b0 = load(d, times + i), b1 = load(d, times + i + kWide);
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t at = r * n + i;
      const V g0 = load_wide(dy + at), g1 = load_wide(dy + at + kWide);
      a0 = a0 + g0;
      a1 = a1 + g1;
      b0 = mul_add(g0, (load_wide(x + at) - mean[r]) * scale[r], b0);
      b1 = mul_add(g1, (load_wide(x + at + kWide) - mean[r]) * scale[r], b1);
    }
    store(a0, plain + i);
    store(a1, plain + i + kWide);
    store(b0, times + i);
    store(b1, times + i + kWide);
  }
  for (; i < n; ++i) {
    for (std::size_t r = 0; r < rows; ++r) {
      const auto g = static_cast<double>(dy[r * n + i]);
      plain[i] += g;
      times[i] += g * ((static_cast<double>(x[r * n + i]) - mean[r]) * scale[r]);
    }
  }
}

template <class T>
inline constexpr NormTable<T> kNormTable = {norm_sum<T>,  norm_squares<T>,   norm_apply<T>,
                                            norm_sums<T>, norm_give_back<T>, norm_columns<T>};

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
