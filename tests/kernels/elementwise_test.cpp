// SPDX-License-Identifier: Apache-2.0
// Every row's value and slopes against the same row for plain numbers: all sizes around vector
// lengths, all strides, both types, every instruction set; special values; nothing written past the
// end. Then the loops of arrays.hpp.
#include <autograd/kernels/arrays.hpp>
#include <autograd/kernels/elementwise.hpp>
#include <autograd/kernels/naive.hpp>
#include <autograd/kernels/parallel.hpp>
#include <memory>

#include "targets.hpp"

namespace autograd::kernels {
namespace {

const std::size_t kSizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 63, 65, 127, 1000};

// Arguments from the row's own intervals, with zeros among the cotangents.
template <class T> std::vector<T> arguments(const RowInfo& info, std::size_t n, unsigned seed) {
  std::vector<T> x = random_array<T>(n, info.cases[0].low, info.cases[0].high, seed);
  if (info.cases[1].low < info.cases[1].high) {
    const std::vector<T> other = random_array<T>(n, info.cases[1].low, info.cases[1].high, seed);
    for (std::size_t i = 0; i < n; i += 2) x[i] = other[i];
  }
  return x;
}

template <class T> std::vector<T> cotangents(std::size_t n) {
  std::vector<T> dy = random_array<T>(n, -2, 2, 99);
  for (std::size_t i = 0; i < n; i += 5) dy[i] = 0;
  return dy;
}

// Both sides may be off by the row's bound; slopes take a few more roundings. Rows that subtract
// terms of order 1 may lose digits in small results, hence units at 1 as well.
template <class T>
void expect_close(const char* name, const std::vector<T>& got, const std::vector<T>& want,
                  std::size_t n, double ulp) {
  for (std::size_t i = 0; i < n; ++i) {
    if (std::isnan(want[i]) && std::isnan(got[i])) continue;
    const bool near = std::abs(got[i] - want[i]) <= ulp * std::numeric_limits<T>::epsilon();
    ASSERT_TRUE(near || ulp_error(got[i], static_cast<long double>(want[i])) <= ulp)
        << name << " element " << i << " of " << n << ": " << got[i] << ", not " << want[i];
  }
  for (std::size_t i = n; i < got.size(); ++i)
    ASSERT_EQ(got[i], T(7)) << name << " wrote past " << n;
}

template <class T, class Row> void check_unary(const std::vector<T>& x, const std::vector<T>& dy) {
  const std::size_t n = x.size();
  const Row row{};
  const double ulp = 2 * Row::info.ulp + 0.01;
  std::vector<T> got(n + 5, T(7)), want = got;
  unary(row, x.data(), got.data(), n);
  unary_naive<Row>(x.data(), want.data(), n);
  expect_close(Row::info.name, got, want, n, ulp);
  const std::vector<T> y = want;
  got.assign(n + 5, T(7));
  unary_backward(row, x.data(), y.data(), dy.data(), got.data(), n);
  unary_backward_naive<Row>(x.data(), y.data(), dy.data(), want.data(), n);
  expect_close(Row::info.name, got, want, n, ulp + 6);
  std::vector<T> in_place = dy;
  unary_backward(row, x.data(), y.data(), in_place.data(), in_place.data(), n);
  expect_close(Row::info.name, in_place, got, n, 0);
}

template <class T, class Row>
void check_binary(const std::vector<T>& a, const std::vector<T>& b, const std::vector<T>& dy) {
  const std::size_t n = dy.size();
  const double ulp = 2 * Row::info.ulp + 0.01;
  for (const int strides : {0, 1, 2, 3}) {
    const int sa = strides % 2, sb = strides / 2;
    std::vector<T> got(n + 5, T(7)), want = got;
    binary<Row>(a.data(), sa, b.data(), sb, got.data(), n);
    binary_naive<Row>(a.data(), sa, b.data(), sb, want.data(), n);
    expect_close(Row::info.name, got, want, n, ulp);
    const std::vector<T> y = want;
    for (const int argument : {0, 1}) {
      got.assign(n + 5, T(7));
      binary_backward<Row>(argument, a.data(), sa, b.data(), sb, y.data(), dy.data(), got.data(),
                           n);
      binary_backward_naive<Row>(argument, a.data(), sa, b.data(), sb, y.data(), dy.data(),
                                 want.data(), n);
      expect_close(Row::info.name, got, want, n, ulp + 6);
    }
  }
}

template <class T> class Elementwise : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Elementwise, Types);

TYPED_TEST(Elementwise, UnaryRowsAgreeWithNaive) {
  for_each_target([] {
    ops::UnaryRows::for_each([]<class Row>() {
      for (const std::size_t n : kSizes) {
        check_unary<TypeParam, Row>(arguments<TypeParam>(Row::info, n, 1),
                                    cotangents<TypeParam>(n));
      }
    });
  });
}

TYPED_TEST(Elementwise, BinaryRowsAgreeWithNaive) {
  for_each_target([] {
    ops::BinaryRows::for_each([]<class Row>() {
      for (const std::size_t n : kSizes) {
        // One more than n: a stride of 0 reads the first element even for n = 0.
        std::vector<TypeParam> a = arguments<TypeParam>(Row::info, n + 1, 1);
        std::vector<TypeParam> b = arguments<TypeParam>(Row::info, n + 1, 2);
        for (std::size_t i = 0; i < n; i += 4) b[i] = a[i];  // ties
        check_binary<TypeParam, Row>(a, b, cotangents<TypeParam>(n));
      }
    });
  });
}

// sqrt, pow and the like at and beyond the edges of their domain: NaN and infinities where naive
// has them.
TYPED_TEST(Elementwise, SpecialArguments) {
  using T = TypeParam;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> special = {0, T(-0.0), 1, -1, 2, T(-2.5), inf, -inf, nan, T(0.5), 3};
  std::vector<T> a, b;
  for (const T p : special) {
    for (const T q : special) {
      a.push_back(p);
      b.push_back(q);
    }
  }
  const std::vector<T> dy(a.size(), T(1.5)), zero(a.size(), T(0));
  for_each_target([&] {
    ops::UnaryRows::for_each([&]<class Row>() { check_unary<T, Row>(a, dy); });
    ops::UnaryRows::for_each([&]<class Row>() { check_unary<T, Row>(a, zero); });
    ops::BinaryRows::for_each([&]<class Row>() { check_binary<T, Row>(a, b, dy); });
    ops::BinaryRows::for_each([&]<class Row>() { check_binary<T, Row>(a, b, zero); });
  });
}

// One exponent for all: the powers that need no logarithm, and some beside them that do.
TYPED_TEST(Elementwise, ConstantPowers) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  const T inf = Limits::infinity(), nan = Limits::quiet_NaN(), root = std::sqrt(Limits::min());
  std::vector<T> a = {0,   T(-0.0), 1,    -1,       inf,      -inf,
                      nan, T(-2.5), root, root / 3, 1 / root, 5 / root};
  a.insert(a.end(), {Limits::min(), Limits::max(), -Limits::max(), Limits::denorm_min(),
                     -Limits::denorm_min(), -Limits::min() / 3});
  for (const double size : {2.0, 1e5, 1e-5, 1e-12}) {
    for (const T x : random_array<T>(300, -size, size, 5)) a.push_back(x);
  }
  const std::size_t n = a.size();
  std::vector<T> dy(n, T(1)), y(n), dx(n);
  dy[7] = 0;
  for_each_target([&] {
    for (const T b : {0.0, -0.0, 1.0, 2.0, 3.0, 4.0, 0.5, 1.5, -0.5, -1.0, -1.5, -2.0, -3.0, 5.0,
                      2.5, -4.0, 0.3, HUGE_VAL, double(NAN)}) {
      binary<ops::Pow, T>(a.data(), 1, &b, 0, y.data(), n);
      binary_backward<ops::Pow, T>(0, a.data(), 1, &b, 0, y.data(), dy.data(), dx.data(), n);
      for (std::size_t i = 0; i < n; ++i) {
        const long double exact =
            std::pow(static_cast<long double>(a[i]), static_cast<long double>(b));
        ASSERT_LE(ulp_error(y[i], exact), 2) << a[i] << '^' << b << " is not " << y[i];
        ASSERT_TRUE(std::isnan(y[i]) || std::signbit(y[i]) == std::signbit(exact))
            << a[i] << '^' << b;
        T alone = 0;  // the same bits for an array of one
        binary<ops::Pow, T>(&a[i], 1, &b, 1, &alone, 1);
        ASSERT_TRUE(alone == y[i] || std::isnan(alone)) << a[i] << '^' << b;
        const T slope = dy[i] == 0 ? T(0) : ops::Pow::slope_a(a[i], b, y[i]);
        ASSERT_LE(ulp_error(dx[i], static_cast<long double>(slope)), 5) << a[i] << ' ' << b;
      }
    }
  });
}

TYPED_TEST(Elementwise, UnusedInputsMayBeNull) {
  const std::vector<TypeParam> y = {1, 2, 3}, dy = {1, 1, 1};
  std::vector<TypeParam> dx(3);
  unary_backward<ops::Exp, TypeParam>({}, nullptr, y.data(), dy.data(), dx.data(), 3);
  EXPECT_EQ(dx, y);
  binary_backward<ops::Add, TypeParam>(1, nullptr, 1, nullptr, 1, nullptr, dy.data(), dx.data(), 3);
  EXPECT_EQ(dx, dy);
}

TYPED_TEST(Elementwise, SameBitsOnAllThreads) {
  const std::size_t n = 200003;
  const ops::Tanh row;
  const std::vector<TypeParam> x = random_array<TypeParam>(n, -3, 3, 3);
  std::vector<TypeParam> one(n), many(n);
  const int threads = num_threads();
  set_num_threads(1);
  unary(row, x.data(), one.data(), n);
  set_num_threads(4);
  unary(row, x.data(), many.data(), n);
  set_num_threads(threads);
  EXPECT_EQ(one, many);
}

TYPED_TEST(Elementwise, ArrayLoops) {
  using T = TypeParam;
  for_each_target([] {
    for (const std::size_t n : kSizes) {
      const std::vector<T> x = random_array<T>(n + 1, -3, 3, 1),
                           y = random_array<T>(n + 1, -3, 3, 2);
      std::vector<T> chosen(n + 1, T(7)), filled(n + 1, T(7));
      const auto truth = std::make_unique<bool[]>(n + 1);
      fill(filled.data(), T(2), n);
      compare(Comparison::less, x.data(), 1, y.data(), 1, truth.get(), n);
      select(truth.get(), 1, x.data(), 1, y.data(), 0, chosen.data(), n);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(filled[i], T(2));
        ASSERT_EQ(truth[i], x[i] < y[i]);
        ASSERT_EQ(chosen[i], x[i] < y[i] ? x[i] : y[0]);
      }
      ASSERT_EQ(chosen[n], T(7));
      ASSERT_EQ(filled[n], T(7));
    }
  });
}

template <class T> void expect_selected() {
  T a[1000], b[1000];
  bool c[1000];
  for (int i = 0; i < 1000; ++i) {
    a[i] = T(i % 7 != 0 ? i : 0);
    b[i] = T(-i);
    c[i] = i * i % 5 < 2;
  }
  for (const std::size_t n : kSizes) {
    for (int strides = 0; strides < 8; ++strides) {
      const int sc = strides & 1, sa = strides >> 1 & 1, sb = strides >> 2;
      const auto y = std::make_unique<T[]>(n + 1);
      select(c, sc, a, sa, b, sb, y.get(), n);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(y[i], c[sc ? i : 0] ? a[sa ? i : 0] : b[sb ? i : 0]) << n << ' ' << strides;
      }
      ASSERT_EQ(y[n], T());
    }
  }
}

TEST(Arrays, SelectsWithAnyStrides) {
  for_each_target([] {
    expect_selected<float>();
    expect_selected<double>();
    expect_selected<std::int64_t>();
    expect_selected<bool>();
  });
}

// Long enough to be shared out among threads; the ends of the pieces are no multiples of a vector.
TEST(Arrays, SameOnAllThreads) {
  const std::size_t n = 200003;
  const std::vector<float> x = random_array<float>(n, -3, 3, 1),
                           y = random_array<float>(n, -3, 3, 2);
  const int before = num_threads();
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    const auto truth = std::make_unique<bool[]>(n);
    std::vector<float> chosen(n), filled(n);
    std::vector<double> wide(n);
    compare(Comparison::less, x.data(), 1, y.data(), 1, truth.get(), n);
    select(truth.get(), 1, x.data(), 1, y.data(), 1, chosen.data(), n);
    fill(filled.data(), 3.0f, n);
    convert(x.data(), wide.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(truth[i], x[i] < y[i]);
      ASSERT_EQ(chosen[i], std::min(x[i], y[i]));
      ASSERT_EQ(filled[i], 3.0f);
      ASSERT_EQ(wide[i], double(x[i]));
    }
  }
  set_num_threads(before);
}

TEST(Arrays, ComparesAllKindsWithNaN) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double a[] = {1, 2, 3, nan}, b[] = {2, 2, 2, 2};
  const bool want[6][4] = {{0, 1, 0, 0}, {1, 0, 1, 1}, {1, 0, 0, 0},
                           {1, 1, 0, 0}, {0, 0, 1, 0}, {0, 1, 1, 0}};
  for (int kind = 0; kind < 6; ++kind) {
    for (const int sb : {0, 1}) {
      bool got[4];
      compare(static_cast<Comparison>(kind), a, 1, b, sb, got, 4);
      for (int i = 0; i < 4; ++i) EXPECT_EQ(got[i], want[kind][i]) << kind << " at " << i;
    }
  }
}

TEST(Arrays, ConvertsBetweenDtypes) {
  const double inf = std::numeric_limits<double>::infinity();
  const double x[] = {-2.7, 2.7, 0.0, inf, -inf, std::nan(""), 1e300};
  using Limits = std::numeric_limits<std::int64_t>;
  const std::int64_t integers[] = {-2, 2, 0, Limits::max(), Limits::min(), 0, Limits::max()};
  std::int64_t i[7];
  bool t[7];
  float f[7];
  for_each_target([&] {
    convert(x, i, 7);
    convert(x, t, 7);
    convert(x, f, 7);
    for (int k = 0; k < 7; ++k) {
      EXPECT_EQ(i[k], integers[k]);
      EXPECT_EQ(t[k], k != 2);
    }
    EXPECT_EQ(f[6], std::numeric_limits<float>::infinity());
    convert(t, f, 7);
    EXPECT_EQ(f[0], 1.0f);
    EXPECT_EQ(f[2], 0.0f);
  });
}

}  // namespace
}  // namespace autograd::kernels
