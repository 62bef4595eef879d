// SPDX-License-Identifier: Apache-2.0
// Every optimizer for 20 steps beside PyTorch's (tests/golden/optim_reference.py), and a run that is
// saved and resumed half way, which ends with the same bits.
#include <functional>
#include <map>
#include <memory>

#include "../golden_file.hpp"
#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::values;
using Tensors = std::vector<ag::Tensor>;
using Make = std::function<std::unique_ptr<nn::Optimizer>(const Tensors&)>;

constexpr std::pair<double, double> kBetas = {0.8, 0.95};

template <class O, class Options> Make plain(Options options) {
  return [options](const Tensors& p) { return std::make_unique<O>(p, options); };
}
template <class O, class Options> Make grouped(Options options) {
  return [options](const Tensors& p) {
    auto optimizer = std::make_unique<O>(Tensors{p[0]}, options);
    optimizer->add_group({.parameters = {p[1]}, .lr = 0.02, .weight_decay = 0.3});
    return optimizer;
  };
}

template <class O, class Options>
void add(std::map<std::string, Make>& all, const char* name, Options options) {
  all[name] = plain<O>(options);
}

void add_familiar(std::map<std::string, Make>& all) {
  using nn::Adam, nn::AdamW, nn::RMSprop, nn::SGD;
  using A = nn::AdamOptions;
  using W = nn::AdamWOptions;
  using R = nn::RMSpropOptions;
  using S = nn::SGDOptions;
  add<SGD>(all, "SGD", S{.lr = 0.1});
  add<SGD>(all, "SGD,momentum",
           S{.lr = 0.1, .momentum = 0.9, .dampening = 0.1, .weight_decay = 0.05});
  add<SGD>(all, "SGD,nesterov", S{.lr = 0.1, .momentum = 0.9, .nesterov = true});
  add<SGD>(all, "SGD,maximize", S{.lr = 0.1, .weight_decay = 0.05, .maximize = true});
  all["SGD,groups"] = grouped<SGD>(S{.lr = 0.1, .momentum = 0.5});
  add<Adam>(all, "Adam", A{.lr = 0.1});
  add<Adam>(all, "Adam,decay", A{.lr = 0.1, .betas = kBetas, .eps = 1e-3, .weight_decay = 0.1});
  add<Adam>(all, "Adam,amsgrad", A{.lr = 0.1, .betas = kBetas, .amsgrad = true});
  add<Adam>(all, "Adam,maximize", A{.lr = 0.1, .weight_decay = 0.1, .maximize = true});
  add<AdamW>(all, "AdamW", W{.lr = 0.1, .betas = kBetas, .weight_decay = 0.1});
  add<AdamW>(all, "AdamW,amsgrad", W{.lr = 0.1, .betas = kBetas, .amsgrad = true});
  add<AdamW>(all, "AdamW,maximize", W{.lr = 0.1, .maximize = true});
  all["AdamW,groups"] = grouped<AdamW>(W{.lr = 0.1});
  add<RMSprop>(all, "RMSprop", R{.lr = 0.02});
  add<RMSprop>(all, "RMSprop,all",
               R{.lr = 0.02,
                 .alpha = 0.9,
                 .eps = 1e-4,
                 .weight_decay = 0.1,
                 .momentum = 0.8,
                 .centered = true});
  add<RMSprop>(all, "RMSprop,maximize", R{.lr = 0.02, .weight_decay = 0.1, .maximize = true});
}

void add_adaptive(std::map<std::string, Make>& all) {
  using nn::Adadelta, nn::Adagrad, nn::Lion, nn::NAdam, nn::RAdam;
  using N = nn::NAdamOptions;
  using R = nn::RAdamOptions;
  using G = nn::AdagradOptions;
  using D = nn::AdadeltaOptions;
  using L = nn::LionOptions;
  add<NAdam>(all, "NAdam", N{});
  add<NAdam>(
      all, "NAdam,decay",
      N{.lr = 0.1, .betas = kBetas, .eps = 1e-3, .weight_decay = 0.1, .momentum_decay = 0.01});
  add<RAdam>(all, "RAdam", R{.lr = 0.1});
  add<RAdam>(all, "RAdam,decay", R{.lr = 0.1, .betas = kBetas, .eps = 1e-3, .weight_decay = 0.1});
  add<Adagrad>(all, "Adagrad", G{.lr = 0.1});
  add<Adagrad>(all, "Adagrad,decay",
               G{.lr = 0.1,
                 .lr_decay = 0.05,
                 .weight_decay = 0.1,
                 .initial_accumulator_value = 0.2,
                 .eps = 1e-3});
  add<Adagrad>(all, "Adagrad,maximize", G{.lr = 0.1, .maximize = true});
  add<Adadelta>(all, "Adadelta", D{});
  add<Adadelta>(all, "Adadelta,decay", D{.lr = 0.5, .rho = 0.8, .eps = 1e-3, .weight_decay = 0.1});
  add<Adadelta>(all, "Adadelta,maximize", D{.maximize = true});
  add<Lion>(all, "Lion", L{});
  add<Lion>(all, "Lion,decay", L{.lr = 0.01, .betas = kBetas, .weight_decay = 0.1});
}

const std::map<std::string, Make>& optimizers() {
  static const std::map<std::string, Make> all = [] {
    std::map<std::string, Make> map;
    add_familiar(map);
    add_adaptive(map);
    return map;
  }();
  return all;
}

Tensors parameters(ag::DType dtype) {
  Tensors p = {ag::tensor({1.0, -2.0, 0.5}, dtype), ag::tensor({0.3, -0.7}, dtype)};
  for (ag::Tensor& x : p) x.set_requires_grad();
  return p;
}

std::vector<double> flat(const Tensors& p) {
  std::vector<double> all = values(p[0]), more = values(p[1]);
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void set_gradients(Tensors& p, int t) {
  std::vector<double> g;
  for (int i = 0; i < 5; ++i) g.push_back(std::sin(12.9898 * (5 * t + i) + 1));
  p[0].set_grad(ag::to(ag::tensor(std::vector<double>(g.begin(), g.begin() + 3)), p[0].dtype()));
  p[1].zero_grad();
  if (t % 4 == 2) return;
  p[1].set_grad(ag::to(ag::tensor(std::vector<double>(g.begin() + 3, g.end())), p[1].dtype()));
}

double tolerance(ag::DType dtype) { return dtype == ag::float64 ? 1e-12 : 1e-5; }

TEST(OptimTrace, TwentyStepsAsPyTorch) {
  const auto want = golden_file::traces("optim");
  EXPECT_EQ(want.size(), optimizers().size() + 2);  // and L-BFGS
  for (const auto& [name, make] : optimizers()) {
    ASSERT_TRUE(want.count(name)) << name;
    for (const ag::DType dtype : {ag::float64, ag::float32}) {
      Tensors p = parameters(dtype);
      const auto optimizer = make(p);
      for (int t = 0; t < 20; ++t) {
        set_gradients(p, t);
        optimizer->step();
        golden_file::expect_step(flat(p), want.at(name)[static_cast<std::size_t>(t)],
                                 tolerance(dtype), 1.0,
                                 name + " " + ag::name(dtype) + ", step " + std::to_string(t));
      }
    }
  }
}

TEST(OptimTrace, ResumedRunsEndWithTheSameBits) {
  for (const auto& [name, make] : optimizers()) {
    for (const ag::DType dtype : {ag::float64, ag::float32}) {
      Tensors straight = parameters(dtype), first = parameters(dtype), second = parameters(dtype);
      auto one = make(straight), two = make(first), three = make(second);
      for (int t = 0; t < 20; ++t) {
        if (t == 7) {
          one->set_lr(0.03);
          two->set_lr(0.03);
        }
        if (t == 11) {
          three->load_state_dict(two->state_dict());
          for (std::size_t k = 0; k < 2; ++k) ag::copy_(ag::detach(second[k]), first[k]);
        }
        set_gradients(straight, t);
        one->step();
        set_gradients(t < 11 ? first : second, t);
        (t < 11 ? two : three)->step();
      }
      EXPECT_EQ(flat(second), flat(straight)) << name;
    }
  }
}

// --- L-BFGS.

ag::Tensor valley(const Tensors& p) {
  const ag::Tensor x = ag::cat({p[0], p[1]}, 0);
  return ag::sum(ag::square(1.0 - x)) +
         3.0 * ag::sum(ag::square(x(ag::slice(1, 5)) - ag::square(x(ag::slice(0, 4)))));
}
double evaluate(const Tensors& p, nn::Optimizer& optimizer) {
  ag::Tape tape;
  const ag::Tensor loss = valley(p);
  optimizer.zero_grad();
  tape.backward(loss);
  return loss.item();
}

const std::vector<std::pair<std::string, nn::LBFGSOptions>>& lbfgs_cases() {
  static const std::vector<std::pair<std::string, nn::LBFGSOptions>> cases = {
      {"LBFGS", {.lr = 0.03, .max_iter = 2, .history_size = 4}},
      {"LBFGS,strong_wolfe", {.max_iter = 1, .strong_wolfe = true}}};
  return cases;
}

TEST(OptimTrace, LbfgsAsPyTorch) {
  const auto want = golden_file::traces("optim");
  for (const auto& [name, options] : lbfgs_cases()) {
    for (const ag::DType dtype : {ag::float64, ag::float32}) {
      Tensors p = parameters(dtype);
      nn::LBFGS optimizer(p, options);
      for (std::size_t t = 0; t < 20; ++t) {
        optimizer.step([&] { return evaluate(p, optimizer); });
        // Each step multiplies the rounding of those before it: 1e-3 for float32.
        golden_file::expect_step(flat(p), want.at(name)[t], dtype == ag::float64 ? 1e-12 : 1e-3,
                                 1.0, name + " " + ag::name(dtype) + ", step " + std::to_string(t));
      }
    }
  }
}

TEST(OptimTrace, LbfgsResumesToTheSameBits) {
  for (const auto& [name, options] : lbfgs_cases()) {
    Tensors p = parameters(ag::float32), q = parameters(ag::float32);
    nn::LBFGS one(p, options), two(q, options);
    for (int t = 0; t < 5; ++t) one.step([&] { return evaluate(p, one); });
    two.load_state_dict(one.state_dict());
    for (std::size_t k = 0; k < 2; ++k) ag::copy_(ag::detach(q[k]), p[k]);
    for (int t = 0; t < 5; ++t) {
      one.step([&] { return evaluate(p, one); });
      two.step([&] { return evaluate(q, two); });
    }
    EXPECT_EQ(flat(p), flat(q)) << name;
  }
}

TEST(LBFGS, FindsTheMinimumInOneStep) {
  Tensors p = parameters(ag::float64);
  nn::LBFGS optimizer(p, {.max_iter = 100, .strong_wolfe = true});
  const double before = optimizer.step([&] { return evaluate(p, optimizer); });
  EXPECT_GT(before, 1.0);
  for (const double x : flat(p)) EXPECT_NEAR(x, 1.0, 1e-6);
}

// sqrt(x) - ln(x) style walls: beyond them the loss is NaN or infinite, and the search comes back.
TEST(LBFGS, LossThatIsNotFiniteShortensTheMove) {
  ag::Tensor x = ag::tensor({3.0}, ag::float64).set_requires_grad();
  nn::LBFGS optimizer({x}, {.lr = 50.0, .max_iter = 60, .strong_wolfe = true});
  optimizer.step([&] {
    ag::Tape tape;
    const ag::Tensor loss = ag::sum(x - ag::log(x));  // smallest at 1; NaN below 0
    optimizer.zero_grad();
    tape.backward(loss);
    return loss.item();
  });
  EXPECT_NEAR(x.at({0}), 1.0, 1e-4);
}

TEST(LBFGS, ThrowingClosureLeavesTheParameters) {
  Tensors p = parameters(ag::float64);
  const std::vector<double> before = flat(p);
  nn::LBFGS optimizer(p, {.strong_wolfe = true});
  int calls = 0;
  EXPECT_THROW(optimizer.step([&]() -> double {
    if (++calls == 3) throw ag::IoError("gone");
    return evaluate(p, optimizer);
  }),
               ag::IoError);
  EXPECT_EQ(flat(p), before);
  EXPECT_EQ(calls, 3);
  expect_message<ag::ValueError>(
      "LBFGS.step: no closure: it evaluates the loss several times; need "
      "step([&] { ...; return loss.item(); })",
      [&] { optimizer.step(); });
  EXPECT_THROW(optimizer.add_group({.parameters = parameters(ag::float32)}), ag::ValueError);
  EXPECT_THROW(nn::LBFGS(p, {.max_iter = 0}), ag::ValueError);
}

// --- Groups, momentum, states that do not fit.

TEST(ParameterGroups, RatesAndBadGroups) {
  Tensors p = parameters(ag::float32);
  nn::SGD optimizer({p[0]}, {.lr = 0.1, .weight_decay = 0.5});
  expect_message<ag::ValueError>(
      "SGD: a parameter is given twice: it would be updated twice; need each once",
      [&] { optimizer.add_group({.parameters = {p[0]}}); });
  expect_message<ag::ValueError>("SGD: no parameters: the list is empty; need at least one tensor",
                                 [&] { optimizer.add_group({}); });
  EXPECT_THROW(optimizer.add_group({.parameters = {p[1]}, .lr = -1.0}), ag::ValueError);
  EXPECT_EQ(optimizer.group_count(), 1u);
  optimizer.add_group({.parameters = {p[1]}, .lr = 0.5});
  EXPECT_EQ(optimizer.parameters().size(), 2u);
  EXPECT_EQ(optimizer.lr(), 0.1);
  EXPECT_EQ(optimizer.lr(1), 0.5);
  optimizer.set_lr(0.3, 1);
  EXPECT_EQ(optimizer.lr(0), 0.1);
  EXPECT_EQ(optimizer.lr(1), 0.3);
  optimizer.set_lr(0.2);
  EXPECT_EQ(optimizer.lr(1), 0.2);
  expect_message<ag::ValueError>("SGD.set_lr: no such group: group is 2; need group < 2",
                                 [&] { optimizer.set_lr(0.1, 2); });
}

TEST(Optimizer, Momentum) {
  Tensors p = parameters(ag::float32);
  nn::SGD plain_sgd(p);
  EXPECT_FALSE(plain_sgd.has_momentum());
  EXPECT_THROW(plain_sgd.set_momentum(0.5), ag::ValueError);
  nn::AdamW adam(p);
  EXPECT_EQ(adam.momentum(), 0.9);
  adam.set_momentum(0.5);
  EXPECT_EQ(adam.momentum(), 0.5);
  EXPECT_THROW(adam.set_momentum(1.0), ag::ValueError);
}

TEST(Optimizer, StateThatDoesNotFitChangesNothing) {
  Tensors p = parameters(ag::float32), q = parameters(ag::float64);
  nn::Adam a(p), b(q, {.lr = 0.5});
  set_gradients(p, 0);
  a.step();
  nn::StateDict state = a.state_dict();
  state.erase("state.1.step");
  state.insert("state.7.step", ag::tensor(std::vector<std::int64_t>{1}, {}));
  expect_message<ag::ValueError>(
      "Adam.load_state_dict: the state does not fit: state.0.exp_avg is float32 [3], not float64 "
      "[3], state.0.exp_avg_sq is float32 [3], not float64 [3], missing state.1.step, "
      "state.1.exp_avg is float32 [2], not float64 [2], state.1.exp_avg_sq is float32 [2], not "
      "float64 [2], unexpected state.7.step; need the state of an optimizer built alike",
      [&] { b.load_state_dict(state); });
  EXPECT_EQ(b.lr(), 0.5);
  EXPECT_FALSE(b.state_dict().contains("state.0.exp_avg"));
  EXPECT_THROW(b.load_state_dict({}), ag::ValueError);
  nn::StateDict negative = a.state_dict();
  negative.erase("state.0.exp_avg_sq");
  negative.insert("state.0.exp_avg_sq", ag::full({3}, -1.0));
  expect_message<ag::ValueError>(
      "Adam.load_state_dict: the state does not fit: state.0.exp_avg_sq has elements below 0; need "
      "the state of an optimizer built alike",
      [&] { a.load_state_dict(negative); });
  nn::LBFGS c(p);
  EXPECT_THROW(c.load_state_dict(state), ag::ValueError);
}

// A snapshot: later steps do not change it.
TEST(Optimizer, StateIsACopy) {
  Tensors p = parameters(ag::float32);
  nn::Adam a(p);
  set_gradients(p, 0);
  a.step();
  const nn::StateDict state = a.state_dict();
  const std::vector<double> before = values(state.at("state.0.exp_avg"));
  set_gradients(p, 1);
  a.step();
  EXPECT_EQ(values(state.at("state.0.exp_avg")), before);
}

}  // namespace
