// SPDX-License-Identifier: Apache-2.0
// A whole matrix is one register here, so that a sum of products is a few permutations: term s of every
// element of the result at once.
#include "tiny_layer.hpp"

#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/tiny_layer.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "elementwise-inl.hpp"
#include "export.hpp"

#ifndef AUTOGRAD_TINY_LAYER_TABLES
#define AUTOGRAD_TINY_LAYER_TABLES
namespace autograd::kernels {
namespace {

/// For a matrix of so many columns, the row and the column of each of its first eight elements.
template <class I> struct Places {
  alignas(64) std::array<std::array<I, kTinyLayer>, kTinyLayer + 1> row{}, column{};
};
template <class I> constexpr Places<I> all_places() {
  Places<I> places;
  for (std::size_t columns = 1; columns <= kTinyLayer; ++columns) {
    for (std::size_t i = 0; i < kTinyLayer; ++i) {
      places.row[columns][i] = static_cast<I>(i / columns);
      places.column[columns][i] = static_cast<I>(i % columns);
    }
  }
  return places;
}
template <class I> inline constexpr Places<I> kPlaces = all_places<I>();

}  // namespace
}  // namespace autograd::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

template <class T> using Eight = hn::CappedTag<T, kTinyLayer>;

// In two halves, because what wrote a small array stored at least such pieces (see Piece).
template <class T> AUTOGRAD_INLINE Vec<Eight<T>> load_eight(const T* x) {
  const Eight<T> d;
  const hn::Half<Eight<T>> half;
  return {Combine(d, hn::LoadU(half, x + kTinyLayer / 2), hn::LoadU(half, x))};
}

// The element of `x` in place first + s step, for each element of the result.
template <class T> class Picked {
 public:
  using D = Eight<T>;
  using I = hn::RebindToSigned<D>;
  using Place = hn::TFromD<I>;

  AUTOGRAD_INLINE Picked(Vec<D> x, hn::Vec<I> first, std::uint32_t step)
      : x_(x), place_(first), step_(hn::Set(I(), static_cast<Place>(step))) {}

  AUTOGRAD_INLINE Vec<D> next() {
    // Lanes behind the result's last element may point anywhere.
    const auto at = hn::And(place_, hn::Set(I(), static_cast<Place>(kTinyLayer - 1)));
    place_ = hn::Add(place_, step_);
    return {hn::TableLookupLanes(x_.raw, hn::IndicesFromVec(D(), at))};
  }

 private:
  Vec<D> x_;
  hn::Vec<I> place_, step_;
};

template <class T> struct PlacesOf {
  using I = typename Picked<T>::I;
  using Place = typename Picked<T>::Place;

  static AUTOGRAD_INLINE hn::Vec<I> row(std::uint32_t columns) {
    return hn::Load(I(), kPlaces<Place>.row[columns].data());
  }
  static AUTOGRAD_INLINE hn::Vec<I> column(std::uint32_t columns) {
    return hn::Load(I(), kPlaces<Place>.column[columns].data());
  }
  static AUTOGRAD_INLINE hn::Vec<I> times(hn::Vec<I> places, std::uint32_t n) {
    return hn::Mul(places, hn::Set(I(), static_cast<Place>(n)));
  }
};

template <class T>
AUTOGRAD_INLINE Vec<Eight<T>> sum_of_products(Picked<T> a, Picked<T> b, std::uint32_t terms) {
  Vec<Eight<T>> sum = a.next() * b.next();
  for (std::uint32_t s = 1; s < terms; ++s) sum = sum + a.next() * b.next();
  return sum;
}

template <class Row, class T>
void tiny_layer(const T* x, const T* w, const T* b, T* y, std::uint32_t in, std::uint32_t out) {
  using P = PlacesOf<T>;
  const auto column = P::column(out);
  Picked<T> left(load_eight(x), P::times(P::row(out), in), 1);
  Picked<T> right(load_eight(w), P::times(column, in), 1);
  Vec<Eight<T>> sum = Picked<T>(load_eight(b), column, 0).next() + left.next() * right.next();
  for (std::uint32_t s = 1; s < in; ++s) sum = sum + left.next() * right.next();
  if constexpr (!std::is_void_v<Row>) sum = Row::value(sum);
  store(sum, y);
}

template <class Row, class T>
void tiny_layer_backward(const TinyLayerGradients<T>& arrays, std::uint32_t rows, std::uint32_t in,
                         std::uint32_t out) {
  using P = PlacesOf<T>;
  Vec<Eight<T>> g = load_eight(arrays.dy);
  if constexpr (!std::is_void_v<Row>) {
    const Vec<Eight<T>> y = load_eight(arrays.y);
    g = chain<Row>(g, Row::slope(y, y));  // reads y alone
  }
  const auto row = P::row(in), column = P::column(in);
  if (arrays.dx != nullptr) {
    store(sum_of_products<T>({g, P::times(row, out), 1}, {load_eight(arrays.w), column, in}, out),
          arrays.dx);
  }
  if (arrays.dw != nullptr) {
    store(sum_of_products<T>({g, row, out}, {load_eight(arrays.x), column, in}, rows), arrays.dw);
  }
  if (arrays.db != nullptr) {
    Picked<T> down(g, P::column(kTinyLayer), out);
    Vec<Eight<T>> sum = down.next();
    for (std::uint32_t s = 1; s < rows; ++s) sum = sum + down.next();
    store(sum, arrays.db);
  }
}

template <class T> constexpr TinyLayerTable<T> tiny_layer_table() {
  if constexpr (kLanes<Eight<T>> == kTinyLayer) {
    return {
        {&tiny_layer<Sigmoid, T>, &tiny_layer<Tanh, T>, &tiny_layer<Relu, T>, &tiny_layer<void, T>},
        {&tiny_layer_backward<Sigmoid, T>, &tiny_layer_backward<Tanh, T>,
         &tiny_layer_backward<Relu, T>, &tiny_layer_backward<void, T>}};
  } else {
    return {};
  }
}

constexpr auto kTiny32 = tiny_layer_table<float>();
constexpr auto kTiny64 = tiny_layer_table<double>();
const void* tiny_layer_f32() { return &kTiny32; }
const void* tiny_layer_f64() { return &kTiny64; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {

AUTOGRAD_EXPORT(tiny_layer_f32);
AUTOGRAD_EXPORT(tiny_layer_f64);

template <>
constinit const Dispatched<TinyLayerTable<float>> TinyLayerTable<float>::best([] {
  return AUTOGRAD_CHOOSE(tiny_layer_f32)();
});
template <>
constinit const Dispatched<TinyLayerTable<double>> TinyLayerTable<double>::best([] {
  return AUTOGRAD_CHOOSE(tiny_layer_f64)();
});

}  // namespace autograd::kernels
#endif
