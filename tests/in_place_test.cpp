// SPDX-License-Identifier: Apache-2.0
// fill_, add_, copy_: what they write, and the version check: a backward pass whose saved tensors were
// changed throws naming both operations, and never returns a wrong number. HARD_CASES rows 68 to 71.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <functional>
#include <utility>

#include "check.hpp"

namespace autograd {
namespace {

using check::message_of;
using Numbers = std::vector<double>;

Numbers numbers(const Tensor& x) { return to_vector<double>(to(contiguous(x), float64)); }
Tensor vector(const Numbers& x) { return tensor(x); }

template <class F> void expect_message(std::initializer_list<const char*> words, F f) {
  const std::string message = message_of<TapeError>(f);
  for (const char* word : words) {
    EXPECT_NE(message.find(word), std::string::npos) << "no '" << word << "' in: " << message;
  }
}

TEST(InPlaceTest, Values) {
  for (const DType dtype : {float32, float64}) {
    Tensor x = full({2, 3}, 1.0, dtype);
    fill_(x, 2.5);
    EXPECT_EQ(numbers(x), Numbers(6, 2.5));
    add_(x, tensor({1, 2, 3}, dtype), 2.0);
    EXPECT_EQ(numbers(x), (Numbers{4.5, 6.5, 8.5, 4.5, 6.5, 8.5}));
    copy_(x, tensor({{1}, {2}}, dtype));
    EXPECT_EQ(numbers(x), (Numbers{1, 1, 1, 2, 2, 2}));
    copy_(x, tensor({5, 6, 7}, int64));  // converted
    EXPECT_EQ(numbers(x), (Numbers{5, 6, 7, 5, 6, 7}));
    EXPECT_EQ(x.dtype(), dtype);
  }
  Tensor n = zeros({3}, int64);
  fill_(n, 7);
  EXPECT_EQ(numbers(n), (Numbers{7, 7, 7}));
  Tensor none = zeros({0, 3});
  fill_(none, 1);
  add_(none, ones({3}));
}

TEST(InPlaceTest, Strided) {
  Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}, float64);
  Tensor t = transpose(x);
  add_(t, tensor({{10, 40}, {20, 50}, {30, 60}}, float64));
  EXPECT_EQ(numbers(x), (Numbers{11, 22, 33, 44, 55, 66}));
  Tensor square = tensor({{1, 2}, {3, 4}}, float64);
  copy_(square, transpose(square));  // overlaps its source
  EXPECT_EQ(numbers(square), (Numbers{1, 3, 2, 4}));
  add_(square, square);
  EXPECT_EQ(numbers(square), (Numbers{2, 6, 4, 8}));
}

// Whatever the strides of x and y, and for arrays that threads share out: small integers, so that
// every sum is exact.
TEST(InPlaceTest, EveryLayout) {
  const auto counted = [](const Shape& shape) {
    return remainder(reshape(arange(shape.numel(), float64), shape), 17.0);
  };
  const std::pair<std::int64_t, std::int64_t> sizes[] = {{5, 7}, {300, 203}};
  for (const auto& size : sizes) {
    const std::int64_t m = size.first, n = size.second;
    const std::function<Tensor()> targets[] = {
        [&] {
          return counted({m, n});
        },
        [&] {
          return transpose(counted({n, m}));
        },
        [&] {
          return counted({m, 2 * n})(ellipsis, slice(0, 2 * n, 2));
        },
        [&] {
          return counted({m, n + 3})(ellipsis, slice(1, n + 1));
        }};
    const Tensor sources[] = {counted({m, n}),
                              transpose(counted({n, m})),
                              counted({n}),
                              counted({m, 1}),
                              tensor(3.0),
                              counted({1, 1}),
                              counted({m, n + 2})(ellipsis, slice(2, n + 2))};
    for (const auto& target : targets) {
      const Numbers before = numbers(target());
      for (const Tensor& y : sources) {
        const Numbers by = numbers(broadcast_to(y, {m, n}));
        for (const double alpha : {1.0, -2.0}) {
          Tensor x = target();
          add_(x, y, alpha);
          const Numbers after = numbers(x);
          for (std::size_t i = 0; i < after.size(); ++i) {
            ASSERT_EQ(after[i], before[i] + alpha * by[i]) << i;
          }
        }
        Tensor x = target();
        copy_(x, y);
        EXPECT_EQ(numbers(x), by);
      }
      Tensor x = target();
      fill_(x, 4);
      EXPECT_EQ(numbers(x), Numbers(before.size(), 4));
    }
  }
}

TEST(InPlaceTest, BadArguments) {
  Tensor x = ones({2, 3});
  EXPECT_THROW(add_(x, ones({4})), ShapeError);
  EXPECT_THROW(copy_(x, ones({4, 2, 3})), ShapeError);
  EXPECT_THROW(copy_(x, ones({3, 2})), ShapeError);
  EXPECT_EQ(numbers(x), Numbers(6, 1));
  Tensor none;
  EXPECT_THROW(fill_(none, 1), ValueError);
  EXPECT_THROW(add_(x, none), ValueError);
}

TEST(InPlaceTest, RepeatedMemory) {
  Tensor x = ones({1, 3});
  Tensor wide = broadcast_to(x, {2, 3});
  expect_message({"fill_", "repeats elements", "[2, 3]", "clone"}, [&] { fill_(wide, 0); });
  expect_message({"add_", "repeats"}, [&] { add_(wide, ones({3})); });
  expect_message({"copy_", "repeats"}, [&] { copy_(wide, ones({3})); });
  EXPECT_EQ(numbers(x), Numbers(3, 1));
}

// --- What was saved.

struct SavedCase {
  const char* op;
  bool input, output;  // what its backward pass reads
  Tensor (*f)(const Tensor&);
};

const SavedCase kCases[] = {
    {"mul", true, false, [](const Tensor& h) { return h * h; }},
    {"sin", true, false, [](const Tensor& h) { return sin(h); }},
    {"exp", false, true, [](const Tensor& h) { return exp(h); }},
    {"sigmoid", false, true, [](const Tensor& h) { return sigmoid(h); }},
    {"softmax", false, true, [](const Tensor& h) { return softmax(h, 0); }},
    {"matmul", true, false, [](const Tensor& h) { return matmul(h, h); }},
    {"div", true, true, [](const Tensor& h) { return 1.0 / h; }},
    {"add", false, false, [](const Tensor& h) { return h + h; }},
    {"neg", false, false, [](const Tensor& h) { return -h; }},
    {"sum", false, false, [](const Tensor& h) { return sum(h, {0}); }},
    {"transpose", false, false, [](const Tensor& h) { return transpose(h); }},
};

TEST(InPlaceTest, SavedTensorsThatChange) {
  const Tensor start = tensor({{0.5, 1.5}, {2.5, -1}}, float64);
  for (const SavedCase& each : kCases) {
    SCOPED_TRACE(each.op);
    Numbers want;
    for (const char* change : {"nothing", "input", "output"}) {
      SCOPED_TRACE(change);
      Tape tape;
      const Tensor x = tape.input(start);
      Tensor h = x * 1.0;  // its second operand is a number: nothing of h is saved here
      Tensor y = each.f(h);
      const Tensor loss = sum(y + 0.0);
      const bool input = change[0] == 'i', output = change[0] == 'o';
      if (input) fill_(h, 9);
      // A view shares its elements with the input; that sum reads none of them.
      if (output) add_(y, ones({2}, float64));
      if ((input && each.input) || (output && each.output)) {
        expect_message({"backward of ", each.op, "changed in place by", input ? "fill_" : "add_"},
                       [&] { tape.backward(loss); });
        EXPECT_FALSE(x.has_grad());
        continue;
      }
      tape.backward(loss);
      if (want.empty()) want = numbers(x.grad());
      EXPECT_EQ(numbers(x.grad()), want);
    }
  }
}

TEST(InPlaceTest, ViewsShareTheVersion) {
  Tape tape;
  const Tensor x = tape.input(ones({4}, float64));
  const Tensor h = x * 2.0;
  const Tensor y = sum(h * h);
  Tensor view = reshape(detach(h), {2, 2});
  fill_(view, 0);
  expect_message({"backward of mul", "fill_"}, [&] { tape.backward(y); });
  const Tensor g = x * 2.0;
  Tensor part = transpose(reshape(g, {2, 2}));
  const Tensor z = sum(g * g);
  add_(part, ones({2, 2}, float64));
  expect_message({"backward of mul", "add_"}, [&] { tape.backward(z); });
  // A view made after the change is of the new value.
  Tensor k = ones({4}, float64);
  fill_(k, 3);
  const Tensor w = sum(x * reshape(k, {4}));
  tape.backward(w);
  EXPECT_EQ(numbers(x.grad()), Numbers(4, 3));
}

TEST(InPlaceTest, AChangedValueIsNotWhatTheTapeKnows) {
  Tape tape;
  const Tensor x = tape.input(ones({3}, float64));
  Tensor h = x * 2.0;
  const Tensor before = h + 1.0;
  fill_(h, 5);
  expect_message({"mul", "changed in place by fill_", "detach"}, [&] { (void)(h * x); });
  expect_message({"reshape", "fill_"}, [&] { (void)reshape(h, {3, 1}); });
  expect_message({"unstack", "fill_"}, [&] { (void)unstack(h); });
  const Tensor y = sum(detach(h) * x + before);  // the fix: as a constant
  tape.backward(y);
  EXPECT_EQ(numbers(x.grad()), Numbers(3, 7));
}

TEST(InPlaceTest, WritingThroughMutableData) {
  Tape tape;
  const Tensor x = tape.input(ones({3}, float64));
  Tensor h = x * 2.0;
  const Tensor y = sum(h * h);
  h.mutable_data<double>()[0] = 7;
  note_change(h, "my_kernel");
  expect_message({"backward of mul", "my_kernel"}, [&] { tape.backward(y); });
}

// --- Leaves.

TEST(InPlaceTest, LeavesWhileATapeRecords) {
  Tensor p = ones({3}, float64);
  p.set_requires_grad();
  fill_(p, 2);
  {
    Tape tape;
    Tensor x = tape.input(ones({3}, float64));
    fill_(p, 3);  // the tape has not used it yet
    const Tensor y = sum(p * p + x);
    for (const auto& use :
         std::vector<std::function<void()>>{[&] { fill_(p, 1); }, [&] { add_(p, ones({3})); },
                                            [&] { copy_(p, ones({3})); }, [&] { fill_(x, 1); }}) {
      expect_message({"x is an input or a parameter", "detach(x)"}, use);
    }
    {
      Tape inner;  // the outer one uses it all the same
      expect_message({"fill_", "detach(x)"}, [&] { fill_(p, 1); });
    }
    EXPECT_EQ(numbers(p), Numbers(3, 3));
    tape.backward(y);
    EXPECT_EQ(numbers(p.grad()), Numbers(3, 6));
  }
  fill_(p, 4);
  EXPECT_EQ(numbers(p), Numbers(3, 4));
}

TEST(InPlaceTest, ChangesThroughDetachAreCounted) {
  Tensor p = ones({3}, float64);
  p.set_requires_grad();
  Tape tape;
  const Tensor y = sum(p * p);
  add_(detach(p), ones({3}, float64));
  EXPECT_EQ(numbers(p), Numbers(3, 2));
  expect_message({"backward of mul", "add_"}, [&] { tape.backward(y); });
  EXPECT_FALSE(p.has_grad());
  tape.backward(sum(p * p));  // anew, of the new value
  EXPECT_EQ(numbers(p.grad()), Numbers(3, 4));
}

TEST(InPlaceTest, UpdatesBetweenSteps) {
  Tensor p = vector({5, -3});
  p.set_requires_grad();
  Tape tape;
  for (int i = 0; i < 50; ++i) {
    p.zero_grad();
    tape.backward(sum(p * p));
    add_(detach(p), p.grad(), -0.1);
  }
  EXPECT_LT(std::abs(p.at({0})), 1e-3);
  for (int i = 0; i < 50; ++i) {
    Tape step;
    p.zero_grad();
    step.backward(sum((p - 1.0) * (p - 1.0)));
    add_(detach(p), p.grad(), -0.1);
  }
  EXPECT_NEAR(p.at({1}), 1, 1e-3);
}

TEST(InPlaceTest, NothingIsRecorded) {
  Tape tape;
  const Tensor x = tape.input(ones({3}, float64));
  const Tensor h = x * 2.0;
  Tensor sink = zeros({3}, float64);
  const std::size_t size = tape.size();
  copy_(sink, h);
  add_(sink, h);
  EXPECT_EQ(tape.size(), size);
  EXPECT_EQ(numbers(sink), Numbers(3, 4));
  expect_message({"no input reaches"}, [&] { tape.backward(sum(sink)); });
}

}  // namespace
}  // namespace autograd
