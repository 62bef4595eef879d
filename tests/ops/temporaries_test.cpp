// SPDX-License-Identifier: Apache-2.0
// Operators of temporaries take over their storage: never where anyone could see the difference.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <functional>
#include <utility>
#include <vector>

namespace autograd {
namespace {

constexpr std::int64_t kCount = 5000;  // several blocks of the kernels, and a rest

Tensor values(std::uint64_t seed, DType dtype = float32) {
  Generator generator(seed);
  return rand({kCount}, generator, dtype) + 0.5;
}
Tensor parameter(std::uint64_t seed) { return values(seed).set_requires_grad(); }

const void* where(const Tensor& x) { return x.node()->data; }

void expect_equal(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(to_vector<float>(a), to_vector<float>(b));
}

TEST(Temporaries, LendTheirStorage) {
  const Tensor b = values(2);
  for (int op = 0; op < 4; ++op) {
    for (const bool left : {true, false}) {
      Tensor a = values(1);
      const Tensor kept = contiguous(a) * 1;
      const void* storage = where(a);
      const auto apply = [&](auto&& x, auto&& y) {
        using X = decltype(x);
        using Y = decltype(y);
        switch (op) {
          case 0: return std::forward<X>(x) + std::forward<Y>(y);
          case 1: return std::forward<X>(x) - std::forward<Y>(y);
          case 2: return std::forward<X>(x) * std::forward<Y>(y);
          default: return std::forward<X>(x) / std::forward<Y>(y);
        }
      };
      const Tensor got = left ? apply(std::move(a), b) : apply(b, std::move(a));
      EXPECT_EQ(where(got), storage);
      EXPECT_FALSE(a.defined());
      expect_equal(got, left ? apply(kept, b) : apply(b, kept));
    }
  }
}

TEST(Temporaries, OfBothOneLends) {
  Tensor a = values(1), b = values(2);
  const Tensor sum = a + b;
  const void* storage = where(a);
  const Tensor got = std::move(a) + std::move(b);
  EXPECT_EQ(where(got), storage);
  expect_equal(got, sum);
  Tensor same = values(1);
  const Tensor twice = std::move(same) + same;
  expect_equal(twice, values(1) * 2);
}

TEST(Temporaries, KeepWhatSomeoneHolds) {
  Tensor a = values(1);
  const Tensor handle = a, view = values(3), b = values(2), before = a * 1;
  EXPECT_NE(where(std::move(a) + b), where(handle));
  expect_equal(handle, before);
  const Tensor part = reshape(view, {kCount});
  EXPECT_NE(where(reshape(view, {kCount}) + b), where(view));
  EXPECT_NE(where(Tensor(view) + b), where(view));
  expect_equal(view, values(3));
  Tensor leaf = parameter(4);
  const void* storage = where(leaf);
  EXPECT_NE(where(std::move(leaf) + b), storage);
}

TEST(Temporaries, OtherShapesAndTypes) {
  const Tensor b = values(2, float64);
  EXPECT_EQ((values(1) + b).dtype(), float64);
  EXPECT_EQ((values(1) + ones({3, 1})).shape(), (Shape{3, kCount}));
  EXPECT_EQ((zeros({kCount}, int64) + ones({kCount}, int64)).dtype(), int64);
  EXPECT_THROW(values(1) + Tensor(), ValueError);
  EXPECT_THROW(values(1) + ones({3}), ShapeError);
}

TEST(Temporaries, OfATapeLendWhereNothingIsSaved) {
  const Tensor a = parameter(1), b = parameter(2), c = parameter(3);
  Tape tape;
  Tensor product = a * b;
  const void* storage = where(product);
  const Tensor y = std::move(product) + c;
  EXPECT_EQ(where(y), storage);
  Tensor power = exp(a);  // saved its result
  storage = where(power);
  EXPECT_NE(where(std::move(power) + c), storage);
  Tensor sum = a + b;  // the product would save it
  storage = where(sum);
  EXPECT_NE(where(std::move(sum) * c), storage);
}

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

/// Each expression, and the same with every step named.
const std::vector<std::pair<Function, Function>>& expressions() {
  using X = const std::vector<Tensor>&;
  static const std::vector<std::pair<Function, Function>> list = {
      {[](X x) { return x[0] * x[1] + x[2]; },
       [](X x) {
         const Tensor p = x[0] * x[1];
         return p + x[2];
       }},
      {[](X x) { return x[2] - (x[0] + x[1]) * x[0] / (x[1] - x[2] - x[0]); },
       [](X x) {
         const Tensor s = x[0] + x[1], p = s * x[0], d = x[1] - x[2], e = d - x[0], q = p / e;
         return x[2] - q;
       }},
      {[](X x) { return exp(x[0]) + x[1] - (sin(x[0] + x[1]) + tanh(x[2])) * (x[0] + x[0]); },
       [](X x) {
         const Tensor e = exp(x[0]), u = e + x[1], s = x[0] + x[1], v = sin(s), t = tanh(x[2]);
         const Tensor w = v + t, d = x[0] + x[0], p = w * d;
         return u - p;
       }},
      {[](X x) { return (x[0] + x[1]) + ((x[0] + x[2]) - (x[1] + x[2])) - square(x[0] + x[1]); },
       [](X x) {
         const Tensor a = x[0] + x[1], b = x[0] + x[2], c = x[1] + x[2], d = b - c, e = a + d;
         const Tensor f = x[0] + x[1], g = square(f);
         return e - g;
       }},
  };
  return list;
}

// Up to the order in which the compiler evaluates operands, and so gradients add up.
TEST(Temporaries, ValuesAndGradientsAreTheSame) {
  const std::vector<Tensor> x{parameter(1), parameter(2), parameter(3)};
  for (const auto& [short_form, long_form] : expressions()) {
    std::vector<Tensor> results;
    for (const Function& f : {short_form, long_form}) {
      for (Tensor each : x) each.zero_grad();
      Tape tape;
      const Tensor y = f(x);
      tape.backward(sum(y));
      results.push_back(y);
      for (const Tensor& each : x) results.push_back(each.grad());
    }
    expect_equal(results[0], results[4]);
    for (std::size_t i = 1; i < 4; ++i) {
      const Tensor error = abs(results[i] - results[i + 4]) / (1 + abs(results[i]));
      EXPECT_LT(max(error).item(), 1e-5);
    }
  }
}

TEST(Temporaries, GradientsOfGradients) {
  Generator generator(5);
  std::vector<Tensor> x;
  for (int i = 0; i < 3; ++i) x.push_back(rand({20}, generator, float64) + 0.5);
  for (const auto& [f, unused] : expressions()) {
    EXPECT_TRUE(gradcheck(f, x));
    EXPECT_TRUE(gradgradcheck(f, x));
    (void)unused;
  }
}

TEST(Temporaries, UnderModes) {
  const Tensor a = values(1), b = values(2), c = values(3);
  const Tensor expected = a * b + c;
  {
    const AnomalyMode guard;
    expect_equal(a * b + c, expected);
  }
  const auto f = [](const Tensor& x, const Tensor& y, const Tensor& z) { return x * y + z; };
  const Shape rows{50, 100};
  expect_equal(reshape(vmap(f)(reshape(a, rows), reshape(b, rows), reshape(c, rows)), {kCount}),
               expected);
}

TEST(Temporaries, HooksOfWhatIsBetween) {
  const Tensor a = parameter(1), b = parameter(2), c = values(3);
  int calls = 0;
  Tape tape;
  Tensor product = a * b;
  product.register_hook([&](const Tensor& g) {
    ++calls;
    return g * 2;
  });
  const Tensor y = std::move(product) + c;
  y.register_hook([&](const Tensor& g) {
    ++calls;
    return g * 3;
  });
  tape.backward(sum(y));
  EXPECT_EQ(calls, 2);
  expect_equal(a.grad(), b * 6);
}

TEST(Temporaries, AnOuterTapeKnowsThemToo) {
  const Tensor a = parameter(1), b = parameter(2), c = parameter(3);
  Tape outer;
  Tensor product = a * b;
  Tensor g;
  {
    Tape inner;
    const Tensor x = inner.input(c);
    const Tensor y = std::move(product) + x * x;
    inner.backward(sum(y));
    g = x.grad();
  }
  expect_equal(detach(g), c * 2);
}

// --- Logits that only their loss holds become their gradient.

constexpr std::int64_t kRows = 40, kClasses = 101;

/// Where the gradient of x w arrived, and w's gradient.
struct LossSweep {
  const void* logits;
  const void* gradient = nullptr;
  std::vector<float> dw;
};

/// before(logits) may keep them.
LossSweep sweep_loss(bool retain, const std::function<void(const Tensor&)>& before) {
  Generator generator(7);
  const Tensor x = randn({kRows, 30}, generator), label = randint(0, kClasses, {kRows}, generator);
  const Tensor w = randn({30, kClasses}, generator).set_requires_grad();
  Tape tape;
  Tensor logits = matmul(x, w);
  LossSweep result{.logits = where(logits), .dw = {}};
  logits.register_hook([&](const Tensor& g) { result.gradient = where(g); });
  const Tensor loss = sum(cross_entropy(logits, label, 0.1));
  before(logits);
  logits = Tensor();
  tape.backward(loss, {.retain = retain});
  result.dw = to_vector<float>(w.grad());
  return result;
}

TEST(Temporaries, LogitsBecomeTheirGradient) {
  const LossSweep free = sweep_loss(false, [](const Tensor&) {});
  EXPECT_EQ(free.gradient, free.logits);
  const LossSweep retained = sweep_loss(true, [](const Tensor&) {});
  EXPECT_NE(retained.gradient, retained.logits);
  EXPECT_EQ(retained.dw, free.dw);
  Tensor kept, copy;
  const LossSweep held = sweep_loss(false, [&](const Tensor& logits) {
    kept = logits;
    copy = detach(logits) * 1;
  });
  EXPECT_NE(held.gradient, held.logits);
  EXPECT_EQ(held.dw, free.dw);
  expect_equal(detach(kept), copy);
  Tensor view;
  const LossSweep seen =
      sweep_loss(false, [&](const Tensor& logits) { view = select(logits, 0, 0); });
  EXPECT_NE(seen.gradient, seen.logits);
  expect_equal(detach(view), select(copy, 0, 0));
}

TEST(Temporaries, LogitsThatAnotherRecordReads) {
  Generator generator(8);
  const Tensor start = randn({kRows, kClasses}, generator);
  const Tensor label = randint(0, kClasses, {kRows}, generator);
  const auto gradient = [&](bool hold) {
    Tape tape;
    const Tensor x = tape.input(start);
    Tensor logits = tanh(x), kept;
    const Tensor loss = sum(cross_entropy(logits, label, 0)) + sum(logits * logits);
    if (hold) kept = logits;
    logits = Tensor();
    tape.backward(loss);
    return to_vector<float>(x.grad());
  };
  EXPECT_EQ(gradient(false), gradient(true));
}

TEST(Temporaries, LogitsOfTheCallerStay) {
  Generator generator(9);
  const Tensor label = randint(0, kClasses, {kRows}, generator);
  std::vector<float> memory(static_cast<std::size_t>(kRows * kClasses), 0.5f);
  const std::vector<float> before = memory;
  Tape tape;
  const Tensor loss =
      sum(cross_entropy(tape.input(from_span(std::span(memory), {kRows, kClasses})), label, 0));
  tape.backward(loss);
  EXPECT_EQ(memory, before);
}

}  // namespace
}  // namespace autograd
