// SPDX-License-Identifier: Apache-2.0
// The exact message of every misuse of the functions of tensors and of those that make tensors. Each is
// tried where nothing records and on a tape: nothing may have been recorded when it throws, and the
// tape has to go on giving right gradients. Undefined tensors are in undefined_test.cpp.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

// x: float32 [2, 3].
using Misuse = std::function<void(const Tensor& x)>;

template <class E> void expect_error(const std::string& message, const Misuse& misuse) {
  const Tensor value = tensor({{1, 2, 3}, {4, 5, 6}});
  expect_message<E>(message, [&] { misuse(value); });
  Tape tape;
  const Tensor x = tape.input(value);
  const Tensor before = x * 3.0;
  const std::size_t size = tape.size();
  expect_message<E>(message, [&] { misuse(x); });
  EXPECT_EQ(tape.size(), size) << "recorded before it threw: " << message;
  EXPECT_TRUE(equal(value, tensor({{1, 2, 3}, {4, 5, 6}})))
      << "written before it threw: " << message;
  tape.backward(sum(before + square(x)));
  expect_values(x.grad(), {5, 7, 9, 11, 13, 15});
}

TEST(Errors, ElementwiseRowsNameThemselves) {
  for (const RowCalls& row : all_rows()) {
    const std::string name = row.info.name;
    if (row.arity == 1) {
      expect_error<TypeError>(
          name +
              ": not defined for int64; need float32 or float64 (convert with to(x, "
              "autograd::float32))",
          [&](const Tensor&) {
            row.f({i64({1, 2})});
          });
      continue;
    }
    expect_error<ShapeError>(name +
                                 ": shapes do not broadcast: a is [2, 3], b is [2]; need equal "
                                 "extents or 1 from the last axis on (3 and 2)",
                             [&](const Tensor& x) {
                               row.f({x, ones({2})});
                             });
    expect_error<ShapeError>(name +
                                 ": shapes do not broadcast: a is [0, 3], b is [2, 3]; need equal "
                                 "extents or 1 from the last axis on (0 and 2)",
                             [&](const Tensor& x) {
                               row.f({ones({0, 3}), x});
                             });
  }
}

TEST(Errors, OperatorsOfEveryDtype) {
  const std::string rest =
      ": shapes do not broadcast: a is [2, 3], b is [2]; need equal extents or 1 from the last "
      "axis on (3 and 2)";
  for (DType dtype : {float32, float64, autograd::int64, boolean}) {
    const Tensor b = ones({2}, dtype);
    expect_error<ShapeError>("add" + rest, [&](const Tensor& x) { x + b; });
    expect_error<ShapeError>("mul" + rest, [&](const Tensor& x) { to(detach(x), dtype) * b; });
    expect_error<ShapeError>("maximum" + rest,
                             [&](const Tensor& x) { max(to(detach(x), dtype), b); });
    expect_error<ShapeError>("compare" + rest, [&](const Tensor& x) { (void)(x < b); });
    expect_error<ShapeError>("compare" + rest, [&](const Tensor& x) { (void)(x != b); });
  }
}

TEST(Errors, WhereAndComparison) {
  expect_error<TypeError>(
      "where: the condition is float32; need bool (a comparison, or to(c, boolean))",
      [](const Tensor& x) { where(x, x, x); });
  expect_error<ShapeError>(
      "where: shapes do not broadcast: a is [2, 3], b is [2]; need equal extents or 1 from the "
      "last axis on (3 and 2)",
      [](const Tensor& x) { where(x > 1.0, x, ones({2})); });
  expect_error<ShapeError>(
      "where: shapes do not broadcast: a is [2], b is [2, 3]; need equal extents or 1 from the "
      "last axis on (2 and 3)",
      [](const Tensor& x) { where(ones({2}) > 0.0, x, x); });
  expect_error<ShapeError>(
      "where: shapes do not broadcast: a is [2, 3], b is [2]; need equal extents or 1 from the "
      "last axis on (3 and 2)",
      [](const Tensor& x) { where(x > 1.0, x, ones({2}, float64)); });
  expect_error<ShapeError>("allclose: shapes differ: a is [2, 3], b is [3]; need equal shapes",
                           [](const Tensor& x) { allclose(x, ones({3})); });
}

TEST(Errors, Reductions) {
  using Reduction = Tensor (*)(const Tensor&, const Axes&, ReduceOptions);
  const std::pair<const char*, Reduction> reductions[] = {
      {"sum", &sum}, {"mean", &mean}, {"max", &max}};
  for (const auto& [word, reduction] : reductions) {
    const std::string name = word;
    const Reduction f = reduction;
    expect_error<ValueError>(name + ": axis out of range: 2; need at least -2 and less than 2",
                             [&](const Tensor& x) {
                               f(x, {0, 2}, {});
                             });
    expect_error<ValueError>(name + ": axis out of range: -3; need at least -2 and less than 2",
                             [&](const Tensor& x) { f(x, {-3}, {}); });
    expect_error<ValueError>(name + ": axis given twice: -1; need each axis once",
                             [&](const Tensor& x) {
                               f(x, {1, -1}, {});
                             });
    expect_error<ValueError>(name + ": axis out of range: 1; need at least -1 and less than 1",
                             [&](const Tensor&) { f(tensor(1.0), {1}, {}); });
  }
  expect_error<ValueError>(
      "max: no elements along the reduced axes: x is [0, 3]; need at least one", [](const Tensor&) {
        max(ones({0, 3}));
      });
  expect_error<ValueError>(
      "max: no elements along the reduced axes: x is [2, 0]; need at least one", [](const Tensor&) {
        max(ones({2, 0}), {1}, {.keepdim = true});
      });
  expect_error<ShapeError>(
      "sum_to: the shape does not broadcast to x: shape is [2], x is [2, 3]; need equal extents or "
      "1",
      [](const Tensor& x) { sum_to(x, {2}); });
  expect_error<ShapeError>(
      "sum_to: the shape does not broadcast to x: shape is [1, 2, 3], x is [2, 3]; need equal "
      "extents or 1",
      [](const Tensor& x) {
        sum_to(x, {1, 2, 3});
      });
}

TEST(Errors, SoftmaxFamily) {
  const std::string range = ": axis out of range: 2; need at least -2 and less than 2";
  const std::string scalar = ": a scalar has no axes; need at least one";
  expect_error<ValueError>("softmax" + range, [](const Tensor& x) { softmax(x, 2); });
  expect_error<ValueError>("log_softmax" + range, [](const Tensor& x) { log_softmax(x, 2); });
  expect_error<ValueError>("logsumexp" + range, [](const Tensor& x) { logsumexp(x, 2); });
  expect_error<ShapeError>("softmax" + scalar, [](const Tensor& x) { softmax(sum(detach(x)), 0); });
  expect_error<ShapeError>("log_softmax" + scalar,
                           [](const Tensor&) { log_softmax(tensor(1), -1); });
  expect_error<ShapeError>("logsumexp" + scalar, [](const Tensor&) { logsumexp(tensor(1), 0); });
}

TEST(Errors, MatrixProducts) {
  expect_error<ShapeError>(
      "matmul: inner dimensions differ: a is [2, 3], b is [4, 5]; need a.shape[-1] == b.shape[-2] "
      "(3 != 4)",
      [](const Tensor& x) {
        matmul(x, ones({4, 5}));
      });
  expect_error<ShapeError>(
      "matmul: inner dimensions differ: a is [2, 3], b is [2]; need a.shape[-1] == b.shape[0] (3 "
      "!= 2)",
      [](const Tensor& x) { matmul(x, ones({2})); });
  expect_error<ShapeError>(
      "matmul: inner dimensions differ: a is [3], b is [2, 3]; need a.shape[-1] == b.shape[-2] (3 "
      "!= 2)",
      [](const Tensor& x) { matmul(ones({3}), x); });
  expect_error<ShapeError>(
      "matmul: a scalar operand: a is [], b is [2, 3]; need at least one axis each (use a * b)",
      [](const Tensor& x) { matmul(tensor(2), x); });
  expect_error<ShapeError>(
      "matmul: batch axes do not broadcast: a is [4, 2, 3], b is [5, 3, 2]; need equal extents or "
      "1 in the axes before the matrices (4 and 5)",
      [](const Tensor&) {
        matmul(ones({4, 2, 3}), ones({5, 3, 2}));
      });
  const std::string dtypes =
      "matmul: dtypes differ: a is float32, b is float64; need one dtype (convert with to)";
  expect_error<TypeError>(dtypes, [](const Tensor& x) { matmul(x, ones({3, 2}, float64)); });
  expect_error<TypeError>(dtypes, [](const Tensor& x) { matmul(x, ones({3}, float64)); });
  {
    Tape tape;
    const Tensor row = tape.input(ones({3}));
    expect_message<TypeError>(dtypes, [&] { matmul(row, ones({3, 2}, float64)); });
    EXPECT_EQ(tape.size(), 1u);
  }
  expect_error<TypeError>(
      "matmul: not defined for int64; need float32 or float64 (convert with to(x, "
      "autograd::float32))",
      [](const Tensor& x) {
        matmul(to(x, autograd::int64), ones({3, 2}, autograd::int64));
      });

  const std::string inner = "; need x.shape[-1] == weight.shape[1] and a 2-D weight";
  expect_error<ShapeError>("linear: inner dimensions differ: x is [2, 3], weight is [5, 4]" + inner,
                           [](const Tensor& x) {
                             linear(x, ones({5, 4}), ones({5}));
                           });
  expect_error<ShapeError>("linear: inner dimensions differ: x is [2, 3], weight is [3]" + inner,
                           [](const Tensor& x) { linear(x, ones({3}), Tensor()); });
  expect_error<ShapeError>("linear: inner dimensions differ: x is [], weight is [2, 3]" + inner,
                           [](const Tensor& x) { linear(tensor(1), x, Tensor()); });
  expect_error<ShapeError>(
      "linear: the bias does not fit: bias is [2], weight is [5, 3]; need shape [5]",
      [](const Tensor& x) {
        linear(x, ones({5, 3}), ones({2}));
      });
  expect_error<ShapeError>(
      "linear: the bias does not fit: bias is [1, 5], weight is [5, 3]; need shape [5]",
      [](const Tensor& x) {
        linear(x, ones({5, 3}), ones({1, 5}));
      });
  expect_error<TypeError>(
      "linear: dtypes differ: a is float32, b is float64; need one dtype (convert with to)",
      [](const Tensor& x) {
        linear(x, ones({5, 3}, float64), Tensor());
      });
  expect_error<TypeError>(
      "linear: dtypes differ: a is float32, b is float64; need one dtype (convert with to)",
      [](const Tensor& x) {
        linear(x, ones({5, 3}), ones({5}, float64));
      });
  expect_error<ShapeError>(
      "mean_squared_error: the operands differ: a is float32 [2, 3], b is float32 [3]; need equal "
      "shape and dtype",
      [](const Tensor& x) { mean_squared_error(x, ones({3})); });
}

TEST(Errors, CrossEntropy) {
  expect_error<ShapeError>(
      "cross_entropy: the shapes do not fit: x is [2, 3], label is [3]; need [n, c] and [n]",
      [](const Tensor& x) { cross_entropy(x, zeros({3}, int64)); });
  expect_error<TypeError>("cross_entropy: label is float32; need int64",
                          [](const Tensor& x) { cross_entropy(x, zeros({2})); });
  expect_error<ValueError>(
      "cross_entropy: label out of range: label[1] is 3; need at least -1 and less than 3",
      [](const Tensor& x) {
        cross_entropy(x, tensor({0, 3}, int64));
      });
  expect_error<ValueError>(
      "cross_entropy: label out of range: label[0] is -2; need at least -1 and less than 3",
      [](const Tensor& x) {
        cross_entropy(x, tensor({-2, 3}, int64));
      });
  expect_error<ValueError>("cross_entropy: smoothing out of range: 1.5; need 0 <= smoothing <= 1",
                           [](const Tensor& x) { cross_entropy(x, zeros({2}, int64), 1.5); });
}

TEST(Errors, ShapeFunctions) {
  expect_error<ShapeError>("transpose: too few axes: x is [3]; need at least 2 (or name the axes)",
                           [](const Tensor&) { transpose(ones({3})); });
  expect_error<ValueError>("transpose: axis out of range: 2; need at least -2 and less than 2",
                           [](const Tensor& x) { transpose(x, 0, 2); });
  expect_error<ShapeError>(
      "reshape: the number of elements differs: x is [2, 3], asked for [4]; need 6 elements (4 "
      "asked for)",
      [](const Tensor& x) { reshape(x, Shape{4}); });
  expect_error<ShapeError>("reshape: two extents are -1; need at most one", [](const Tensor& x) {
    reshape(x, {-1, -1});
  });
  expect_error<ShapeError>(
      "reshape: -1 cannot be filled in: x is [2, 3]; need the other extents to divide 6 (4)",
      [](const Tensor& x) {
        reshape(x, {4, -1});
      });
  expect_error<ShapeError>(
      "reshape: -1 cannot be filled in: x is [0, 3]; need the other extents to divide 0 (0)",
      [](const Tensor&) {
        reshape(ones({0, 3}), {0, -1});
      });
  expect_error<ShapeError>("Shape: negative extent: -6; need >= 0",
                           [](const Tensor& x) { reshape(x, {-6}); });
  expect_error<ShapeError>(
      "broadcast_to: the shape does not fit: x is [2, 3], asked for [2, 4]; need equal extents or "
      "1 from the last axis on",
      [](const Tensor& x) {
        broadcast_to(x, {2, 4});
      });
  expect_error<ShapeError>(
      "broadcast_to: the shape does not fit: x is [2, 3], asked for [3]; need equal extents or 1 "
      "from the last axis on",
      [](const Tensor& x) { broadcast_to(x, {3}); });
}

TEST(Errors, PickAndUnpick) {
  expect_error<ShapeError>("pick: x has the wrong number of axes: x is [3]; need 2",
                           [](const Tensor&) {
                             pick(ones({3}), i64({0, 1, 2}));
                           });
  expect_error<TypeError>("pick: the index is float32; need int64", [](const Tensor& x) {
    pick(x, tensor({0, 1}));
  });
  expect_error<ShapeError>("pick: the index does not fit: index is [3]; need shape [2]",
                           [](const Tensor& x) {
                             pick(x, i64({0, 1, 2}));
                           });
  expect_error<ValueError>(
      "pick: index out of range: 3 at position 1; need at least 0 and less than 3",
      [](const Tensor& x) {
        pick(x, i64({0, 3}));
      });
  expect_error<ValueError>(
      "pick: index out of range: -1 at position 0; need at least 0 and less than 3",
      [](const Tensor& x) {
        pick(x, i64({-1, 0}));
      });
  expect_error<ShapeError>(
      "unpick: wrong shape: y is [2, 3], columns is 4; need 1 axis and columns >= 0",
      [](const Tensor& x) {
        unpick(x, i64({0, 1}), 4);
      });
  expect_error<ShapeError>(
      "unpick: wrong shape: y is [2], columns is -1; need 1 axis and columns >= 0",
      [](const Tensor&) {
        unpick(ones({2}), i64({0, 1}), -1);
      });
  expect_error<ValueError>(
      "unpick: index out of range: 4 at position 1; need at least 0 and less than 4",
      [](const Tensor&) {
        unpick(ones({2}), i64({0, 4}), 4);
      });
}

TEST(Errors, InPlace) {
  const std::string own =
      ": x repeats elements: shape is [4, 3]; need memory of its own (clone it first)";
  const auto repeated = [] { return broadcast_to(ones({3}), {4, 3}); };
  expect_error<TapeError>("fill_" + own, [&](const Tensor&) { fill_(repeated(), 1); });
  expect_error<TapeError>("add_" + own, [&](const Tensor&) { add_(repeated(), tensor(1.0)); });
  expect_error<TapeError>("copy_" + own, [&](const Tensor&) { copy_(repeated(), tensor(1.0)); });
  expect_error<ShapeError>(
      "add_: y does not broadcast to x: x is [3], y is [2, 3]; need x's extents or 1",
      [](const Tensor& x) { add_(ones({3}), x); });
  expect_error<ShapeError>(
      "copy_: y does not broadcast to x: x is [3], y is [2, 3]; need x's extents or 1",
      [](const Tensor& x) { copy_(ones({3}), x); });
  expect_error<TypeError>(
      "add_: not defined for int64; need float32 or float64 (convert with to(x, "
      "autograd::float32))",
      [](const Tensor&) { add_(zeros({3}, autograd::int64), ones({3})); });
  Tape tape;
  Tensor x = tape.input(ones({3}));
  const std::string leaf =
      ": x is an input or a parameter that a tape in scope uses; need the change before or after "
      "the tape, or on detach(x)";
  expect_message<TapeError>("fill_" + leaf, [&] { fill_(x, 1); });
  expect_message<TapeError>("add_" + leaf, [&] { add_(x, x); });
  expect_message<TapeError>("copy_" + leaf, [&] { copy_(x, x); });
}

TEST(Errors, Making) {
  expect_error<ShapeError>("Shape: negative extent: -1; need >= 0", [](const Tensor&) {
    empty({2, -1});
  });
  expect_error<ShapeError>("Shape: too many axes: 9 axes; need at most 8", [](const Tensor&) {
    zeros({1, 1, 1, 1, 1, 1, 1, 1, 1});
  });
  expect_error<ShapeError>("Shape: too many axes: 11 axes; need at most 8",
                           [](const Tensor&) { zeros(std::vector<std::int64_t>(11, 1)); });
  expect_error<ValueError>("Shape: too many elements: [1000000000, 1000000000]; need at most 2^48",
                           [](const Tensor&) {
                             ones({1000000000, 1000000000});
                           });
  expect_error<ValueError>("arange: negative length: -1; need n >= 0 (-1 < 0)",
                           [](const Tensor&) { arange(-1); });
  expect_error<ValueError>("full: no int64: nan; need a finite value in [-2^63, 2^63)",
                           [](const Tensor&) { full({2}, kNan, autograd::int64); });
  expect_error<ValueError>("tensor: no int64: inf; need a finite value in [-2^63, 2^63)",
                           [](const Tensor&) {
                             i64({1.0, kInf});
                           });
  expect_error<ShapeError>(
      "tensor: ragged list: lists of 2 and of 1 items at depth 1; need equal lengths (2 != 1)",
      [](const Tensor&) {
        tensor({{1, 2}, {3}});
      });
  expect_error<ShapeError>(
      "tensor: ragged list: a number beside a list at depth 1; need numbers at the same depth "
      "everywhere (2)",
      [](const Tensor&) {
        tensor({{1, 2}, 3});
      });
  expect_error<ShapeError>(
      "tensor: other number of elements: 3 values for shape [2, 2]; need as many (3 != 4)",
      [](const Tensor&) {
        tensor(std::vector<double>{1, 2, 3}, {2, 2});
      });
  Generator generator(1);
  const std::string floating =
      ": not defined for int64; need float32 or float64 (convert with to(x, autograd::float32))";
  expect_error<TypeError>("rand" + floating,
                          [&](const Tensor&) { rand({2}, generator, autograd::int64); });
  expect_error<TypeError>("randn" + floating,
                          [&](const Tensor&) { randn({2}, generator, autograd::int64); });
  expect_error<ValueError>("randint: empty range: low is 3, high is 3; need low < high (3 >= 3)",
                           [&](const Tensor&) { randint(3, 3, {2}, generator); });
  expect_error<TypeError>(
      "to_vector: other dtype: the tensor holds float32, asked for float64; need the same (convert "
      "with to(x, dtype))",
      [](const Tensor& x) { to_vector<double>(x); });
}

TEST(Errors, Drivers) {
  const TensorFunction square_all = [](const Inputs& in) { return square(in[0]); };
  const TensorFunction first = [](const Inputs& in) { return sum(in[0]); };
  const std::string unused =
      ": f does not use input 1; need every input to reach the output, or {.allow_unused = true} "
      "for zeros";
  expect_error<TapeError>("grad" + unused, [&](const Tensor& x) {
    autograd::grad(first, {detach(x), ones({2})});
  });
  expect_error<TapeError>("value_and_grad" + unused, [&](const Tensor& x) {
    value_and_grad(first, {detach(x), ones({2})});
  });
  expect_error<TapeError>("vjp" + unused, [&](const Tensor& x) {
    vjp(first, {detach(x), ones({2})}, tensor(1));
  });
  expect_error<TypeError>(
      "Tape::input: only floating-point tensors have gradients: dtype is int64; need float32 or "
      "float64 (convert with to(x, float32))",
      [&](const Tensor&) { autograd::grad(first, {i64({1})}); });
  // f itself is recorded by the tapes in scope, so that these start from a detached x.
  expect_error<TapeError>(
      "grad: f returns more than one element: shape is [2, 3]; need one element (use sum), or vjp "
      "with a cotangent of that shape as seed",
      [&](const Tensor& x) { autograd::grad(square_all, {detach(x)}); });
  expect_error<ShapeError>(
      "grad: the seed does not fit: seed is float32 [3], the output is float32 [2, 3]; need equal "
      "shape and dtype",
      [&](const Tensor& x) { vjp(square_all, {detach(x)}, ones({3})); });
}

TEST(Errors, CustomFunctions) {
  const auto run = [](const BackwardFunction& backward) {
    const TensorFunction f =
        custom_function([](const Inputs& in) { return in[0] * in[1]; }, backward);
    autograd::grad([&](const Inputs& in) { return sum(f(in)); }, {ones({2}), ones({2})});
  };
  expect_error<ShapeError>(
      "custom_function: backward returned 1 gradients; need one for each of the 2 inputs "
      "(undefined: none)",
      [&](const Tensor&) { run([](auto&, auto&, auto& dy) { return Inputs{dy}; }); });
  expect_error<ShapeError>(
      "custom_function: gradient 1 does not fit: it is float32 [3], input 1 is float32 [2]; need "
      "equal shape and dtype",
      [&](const Tensor&) { run([](auto&, auto&, auto& dy) {
                             return Inputs{dy, ones({3})};
                           }); });
  expect_error<ShapeError>(
      "custom_function: gradient 0 does not fit: it is float64 [2], input 0 is float32 [2]; need "
      "equal shape and dtype",
      [&](const Tensor&) {
        run([](auto&, auto&, auto& dy) { return Inputs{ones({2}, float64), dy}; });
      });
  // What the user's functions throw arrives as it is.
  expect_error<ValueError>("mine", [&](const Tensor&) {
    run([](auto&, auto&, auto&) -> Inputs { throw ValueError("mine"); });
  });
  expect_error<ValueError>("mine", [](const Tensor& x) {
    const BackwardFunction backward = [](auto&, auto&, auto& dy) { return Inputs{dy}; };
    custom_function([](const Inputs&) -> Tensor { throw ValueError("mine"); }, backward)({x});
  });
  const TensorFunction identity = [](const Inputs& in) { return in[0]; };
  expect_error<ValueError>("custom_function: backward is empty; need a function to call",
                           [&](const Tensor&) { custom_function(identity, nullptr); });
  expect_error<ValueError>("grad: f is empty; need a function to call",
                           [](const Tensor& x) { autograd::grad(TensorFunction(), {x}); });
}

}  // namespace
}  // namespace ops_test
