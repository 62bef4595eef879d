// SPDX-License-Identifier: Apache-2.0
// The message of every misuse of shaping.hpp and indexing.hpp, tried where nothing records and on a tape:
// nothing may have been recorded when it throws. Undefined tensors are here too.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

using Misuse = std::function<void(const Tensor& x)>;

// x: float32 [2, 3].
template <class E> void expect_error(const std::string& message, const Misuse& misuse) {
  const Tensor value = tensor({{1, 2, 3}, {4, 5, 6}});
  expect_message<E>(message, [&] { misuse(value); });
  Tape tape;
  const Tensor x = tape.input(value);
  const std::size_t size = tape.size();
  expect_message<E>(message, [&] { misuse(x); });
  EXPECT_EQ(tape.size(), size) << "recorded before it threw: " << message;
  tape.backward(sum(square(x)));
  expect_values(x.grad(), {2, 4, 6, 8, 10, 12});
}

constexpr std::int64_t kHuge = std::int64_t{1} << 62;

TEST(IndexErrors, Axes) {
  const std::string range = ": axis out of range: 2; need at least -2 and less than 2";
  const std::pair<const char*, Misuse> calls[] = {
      {"permute",
       [](auto& x) {
         permute(x, {0, 2});
       }},
      {"movedim", [](auto& x) { movedim(x, 2, 0); }},
      {"squeeze", [](auto& x) { squeeze(x, 2); }},
      {"flatten", [](auto& x) { flatten(x, 0, 2); }},
      {"unflatten", [](auto& x) { unflatten(x, 2, {1}); }},
      {"narrow", [](auto& x) { narrow(x, 2, 0, 0); }},
      {"select", [](auto& x) { select(x, 2, 0); }},
      {"split", [](auto& x) { split(x, 1, 2); }},
      {"chunk", [](auto& x) { chunk(x, 1, 2); }},
      {"unbind", [](auto& x) { unbind(x, 2); }},
      {"diagonal", [](auto& x) { diagonal(x, {.axis1 = 2}); }},
      {"unfold", [](auto& x) { unfold(x, 2, 1, 1); }},
      {"cat",
       [](auto& x) {
         cat({x, x}, 2);
       }},
      {"repeat_interleave", [](auto& x) { repeat_interleave(x, 2, 2); }},
      {"flip", [](auto& x) { flip(x, {2}); }},
      {"roll",
       [](auto& x) {
         roll(x, {1, 1}, {0, 2});
       }},
      {"index_select", [](auto& x) { index_select(x, 2, i64({0})); }},
      {"index_add", [](auto& x) { index_add(x, 2, i64({0}), x); }},
      {"index_copy", [](auto& x) { index_copy(x, 2, i64({0}), x); }},
      {"gather", [](auto& x) { gather(x, 2, i64({{0}})); }},
      {"scatter", [](auto& x) { scatter(x, 2, i64({{0}}), x); }},
      {"scatter_add", [](auto& x) { scatter_add(x, 2, i64({{0}}), x); }},
      {"take_along_dim", [](auto& x) { take_along_dim(x, i64({{0}}), 2); }},
  };
  for (const auto& [name, misuse] : calls) expect_error<ValueError>(name + range, misuse);
  const std::string twice = ": axis given twice: -1; need each axis once";
  expect_error<ValueError>("permute" + twice, [](auto& x) { permute(x, {1, -1}); });
  expect_error<ValueError>("movedim" + twice, [](auto& x) { movedim(x, {1, -1}, {0, 1}); });
  expect_error<ValueError>("flip" + twice, [](auto& x) { flip(x, {1, -1}); });
  expect_error<ValueError>("diagonal" + twice,
                           [](auto& x) { diagonal(x, {.axis1 = 1, .axis2 = -1}); });
  expect_error<ShapeError>(
      "permute: wrong number of axes: {0} for shape [2, 3]; need each axis once (1 != 2)",
      [](auto& x) { permute(x, {0}); });
  expect_error<ValueError>(
      "movedim: other number of axes: from {0, 1} to {0}; need as many (2 != 1)", [](auto& x) {
        movedim(x, {0, 1}, Axes{0});
      });
  expect_error<ValueError>("roll: other number of axes: 2 shifts, 1 axes; need as many (2 != 1)",
                           [](auto& x) {
                             roll(x, {1, 1}, {0});
                           });
  expect_error<ValueError>(
      "flatten: the first axis lies behind the last: 1, 0 for shape [2, 3]; need first <= last (1 "
      "> 0)",
      [](auto& x) { flatten(x, 1, 0); });
}

TEST(IndexErrors, Views) {
  expect_error<ValueError>("unsqueeze: axis out of range: 3; need at least -3 and less than 3",
                           [](auto& x) { unsqueeze(x, 3); });
  expect_error<ShapeError>(
      "unflatten: the extents do not fit: {2, -1} for axis 1 of [2, 3]; need their product to be 3 "
      "(one of them may be -1)",
      [](auto& x) {
        unflatten(x, 1, {2, -1});
      });
  for (const std::vector<std::int64_t>& extents :
       std::vector<std::vector<std::int64_t>>{{-1, -1}, {-3, -1}, {kHuge, 4}, {}, {0, -1}}) {
    EXPECT_THROW(unflatten(ones({2, 3}), 1, extents), ShapeError);
  }
  expect_error<ShapeError>(
      "expand: the shape does not fit: x is [2, 3], asked for {2, 4}; need x's extents, or -1, "
      "where they are not 1, from the last axis on",
      [](auto& x) {
        expand(x, {2, 4});
      });
  expect_error<ShapeError>(
      "expand: -1 for a new axis: x is [2, 3], asked for {-1, 2, 3}; need its "
      "extent",
      [](auto& x) {
        expand(x, {-1, 2, 3});
      });
  expect_error<ValueError>(
      "narrow: start out of range: 4 for axis 1 of [2, 3]; need at least -3 and at most 3",
      [](auto& x) { narrow(x, 1, 4, 0); });
  expect_error<ValueError>(
      "narrow: length out of range: 4611686018427387904 from 2 for axis 1 of [2, 3]; need at least "
      "0 and at most 1",
      [](auto& x) { narrow(x, 1, -1, kHuge); });
  expect_error<ValueError>(
      "select: index out of range: -3 for axis 0 of [2, 3]; need at least -2 and less than 2",
      [](auto& x) { select(x, 0, -3); });
  expect_error<ValueError>("split: size out of range: 0 for axis 0 of [2, 3]; need at least 1",
                           [](auto& x) { split(x, 0); });
  expect_error<ValueError>(
      "split: the sizes do not add up: {1, 1} for axis 1 of [2, 3]; need a sum of 3", [](auto& x) {
        split(x, {1, 1}, 1);
      });
  EXPECT_THROW(split(ones({3}), {-1, 4}), ValueError);
  EXPECT_THROW(split(ones({3}), {kHuge, kHuge, kHuge, kHuge}), ValueError);
  expect_error<ValueError>("chunk: number of parts out of range: 0; need at least 1",
                           [](auto& x) { chunk(x, 0); });
  expect_error<ValueError>(
      "unfold: windows do not fit: size 4 and step 1 for axis 1 of [2, 3]; need a size of at most "
      "3 and a step of at least 1",
      [](auto& x) { unfold(x, 1, 4, 1); });
  EXPECT_EQ(diagonal(ones({2, 3}), {.offset = INT64_MIN}).numel(), 0);
  EXPECT_EQ(diagonal(ones({2, 3}), {.offset = INT64_MAX}).numel(), 0);
}

TEST(IndexErrors, Copies) {
  expect_error<ValueError>("cat: no tensors; need at least one", [](auto&) { cat({}); });
  expect_error<ShapeError>(
      "cat: shapes differ: operand 1 is [2, 1], one before it [2, 3]; need the same but for axis 0",
      [](auto& x) {
        cat({x, ones({2, 1})});
      });
  expect_error<ShapeError>(
      "cat: shapes differ: operand 1 is [3], one before it [2, 3]; need the same but for axis 0",
      [](auto& x) {
        cat({x, ones({3})});
      });
  expect_error<ShapeError>(
      "stack: shapes differ: operand 1 is [3], the first [2, 3]; need the same", [](auto& x) {
        stack({x, ones({3})});
      });
  expect_error<ShapeError>(
      "repeat: too few numbers: {2} for shape [2, 3]; need one for each axis (1 "
      "< 2)",
      [](auto& x) { repeat(x, {2}); });
  expect_error<ValueError>(
      "repeat: number out of range: -1; need at least 0, and extents below 2^63", [](auto& x) {
        repeat(x, {1, -1});
      });
  for (std::int64_t n : {kHuge, kHuge / 4}) {
    EXPECT_THROW(repeat(ones({2, 3}), {1, n}), ValueError);
    EXPECT_THROW(repeat_interleave(ones({2, 3}), n, 0), ValueError);
  }
  expect_error<ShapeError>("repeat_interleave: times do not fit: int64 [3]; need int64 [2]",
                           [](auto& x) {
                             repeat_interleave(x, i64({1, 2, 3}), 0);
                           });
  EXPECT_THROW(repeat_interleave(ones({2}), i64({-1, 2}), 0), ValueError);
  EXPECT_THROW(repeat_interleave(ones({2}), i64({INT64_MAX, 2}), 0), ValueError);
  expect_error<ShapeError>("tril: too few axes: x is [3]; need at least 2",
                           [](auto&) { tril(ones({3})); });
  expect_error<ShapeError>("diag: wrong number of axes: x is [1, 2, 3]; need 1 or 2", [](auto&) {
    diag(ones({1, 2, 3}));
  });
  EXPECT_THROW(diag(ones({2}), INT64_MIN), ValueError);
  EXPECT_THROW(diag(ones({2}), std::int64_t{1} << 47), ValueError) << "too many elements";
  expect_error<ValueError>(
      "pad: wrong number of amounts: 3 for shape [2, 3]; need two for each axis, from the last on, "
      "and at most 4",
      [](auto& x) {
        pad(x, {1, 2, 3});
      });
  expect_error<ValueError>(
      "pad: amounts out of range: -2 and -2 for axis 1 of [2, 3]; need at most the extent cut away",
      [](auto& x) {
        pad(x, {-2, -2});
      });
  expect_error<ValueError>(
      "pad: amounts out of range: 3 and 0 for axis 1 of [2, 3]; need less than the extent to "
      "reflect",
      [](auto& x) {
        pad(x, {3, 0}, {.mode = PadMode::reflect});
      });
  EXPECT_THROW(pad(ones({2, 3}), {4, 0}, {.mode = PadMode::circular}), ValueError);
  EXPECT_THROW(pad(ones({2, 0}), {1, 0}, {.mode = PadMode::replicate}), ValueError);
  EXPECT_THROW(pad(ones({2, 3}), {kHuge, kHuge}), ValueError);
  EXPECT_THROW(pad(ones({2, 3}), {INT64_MIN, INT64_MAX}), ValueError);
  EXPECT_THROW(unfold(ones({1, 3, 3}), {.kernel_size = {4, 1}}), ValueError);
  EXPECT_THROW(unfold(ones({1, 3, 3}), {.kernel_size = {2, 2}, .dilation = {kHuge, 1}}),
               ValueError);
  EXPECT_THROW(unfold(ones({1, 3, 3}), {.kernel_size = {0, 1}}), ValueError);
  EXPECT_THROW(unfold(ones({1, 3, 3}), {.kernel_size = {1, 1}, .padding = {-1, 0}}), ValueError);
  EXPECT_THROW(unfold(ones({3, 3}), {.kernel_size = {1, 1}}), ShapeError);
  EXPECT_THROW(fold(ones({4, 5}), {3, 3}, {.kernel_size = {2, 2}}), ShapeError);
  EXPECT_THROW(fold(ones({3, 4}), {3, 3}, {.kernel_size = {2, 2}}), ShapeError);
  EXPECT_THROW(fold(ones({4, 4}), {-3, 3}, {.kernel_size = {2, 2}}), ValueError);
}

TEST(IndexErrors, Places) {
  expect_error<ValueError>("index: too many indices: 3 for shape [2, 3]; need at most 2",
                           [](auto& x) { x(0, slice(), 0); });
  expect_error<ValueError>(
      "index: index out of range: 3 for axis 1 of [2, 3]; need at least -3 and less than 3",
      [](auto& x) { x(ellipsis, 3); });
  expect_error<ValueError>("index: ellipsis given 2 times; need at most one",
                           [](auto& x) { x(ellipsis, ellipsis); });
  const std::string steps = "; need a step other than 0 from -(2^63 - 1) to 2^63 - 1";
  expect_error<ValueError>("index: step out of range: 0" + steps,
                           [](auto& x) { x(slice({}, {}, 0)); });
  expect_error<ValueError>("index: step out of range: -9223372036854775808" + steps,
                           [](auto& x) { x(slice(2, 0, INT64_MIN)); });
  expect_error<ValueError>(
      "index: index out of range: 3 in a tensor for an axis of 3; need at least -3 and less than 3",
      [](auto& x) {
        x(slice(), i64({0, 3}));
      });
  expect_error<TypeError>("index: a tensor of float32; need int64 or bool", [](auto& x) { x(x); });
  expect_error<ShapeError>(
      "index: the mask does not fit: mask is [3] at axis 0 of [2, 3]; need equal extents",
      [](auto& x) { x(ones({3}) > 0.0); });
  expect_error<ShapeError>(
      "index: shapes do not broadcast: a is [2], b is [3]; need equal extents or 1 from the last "
      "axis on (2 and 3)",
      [](auto& x) {
        x(i64({0, 1}), i64({0, 1, 2}));
      });
  expect_error<ShapeError>("Shape: too many axes: 9 axes; need at most 8", [](auto& x) {
    x(newaxis, newaxis, newaxis, newaxis, newaxis, newaxis, newaxis);
  });
  expect_error<ShapeError>("index: too many axes; need at most 8",
                           [](auto& x) { index(x, std::vector<Index>(40, newaxis)); });
  expect_error<ShapeError>("Shape: too many axes: 9 axes; need at most 8", [](auto& x) {
    x(zeros({1, 1, 1, 1, 1, 1, 1, 1}, autograd::int64));
  });
  expect_error<ShapeError>(
      "index_put: values do not broadcast: chosen are [3], values are [2, 3]; need their extents "
      "or 1",
      [](auto& x) { index_put(x, {0}, x); });
  expect_error<TypeError>(
      "index_put: other dtype: x holds float32, values float64; need the same (convert with to)",
      [](auto& x) { index_put(x, {0}, f64({1})); });
  // Ends beyond the axis are cut, however far.
  const Tensor x = f64({1, 2, 3});
  expect_same(x(slice(INT64_MIN, INT64_MAX)), x);
  expect_same(x(slice(INT64_MAX, INT64_MIN, -INT64_MAX)), f64({3}));
  EXPECT_EQ(x(slice(INT64_MAX)).numel(), 0);
  EXPECT_THROW(x(slice({}, {}, INT64_MIN)), ValueError);
  EXPECT_THROW(x(INT64_MIN), ValueError);
}

TEST(IndexErrors, Indices) {
  const std::string range =
      ": index out of range: -1 at element 1 of the index; need at least 0 and "
      "less than 3";
  const std::string type = ": the index is float32; need int64";
  using Call = std::function<void(const Tensor& x, const Tensor& index)>;
  const std::pair<const char*, Call> lines[] = {
      {"index_select", [](auto& x, auto& i) { index_select(x, 1, i); }},
      {"index_add", [](auto& x, auto& i) { index_add(x, 1, i, x); }},
      {"index_copy", [](auto& x, auto& i) { index_copy(x, 1, i, x); }},
  };
  const std::pair<const char*, Call> elements[] = {
      {"gather", [](auto& x, auto& i) { gather(x, 1, i); }},
      {"scatter", [](auto& x, auto& i) { scatter(x, 1, i, x); }},
      {"scatter_add", [](auto& x, auto& i) { scatter_add(x, 1, i, x); }},
      {"take_along_dim", [](auto& x, auto& i) { take_along_dim(x, i, 1); }},
  };
  for (const auto& [word, call] : lines) {
    const std::string name = word;
    const Call f = call;
    expect_error<ValueError>(name + range, [&](auto& x) { f(x, i64({0, -1, 3})); });
    expect_error<TypeError>(name + type, [&](auto& x) { f(x, ones({3})); });
    expect_error<ShapeError>(name + ": too many axes: index is [1, 1]; need at most 1",
                             [&](auto& x) { f(x, i64({{0}})); });
  }
  for (const auto& [word, call] : elements) {
    const std::string name = word;
    const Call f = call;
    expect_error<ValueError>(name + range, [&](auto& x) { f(x, i64({{0, -1}})); });
    expect_error<TypeError>(name + type, [&](auto& x) { f(x, ones({2, 3})); });
    expect_error<ShapeError>(
        name + (name == "take_along_dim" ? ": other number of axes: x is [2, 3], index is [1]; "
                                           "need as many"
                                         : ": the index does not fit: x is [2, 3], index is [1]; "
                                           "need as many axes, and extents of at most x's but "
                                           "along axis 1"),
        [&](auto& x) { f(x, i64({0})); });
  }
  expect_error<ShapeError>(
      "index_add: the source does not fit: x is [2, 3], index is [1], source is [2, 3]; need [2, "
      "1]",
      [](auto& x) { index_add(x, 1, i64({0}), x); });
  expect_error<ShapeError>(
      "scatter: the source is too small: index is [2, 3], source is [2, 1]; need as many axes, and "
      "extents of at least the index'",
      [](auto& x) {
        scatter(x, 1, zeros({2, 3}, autograd::int64), ones({2, 1}));
      });
  expect_error<TypeError>(
      "scatter_add: other dtype: x holds float32, the source float64; need the same (convert with "
      "to)",
      [](auto& x) { scatter_add(x, 1, i64({{0}}), f64({{1}})); });
  EXPECT_THROW(gather(ones({2, 3}), 0, zeros({1, 4}, autograd::int64)), ShapeError);
  expect_error<TypeError>(
      "masked_fill: the mask is float32; need bool (a comparison, or to(mask, boolean))",
      [](auto& x) { masked_fill(x, x, 0); });
  EXPECT_THROW(masked_select(ones({2, 3}), ones({2}) > 0.0), ShapeError);
  EXPECT_THROW(masked_fill(ones({2, 3}), ones({2}) > 0.0, 1), ShapeError);
  expect_message<ValueError>(
      "one_hot: index out of range: 3 at element 1 of the index; need at least 0 and less than 3",
      [] {
        one_hot(i64({0, 3}), 3);
      });
  expect_message<ValueError>(
      "one_hot: negative label: -1 at element 0 of the index; need labels >= 0",
      [] { one_hot(i64({-1})); });
  expect_message<ValueError>(
      "one_hot: negative label: -2 at element 1 of the index; need labels >= 0", [] {
        one_hot(i64({0, -2, 3}));
      });
  EXPECT_THROW(one_hot(i64({})), ValueError);
  EXPECT_THROW(one_hot(i64({1}), -2), ValueError);
  EXPECT_THROW(one_hot(i64({INT64_MAX})), Error);
  EXPECT_THROW(one_hot(ones({2})), TypeError);
}

TEST(IndexErrors, UndefinedTensors) {
  const Tensor u, x = ones({2, 3}), i = i64({0, 1}), e = i64({{0}}), m = x > 0.0;
  const std::function<void()> calls[] = {
      [&] { permute(u, {}); },
      [&] { movedim(u, 0, 1); },
      [&] { squeeze(u); },
      [&] { squeeze(u, 0); },
      [&] { unsqueeze(u, 0); },
      [&] { flatten(u); },
      [&] { unflatten(u, 0, {1}); },
      [&] { expand(u, {1}); },
      [&] { atleast_1d(u); },
      [&] { atleast_2d(u); },
      [&] { atleast_3d(u); },
      [&] { narrow(u, 0, 0, 0); },
      [&] { select(u, 0, 0); },
      [&] { split(u, 1); },
      [&] {
        split(u, {1, 1});
      },
      [&] { chunk(u, 1); },
      [&] { unbind(u); },
      [&] { diagonal(u); },
      [&] { unfold(u, 0, 1, 1); },
      [&] { cat({u}); },
      [&] {
        cat({x, u});
      },
      [&] { stack({u}); },
      [&] {
        stack({x, u});
      },
      [&] { meshgrid({u}); },
      [&] { repeat(u, {1}); },
      [&] { tile(u, {1}); },
      [&] { repeat_interleave(u, 1, 0); },
      [&] { repeat_interleave(x, u, 0); },
      [&] { flip(u, {0}); },
      [&] { roll(u, 1); },
      [&] { roll(u, {1}, {0}); },
      [&] { tril(u); },
      [&] { triu(u); },
      [&] { diag_embed(u); },
      [&] { diag(u); },
      [&] { pad(u, {}); },
      [&] { unfold(u, UnfoldOptions{}); },
      [&] {
        fold(u, {1, 1}, {});
      },
      [&] { u(0); },
      [&] { x(u); },
      [&] { index_put(u, {0}, x); },
      [&] { index_put(x, {0}, u); },
      [&] { index_put(x, {u}, x); },
      [&] { index_select(u, 0, i); },
      [&] { index_select(x, 0, u); },
      [&] { index_add(u, 0, i, x); },
      [&] { index_add(x, 0, u, x); },
      [&] { index_add(x, 0, i, u); },
      [&] { index_copy(u, 0, i, x); },
      [&] { index_copy(x, 0, u, x); },
      [&] { index_copy(x, 0, i, u); },
      [&] { gather(u, 0, e); },
      [&] { gather(x, 0, u); },
      [&] { scatter(u, 0, e, x); },
      [&] { scatter(x, 0, u, x); },
      [&] { scatter(x, 0, e, u); },
      [&] { scatter(x, 0, u, 1.0); },
      [&] { scatter_add(u, 0, e, x); },
      [&] { scatter_add(x, 0, u, x); },
      [&] { scatter_add(x, 0, e, u); },
      [&] { take_along_dim(u, e, 0); },
      [&] { take_along_dim(x, u, 0); },
      [&] { take(u, i); },
      [&] { take(x, u); },
      [&] { masked_fill(u, m, 1); },
      [&] { masked_fill(x, u, 1); },
      [&] { masked_select(u, m); },
      [&] { masked_select(x, u); },
      [&] { nonzero(u); },
      [&] { one_hot(u); },
      [&] { full_like(u, 1); },
      [&] { empty_like(u); },
      [&] { rand_like(u); },
      [&] { randn_like(u); },
      [&] { randint_like(u, 0, 1); },
      [&] { bernoulli(u); },
      [&] { normal(u, x); },
      [&] { normal(x, u); },
      [&] { multinomial(u, 1); },
  };
  int k = 0;
  for (const auto& call : calls) {
    SCOPED_TRACE("call " + std::to_string(k++));
    EXPECT_THROW(call(), ValueError);
  }
}

}  // namespace
}  // namespace ops_test
