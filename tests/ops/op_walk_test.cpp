// SPDX-License-Identifier: Apache-2.0
// One test walks every op and every case: value, first and second derivative, the negative control,
// float32 beside float64, and the two backward paths (kernels, and recorded rules) beside each other.
//
// Structured ops bring their cases. Rows get theirs here, from the intervals that they declare: plain,
// broadcast, strided, scalar, empty, one element, f(x, x). The tests read ops::differentiable_functions(), so that a new
// op needs nothing here. Values of structured ops are compared with naive loops in
// structured_value_test.cpp.
#include "support.hpp"

namespace ops_test {
namespace {

using autograd::float32;
using autograd::float64;
using autograd::Generator;
using autograd::Shape;
using autograd::TensorFunction;

struct Case {
  std::string label;
  Inputs inputs;
  TensorFunction f;
  TensorFunction reference;  // rows only: f by the formula for plain numbers
};

// The row by its formula, element by element of the broadcast operands.
TensorFunction naive(const RowCalls& row) {
  return [&row](const Inputs& in) {
    Shape shape = in[0].shape();
    if (row.arity == 2) shape = autograd::broadcast_shapes("naive", shape, in[1].shape());
    Tensor y = autograd::empty(shape, float64);
    const Doubles a = values(autograd::broadcast_to(in[0], shape));
    const Doubles b = row.arity == 2 ? values(autograd::broadcast_to(in[1], shape)) : a;
    for (std::size_t i = 0; i < a.size(); ++i) y.mutable_data<double>()[i] = row.value(a[i], b[i]);
    return y;
  };
}

TensorFunction with_transposed(const TensorFunction& f, std::vector<bool> which) {
  return [f, which](const Inputs& in) {
    Inputs arguments = in;
    for (std::size_t k = 0; k < which.size(); ++k) {
      if (which[k]) arguments[k] = autograd::transpose(in[k]);
    }
    return f(arguments);
  };
}

std::vector<Case> row_cases(const RowCalls& row, Generator& generator) {
  std::vector<Case> cases;
  const TensorFunction f = row.f, reference = naive(row);
  const auto add = [&](const char* label, const std::vector<Shape>& shapes,
                       const std::vector<bool>& transposed = {}) {
    Inputs inputs;
    for (const Shape& shape : shapes) {
      inputs.push_back(draw(shape, generator, row.info.cases[0], row.info.cases[1]));
    }
    cases.push_back(
        {label, inputs, with_transposed(f, transposed), with_transposed(reference, transposed)});
  };
  if (row.arity == 1) {
    add("matrix", {{3, 4}});
    add("strided", {{4, 3}}, {true});
    add("scalar", {Shape{}});
    add("one element", {{1}});
    add("empty", {{0, 3}});
    return cases;
  }
  add("matrices", {{3, 4}, {3, 4}});
  add("leading axis repeated", {{3, 4}, {4}});
  add("both repeated", {{3, 1}, {1, 4}});
  add("inner axis repeated", {{3, 4}, {3, 1}});
  add("scalar and matrix", {Shape{}, {3, 4}});
  add("matrix and scalar", {{3, 4}, Shape{}});
  add("first strided", {{4, 3}, {3, 4}}, {true, false});
  add("both strided", {{4, 3}, {4, 3}}, {true, true});
  add("strided and repeated", {{4, 3}, {1, 4}}, {true, false});
  add("scalars", {Shape{}, Shape{}});
  add("one element", {{1}, {1}});
  add("empty", {{0, 3}, {0, 3}});
  add("empty and repeated", {{0, 3}, {3}});
  add("one repeated no times", {{2, 1}, {2, 0}});
  add("twice the same", {{3, 4}});
  cases.back().f = [f](const Inputs& in) { return f({in[0], in[0]}); };
  cases.back().reference = [reference](const Inputs& in) { return reference({in[0], in[0]}); };
  return cases;
}

std::vector<Case> cases_of(const autograd::ops::OpEntry& op) {
  Generator generator(20240607);
  if (op.arity > 0) {
    const RowCalls* row = find_row(op.name);
    return row ? row_cases(*row, generator) : std::vector<Case>{};
  }
  std::vector<Case> cases;
  for (const autograd::ops::OpCase& c : op.cases) {
    Inputs inputs;
    for (const Shape& shape : c.inputs) inputs.push_back(draw(shape, generator, c.range));
    cases.push_back({c.label, inputs, c.f, nullptr});
  }
  return cases;
}

class OpWalk : public testing::TestWithParam<std::size_t> {
 protected:
  // What a library without an optional package leaves out says so when it is called.
  void SetUp() override {
    try {
      for (const Case& c : cases()) c.f(c.inputs);
    } catch (const autograd::Error& error) {
      if (std::string(error.what()).find("built without") == std::string::npos) throw;
      GTEST_SKIP() << error.what();
    }
  }
  const autograd::ops::OpEntry& op() const {
    return autograd::ops::differentiable_functions()[GetParam()];
  }
  std::vector<Case> cases() const { return cases_of(op()); }
  autograd::GradcheckOptions options(const Case& c) const {
    return {.name = op().name + ", " + c.label};
  }
};

TEST_P(OpWalk, HasCasesAndDocumentation) {
  EXPECT_FALSE(cases().empty());
  EXPECT_FALSE(op().name.empty());
  EXPECT_FALSE(op().value.empty());
  EXPECT_FALSE(op().derivative.empty());
}

TEST_P(OpWalk, ValueAgreesWithTheFormula) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.label);
    const Tensor y = c.f(c.inputs);
    EXPECT_EQ(y.dtype(), float64);
    if (!c.reference) continue;
    // The bound of the row, twice: the formula is libm's, which has an error of its own.
    expect_same(y, c.reference(c.inputs),
                (2 * op().ulp + 1) * std::numeric_limits<double>::epsilon());
  }
}

TEST_P(OpWalk, Gradcheck) {
  for (const Case& c : cases()) {
    const auto report = autograd::gradcheck(c.f, c.inputs, options(c));
    EXPECT_TRUE(report) << report.message();
  }
}

TEST_P(OpWalk, GradcheckOfTheGradient) {
  for (const Case& c : cases()) {
    const auto report = autograd::gradgradcheck(c.f, c.inputs, options(c));
    EXPECT_TRUE(report) << report.message();
  }
}

// A check that cannot fail is not a test. A gradient above 0.01 that is off by a thousandth is at least
// nine tolerances away, so every such case has to notice.
TEST_P(OpWalk, NegativeControl) {
  bool controlled = false, zero_everywhere = true;
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.label);
    const auto wrong = autograd::detail::gradcheck_changed(c.f, c.inputs, options(c), 1.001, 0);
    if (wrong.largest_gradient() > 0) zero_everywhere = false;
    if (!(wrong.largest_gradient() > 0.01)) continue;
    EXPECT_FALSE(wrong) << "a gradient off by a factor of 1.001 passed";
    controlled = true;
  }
  if (zero_everywhere) {
    for (const Case& c : cases()) {
      if (c.inputs[0].numel() == 0) continue;
      SCOPED_TRACE(c.label);
      EXPECT_FALSE(autograd::detail::gradcheck_changed(c.f, c.inputs, options(c), 1, 0.001));
      controlled = true;
    }
  }
  EXPECT_TRUE(controlled) << "no case has a gradient large enough to be told from a wrong one";
}

TEST_P(OpWalk, Float32IsCloseToFloat64) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.label);
    Inputs narrow, wide;
    for (const Tensor& x : c.inputs) {
      narrow.push_back(autograd::to(x, float32));
      wide.push_back(autograd::to(narrow.back(), float64));
    }
    const double tolerance = (op().ulp + 8) * double{std::numeric_limits<float>::epsilon()};
    const Tensor y = c.f(narrow), want = c.f(wide);
    EXPECT_EQ(y.dtype(), float32);
    EXPECT_EQ(y.shape(), want.shape());
    expect_values(y, values(want), tolerance);

    Generator generator(5);
    const Tensor dy = draw(y.shape(), generator, {0.5, 1.5});
    const auto dx = autograd::vjp(c.f, narrow, autograd::to(dy, float32)).second;
    const auto dx_want = autograd::vjp(c.f, wide, dy).second;
    for (std::size_t k = 0; k < dx.size(); ++k) {
      EXPECT_EQ(dx[k].dtype(), float32);
      expect_values(dx[k], values(dx_want[k]), 8 * tolerance);
    }
  }
}

// Outside of a tape backward runs in kernels; below one that tracks the inputs it runs in recorded
// functions. Both have to give the same.
TEST_P(OpWalk, RecordedBackwardAgreesWithKernels) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.label);
    Generator generator(6);
    const Tensor dy = draw(c.f(c.inputs).shape(), generator, {-1.5, 1.5});
    const Inputs plain = autograd::vjp(c.f, c.inputs, dy).second;
    autograd::Tape outer;
    Inputs tracked;
    for (const Tensor& x : c.inputs) tracked.push_back(outer.input(x));
    const Inputs recorded = autograd::vjp(c.f, tracked, dy).second;
    for (std::size_t k = 0; k < plain.size(); ++k) expect_same(recorded[k], plain[k], 1e-14);
  }
}

TEST_P(OpWalk, GradientsHaveTheShapesOfTheInputs) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.label);
    const Tensor dy = autograd::ones_like(c.f(c.inputs));
    const Inputs dx = autograd::vjp(c.f, c.inputs, dy).second;
    for (std::size_t k = 0; k < dx.size(); ++k) EXPECT_EQ(dx[k].shape(), c.inputs[k].shape());
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, OpWalk, testing::Range(std::size_t{0}, autograd::ops::differentiable_functions().size()),
    [](const testing::TestParamInfo<std::size_t>& tested) {
      return test_name(autograd::ops::differentiable_functions()[tested.param].name);
    });

// The names are what find_row, the op table and these tests know ops by.
TEST(OpList, NamesAreDistinct) {
  const auto& ops = autograd::ops::differentiable_functions();
  for (std::size_t i = 0; i < ops.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(ops[i].name, ops[j].name);
  }
}

}  // namespace
}  // namespace ops_test
