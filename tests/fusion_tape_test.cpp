// SPDX-License-Identifier: Apache-2.0
// Accumulation fusion beside everything else that touches the tape: inputs, marks, chunk boundaries,
// long sums, nested tapes, tensors, sweeps. Then 10,000 random programs of assignments, accumulations,
// copies and kept expressions against forward-mode numbers that know nothing of tapes.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <random>
#include <utility>

#include "check.hpp"

namespace autograd {
namespace {

using check::Partials;

TEST(FusionTapeTest, FusesAtAll) {
  Tape tape;
  const Var a = tape.input(2.0);
  Var s = a * a;
  const std::size_t before = tape.size();
  for (int i = 0; i < 100; ++i) s += a * 3.0;
  s += 5.0;
  EXPECT_EQ(tape.size(), before);
  const Var q = s;  // copied: the next term is a statement of its own
  s += a;
  EXPECT_EQ(tape.size(), before + 1);
  tape.backward(s + q);
  EXPECT_EQ(a.grad(), 2 * (4 + 300) + 1);
}

TEST(FusionTapeTest, SquaresTakeOneEntry) {
  const auto bytes = [](auto f) {
    Tape tape;
    const Var a = tape.input(2.0), b = tape.input(3.0);
    const Tape::Mark start = tape.mark();
    Var y = f(a, b);
    const auto taken = static_cast<std::size_t>(tape.mark().top - start.top);
    tape.backward(y);
    EXPECT_TRUE(a.has_grad());
    return taken;
  };
  constexpr std::size_t kEntry = sizeof(detail::Entry);
  EXPECT_EQ(bytes([](auto& a, auto&) { return Var(a * a); }), kEntry);
  EXPECT_EQ(bytes([](auto& a, auto&) { return Var(3.0 * a * (a * 2.0)); }), kEntry);
  EXPECT_EQ(bytes([](auto& a, auto& b) { return Var(a * b); }), 2 * kEntry);
  EXPECT_EQ(bytes([](auto& a, auto& b) { return Var(a * a + b * a + b * b); }), 4 * kEntry);
}

TEST(FusionTapeTest, InputsInBetween) {
  Tape tape;
  const Var a = tape.input(2.0);
  Var s = a * a;
  const Var b = tape.input(3.0);
  s += a * b;
  std::vector<Var> more;
  for (int i = 0; i < 500; ++i) {
    more.push_back(tape.input(i));
    s += more.back() * b;
  }
  tape.backward(s);
  EXPECT_EQ(a.grad(), 7);
  EXPECT_EQ(b.grad(), 2 + 499 * 500 / 2);
  for (const Var& x : more) EXPECT_EQ(x.grad(), 3);
}

// Statements hold at most 250 arguments and lie in one chunk of 256 KiB.
TEST(FusionTapeTest, LongSumsAndChunkBoundaries) {
  for (const int n : {1, 249, 250, 251, 1000, 50000}) {
    Tape tape;
    const Var a = tape.input(2.0), b = tape.input(-1.0);
    Var s = a * b, alias;
    for (int i = 0; i < n; ++i) {
      s += i % 3 == 0 ? Var(a * 0.5) : b;
      s -= a * b * b;
      if (i % 997 == 0) alias = s;
    }
    tape.backward(s + alias * 0.0);
    const double by_b = (n + 2) / 3, rest = n - by_b;
    EXPECT_NEAR(a.grad(), -1 + by_b * 0.5 - n, 1e-9 * n) << n;
    EXPECT_NEAR(b.grad(), 2 + rest + 4.0 * n, 1e-9 * n) << n;
  }
}

// Every offset of a wide fused statement from the end of a chunk.
TEST(FusionTapeTest, EveryOffsetFromTheEndOfAChunk) {
  constexpr int kPerChunk = (1 << 18) / 25;  // statements of two arguments
  for (int offset = -40; offset < 8; ++offset) {
    Tape tape;
    const Var a = tape.input(1.5), b = tape.input(0.5);
    Var t = a;
    for (int i = 0; i < kPerChunk + offset; ++i) t = t + b;
    Var s = t * a;
    for (int i = 0; i < 30; ++i) s += a * b + t;
    tape.backward(s);
    const double steps = kPerChunk + offset;
    EXPECT_NEAR(a.grad(), 1.5 + (1.5 + steps * 0.5) + 30 * (0.5 + 1), 1e-8 * steps);
    EXPECT_NEAR(b.grad(), steps * 1.5 + 30 * (1.5 + steps), 1e-8 * steps);
  }
}

TEST(FusionTapeTest, MarksAndRewinds) {
  Tape tape;
  const Var a = tape.input(2.0), b = tape.input(3.0);
  Var s = a * b;
  const Tape::Mark mark = tape.mark();
  Var t = s;
  s += a;  // after the mark: must not change the statement before it
  tape.rewind(mark);
  t += b;
  tape.backward(t);
  EXPECT_EQ(a.grad(), 3);
  EXPECT_EQ(b.grad(), 3);
}

TEST(FusionTapeTest, BackwardToAndFrom) {
  Tape tape;
  const Var a = tape.input(2.0), b = tape.input(3.0);
  Var s = a * b;
  s += a;
  const Tape::Mark mark = tape.mark();
  for (int i = 0; i < 3; ++i) {
    Var t = s;
    t += b * s;
    t += a;
    tape.backward_to(t, mark);
  }
  s += b;  // recorded, and rewound by backward_from: only what was gathered counts
  tape.backward_from(mark);
  // Each term: t = s + b s + a, s = a b + a.
  EXPECT_EQ(a.grad(), 3 * ((1 + 3) * (3 + 1) + 1));
  EXPECT_EQ(b.grad(), 3 * ((1 + 3) * 2 + 8));
}

TEST(FusionTapeTest, RetainedSweeps) {
  Tape tape;
  const Var a = tape.input(2.0);
  Var s = a * a;
  tape.backward(s, {.retain = true});
  EXPECT_EQ(s.grad(), 1);
  s += a * 3.0;
  EXPECT_FALSE(s.has_grad());  // a new value, which no sweep has reached
  tape.backward(s, {.retain = true});
  EXPECT_EQ(a.grad(), 4 + 7);
  s += a;
  tape.backward(s);
  EXPECT_EQ(a.grad(), 4 + 7 + 8);
}

TEST(FusionTapeTest, NestedTapes) {
  Tape outer;
  const Var a = outer.input(2.0);
  Var s = a * a;
  {
    Tape inner;
    const Var b = inner.input(5.0);
    Var t = b * b;
    t += b;
    inner.backward(t);
    EXPECT_EQ(b.grad(), 11);
  }
  s += a * 3.0;
  Var q = s * a;
  {
    Tape inner;
    EXPECT_THROW(q += a, TapeError);
  }
  q += s;
  outer.backward(q);
  // q = (s + 0) a + s, s = a^2 + 3 a.
  EXPECT_EQ(a.grad(), 7 * 2 + 10 + 7);
}

TEST(FusionTapeTest, TensorsInBetween) {
  Tape tape;
  const Var a = tape.input(2.0), b = tape.input(3.0);
  Var s = a * b;
  const Tensor v = stack({s, a});  // keeps the old s
  s += a;
  Var t = s * b;
  const Tensor w = v * v;
  t += a;  // t's statement is not the last any more
  for (const Var& x : unstack(w)) t += x * s;
  tape.backward(t);
  const auto f = [](const std::vector<double>& x) {
    double u = x[0] * x[1];
    const double old = u;
    u += x[0];
    return u * x[1] + x[0] + (old * old + x[0] * x[0]) * u;
  };
  const auto slopes = check::differences(f, {2, 3});
  EXPECT_TRUE(check::close(a.grad(), slopes[0]));
  EXPECT_TRUE(check::close(b.grad(), slopes[1]));
}

TEST(FusionTapeTest, AFailedTermChangesNothing) {
  Var stale;
  {
    Tape tape;
    stale = tape.input(1.0) * 2.0;
  }
  Tape tape;
  const Var a = tape.input(2.0);
  Var s = a * a;
  EXPECT_THROW(s += stale, TapeError);
  EXPECT_THROW(s += a * stale, TapeError);
  EXPECT_EQ(s.value(), 4);
  s += a;
  EXPECT_EQ(s.value(), 6);
  tape.backward(s);
  EXPECT_EQ(a.grad(), 5);
}

// --- Random programs.

constexpr std::size_t kVariables = 6;

struct Random {
  std::mt19937 engine;
  std::size_t below(std::size_t n) { return engine() % n; }
  double number() { return 0.1 * static_cast<double>(static_cast<int>(engine() % 31) - 15); }
};

template <class T> T through(T s, const T& x) {
  s += x * 0.5;
  return s;
}

// One statement that changes v; the choices depend on the seed alone.
template <class T> void statement(Random& random, std::vector<T>& v) {
  T& y = v[random.below(kVariables)];
  const T& a = v[random.below(kVariables)];
  const T& b = v[random.below(kVariables)];
  const double c = random.number();
  switch (random.below(16)) {
    case 0: y = a * b + c; break;
    case 1: y = a - b * c; break;
    case 2: y = sin(a) * b; break;
    case 3: y += a; break;
    case 4: y += a * c; break;
    case 5: y += a * b; break;
    case 6: y -= a; break;
    case 7: y -= sin(a * b); break;
    case 8: y *= c; break;
    case 9: y *= sin(a); break;
    case 10: y += c; break;
    case 11: y = a; break;
    case 12: y = through(a, b); break;
    case 13: std::swap(y, v[random.below(kVariables)]); break;
    case 14: y += where(c > 0, a, b); break;
    default: y += T(c) * a; break;
  }
}

template <class T> T program(unsigned seed, std::vector<T> v) {
  Random random{std::mt19937(seed)};
  const std::size_t steps = 4 + random.below(20);
  for (std::size_t i = 0; i < steps; ++i) {
    if (random.below(3) == 0) {
      // Expressions kept over statements that change what they were made of.
      const T& a = v[random.below(kVariables)];
      const T& b = v[random.below(kVariables)];
      auto e = a * b + 0.5 * a;
      auto g = sin(a) - b;
      for (std::size_t n = random.below(3) + 1; n-- > 0;) statement(random, v);
      T& y = v[random.below(kVariables)];
      y += e;
      if (random.below(2)) statement(random, v);
      y -= g * 0.3;
    } else {
      for (std::size_t n = random.below(4); n-- > 0;) statement(random, v);
    }
    for (T& x : v) {
      if (x > 3.0 || x < -3.0) x = sin(x);
    }
  }
  T sum = 0.0;
  for (std::size_t i = 0; i < kVariables; ++i) sum += v[i] * (0.3 + static_cast<double>(i));
  return sum;
}

TEST(FusionTapeTest, TenThousandRandomPrograms) {
  constexpr double kAt[kVariables] = {0.7, -1.1, 1.9, 0.2, -0.4, 1.3};
  for (unsigned seed = 0; seed < 10000; ++seed) {
    Tape tape;
    std::vector<Var> x;
    std::vector<Partials<kVariables>> p;
    for (std::size_t i = 0; i < kVariables; ++i) {
      x.push_back(tape.input(kAt[i]));
      p.emplace_back(kAt[i]);
      p.back().d[i] = 1;
    }
    const Var y = program(seed, x);
    const Partials<kVariables> want = program(seed, p);
    ASSERT_NEAR(y.value(), want.v, 1e-9) << "seed " << seed;
    tape.backward(y * 1.0);
    double scale = 1;
    for (const double d : want.d) scale = std::max(scale, std::abs(d));
    for (std::size_t i = 0; i < kVariables; ++i) {
      ASSERT_LE(std::abs(x[i].grad() - want.d[i]), 1e-10 * scale)
          << "seed " << seed << " input " << i;
    }
  }
}

}  // namespace
}  // namespace autograd
