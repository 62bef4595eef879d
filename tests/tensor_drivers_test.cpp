// SPDX-License-Identifier: Apache-2.0
// jvp, hvp, jacobian and hessian of functions of tensors: against closed forms, central differences and
// each other, nested in tapes and in each other, with inputs that f does not use, and bad input.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include "check.hpp"

namespace autograd {
namespace {

using Numbers = std::vector<double>;
using Tensors = std::vector<Tensor>;

Numbers numbers(const Tensor& x) { return to_vector<double>(to(contiguous(x), float64)); }
void expect_close(const Tensor& x, const Numbers& want, double tolerance = 1e-12) {
  const Numbers got = numbers(x);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(check::close(got[i], want[i], tolerance)) << i << ": " << got[i] << " " << want[i];
  }
}

// [2, 3] and [3] to [2].
Tensor layer(const Tensors& in) { return tanh(matmul(in[0], in[1])); }
Tensor energy(const Tensors& in) { return sum(square(layer(in))) + sum(exp(in[1])); }
Tensors point() {
  return {tensor(Numbers{0.1, -0.4, 0.3, 0.8, 0.2, -0.5}, Shape{2, 3}),
          tensor(Numbers{0.5, -0.3, 0.7})};
}
Tensors direction() {
  return {tensor(Numbers{1, 2, -1, 0.5, 0, 3}, Shape{2, 3}), tensor(Numbers{-1, 0.2, 2})};
}
Tensors moved(double h) {
  const Tensors x = point(), v = direction();
  return {x[0] + h * v[0], x[1] + h * v[1]};
}
template <class F> Numbers difference(const F& f) {
  const double h = 1e-5;
  const Numbers above = numbers(f(moved(h))), below = numbers(f(moved(-h)));
  Numbers slope;
  for (std::size_t i = 0; i < above.size(); ++i) slope.push_back((above[i] - below[i]) / (2 * h));
  return slope;
}

TEST(TensorDriversTest, JvpAgainstDifferences) {
  const auto [y, tangent] = jvp(layer, point(), direction());
  EXPECT_TRUE(equal(y, layer(point())));
  EXPECT_EQ(tangent.shape(), (Shape{2}));
  expect_close(tangent, difference(layer), 1e-8);
}

TEST(TensorDriversTest, OfOneTensor) {
  const auto f = [](const Tensor& x) { return sum(x * x * x); };
  const auto g = [](const Tensor& x) { return x * x; };
  const Tensor x = tensor({1.0, -2.0}, float64), v = tensor({3.0, 5.0}, float64);
  expect_close(grad(f, x), {3, 12});
  const auto [y, slope] = value_and_grad(f, x);
  EXPECT_EQ(y.item(), -7);
  expect_close(slope, {3, 12});
  expect_close(vjp(g, x, v).second, {6, -20});
  expect_close(jvp(g, x, v).second, {6, -20});
  expect_close(hvp(f, x, v), {18, -60});
  expect_close(jacobian(g, x), {2, 0, 0, -4});
  expect_close(hessian(f, x), {6, 0, 0, -12});
  expect_close(grad([&](const Tensor& z) { return sum(grad(f, z) * v); }, x), {18, -60});
  EXPECT_THROW(grad([](const Tensor&) { return tensor(1.0); }, x), TapeError);
}

TEST(TensorDriversTest, HvpAgainstDifferences) {
  const Tensors product = hvp(energy, point(), direction());
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_EQ(product[k].shape(), point()[k].shape());
    expect_close(product[k], difference([&](const Tensors& x) { return grad(energy, x)[k]; }),
                 1e-8);
  }
}

TEST(TensorDriversTest, JacobianAgreesWithJvp) {
  const Tensors j = jacobian(layer, point());
  ASSERT_EQ(j.size(), 2u);
  EXPECT_EQ(j[0].shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(j[1].shape(), (Shape{2, 3}));
  const Tensors v = direction();
  const Tensor along = matmul(reshape(j[0], {2, 6}), reshape(v[0], {6})) + matmul(j[1], v[1]);
  expect_close(along, numbers(jvp(layer, point(), v).second));
}

TEST(TensorDriversTest, HessianAgreesWithHvp) {
  const auto h = hessian(energy, point());
  ASSERT_EQ(h.size(), 2u);
  EXPECT_EQ(h[0][0].shape(), (Shape{2, 3, 2, 3}));
  EXPECT_EQ(h[0][1].shape(), (Shape{2, 3, 3}));
  EXPECT_EQ(h[1][0].shape(), (Shape{3, 2, 3}));
  EXPECT_EQ(h[1][1].shape(), (Shape{3, 3}));
  const Tensors v = direction(), product = hvp(energy, point(), v);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t n = i ? 3 : 6;
    const Tensor row = matmul(reshape(h[i][0], {n, 6}), reshape(v[0], {6})) +
                       matmul(reshape(h[i][1], {n, 3}), v[1]);
    expect_close(row, numbers(product[i]));
  }
}

TEST(TensorDriversTest, Float32AndScalars) {
  const auto cube = [](const Tensors& in) { return in[0] * in[0] * in[0]; };
  const Tensors x{full({}, 2.0, float32)};
  EXPECT_EQ(hessian(cube, x)[0][0].item(), 12);
  EXPECT_EQ(hessian(cube, x)[0][0].dtype(), float32);
  EXPECT_EQ(hessian(cube, x)[0][0].shape(), Shape{});
  EXPECT_EQ(jacobian(cube, x)[0].item(), 12);
  EXPECT_EQ(jvp(cube, x, {full({}, 0.5, float32)}).second.item(), 6);
  EXPECT_EQ(hvp(cube, x, {full({}, 0.5, float32)})[0].item(), 6);
}

TEST(TensorDriversTest, EmptyTensors) {
  const auto f = [](const Tensors& in) { return in[0] * 2.0; };
  const Tensors x{zeros({0}, float64)};
  EXPECT_EQ(jacobian(f, x)[0].shape(), (Shape{0, 0}));
  EXPECT_EQ(jvp(f, x, x).second.shape(), Shape{0});
  const auto total = [](const Tensors& in) { return sum(in[0] * in[0]); };
  EXPECT_EQ(hessian(total, x)[0][0].shape(), (Shape{0, 0}));
  EXPECT_EQ(hvp(total, x, x)[0].shape(), Shape{0});
}

TEST(TensorDriversTest, LinearAndUnusedInputs) {
  const auto linear = [](const Tensors& in) { return sum(3.0 * in[0]); };
  const Tensors x{tensor(Numbers{1, 2})}, two{x[0], tensor(Numbers{5})};
  expect_close(hvp(linear, x, x)[0], {0, 0});
  expect_close(hessian(linear, x)[0][0], {0, 0, 0, 0});
  const std::string want =
      ": f does not use input 1; need every input to reach the output, or {.allow_unused = true} "
      "for zeros";
  using check::message_of;
  EXPECT_EQ(message_of<TapeError>([&] { hvp(linear, two, two); }), "hvp" + want);
  EXPECT_EQ(message_of<TapeError>([&] { jvp(linear, two, two); }), "jvp" + want);
  EXPECT_EQ(message_of<TapeError>([&] { jacobian(linear, two); }), "jacobian" + want);
  EXPECT_EQ(message_of<TapeError>([&] { hessian(linear, two); }), "hessian" + want);
  EXPECT_EQ(jvp(linear, two, two, {.allow_unused = true}).second.item(), 9);
  expect_close(hvp(linear, two, two, {.allow_unused = true})[1], {0});
  expect_close(jacobian(linear, two, {.allow_unused = true})[1], {0});
  expect_close(hessian(linear, two, {.allow_unused = true})[1][0], {0, 0});
  const auto constant = [](const Tensors&) { return tensor(Numbers{1, 2, 3}); };
  expect_close(jvp(constant, x, x, {.allow_unused = true}).second, {0, 0, 0});
  expect_close(jacobian(constant, x, {.allow_unused = true})[0], {0, 0, 0, 0, 0, 0});
}

TEST(TensorDriversTest, BadInput) {
  using check::message_of;
  const Tensors x = point();
  EXPECT_EQ(message_of<ShapeError>([&] { jvp(layer, x, {x[0]}); }),
            "jvp: there are 1 directions and 2 inputs; need one direction per input (1 != 2)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              hvp(energy, x, {x[0], x[0]});
            }),
            "hvp: direction 1 does not fit: it is float64 [2, 3], the input is float64 [3]; need "
            "equal shape and dtype");
  EXPECT_EQ(
      message_of<ShapeError>([&] {
        hvp(energy, x, {x[0], to(x[1], float32)});
      }),
      "hvp: direction 1 does not fit: it is float32 [3], the input is float64 [3]; need equal "
      "shape and dtype");
  EXPECT_NE(message_of<TapeError>([&] { hessian(layer, x); }).find("more than one element"),
            std::string::npos);
  EXPECT_NE(message_of<ValueError>([&] { jvp(TensorFunction(), x, x); }).find("f is empty"),
            std::string::npos);
}

// Nothing is deposited, and a tape in scope records the results.
TEST(TensorDriversTest, InsideATape) {
  Tensor w = tensor(Numbers{2, 3}).set_requires_grad();
  const auto f = [&](const Tensors& in) { return sum(w * in[0] * in[0] * in[0]); };
  const Tensors x{tensor(Numbers{1, -1})}, v{tensor(Numbers{1, 2})};
  (void)hvp(f, x, v);
  (void)jacobian(f, x);
  EXPECT_FALSE(w.has_grad());
  {
    Tape tape;
    const Tensor leaf = tape.input(x[0]);
    tape.backward(sum(hvp(f, {leaf}, v)[0]));  // sum of 6 w x v
    expect_close(leaf.grad(), {6 * 2 * 1, 6 * 3 * 2});
    expect_close(w.grad(), {6, -12});
  }
  w.zero_grad();
  {
    Tape tape;
    const Tensor leaf = tape.input(x[0]);
    tape.backward(sum(jacobian(f, {leaf})[0]));  // sum of 3 w x^2
    expect_close(leaf.grad(), {12, -18});
    expect_close(w.grad(), {3, 3});
  }
  {
    Tape tape;
    const Tensor leaf = tape.input(x[0]);
    tape.backward(jvp(f, {leaf}, v).second);  // 3 w x^2 v
    expect_close(leaf.grad(), {12, -36});
  }
  {
    Tape tape;
    const Tensor leaf = tape.input(x[0]);
    const Tensor h = hessian(f, {leaf})[0][0];  // diagonal 6 w x
    expect_close(h, {12, 0, 0, -18});
    tape.backward(sum(h));
    expect_close(leaf.grad(), {12, 18});
  }
}

TEST(TensorDriversTest, InsideEachOther) {
  const Tensors x{tensor(Numbers{0.3, 0.7})}, v{tensor(Numbers{1, 0.5})};
  const auto f = [](const Tensors& in) { return sum(sin(in[0]) * in[0]); };
  const auto slope = [&](const Tensors& in) { return jvp(f, in, v).second; };
  const Tensors by_grad = grad(slope, x), by_hvp = hvp(f, x, v);
  expect_close(by_grad[0], numbers(by_hvp[0]));
  expect_close(jacobian([&](const Tensors& in) { return grad(f, in)[0]; }, x)[0],
               numbers(hessian(f, x)[0][0]));
  // d/dx [x d/dy (x + y)] = 1
  const auto product = [](const Tensors& in) {
    const auto inner = [&](const Tensors& y) { return in[0] + y[0]; };
    const Tensors one{full({}, 1.0, float64)};
    return in[0] * jvp(inner, one, one).second;
  };
  const Tensors five{full({}, 5.0, float64)}, one{full({}, 1.0, float64)};
  EXPECT_EQ(grad(product, five)[0].item(), 1);
  EXPECT_EQ(jvp(product, five, one).second.item(), 1);
}

TEST(TensorDriversTest, AFunctionThatThrowsHalfway) {
  struct Halfway {};
  const auto f = [](const Tensors& in) -> Tensor {
    const Tensor y = exp(in[0]);
    if (y.numel()) throw Halfway();
    return y;
  };
  Tape tape;
  const Tensor x = tape.input(tensor(Numbers{1, 2}));
  EXPECT_THROW(jvp(f, {x}, {x}), Halfway);
  EXPECT_THROW(hvp(f, {x}, {x}), Halfway);
  EXPECT_THROW(jacobian(f, {x}), Halfway);
  EXPECT_THROW(hessian(f, {x}), Halfway);
  tape.backward(sum(x * x));
  expect_close(x.grad(), {2, 4});
}

}  // namespace
}  // namespace autograd
