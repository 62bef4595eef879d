// SPDX-License-Identifier: Apache-2.0
// vmap: every operation, its gradients inside and outside, against calling the function for each example;
// which operations have a rule; drivers inside and outside; what falls back to one example at a time; misuse.
#include <set>

#include "support.hpp"

namespace ops_test {
namespace {

namespace ag = autograd;
using autograd::float64;
using autograd::Generator;
using autograd::Shape;
using autograd::TensorFunction;
using autograd::detail::vmap_loops;

constexpr std::int64_t kExamples = 3;

struct Case {
  std::string label;
  std::vector<Shape> shapes;
  autograd::Interval range, second{0, 0};
  TensorFunction f;
};

std::vector<Case> cases_of(const autograd::ops::OpEntry& op) {
  std::vector<Case> cases;
  if (op.arity == 0) {
    for (const auto& c : op.cases) cases.push_back({c.label, c.inputs, c.range, {0, 0}, c.f});
    return cases;
  }
  const RowCalls* row = find_row(op.name);
  std::vector<std::vector<Shape>> all{{{3, 4}}, {Shape{}}};
  if (op.arity == 2) all = {{{3, 4}, {3, 4}}, {{3, 4}, {4}}, {{3, 1}, {2, 1, 4}}, {Shape{}, {3}}};
  for (const auto& shapes : all) {
    cases.push_back({"row", shapes, row->info.cases[0], row->info.cases[1], row->f});
  }
  return cases;
}

/// Examples of each input; those that are not mapped are all the same one.
std::vector<Inputs> draw_examples(const Case& c, const std::vector<bool>& mapped) {
  Generator generator(17);
  std::vector<Inputs> examples;
  for (std::int64_t i = 0; i < kExamples; ++i) {
    Inputs in;
    for (std::size_t k = 0; k < c.shapes.size(); ++k) {
      const bool same = !mapped[k] && i > 0;
      in.push_back(same ? examples[0][k] : draw(c.shapes[k], generator, c.range, c.second));
    }
    examples.push_back(in);
  }
  return examples;
}

Inputs batches_of(const std::vector<Inputs>& examples, const std::vector<bool>& mapped) {
  Inputs batches;
  for (std::size_t k = 0; k < mapped.size(); ++k) {
    std::vector<Tensor> column;
    for (const Inputs& in : examples) column.push_back(in[k]);
    batches.push_back(mapped[k] ? ag::stack(column) : examples[0][k]);
  }
  return batches;
}

ag::VmapOptions axes_of(const std::vector<bool>& mapped) {
  ag::VmapOptions options;
  for (const bool m : mapped)
    options.in_axes.push_back(m ? std::optional<std::int64_t>(0) : std::nullopt);
  return options;
}

/// All inputs mapped, then each of several alone.
std::vector<std::vector<bool>> ways_to_map(std::size_t n) {
  std::vector<std::vector<bool>> ways{std::vector<bool>(n, true)};
  for (std::size_t k = 0; k < n && n > 1; ++k) {
    ways.emplace_back(n, false);
    ways.back()[k] = true;
  }
  return ways;
}

std::vector<Tensor> gradients(const TensorFunction& f, const Inputs& in) {
  const auto loss = [&f](const Inputs& x) {
    const Tensor y = f(x);
    return ag::sum(y * ag::cos(y));  // dy depends on y
  };
  return ag::grad(loss, in, {.allow_unused = true});
}

class VmapWalk : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    try {
      for (const Case& c : cases()) c.f(draw_examples(c, std::vector<bool>(c.shapes.size()))[0]);
    } catch (const autograd::Error& error) {
      if (std::string(error.what()).find("built without") == std::string::npos) throw;
      GTEST_SKIP() << error.what();
    }
  }
  const autograd::ops::OpEntry& op() const { return autograd::ops::all_ops()[GetParam()]; }
  std::vector<Case> cases() const { return cases_of(op()); }
  template <class F> void for_each(F&& f) const {
    for (const Case& c : cases()) {
      if (c.shapes.empty()) continue;
      for (const auto& mapped : ways_to_map(c.shapes.size())) {
        std::string trace = c.label;
        for (const bool m : mapped) trace += m ? " mapped" : " same";
        SCOPED_TRACE(trace);
        const auto examples = draw_examples(c, mapped);
        f(c, examples, batches_of(examples, mapped), axes_of(mapped), mapped);
      }
    }
  }
};

TEST_P(VmapWalk, ValuesAreThoseOfEachExample) {
  for_each([](const Case& c, const auto& examples, const Inputs& batches, const auto& options,
              const auto&) {
    const Tensor y = ag::vmap(c.f, options)(batches);
    std::vector<Tensor> want;
    for (const Inputs& in : examples) want.push_back(c.f(in));
    expect_same(y, ag::stack(want), 1e-13);
  });
}

TEST_P(VmapWalk, GradientsOfEachExample) {
  for_each([](const Case& c, const auto& examples, const Inputs& batches, const auto& options,
              const auto&) {
    const auto per_example = [&c](const Inputs& in) { return gradients(c.f, in); };
    const std::vector<Tensor> got = ag::vmap(per_example, options)(batches);
    for (std::size_t k = 0; k < c.shapes.size(); ++k) {
      std::vector<Tensor> want;
      for (const Inputs& in : examples) want.push_back(gradients(c.f, in)[k]);
      expect_same(got[k], ag::stack(want), 1e-11);
    }
  });
}

TEST_P(VmapWalk, GradientsFromOutside) {
  for_each([](const Case& c, const auto& examples, const Inputs& batches, const auto& options,
              const auto& mapped) {
    const std::vector<Tensor> got = gradients(ag::vmap(c.f, options), batches);
    for (std::size_t k = 0; k < c.shapes.size(); ++k) {
      std::vector<Tensor> each;
      for (const Inputs& in : examples) each.push_back(gradients(c.f, in)[k]);
      const Tensor want = ag::stack(each);
      expect_same(got[k], mapped[k] ? want : ag::sum(want, {0}), 1e-11);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(All, VmapWalk,
                         testing::Range(std::size_t{0}, autograd::ops::all_ops().size()),
                         [](const testing::TestParamInfo<std::size_t>& tested) {
                           return test_name(autograd::ops::all_ops()[tested.param].name);
                         });

// What takes the examples one by one, by name: an op that gets a rule leaves this list.
TEST(Vmap, OperationsWithoutARule) {
  const std::set<std::string> without{"add_along",    "cholesky",    "cofactors",
                                      "conv",         "conv_data",   "conv_weight",
                                      "ctc_loss",     "det",         "dropout",
                                      "eigh",         "embedding",   "embedding_gradient",
                                      "gather",       "index_add",   "index_copy",
                                      "index_select", "inverse",     "lstsq",
                                      "matrix_exp",   "median",      "normalize",
                                      "part",         "pick",        "pinv",
                                      "pool_pick",    "pool_unpick", "qr",
                                      "resample",     "scatter",     "scatter_add",
                                      "slogdet",      "solve",       "solve_triangular",
                                      "svd",          "take_along",  "unpart",
                                      "unpick"};
  for (const auto& op : autograd::ops::all_ops()) {
    SCOPED_TRACE(op.name);
    const auto before = vmap_loops();
    try {
      for (const Case& c : cases_of(op)) {
        if (c.shapes.empty()) continue;
        const std::vector<bool> mapped(c.shapes.size(), true);
        (void)ag::vmap(c.f)(batches_of(draw_examples(c, mapped), mapped));
      }
    } catch (const autograd::Error&) {
      continue;  // an optional package is missing
    }
    const auto after = vmap_loops();
    const bool looped = after.operations > before.operations || after.functions > before.functions;
    EXPECT_EQ(looped, without.contains(op.name));
  }
}

TEST(Vmap, AxesOfArgumentsAndResults) {
  const Tensor x = f64({{1, 2, 3}, {4, 5, 6}}), v = f64({10, 20});
  const auto f = [](const Tensor& a, const Tensor& b) { return a * 2.0 + b; };
  const Tensor y = ag::vmap(f, {.in_axes = {1, std::nullopt}, .out_axis = 1})(x, v);
  expect_same(y, f64({{12, 14, 16}, {28, 30, 32}}));
  expect_same(ag::vmap(f, {.in_axes = {-1, std::nullopt}})(x, v), ag::transpose(y));
  // A result that does not depend on the example is the same for all.
  expect_same(ag::vmap([&](const Tensor&) { return v; })(x), f64({{10, 20}, {10, 20}}));
}

TEST(Vmap, ResultsOfEveryKind) {
  const Tensor x = f64({{1, 2}, {3, 4}});
  const auto list = ag::vmap([](const Tensor& a) {
    return std::vector<Tensor>{ag::sum(a), a * a};
  })(x);
  ASSERT_EQ(list.size(), 2u);
  expect_same(list[0], f64({3, 7}));
  const auto loss = [](const Inputs& in) { return ag::sum(ag::square(in[0])); };
  const auto [value, slopes] =
      ag::vmap([&](const Tensor& a) { return ag::value_and_grad(loss, {a}); })(x);
  expect_same(value, f64({5, 25}));
  expect_same(slopes[0], f64({{2, 4}, {6, 8}}));
}

// The gradient of every example by weights that all of them share.
TEST(Vmap, GradientsPerExampleOfANetwork) {
  Generator generator(3);
  const Tensor w1 = draw({5, 4}, generator, {-1, 1}), b1 = draw({5}, generator, {-1, 1});
  const Tensor w2 = draw({1, 5}, generator, {-1, 1});
  const Tensor xs = draw({7, 4}, generator, {-1, 1}), ts = draw({7}, generator, {-1, 1});
  const auto loss_of = [](const Tensor& x, const Tensor& t) {
    return [=](const Inputs& w) {
      const Tensor h = ag::linear(x, w[0], w[1], ag::Activation::tanh);
      return ag::mean_squared_error(ag::linear(h, w[2], Tensor()), ag::reshape(t, {1}));
    };
  };
  const Inputs weights{w1, b1, w2};
  const auto before = vmap_loops();
  const auto got = ag::vmap(
      [&](const Tensor& x, const Tensor& t) { return ag::grad(loss_of(x, t), weights); })(xs, ts);
  EXPECT_EQ(vmap_loops().operations, before.operations);
  EXPECT_EQ(vmap_loops().functions, before.functions);
  for (std::size_t k = 0; k < weights.size(); ++k) {
    std::vector<Tensor> want;
    for (std::int64_t i = 0; i < 7; ++i) {
      want.push_back(ag::grad(loss_of(ag::select(xs, 0, i), ag::select(ts, 0, i)), weights)[k]);
    }
    expect_same(got[k], ag::stack(want), 1e-13);
  }
}

TEST(Vmap, Nests) {
  const Tensor a = f64({{1, 2}, {3, 4}, {5, 6}}), b = f64({{1, -1}, {2, 0}});
  const auto dot = [](const Tensor& x, const Tensor& y) { return ag::sum(x * y); };
  const auto before = vmap_loops();
  const Tensor products = ag::vmap(
      [&](const Tensor& x) { return ag::vmap([&](const Tensor& y) { return dot(x, y); })(b); })(a);
  EXPECT_EQ(vmap_loops().operations, before.operations);
  expect_same(products, ag::matmul(a, ag::transpose(b)));
  // Per-example gradients within.
  const Tensor slopes = ag::vmap([&](const Tensor& x) {
    return ag::vmap([&](const Tensor& y) {
      return ag::grad([&](const Inputs& in) { return ag::exp(dot(in[0], y)); }, {x})[0];
    })(b);
  })(a);
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < 2; ++j) {
      const double p = std::exp(products.at({i, j}));
      EXPECT_NEAR(slopes.at({i, j, 1}), p * b.at({j, 1}), 1e-12 * p);
    }
  }
}

TEST(Vmap, ComposesWithTheDrivers) {
  const Tensor xs = f64({{0.3, -1.2}, {1.1, 0.4}, {-0.6, 0.9}});
  const auto f = [](const Inputs& in) { return ag::sum(ag::sin(in[0]) * ag::square(in[0])); };
  const auto g = [](const Inputs& in) { return ag::tanh(in[0]) * ag::sum(in[0]); };
  const Tensor v = f64({1, 2});
  const auto check = [&](const auto& driver) {
    const Tensor got = ag::vmap(driver)(xs);
    std::vector<Tensor> want;
    for (std::int64_t i = 0; i < 3; ++i) want.push_back(driver(ag::select(xs, 0, i)));
    expect_same(got, ag::stack(want), 1e-13);
  };
  const auto before = vmap_loops();
  check([&](const Tensor& x) { return ag::hvp(f, {x}, {v})[0]; });
  check([&](const Tensor& x) { return ag::jvp(g, {x}, {v}).second; });
  check([&](const Tensor& x) { return ag::vjp(g, {x}, v).second[0]; });
  check([&](const Tensor& x) { return ag::jacobian(g, {x})[0]; });
  check([&](const Tensor& x) { return ag::hessian(f, {x})[0][0]; });
  EXPECT_EQ(vmap_loops().functions, before.functions);
  // And the other way round: second derivatives through vmap.
  const auto total = [&](const Inputs& in) {
    return ag::sum(ag::vmap([&](const Tensor& x) { return f({x}); })(in[0]));
  };
  const Tensor hessian = ag::hessian(total, {xs})[0][0];
  EXPECT_NEAR(hessian.at({0, 1, 0, 1}), ag::hessian(f, {ag::select(xs, 0, 0)})[0][0].at({1, 1}),
              1e-13);
  EXPECT_EQ(hessian.at({0, 1, 1, 1}), 0);
}

TEST(Vmap, WhatReadsAnExampleRunsForEach) {
  const Tensor xs = f64({{1, -2}, {3, 4}, {-5, 6}});
  const auto before = vmap_loops();
  expect_same(ag::vmap([](const Tensor& x) { return x.at({0}) > 0 ? x : -x; })(xs),
              f64({{1, -2}, {3, 4}, {5, -6}}));
  EXPECT_EQ(vmap_loops().functions, before.functions + 1);
  expect_same(ag::vmap([](const Tensor& x) { return ag::argmax(x, 0); })(xs), i64({0, 1, 1}));
  expect_same(
      ag::vmap([](const Tensor& x) { return ag::full({2}, x.data<double>()[1], float64); })(xs),
      f64({{-2, -2}, {4, 4}, {6, 6}}));
  // Indices that are examples.
  expect_same(ag::vmap([](const Tensor& x, const Tensor& i) { return ag::index_select(x, 0, i); })(
                  xs, i64({{1}, {0}, {1}})),
              f64({{-2}, {3}, {6}}));
  // A tape of its own, and its deposit.
  expect_same(ag::vmap([](const Tensor& x) {
                ag::Tape tape;
                const Tensor in = tape.input(x);
                tape.backward(ag::sum(in * in));
                return in.grad();
              })(xs),
              xs * 2.0);
  const auto custom = ag::custom_function(
      [](const Inputs& in) { return in[0] * 2.0; },
      [](const Inputs&, const Tensor&, const Tensor& dy) { return Inputs{dy * 2.0}; });
  expect_same(ag::vmap([&](const Tensor& x) { return custom({x}); })(xs), xs * 2.0);
  expect_same(gradient(ag::vmap([&](const Tensor& x) { return custom({x}); }), xs),
              ag::full({3, 2}, 2.0, float64));
}

TEST(Vmap, ComparisonsAndChoices) {
  const Tensor xs = f64({{1, -2}, {-3, 4}});
  const auto f = [](const Tensor& x) { return ag::where(x > 0.0, x * 3.0, 0.5); };
  const auto before = vmap_loops();
  expect_same(ag::vmap(f)(xs), f64({{3, 0.5}, {0.5, 12}}));
  expect_same(gradient(ag::vmap(f), xs), f64({{3, 0}, {0, 3}}));
  EXPECT_EQ(vmap_loops().functions, before.functions);
  // A condition that is an example, of values that are not.
  expect_same(
      ag::vmap([](const Tensor& x) { return ag::where(x > 0.0, 1.0, ag::ones({2}) * 2.0); })(xs),
      ag::tensor({{1, 2}, {2, 1}}));
}

TEST(Vmap, ParametersJoinTheTapesAroundIt) {
  Tensor w = f64({2, 3});
  w.set_requires_grad();
  const Tensor xs = f64({{1, 1}, {2, 5}});
  ag::Tape tape;
  const Tensor y = ag::vmap([&](const Tensor& x) { return ag::sum(x * w); })(xs);
  tape.backward(ag::sum(ag::square(y)));
  expect_same(w.grad(), f64({2 * 5 + 2 * 19 * 2, 2 * 5 + 2 * 19 * 5}));
  w.set_requires_grad(false);
}

TEST(Vmap, ExceptionsOfTheFunction) {
  const Tensor xs = f64({{1, 2}, {3, 4}});
  EXPECT_THROW((void)ag::vmap([](const Tensor& x) { return x + ag::ones({3}, float64); })(xs),
               ag::ShapeError);
  EXPECT_THROW((void)ag::vmap([](const Tensor&) -> Tensor { throw 7; })(xs), int);
  expect_same(xs + xs, xs * 2.0);  // nothing is left on
}

TEST(Vmap, DropoutDrawsAnewForEachExample) {
  const Tensor xs = ag::ones({2, 64}, float64);
  const Tensor y = ag::vmap([](const Tensor& x) { return ag::dropout(x, {.p = 0.5}); })(xs);
  EXPECT_FALSE(ag::equal(ag::select(y, 0, 0), ag::select(y, 0, 1)));
}

TEST(Vmap, Misuse) {
  const auto f = [](const Tensor& x, const Tensor& y) { return x + y; };
  const Tensor two = ag::ones({2, 3}), three = ag::ones({3, 3});
  expect_message<ag::ShapeError>(
      "vmap: numbers of examples differ: argument 1 is [3, 3] with examples along axis 0, one "
      "before has 2; need as many (3 != 2)",
      [&] { (void)ag::vmap(f)(two, three); });
  expect_message<ag::ValueError>(
      "vmap: in_axes does not fit: it has 1 axes for 2 arguments; need one for each (std::nullopt: "
      "not mapped)",
      [&] { (void)ag::vmap(f, {.in_axes = {0}})(two, two); });
  expect_message<ag::ValueError>("vmap: no argument is mapped; need an axis for at least one", [&] {
    (void)ag::vmap(f, {.in_axes = {std::nullopt, std::nullopt}})(two, two);
  });
  expect_message<ag::ShapeError>(
      "vmap: argument 1 is a scalar; need an axis that counts examples (or std::nullopt in "
      "in_axes)",
      [&] { (void)ag::vmap(f)(two, ag::ones({})); });
  expect_message<ag::ValueError>("vmap: no examples; need at least one", [&] {
    (void)ag::vmap(f)(ag::ones({0, 3}), ag::ones({0, 3}));
  });
  EXPECT_THROW((void)ag::vmap(f, {.in_axes = {2, 0}})(two, two), ag::ValueError);
  EXPECT_THROW((void)ag::vmap(f, {.out_axis = 2})(two, two), ag::ValueError);
}

TEST(Vmap, TensorsThatLeaveIt) {
  Tensor kept;
  (void)ag::vmap([&](const Tensor& x) { return kept = x * 2.0; })(ag::ones({2, 3}));
  EXPECT_EQ(kept.shape(), (Shape{3}));
  EXPECT_THROW((void)kept.at({0}), ag::TapeError);
  EXPECT_THROW((void)(kept + 1.0), ag::TapeError);
  EXPECT_THROW((void)ag::sum(kept), ag::TapeError);
  EXPECT_THROW((void)ag::to_string(kept), ag::TapeError);
  EXPECT_THROW((void)ag::vmap([&](const Tensor& x) { return x + kept; })(ag::ones({2, 3})),
               ag::TapeError);
}

TEST(Vmap, AnomaliesAreNamed) {
  const ag::AnomalyMode guard;
  EXPECT_THROW((void)ag::vmap([](const Tensor& x) { return ag::log(x); })(ag::zeros({2, 3})),
               ag::AnomalyError);
}

}  // namespace
}  // namespace ops_test
