// SPDX-License-Identifier: Apache-2.0
// Accumulation fusion (y += e extends the last statement) must be impossible to observe. Every case
// is one generic function, run with Var, with forward-mode numbers that know nothing of tapes, and
// with double for central differences. How the tape fuses is in autograd/var.hpp.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <utility>

#include "check.hpp"

namespace autograd {
namespace {

using check::Partials;

constexpr double kAt[3] = {1.3, -0.7, 2.1};

// f(a, b, c) as Var against forward mode and central differences.
template <class F> void agree(const char* name, F f) {
  SCOPED_TRACE(name);
  Tape tape;
  Var x[3] = {tape.input(kAt[0]), tape.input(kAt[1]), tape.input(kAt[2])};
  const Var y = f(x[0], x[1], x[2]);
  tape.backward(y);
  Partials<3> p[3] = {kAt[0], kAt[1], kAt[2]};
  for (std::size_t i = 0; i < 3; ++i) p[i].d[i] = 1;
  const Partials<3> want = f(p[0], p[1], p[2]);
  EXPECT_NEAR(y.value(), want.v, 1e-12 * (1 + std::abs(want.v)));
  const auto slopes = check::differences(
      [&](const std::vector<double>& v) { return static_cast<double>(f(v[0], v[1], v[2])); },
      {kAt[0], kAt[1], kAt[2]});
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(check::close(x[i].grad(), want.d[i], 1e-12))
        << i << ": " << x[i].grad() << " " << want.d[i];
    EXPECT_TRUE(check::close(x[i].grad(), slopes[i]))
        << i << ": " << x[i].grad() << " " << slopes[i];
  }
}

template <class T> T add_by_value(T s, const T& a) {
  s += a * 2.0;
  return s;
}
template <class T> void add_by_reference(T& s, const T& a) { s += a * s; }

TEST(FusionTest, KeptExpressions) {
  agree("the old s", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    auto e = s * 2.0;
    s += a;
    return T(e * s + c);
  });
  agree("the old s, twice", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    s += c;
    auto e = s * s;
    s += a;
    auto g = s * b;
    s += e;
    s += g;
    return s;
  });
  agree("several leaves", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    auto e = s * a + exp(s * 0.1) * b - c / (s * s + 1.0);
    s += e;
    s -= e;
    s += e * c;
    return s;
  });
  agree("kept before s was made anew", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * c;
    auto e = s * b;
    s = a + b;
    s += e;
    s += e;
    return s;
  });
  agree("unary plus and minus", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    auto e = +s;
    s += c;
    auto g = -s;
    s += a;
    return T(e * g * s);
  });
  agree("captured by a lambda", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    auto f = [e = s * c](const T& q) { return T(e + q); };
    s += a;
    T t = f(s);
    t += f(t);
    s += t;
    return s;
  });
  agree("a lambda that reads s by reference", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    auto f = [&s] { return s * 3.0; };
    s += c;
    auto e = f();
    s += a;
    s += f();
    s += e;
    return s;
  });
}

TEST(FusionTest, CopiesReferencesAndMoves) {
  agree("copy, then +=", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    s += a * c;
    T q = s;
    s += b * c;
    return T(s * q);
  });
  agree("copy of a copy", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    T q = s;
    T r = q;
    q += c;
    r += a;
    s += q;
    return T(s * q * r);
  });
  agree("copy assignment", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T q = c, s = a * b;
    q = s;
    s += c;
    q += a;
    return T(s * q);
  });
  agree("self assignment", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    T& same = s;
    s = same;
    s += c;
    return T(s * s);
  });
  agree("reference", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    T& r = s;
    r += c * a;
    s += r * b;
    return s;
  });
  agree("std::move", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    T t = std::move(s);
    t += c;
    s = t;
    s += a;
    return T(s * t);
  });
  agree("swap", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b, t = b * c;
    t += a;
    std::swap(s, t);
    s += c;
    t += b;
    return T(s * t + s);
  });
  agree("by value, by reference", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    T r = add_by_value(s, c);
    s += a * a;
    add_by_reference(s, r);
    return T(r * s);
  });
  agree("vectors that move their elements", [](auto a, auto b, auto c) {
    using T = decltype(a);
    std::vector<T> v;
    for (int i = 0; i < 9; ++i) {
      v.push_back(T(a * b));
      v.back() += c * a;
    }
    T s = v[4];
    v[4] += c;
    std::reverse(v.begin(), v.end());
    s += v[4];
    for (T& each : v) s += each * b;
    return s;
  });
  agree("members and arrays", [](auto a, auto b, auto c) {
    using T = decltype(a);
    struct Pair {
      T x, y;
    };
    Pair p{a * b, b * c};
    p.x += c;
    Pair q = p;
    p.y += a;
    q.y += b;
    T s[2] = {p.x, q.y};
    s[1] += p.y;
    return T(s[0] * s[1] * q.x);
  });
}

TEST(FusionTest, TheVariableItself) {
  agree("s += s", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    s += s;
    s += c;
    s += s;
    return s;
  });
  agree("s += s * x, s -= s * x", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    s += s * c;
    s -= s * a;
    T& same = s;
    s -= same;
    s += s * b + c;
    return s;
  });
  agree("*= and /= between", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    s += c;
    s *= s;
    s += a;
    s /= b;
    s -= c;
    s *= a + s;
    return s;
  });
  agree("chained", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b, t = b * c;
    s += t += a;
    t += s += c;
    (s += a) += b;
    return T(s * t);
  });
  agree("two sums by turns", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b, t = b * c;
    for (int i = 0; i < 5; ++i) {
      s += a * t;
      t += c;
      t -= s * 0.25;
    }
    return T(s * t);
  });
  agree("an input is accumulated into", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T keep = a;
    a += b * c;
    a += keep;
    return T(a * keep);
  });
  agree("reading the value", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    s += c * T(s < a ? 2.0 : 3.0);
    s += max(s, a) * 1.0;
    return s;
  });
}

TEST(FusionTest, PassiveOperands) {
  agree("constants", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T k(4.0), s = a * k;
    s += k * b;
    s += k;
    s += k * k;
    s += 7.0;
    s -= 2;
    s -= c * k;
    T q = s;
    s += 1.0f;
    return T(s * q);
  });
  agree("a passive sum", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = 0.0;
    for (int i = 0; i < 4; ++i) s += a * static_cast<double>(i) + b;
    T t{};
    t += T(3.0);
    t += 1.0;
    t += s * c;
    t += c;
    return t;
  });
  agree("selects", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * b;
    s += where(a < b, T(a * 5.0), T(c * 7.0));
    s += max(s, T(c * 1.0));
    s -= min(a, s);
    s += where(true, s, T(b));
    return s;
  });
  agree("a side not taken", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * c, k = 3.0;
    s += where(false, T(b / (a - a + 1e-300)), T(k));
    s += where(true, T(b), k);
    return s;
  });
}

// Both factors of x * x are one entry; what follows it in the statement moves up.
TEST(FusionTest, Squares) {
  agree("everywhere in a statement", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = a * a + b * c + sin(c);
    T t = b * c - 3.0 * a * a / (1.0 + b * b) + c * 2.0 * c;
    T u = -0.5 * b * (b * 4.0) + exp(a * a) * (c * c) * b;
    return T((s * s) * (t * t) + u * s - a);
  });
  agree("the same variable with another value", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T x = a * b, y = x;
    y += 1.0;
    T s = x * y + c;
    T z = a;
    z += 2.0;
    s = s + 3.0 * z * a + b;
    return T(s * c);
  });
  agree("skipped", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T s = 0.0 * (a * a) + b * c;
    s = where(a < 0, T(a * a), T(b * b)) + s;
    return T(where(true, a * a, b * b + c) + where(false, a * a, b * b + c) * c * c + s);
  });
  agree("passive and mixed", [](auto a, auto b, auto c) {
    using T = decltype(a);
    T k = 3.0;
    T s = k * k + a * a + k * b + c * k * k;
    s += a * a;
    s -= 2.0 * b * b + c;
    return T(s * k);
  });
}

}  // namespace
}  // namespace autograd
