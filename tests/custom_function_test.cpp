// SPDX-License-Identifier: Apache-2.0
// custom_function: the user's derivative is used and checked at every call, second order included, and
// exceptions from it leave the tape usable. HARD_CASES row 76.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include "check.hpp"

namespace autograd {
namespace {

using check::message_of;
using Inputs = std::vector<Tensor>;
using Numbers = std::vector<double>;

Numbers numbers(const Tensor& x) { return to_vector<double>(to(contiguous(x), float64)); }
Tensor vector(const Numbers& x) { return tensor(x); }

// x^3, differentiable any number of times.
TensorFunction cube() {
  return custom_function([](const Inputs& in) { return in[0] * in[0] * in[0]; },
                         [](const Inputs& in, const Tensor&, const Tensor& dy) {
                           return Inputs{dy * in[0] * in[0] * 3.0};
                         });
}

// The gradient of x summed is whatever `backward` returns.
TensorFunction with_backward(std::function<Inputs(const Tensor& dy)> backward) {
  return custom_function(
      [](const Inputs& in) { return in[0] * 2.0; },
      [backward = std::move(backward)](const Inputs&, const Tensor&, const Tensor& dy) {
        return backward(dy);
      });
}

void expect_usable(Tape& tape) {
  const Tensor x = tape.input(vector({3}));
  tape.backward(sum(x * x));
  EXPECT_EQ(x.grad().item(), 6);
}

TEST(CustomFunctionTest, ValueAndGradient) {
  const auto f = cube();
  EXPECT_EQ(numbers(f({vector({2, 3})})), (Numbers{8, 27}));
  Tape tape;
  const Tensor x = tape.input(vector({2, 3}));
  const std::size_t size = tape.size();
  const Tensor y = f({x});
  EXPECT_EQ(tape.size(), size + 1);  // what forward does inside is not recorded
  EXPECT_EQ(numbers(y), (Numbers{8, 27}));
  tape.backward(sum(y * 2.0));
  EXPECT_EQ(numbers(x.grad()), (Numbers{24, 54}));
  expect_usable(tape);
}

// The derivative that counts is the user's, right or wrong.
TEST(CustomFunctionTest, TheUsersDerivativeCounts) {
  const auto f = with_backward([](const Tensor& dy) { return Inputs{dy * 42.0}; });
  Tape tape;
  const Tensor x = tape.input(vector({2, 3}));
  tape.backward(sum(f({x})));
  EXPECT_EQ(numbers(x.grad()), (Numbers{42, 42}));
  EXPECT_FALSE(gradcheck(f, {vector({2, 3})}));
}

TEST(CustomFunctionTest, SecondOrder) {
  EXPECT_TRUE(gradcheck(cube(), {vector({2, -3, 0.5})}));
  EXPECT_TRUE(gradgradcheck(cube(), {vector({2, -3, 0.5})}));
  const auto second = grad(
      [](const Inputs& in) {
        return sum(grad([](const Inputs& v) { return sum(cube()(v)); }, in)[0]);
      },
      {vector({2, 3})});
  EXPECT_EQ(numbers(second[0]), (Numbers{12, 18}));
}

TEST(CustomFunctionTest, SeveralInputs) {
  // a b + c, where c is not differentiated.
  const auto f = custom_function([](const Inputs& in) { return in[0] * in[1] + in[2]; },
                                 [](const Inputs& in, const Tensor& y, const Tensor& dy) {
                                   EXPECT_EQ(numbers(y), (Numbers{5, 13}));
                                   return Inputs{dy * in[1], dy * in[0], Tensor()};
                                 });
  Tensor p = vector({2, 3});
  p.set_requires_grad();
  Tape tape;
  const Tensor a = tape.input(vector({2, 4})), c = tape.input(vector({1, 1}));
  tape.backward(sum(f({a, p, c})));
  EXPECT_EQ(numbers(a.grad()), (Numbers{2, 3}));
  EXPECT_EQ(numbers(p.grad()), (Numbers{2, 4}));
  EXPECT_FALSE(c.has_grad());  // undefined: none
  const Tensor b = tape.input(vector({1, 2}));
  const auto product = custom_function([](const Inputs& in) { return in[0] * in[1]; },
                                       [](const Inputs& in, const Tensor&, const Tensor& dy) {
                                         return Inputs{dy * in[1], dy * in[0]};
                                       });
  tape.backward(sum(product({b, b})));  // the same tensor twice
  EXPECT_EQ(numbers(b.grad()), (Numbers{2, 4}));
  EXPECT_EQ(numbers(product({vector({2}), vector({3})})), Numbers{6});
}

TEST(CustomFunctionTest, WrongGradientsThrow) {
  struct Case {
    std::function<Inputs(const Tensor&)> backward;
    const char* says;
  };
  for (const Case& each : std::vector<Case>{
           {[](const Tensor&) { return Inputs{}; },
            "returned 0 gradients; need one for each of the 1"},
           {[](const Tensor& dy) {
              return Inputs{dy, dy};
            },
            "returned 2 gradients"},
           {[](const Tensor&) { return Inputs{ones({3}, float64)}; },
            "gradient 0 does not fit: it is float64 [3], input 0 is float64 [2]"},
           {[](const Tensor&) {
              return Inputs{ones({2, 1}, float64)};
            },
            "float64 [2, 1]"},
           {[](const Tensor&) { return Inputs{ones({2}, float32)}; }, "float32 [2]"}}) {
    Tape tape;
    const Tensor x = tape.input(vector({2, 3}));
    const Tensor y = sum(with_backward(each.backward)({x}));
    const std::string message = message_of<ShapeError>([&] { tape.backward(y); });
    EXPECT_NE(message.find(each.says), std::string::npos) << message;
    EXPECT_FALSE(x.has_grad());
    expect_usable(tape);
  }
}

TEST(CustomFunctionTest, ReturningAnInput) {
  const auto f =
      custom_function([](const Inputs& in) { return in[0]; },
                      [](const Inputs&, const Tensor&, const Tensor& dy) { return Inputs{dy}; });
  Tensor p = vector({2, 3});
  p.set_requires_grad();
  Tape tape;
  const Tensor y = f({p});
  EXPECT_EQ(numbers(y), (Numbers{2, 3}));
  tape.backward(sum(y * p));
  EXPECT_EQ(numbers(p.grad()), (Numbers{4, 6}));
  EXPECT_TRUE(p.requires_grad());
  const Tensor x = tape.input(vector({5}));
  const auto swapped = custom_function([](const Inputs& in) { return in[1]; },
                                       [](const Inputs& in, const Tensor&, const Tensor& dy) {
                                         return Inputs{dy * 0.0, dy * in[0]};
                                       });
  const Tensor u = swapped({x, x});
  tape.backward(sum(u));
  EXPECT_EQ(x.grad().item(), 5);
}

TEST(CustomFunctionTest, BroadcastGradientsAreAccepted) {
  const auto f =
      custom_function([](const Inputs& in) { return sum(in[0]); },
                      [](const Inputs& in, const Tensor&, const Tensor& dy) {
                        return Inputs{broadcast_to(dy, in[0].shape())};  // a view that repeats dy
                      });
  Tape tape;
  const Tensor x = tape.input(ones({2, 3}, float64));
  tape.backward(f({x}) + f({x}));
  EXPECT_EQ(numbers(x.grad()), Numbers(6, 2));
  EXPECT_TRUE(x.grad().is_contiguous());
}

TEST(CustomFunctionTest, ExceptionsInForward) {
  int calls = 0;
  const auto f = custom_function(
      [&](const Inputs& in) -> Tensor {
        if (++calls == 1) throw ValueError("mine");
        if (calls == 2) return Tensor();
        return in[0] * 3.0;
      },
      [](const Inputs&, const Tensor&, const Tensor& dy) { return Inputs{dy * 3.0}; });
  Tape tape;
  const Tensor x = tape.input(vector({2}));
  const std::size_t size = tape.size();
  EXPECT_EQ(message_of<ValueError>([&] { f({x}); }), "mine");
  EXPECT_THROW(f({x}), ValueError);  // no tensor at all
  EXPECT_EQ(tape.size(), size);
  tape.backward(f({x}));  // records again
  EXPECT_EQ(x.grad().item(), 3);
  expect_usable(tape);
}

TEST(CustomFunctionTest, ExceptionsInBackward) {
  bool fail = true;
  const auto f = with_backward([&](const Tensor& dy) -> Inputs {
    if (fail) throw ValueError("mine");
    return {dy * 2.0};
  });
  Tape tape;
  const Tensor x = tape.input(vector({2})), y = sum(f({x * x}) * x);
  EXPECT_EQ(message_of<ValueError>([&] { tape.backward(y, {.retain = true}); }), "mine");
  EXPECT_FALSE(x.has_grad());
  fail = false;
  tape.backward(y);  // retained: sweeps again, and counts once
  EXPECT_EQ(x.grad().item(), 3 * 2 * 4);
  expect_usable(tape);
}

TEST(CustomFunctionTest, SavedTensorsThatChange) {
  for (const bool output : {false, true}) {
    Tape tape;
    const Tensor x = tape.input(vector({2, 3}));
    Tensor h = x * 1.0;
    Tensor y = cube()({h});
    const Tensor loss = sum(y + 0.0);
    fill_(output ? y : h, 0);
    const std::string message = message_of<TapeError>([&] { tape.backward(loss); });
    EXPECT_NE(message.find("backward of custom_function"), std::string::npos) << message;
    EXPECT_NE(message.find("fill_"), std::string::npos) << message;
    expect_usable(tape);
  }
}

TEST(CustomFunctionTest, TapesInside) {
  // The derivative by a tape of its own, in forward and in backward.
  const auto f = custom_function(
      [](const Inputs& in) {
        Tape tape;
        const Tensor x = tape.input(in[0]);
        tape.backward(sum(exp(x)));
        return x.grad();
      },
      [](const Inputs& in, const Tensor&, const Tensor& dy) {
        return Inputs{grad([&](const Inputs& v) { return sum(exp(v[0]) * dy); }, {in[0]})[0]};
      });
  EXPECT_TRUE(gradcheck(f, {vector({0.3, -1})}));
  EXPECT_TRUE(gradgradcheck(f, {vector({0.3, -1})}));
}

}  // namespace
}  // namespace autograd
