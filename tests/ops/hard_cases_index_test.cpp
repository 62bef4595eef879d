// SPDX-License-Identifier: Apache-2.0
// Where indexing, views and in-place changes go wrong elsewhere. Each test has the number of its case.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

Inputs gradients(const TensorFunction& f, const Inputs& inputs) {
  return vjp(f, inputs, ones_like(f(inputs))).second;
}

TEST(HardCases, 49_expanded_to_nothing) {
  const Tensor x = f64({{1, 2}});
  expect_same(gradient([](const Tensor& v) { return expand(v, {0, 2}); }, x), zeros_like(x));
  expect_same(gradient([](const Tensor& v) { return v(slice(0, 0)); }, x), zeros_like(x));
}

TEST(HardCases, 50_repeated_no_times) {
  const Tensor x = f64({{1, 2, 3}, {4, 5, 6}});
  for (const std::vector<std::int64_t>& times :
       {std::vector<std::int64_t>{0, 2}, {2, 0}, {0, 0}, {3, 0, 2}}) {
    expect_same(gradient([&](const Tensor& v) { return repeat(v, times); }, x), zeros_like(x));
  }
  expect_same(gradient([](const Tensor& v) { return repeat_interleave(v, 0, 1); }, x),
              zeros_like(x));
  EXPECT_EQ(repeat(x, {std::int64_t{1} << 40, 0}).numel(), 0);
}

TEST(HardCases, 51_scalars) {
  const Tensor x = tensor(3.0, autograd::float64);
  const std::pair<TensorFunction, Shape> calls[] = {
      {[](const Inputs& in) { return permute(in[0], {}); }, {}},
      {[](const Inputs& in) { return squeeze(in[0]); }, {}},
      {[](const Inputs& in) { return squeeze(in[0], -1); }, {}},
      {[](const Inputs& in) { return unsqueeze(in[0], -1); }, {1}},
      {[](const Inputs& in) { return flatten(in[0]); }, {1}},
      {[](const Inputs& in) {
         return expand(in[0], {2, 2});
       },
       {2, 2}},
      {[](const Inputs& in) { return repeat(in[0], {}); }, {}},
      {[](const Inputs& in) { return repeat(in[0], {2}); }, {2}},
      {[](const Inputs& in) {
         return stack({in[0], in[0]});
       },
       {2}},
      {[](const Inputs& in) { return in[0](ellipsis); }, {}},
      {[](const Inputs& in) { return in[0](newaxis, newaxis); }, {1, 1}},
      {[](const Inputs& in) { return flip(in[0], {}); }, {}},
      {[](const Inputs& in) { return pad(in[0], {}); }, {}},
      {[](const Inputs& in) { return roll(in[0], 3); }, {}},
      {[](const Inputs& in) { return atleast_3d(in[0]); }, {1, 1, 1}},
      {[](const Inputs& in) { return masked_select(in[0], in[0] > 0.0); }, {1}},
      {[](const Inputs& in) { return masked_fill(in[0], in[0] < 0.0, 7); }, {}},
      {[](const Inputs& in) {
         return take(in[0], i64({0, -1}));
       },
       {2}},
  };
  for (const auto& [f, shape] : calls) {
    EXPECT_EQ(f({x}).shape(), shape);
    expect_values(gradients(f, {x})[0], {static_cast<double>(shape.numel())});
  }
  EXPECT_EQ(nonzero(x).shape(), Shape({1, 0}));
  for (const auto& misuse : std::vector<std::function<void()>>{
           [&] { x(0); }, [&] { select(x, 0, 0); }, [&] { unbind(x); },
           [&] {
             cat({x, x});
           },
           [&] { index_select(x, 0, i64({0})); }, [&] { gather(x, 0, i64({0})); }, [&] { diag(x); },
           [&] { tril(x); }, [&] { diag_embed(x); }}) {
    EXPECT_THROW(misuse(), Error);
  }
}

TEST(HardCases, 52_cat_with_an_empty_vector) {
  const Tensor x = f64({{1, 2}}), none = f64({});
  expect_same(cat({none, x, none}, 1), x);
  const Inputs dx = gradients(
      [](const Inputs& in) {
        return cat({in[0], in[1] * 3.0}, 0);
      },
      {none, x});
  EXPECT_EQ(dx[0].shape(), Shape({0}));
  expect_same(dx[1], f64({{3, 3}}));
  EXPECT_EQ(cat({none, none}).shape(), Shape({0}));
  EXPECT_THROW(cat({x, zeros({0, 3}, autograd::float64)}), ShapeError) << "not of shape [0]";
}

TEST(HardCases, 53_the_same_tensor_twice) {
  const Tensor x = f64({1, 2});
  expect_same(gradient([](const Tensor& v) { return cat({v, v * v, v}); }, x), f64({4, 6}));
  expect_same(gradient([](const Tensor& v) { return stack({v, v}); }, x), f64({2, 2}));
  expect_same(gradient(
                  [](const Tensor& v) {
                    return scatter_add(v, 0, i64({1, 1}), v);
                  },
                  x),
              f64({2, 2}));
}

TEST(HardCases, 55_repeated_indices_add_up) {
  const Tensor x = f64({1, 2, 3}), index = i64({2, 0, 2, 2});
  const Tensor want = f64({1, 0, 3});
  expect_same(gradient([&](const Tensor& v) { return index_select(v, 0, index); }, x), want);
  expect_same(gradient([&](const Tensor& v) { return gather(v, 0, index); }, x), want);
  expect_same(gradient([&](const Tensor& v) { return v(index); }, x), want);
  expect_same(gradient([&](const Tensor& v) { return take(v, index); }, x), want);
  // In the order of the index, whatever the sum loses: (1e16 + 1) - 1e16 and not 1e16 - 1e16 + 1.
  const auto dx = [&](const TensorFunction& f) {
    return vjp(f, {f64({5})}, f64({1e16, 1, -1e16})).second[0];
  };
  expect_same(dx([&](const Inputs& in) {
                return index_select(in[0], 0, i64({0, 0, 0}));
              }),
              f64({0}));
  expect_same(dx([&](const Inputs& in) { return gather(in[0], 0, i64({0, 0, 0})); }), f64({0}));
}

TEST(HardCases, 56_repeated_targets) {
  const Tensor x = f64({10, 20, 30}), source = f64({1, 2, 4}), index = i64({1, 1, 0});
  const Tensor added = f64({14, 23, 30}), last = f64({4, 2, 30});
  const auto check = [&](const TensorFunction& f, const Tensor& y, const Tensor& dx,
                         const Tensor& ds) {
    expect_same(f({x, source}), y);
    const Inputs g = gradients(f, {x, source});
    expect_same(g[0], dx);
    expect_same(g[1], ds);
  };
  const Tensor all = f64({1, 1, 1}), kept = f64({0, 0, 1}), winner = f64({0, 1, 1});
  check([&](const Inputs& in) { return index_add(in[0], 0, index, in[1]); }, added, all, all);
  check([&](const Inputs& in) { return scatter_add(in[0], 0, index, in[1]); }, added, all, all);
  check([&](const Inputs& in) { return index_put(in[0], {index}, in[1], {.accumulate = true}); },
        added, all, all);
  check([&](const Inputs& in) { return index_copy(in[0], 0, index, in[1]); }, last, kept, winner);
  check([&](const Inputs& in) { return scatter(in[0], 0, index, in[1]); }, last, kept, winner);
  check([&](const Inputs& in) { return index_put(in[0], {index}, in[1]); }, last, kept, winner);
  // What loses may be NaN, and so may what is replaced: a choice, not a product with 0.
  const Tensor with_nan = f64({kNan, 2, 4});
  expect_same(scatter(f64({kNan, kNan, 1}), 0, index, with_nan), f64({4, 2, 1}));
}

TEST(HardCases, 58_integers_have_no_gradient) {
  Tape tape;
  const Tensor x = tape.input(f64({1, 0, 3}));
  const std::size_t size = tape.size();
  EXPECT_EQ(nonzero(x).dtype(), autograd::int64);
  EXPECT_EQ(one_hot(to(x, autograd::int64)).shape(), Shape({3, 4}));
  EXPECT_EQ(tape.size(), size);
  EXPECT_THROW(tape.input(one_hot(i64({1}))), TypeError);
}

TEST(HardCases, 68_an_index_that_changed) {
  Tape tape;
  const Tensor x = tape.input(f64({1, 2, 3}));
  Tensor index = i64({0, 1});
  const Tensor y = sum(index_select(x, 0, index));
  fill_(index, 2);
  EXPECT_THROW(tape.backward(y), TapeError);
  EXPECT_FALSE(x.has_grad());
}

// A view of a view shares one counter with both; each of several views does too. In-place changes are
// never recorded, so a view of them that the tape knows is refused, and nothing is silently wrong.
TEST(HardCases, 70_views_and_changes) {
  Tensor base = f64({{1, 2}, {3, 4}});
  Inputs parts = unbind(base);
  fill_(parts[1], 9);  // nothing records: allowed, and everyone sees it
  expect_same(base, f64({{1, 2}, {9, 9}}));
  copy_(base(slice(), 0), f64({7, 8}));
  expect_same(contiguous(parts[1]), f64({8, 9}));

  Tape tape;
  const Tensor x = tape.input(base);
  const Tensor h = x * 2.0;
  Inputs halves = split(h, 1, 1);
  const Tensor squares = sum(halves[0] * halves[0]);
  fill_(halves[1], 5);  // it shares its memory with what mul saved
  EXPECT_THROW(sum(halves[0]), TapeError);
  EXPECT_THROW(sum(halves[1]), TapeError);
  EXPECT_THROW(sum(h), TapeError);
  EXPECT_THROW(tape.backward(squares), TapeError);
  EXPECT_FALSE(x.has_grad());
  // A view made where nothing tracks it, of a detached tensor, counts all the same.
  const Tensor k = x * 3.0;
  const Tensor y = sum(k * k);
  fill_(select(detach(k), 0, 0), 0);
  EXPECT_THROW(tape.backward(y), TapeError);
}

TEST(HardCases, 71_elements_at_two_places) {
  const Tensor x = f64({1, 2, 3, 4, 5});
  Tensor windows = unfold(x, 0, 3, 1), wide = expand(x, {2, -1}), grid = meshgrid({x, x})[0];
  for (Tensor* view : {&windows, &wide, &grid}) {
    EXPECT_THROW(fill_(*view, 0), TapeError);
    EXPECT_THROW(add_(*view, *view), TapeError);
  }
  expect_values(x, {1, 2, 3, 4, 5});
  // No element is met twice here.
  Tensor square = zeros({3, 3}, autograd::float64);
  fill_(diagonal(square), 1);
  fill_(unfold(f64({1, 2, 3, 4}), 0, 2, 2), 0);
  fill_(permute(zeros({2, 1, 3}), {2, 1, 0}), 1);
  fill_(transpose(square)(slice({}, {}, 2)), 5);
  expect_same(square, f64({{5, 0, 5}, {5, 1, 5}, {5, 0, 5}}));
}

// --- Where PyTorch 1.13 is wrong or refuses.

TEST(HardCases, masked_select_of_a_view) {
  const Tensor x = f64({{1, 2}, {3, 4}, {5, 6}});
  const Tensor mask = tensor({{0, 1, 0}, {1, 0, 1}}) > 0.0;
  const Tensor dx = vjp([&](const Inputs& in) { return masked_select(transpose(in[0]), mask); },
                        {x}, f64({10, 20, 30}))
                        .second[0];
  expect_same(dx, f64({{0, 20}, {10, 0}, {0, 30}}));
}

TEST(HardCases, scatter_of_a_larger_source) {
  const Tensor x = zeros({2, 3}, autograd::float64), source = f64({{1, 2, 3}, {4, 5, 6}});
  const Tensor index = i64({{2, 0}});
  for (const bool adds : {false, true}) {
    const TensorFunction f = [&](const Inputs& in) {
      return adds ? scatter_add(in[0], 1, index, in[1]) : scatter(in[0], 1, index, in[1]);
    };
    expect_same(f({x, source}), f64({{2, 0, 1}, {0, 0, 0}}));
    expect_same(gradients(f, {x, source})[1], f64({{1, 1, 0}, {0, 0, 0}}));
  }
}

// The stride of an axis of extent 1 means nothing: reshape must not take it for that of a neighbor.
TEST(HardCases, axes_of_one_element_in_a_reshape) {
  const Tensor x = transpose(f64({{1, 2, 3}, {4, 5, 6}}));  // [3, 2], strides 1 and 3
  const Tensor want = f64({1, 4, 2, 5, 3, 6});
  for (const Tensor& y : {x(slice(), newaxis), x(newaxis, ellipsis, newaxis), unsqueeze(x, 1),
                          transpose(x(newaxis), 0, 1), x(slice(), newaxis)(slice(), slice(0, 1))}) {
    expect_same(reshape(y, {-1}), want);
    expect_same(contiguous(flatten(y, 0, 1)), contiguous(reshape(y, flatten(y, 0, 1).shape())));
    expect_same(reshape(squeeze(y), {6}), want);
    EXPECT_EQ(squeeze(y).node()->base, x.node()->base) << "a view";
    EXPECT_EQ(unsqueeze(y, 0).node()->base, x.node()->base) << "a view";
  }
  const Tensor wide = expand(f64({{{1}}, {{2}}}), {2, 1, 3});
  expect_same(reshape(wide, {-1}), f64({1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(squeeze(wide).node()->base, wide.node()->base);
  EXPECT_EQ(unsqueeze(wide, 1).node()->base, wide.node()->base);
}

// n views of one tensor: their adjoints meet in one sum, in time proportional to it.
TEST(HardCases, many_views_of_one_tensor) {
  constexpr std::int64_t kRows = 20000;
  Tape tape;
  const Tensor x = tape.input(ones({kRows, 8}, autograd::float64));
  Tensor total = zeros({8}, autograd::float64);
  for (const Tensor& row : unbind(x)) total = total + row * 2.0;
  tape.backward(sum(total));
  EXPECT_TRUE(equal(x.grad(), full({kRows, 8}, 2, autograd::float64)));
}

// The sum of adjoints that views are added to in place must be nobody else's.
TEST(HardCases, views_beside_other_uses) {
  const Tensor x = f64({{1, 2}, {3, 4}});
  const TensorFunction f = [](const Inputs& in) {
    const Tensor y = in[0] * 1.0;
    return sum(y(0) * 2.0) + sum(y) + sum(y(1)) + sum(square(y(slice(), 1))) +
           sum(index_select(y, 0, i64({1, 1}))) + sum(y);
  };
  expect_same(gradients(f, {x})[0], f64({{4, 8}, {5, 13}}));
  const auto report = gradgradcheck(f, {x});
  EXPECT_TRUE(report) << report.message();
  Tape tape;
  const Tensor input = tape.input(x), seed = ones({2, 2}, autograd::float64);
  const Tensor y = input * 1.0;
  const Tensor z = y + 0.0;
  tape.backward(z + cat({z(slice(0, 1)), z(slice(1))}), {.seed = seed});
  expect_same(input.grad(), f64({{2, 2}, {2, 2}}));
  expect_same(seed, ones_like(seed));
}

}  // namespace
}  // namespace ops_test
