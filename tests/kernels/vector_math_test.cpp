// SPDX-License-Identifier: Apache-2.0
// Accuracy of the SIMD functions against long double, for every instruction set and both types:
// dense samples over the useful range, samples over all magnitudes, and every special value.
#include <algorithm>
#include <autograd/kernels/elementwise.hpp>
#include <cfenv>
#include <cstdio>
#include <numbers>

#include "targets.hpp"

namespace autograd::kernels {
namespace {

long double exact_sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }
long double exact_softplus(long double x) {
  return (x > 0 ? x : 0) + std::log1p(std::exp(x > 0 ? -x : x));
}

struct Function {
  const char* name;
  std::size_t row;
  long double (*exact)(long double);
  double low, high;             // the dense samples
  double bound;                 // ulp
  bool transcendental = false;  // the list of the row
};

template <class Row> constexpr std::size_t row_of = kernels::ListOf<Row>::template index_of<Row>();

const Function kFunctions[] = {
    {"exp", row_of<ops::Exp>, [](long double x) { return std::exp(x); }, -110, 90, 2},
    {"log", row_of<ops::Log>, [](long double x) { return std::log(x); }, 0.01, 4, 2},
    {"log1p", row_of<ops::Log1p>, [](long double x) { return std::log1p(x); }, -1, 3, 3},
    {"expm1", row_of<ops::Expm1>, [](long double x) { return std::expm1(x); }, -4, 4, 3},
    {"tanh", row_of<ops::Tanh>, [](long double x) { return std::tanh(x); }, -4, 4, 2},
    {"sigmoid", row_of<ops::Sigmoid>, exact_sigmoid, -20, 20, 3},
    {"softplus", row_of<ops::Softplus>, exact_softplus, -20, 20, 4},
    {"sqrt", row_of<ops::Sqrt>, [](long double x) { return std::sqrt(x); }, 0, 10, 0.51},
    {"sin", row_of<ops::Sin>, [](long double x) { return std::sin(x); }, -20, 20, 2, true},
    {"cos", row_of<ops::Cos>, [](long double x) { return std::cos(x); }, -20, 20, 2, true},
    {"tan", row_of<ops::Tan>, [](long double x) { return std::tan(x); }, -20, 20, 2, true},
    {"asin", row_of<ops::Asin>, [](long double x) { return std::asin(x); }, -1, 1, 2, true},
    {"acos", row_of<ops::Acos>, [](long double x) { return std::acos(x); }, -1, 1, 2, true},
    {"atan", row_of<ops::Atan>, [](long double x) { return std::atan(x); }, -9, 9, 2, true},
    {"sinh", row_of<ops::Sinh>, [](long double x) { return std::sinh(x); }, -9, 9, 2, true},
    {"cosh", row_of<ops::Cosh>, [](long double x) { return std::cosh(x); }, -9, 9, 2, true},
    {"erf", row_of<ops::Erf>, [](long double x) { return std::erf(x); }, -6, 6, 2, true},
    {"exp2", row_of<ops::Exp2>, [](long double x) { return std::exp2(x); }, -160, 140, 2, true},
    {"log2", row_of<ops::Log2>, [](long double x) { return std::log2(x); }, 0.01, 4, 2, true},
    {"log10", row_of<ops::Log10>, [](long double x) { return std::log10(x); }, 0.01, 4, 2, true},
};

template <class T> std::vector<T> special_values() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x;
  for (const T v : {T(0),
                    Limits::infinity(),
                    Limits::denorm_min(),
                    Limits::min(),
                    std::nextafter(Limits::min(), T(0)),
                    Limits::max(),
                    Limits::epsilon(),
                    T(0.5),
                    T(1),
                    std::nextafter(T(1), T(0)),
                    std::nextafter(T(1), T(2)),
                    T(2),
                    T(0.625),
                    T(88.72),
                    T(88.73),
                    T(89),
                    T(87.4),
                    T(103.9),
                    T(104),
                    T(700),
                    T(709.78),
                    T(709.79),
                    T(710),
                    T(708.5),
                    T(744),
                    T(745.1),
                    T(745.2),
                    T(746),
                    T(1000),
                    T(1e-20),
                    T(1e20),
                    T(36.8),
                    T(37.5),
                    T(17.3),
                    T(50)}) {
    x.push_back(v);
    x.push_back(-v);
  }
  x.push_back(Limits::quiet_NaN());
  return x;
}

// Uniform in the exponent over everything that T can hold.
template <class T> std::vector<T> all_magnitudes(std::size_t n) {
  std::vector<T> x = random_array<T>(n, std::log2(std::numeric_limits<T>::denorm_min()),
                                     std::log2(std::numeric_limits<T>::max()), 7);
  for (std::size_t i = 0; i < n; ++i) x[i] = i % 2 ? std::exp2(x[i]) : -std::exp2(x[i]);
  return x;
}

template <class T> double worst_error(const Function& f, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  const auto kernel = f.transcendental ? UnaryTable<T, ops::TranscendentalRows>::best->of[f.row]
                                       : UnaryTable<T, ops::BasicRows>::best->of[f.row];
  kernel(x.data(), y.data(), x.size(), nullptr);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double want = f.exact(static_cast<long double>(x[i]));
    const double error = ulp_error(y[i], want);
    if (!(error <= f.bound)) {
      ADD_FAILURE() << f.name << "(" << x[i] << ") is " << y[i] << ", not " << want << ": " << error
                    << " ulp";
      return error;
    }
    if (want == 0) {
      EXPECT_EQ(std::signbit(y[i]), std::signbit(want)) << f.name << "(" << x[i] << ")";
    }
    worst = std::max(worst, error);
  }
  return worst;
}

template <class T> class VectorMath : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(VectorMath, Types);

TYPED_TEST(VectorMath, StaysWithinItsBounds) {
  for_each_target([] {
    for (const Function& f : kFunctions) {
      const double dense = worst_error(f, random_array<TypeParam>(200000, f.low, f.high, 1));
      const double wide = worst_error(f, all_magnitudes<TypeParam>(50000));
      ::testing::Test::RecordProperty(f.name, std::to_string(std::max(dense, wide)));
    }
  });
}

TYPED_TEST(VectorMath, IsRightAtSpecialValues) {
  for_each_target([] {
    for (const Function& f : kFunctions) worst_error(f, special_values<TypeParam>());
  });
}

// Next to multiples of pi / 2, where all digits of the angle come from the reduction, and up to angles
// that are worked on one by one.
TYPED_TEST(VectorMath, AnglesNextToQuarterTurns) {
  std::vector<TypeParam> x;
  for (int n = 1; n < 3000000; n += n < 2000 ? 1 : 997) {
    const auto turn = static_cast<TypeParam>(n * (std::numbers::pi_v<long double> / 2));
    for (const TypeParam a : {turn, std::nextafter(turn, TypeParam(0)), TypeParam(turn * 1.01)}) {
      x.push_back(a);
      x.push_back(-a);
    }
  }
  x.push_back(TypeParam(0x1.93c05c9ed3cbcp+18));  // 1e-16 beside a quarter turn
  const std::vector<TypeParam> wide = random_array<TypeParam>(50000, -1.7e6, 1.7e6, 4);
  for_each_target([&] {
    for (const Function& f : kFunctions) {
      const std::string name = f.name;
      if (name != "sin" && name != "cos" && name != "tan") continue;
      worst_error(f, x);
      worst_error(f, wide);
    }
  });
}

long double exact_direction(long double a, long double b) {
  const long double h = std::hypot(a, b);
  return std::abs(a) == h ? (a > 0) - (a < 0) : a / h;
}

template <class Row, class T>
void check_pairs(const std::vector<T>& a, const std::vector<T>& b, double bound,
                 long double (*exact)(long double, long double)) {
  std::vector<T> y(a.size());
  binary<Row>(a.data(), 1, b.data(), 1, y.data(), y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const long double want = exact(a[i], b[i]);
    ASSERT_LE(ulp_error(y[i], want), bound)
        << Row::info.name << "(" << a[i] << ", " << b[i] << ") is " << y[i] << ", not " << want;
    if (want == 0 && std::is_same_v<Row, ops::Atan2>) {
      ASSERT_EQ(std::signbit(y[i]), std::signbit(want)) << a[i] << ' ' << b[i];
    }
  }
}
template <class T> void check_pairs(const std::vector<T>& a, const std::vector<T>& b) {
  using L = long double;
  check_pairs<ops::Hypot>(a, b, 2, [](L p, L q) { return std::hypot(p, q); });
  check_pairs<ops::Atan2>(a, b, 2, [](L p, L q) { return std::atan2(p, q); });
  check_pairs<ops::Direction>(a, b, 3, exact_direction);
}

TYPED_TEST(VectorMath, FunctionsOfTwoNumbers) {
  const std::vector<TypeParam> special = special_values<TypeParam>();
  std::vector<TypeParam> a, b;
  for (const TypeParam x : special) {
    for (const TypeParam y : special) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  std::vector<TypeParam> wide = all_magnitudes<TypeParam>(50000), turned = wide;
  std::rotate(turned.begin(), turned.begin() + 12345, turned.end());
  std::vector<TypeParam> near = wide;  // quotients of all signs around 1
  const std::vector<TypeParam> factor = random_array<TypeParam>(50000, -3, 3, 6);
  for (std::size_t i = 0; i < near.size(); ++i) near[i] *= factor[i];
  for_each_target([&] {
    check_pairs(a, b);
    check_pairs(wide, turned);
    check_pairs(wide, near);
  });
}

TYPED_TEST(VectorMath, LogarithmsOfPowersAreExact) {
  for_each_target([] {
    std::vector<TypeParam> tens, twos, y;
    for (int n = 0; n <= (sizeof(TypeParam) == 4 ? 10 : 22); ++n)
      tens.push_back(std::pow(TypeParam(10), n));
    for (int n = -120; n <= 120; ++n) twos.push_back(std::exp2(TypeParam(n)));
    y.resize(tens.size());
    unary(ops::Log10(), tens.data(), y.data(), y.size());
    for (std::size_t n = 0; n < y.size(); ++n) EXPECT_EQ(y[n], n);
    y.resize(twos.size());
    unary(ops::Log2(), twos.data(), y.data(), y.size());
    for (std::size_t n = 0; n < y.size(); ++n) EXPECT_EQ(y[n], int(n) - 120);
    unary(ops::Exp2(), y.data(), y.data(), y.size());
    EXPECT_EQ(y, twos);
  });
}

// exp in double needs its whole range sampled: float's dense interval covers an eighth of it.
TYPED_TEST(VectorMath, ExpOverItsWholeRange) {
  for_each_target([] {
    worst_error(kFunctions[0], random_array<TypeParam>(200000, -750, 712, 2));
    worst_error(kFunctions[5], random_array<TypeParam>(200000, -750, 40, 3));
    for (const Function& f : kFunctions) {
      const std::string name = f.name;
      if (name == "sinh" || name == "cosh")
        worst_error(f, random_array<TypeParam>(200000, -712, 712, 4));
      if (name == "exp2") worst_error(f, random_array<TypeParam>(200000, -1080, 1026, 5));
    }
  });
}

// No step in between overflows or makes a NaN: programs that trap floating-point exceptions go on.
TYPED_TEST(VectorMath, SigmoidAndSoftplusRaiseNoFlags) {
  std::vector<TypeParam> x;
  for (TypeParam v = TypeParam(1e-30); std::isfinite(v); v *= TypeParam(1.01)) {
    x.push_back(v);
    x.push_back(-v);
  }
  x.push_back(std::numeric_limits<TypeParam>::infinity());
  x.push_back(-std::numeric_limits<TypeParam>::infinity());
  for_each_target([&] {
    std::vector<TypeParam> y(x.size());
    std::feclearexcept(FE_ALL_EXCEPT);
    unary(ops::Sigmoid(), x.data(), y.data(), x.size());
    unary(ops::Softplus(), x.data(), y.data(), x.size());
    EXPECT_EQ(std::fetestexcept(FE_INVALID | FE_OVERFLOW | FE_DIVBYZERO), 0);
  });
}

// The normal distribution in its lower tail, down to where it is subnormal.
TYPED_TEST(VectorMath, GeluKeepsTheDigitsOfItsTail) {
  const auto exact = [](long double x) {
    return x * (std::erfc(-x / std::numbers::sqrt2_v<long double>) / 2);
  };
  const double low = std::is_same_v<TypeParam, float> ? -12.5 : -37;
  const std::vector<TypeParam> x = random_array<TypeParam>(200000, low, 10, 4);
  for_each_target([&] {
    std::vector<TypeParam> y(x.size());
    unary(ops::Gelu(), x.data(), y.data(), x.size());
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      worst = std::max(worst, ulp_error(y[i], exact(static_cast<long double>(x[i]))));
    }
    EXPECT_LE(worst, ops::Gelu::info.ulp);
    ::testing::Test::RecordProperty("gelu", std::to_string(worst));
  });
}

}  // namespace
}  // namespace autograd::kernels
