// SPDX-License-Identifier: Apache-2.0
// A default-constructed tensor, in every place of every function that takes one: ValueError, never a
// crash, and the tape in scope goes on. A new public function of tensors gets a line here.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

struct Use {
  const char* name;
  std::function<void()> call;
};

// u is undefined, x is [2, 3], m is [2, 2], v is [3], s is one element, c is bool, i is an index.
std::vector<Use> uses() {
  const Tensor u, x = tensor({{1, 2, 3}, {4, 5, 6}}), v = tensor({1, 2, 3}), s = tensor(2.0);
  const Tensor c = x > 2.0, i = i64({0, 1}), m = ones({2, 2});
  const TensorFunction first = [](const Inputs& in) { return sum(in[0]); };
  const TensorFunction nothing = [](const Inputs&) { return Tensor(); };
  std::vector<Use> list = {
      {"neg", [=] { -u; }},
      {"exp", [=] { exp(u); }},
      {"log", [=] { log(u); }},
      {"log1p", [=] { log1p(u); }},
      {"expm1", [=] { expm1(u); }},
      {"sqrt", [=] { sqrt(u); }},
      {"square", [=] { square(u); }},
      {"abs", [=] { abs(u); }},
      {"sin", [=] { sin(u); }},
      {"cos", [=] { cos(u); }},
      {"tan", [=] { tan(u); }},
      {"asin", [=] { asin(u); }},
      {"acos", [=] { acos(u); }},
      {"atan", [=] { atan(u); }},
      {"sinh", [=] { sinh(u); }},
      {"cosh", [=] { cosh(u); }},
      {"tanh", [=] { tanh(u); }},
      {"sigmoid", [=] { sigmoid(u); }},
      {"relu", [=] { relu(u); }},
      {"softplus", [=] { softplus(u); }},
      {"constant", [=] { constant(u, 1); }},
      {"where, condition", [=] { where(u, x, x); }},
      {"where, first", [=] { where(c, u, x); }},
      {"where, second", [=] { where(c, x, u); }},
      {"where, first and number", [=] { where(c, u, 1.0); }},
      {"where, number and second", [=] { where(c, 1.0, u); }},
      {"sum", [=] { sum(u); }},
      {"sum, axes", [=] { sum(u, {0}); }},
      {"mean", [=] { mean(u); }},
      {"mean, axes", [=] { mean(u, {0}); }},
      {"max", [=] { max(u); }},
      {"max, axes", [=] { max(u, {0}); }},
      {"prod", [=] { prod(u); }},
      {"amax", [=] { amax(u); }},
      {"amin", [=] { amin(u); }},
      {"min", [=] { min(u); }},
      {"any", [=] { any(u); }},
      {"all", [=] { all(u); }},
      {"count_nonzero", [=] { count_nonzero(u); }},
      {"nansum", [=] { nansum(u); }},
      {"nanmean", [=] { nanmean(u); }},
      {"norm", [=] { norm(u); }},
      {"var", [=] { var(u); }},
      {"std", [=] { autograd::std(u); }},
      {"var_mean", [=] { var_mean(u); }},
      {"std_mean", [=] { std_mean(u); }},
      {"argmax", [=] { argmax(u); }},
      {"argmin", [=] { argmin(u); }},
      {"median", [=] { median(u); }},
      {"sum_to", [=] { sum_to(u, {3}); }},
      {"logsumexp", [=] { logsumexp(u, 0); }},
      {"softmax", [=] { softmax(u, 0); }},
      {"log_softmax", [=] { log_softmax(u, 0); }},
      {"dot, first", [=] { dot(u, v); }},
      {"dot, second", [=] { dot(v, u); }},
      {"outer, first", [=] { outer(u, v); }},
      {"outer, second", [=] { outer(v, u); }},
      {"mv, first", [=] { mv(u, v); }},
      {"mv, second", [=] { mv(x, u); }},
      {"bmm, first", [=] { bmm(u, x); }},
      {"bmm, second",
       [=] {
         bmm(ones({1, 2, 3}), u);
       }},
      {"kron, first", [=] { kron(u, x); }},
      {"kron, second", [=] { kron(x, u); }},
      {"trace", [=] { trace(u); }},
      {"matrix_power", [=] { matrix_power(u, 2); }},
      {"einsum",
       [=] {
         einsum("ij,jk", {x, u});
       }},
      {"det", [=] { det(u); }},
      {"slogdet", [=] { slogdet(u); }},
      {"logdet", [=] { logdet(u); }},
      {"inverse", [=] { inverse(u); }},
      {"solve, first", [=] { solve(u, x); }},
      {"solve, second", [=] { solve(m, u); }},
      {"solve_triangular, first", [=] { solve_triangular(u, x); }},
      {"solve_triangular, second", [=] { solve_triangular(m, u); }},
      {"pinv", [=] { pinv(u); }},
      {"lstsq, first", [=] { lstsq(u, x); }},
      {"lstsq, second", [=] { lstsq(x, u); }},
      {"cholesky", [=] { cholesky(u); }},
      {"qr", [=] { qr(u); }},
      {"eigh", [=] { eigh(u); }},
      {"svd", [=] { svd(u); }},
      {"matrix_exp", [=] { matrix_exp(u); }},
      {"matmul, first", [=] { matmul(u, x); }},
      {"matmul, second", [=] { matmul(x, u); }},
      {"linear, input", [=] { linear(u, x, Tensor()); }},
      {"linear, weight", [=] { linear(v, u, Tensor()); }},
      {"linear, both",
       [=] {
         linear(u, u, tensor({1, 2}));
       }},
      {"mean_squared_error, first", [=] { mean_squared_error(u, x); }},
      {"mean_squared_error, second", [=] { mean_squared_error(x, u); }},
      {"transpose", [=] { transpose(u); }},
      {"transpose, axes", [=] { transpose(u, 0, 1); }},
      {"reshape", [=] { reshape(u, {-1}); }},
      {"reshape, Shape", [=] { reshape(u, Shape{3}); }},
      {"broadcast_to", [=] { broadcast_to(u, {3}); }},
      {"contiguous", [=] { contiguous(u); }},
      {"to", [=] { to(u, autograd::float64); }},
      {"to, integer", [=] { to(u, autograd::int64); }},
      {"pick, elements", [=] { pick(u, i); }},
      {"pick, index", [=] { pick(x, u); }},
      {"unpick, elements", [=] { unpick(u, i, 3); }},
      {"unpick, index",
       [=] {
         unpick(tensor({1, 2}), u, 3);
       }},
      {"detach", [=] { detach(u); }},
      {"equal, first", [=] { equal(u, x); }},
      {"equal, second", [=] { equal(x, u); }},
      {"allclose, first", [=] { allclose(u, x); }},
      {"allclose, second", [=] { allclose(x, u); }},
      {"fill_", [] { fill_(Tensor(), 1); }},
      {"add_, target", [=] { add_(Tensor(), x); }},
      {"add_, source", [=] { add_(ones({3}), u); }},
      {"copy_, target", [=] { copy_(Tensor(), x); }},
      {"copy_, source", [=] { copy_(ones({3}), u); }},
      {"note_change",
       [] {
         Tensor none;
         note_change(none, "test");
       }},
      {"custom_function, input",
       [=] { custom_function(first, [](auto&, auto&, auto&) { return Inputs{}; })({u}); }},
      {"custom_function, result",
       [=] { custom_function(nothing, [](auto&, auto&, auto&) { return Inputs{}; })({x}); }},
      {"to_string", [=] { to_string(u); }},
      {"zeros_like", [=] { zeros_like(u); }},
      {"ones_like", [=] { ones_like(u); }},
      {"to_vector", [=] { to_vector<float>(u); }},
      {"unstack", [=] { unstack(u); }},
      {"shape", [=] { u.shape(); }},
      {"dim", [=] { u.dim(); }},
      {"numel", [=] { u.numel(); }},
      {"dtype", [=] { u.dtype(); }},
      {"size", [=] { u.size(0); }},
      {"strides", [=] { u.strides(); }},
      {"is_contiguous", [=] { u.is_contiguous(); }},
      {"item", [=] { u.item(); }},
      {"at", [=] { u.at({0}); }},
      {"data", [=] { u.data<float>(); }},
      {"mutable_data", [] { Tensor().mutable_data<float>(); }},
      {"requires_grad", [=] { u.requires_grad(); }},
      {"set_requires_grad", [] { Tensor().set_requires_grad(); }},
      {"grad", [=] { u.grad(); }},
      {"has_grad", [=] { u.has_grad(); }},
      {"set_grad", [=] { Tensor().set_grad(x); }},
      {"zero_grad", [] { Tensor().zero_grad(); }},
      {"Tape::input", [=] { Tape().input(u); }},
      {"Tape::backward", [=] { Tape().backward(u); }},
      {"Tape::backward_to",
       [=] {
         Tape tape;
         tape.backward_to(u, tape.mark());
       }},
      {"grad of f, input", [=] { autograd::grad(first, {u}); }},
      {"value_and_grad, input",
       [=] {
         value_and_grad(first, {x, u});
       }},
      {"vjp, input", [=] { vjp(first, {u}, s); }},
      {"gradcheck, input", [=] { gradcheck(first, {u}); }},
      {"gradgradcheck, input", [=] { gradgradcheck(first, {u}); }},
  };
  const auto binary = [&](const char* name, Tensor (*f)(const Tensor&, const Tensor&)) {
    list.push_back({name, [=] { f(u, x); }});
    list.push_back({name, [=] { f(x, u); }});
    list.push_back({name, [=] { f(u, u); }});
    list.push_back({name, [=] { f(i, u); }});
  };
  binary("add", &operator+), binary("sub", &operator-), binary("mul", &operator*);
  binary("div", &operator/), binary("pow", &pow), binary("maximum", &maximum);
  binary("minimum", &minimum), binary("max", &max), binary("min", &min), binary("chain", &chain);
  binary("squared_difference", &squared_difference);
  binary("binary_cross_entropy", &binary_cross_entropy);
  binary("binary_cross_entropy_with_logits", &binary_cross_entropy_with_logits);
  binary("less", &operator<), binary("less or equal", &operator<=), binary("more", &operator>);
  binary("more or equal", &operator>=), binary("equal to", &operator==);
  binary("not equal to", &operator!=);
  const auto with_number = [&](const char* name, Tensor (*f)(const Tensor&, double)) {
    list.push_back({name, [=] { f(u, 1); }});
  };
  const auto of_number = [&](const char* name, Tensor (*f)(double, const Tensor&)) {
    list.push_back({name, [=] { f(1, u); }});
  };
  with_number("add a number", &operator+), with_number("subtract a number", &operator-);
  with_number("times a number", &operator*), with_number("by a number", &operator/);
  with_number("to a number's power", &pow), with_number("maximum, number", &maximum);
  with_number("minimum, number", &minimum), with_number("less, number", &operator<);
  with_number("less or equal, number", &operator<=), with_number("more, number", &operator>);
  with_number("more or equal, number", &operator>=), with_number("equal to, number", &operator==);
  with_number("not equal to, number", &operator!=);
  of_number("number plus", &operator+), of_number("number minus", &operator-);
  of_number("number times", &operator*), of_number("number over", &operator/);
  of_number("number to the power", &pow);
  return list;
}

// Outside of a tape, on a tape, and on a tape inside of one.
TEST(Undefined, EveryFunctionThrowsAndTheTapeGoesOn) {
  const std::string message =
      "Tensor: undefined: no tensor was assigned; need one (make it with tensor(...))";
  for (const Use& use : uses()) {
    SCOPED_TRACE(use.name);
    expect_message<ValueError>(message, use.call);
    Tape outer;
    const Tensor x = outer.input(tensor({1.0, 2.0}));
    expect_message<ValueError>(message, use.call);
    {
      Tape inner;
      const Tensor z = inner.input(x);
      expect_message<ValueError>(message, use.call);
      const Tensor y = sum(z * z);
      inner.backward(y);
      expect_values(z.grad(), {2, 4});
    }
    outer.backward(sum(x * x * x));
    expect_values(x.grad(), {3, 12});
  }
}

TEST(Undefined, MayBeCopiedAndPassedWhereItMeansNone) {
  const Tensor none, copy = none;
  EXPECT_FALSE(copy.defined());
  expect_values(linear(tensor({1, 2}), tensor({{3, 4}}), none), {11});
  expect_values(linear(tensor({1, 2}), tensor({{3, 4}})), {11});
  Tape tape;
  const Tensor x = tape.input(tensor({2.0}));
  tape.backward(x * x, {.seed = none});
  expect_values(x.grad(), {4});
  expect_message<ValueError>("grad: f returned no tensor", [] {
    autograd::grad([](const Inputs&) { return Tensor(); }, {ones({1})});
  });
}

}  // namespace
}  // namespace ops_test
