// SPDX-License-Identifier: Apache-2.0
// Learning-rate schedules beside PyTorch's (tests/golden/schedule_reference.py), saved and resumed, and
// bad options.
#include <functional>
#include <map>
#include <memory>

#include "../golden_file.hpp"
#include "support.hpp"

namespace {

using nn_test::expect_message;
using Make = std::function<std::unique_ptr<nn::LRScheduler>(nn::Optimizer&)>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Two groups of rates 0.1 and 0.02.
struct Fixture {
  ag::Tensor a = ag::zeros({1}).set_requires_grad(), b = ag::zeros({1}).set_requires_grad();
  nn::SGD optimizer{{a}, {.lr = 0.1, .momentum = 0.9}};
  Fixture() { optimizer.add_group({.parameters = {b}, .lr = 0.02}); }
  std::vector<double> row() const {
    return {optimizer.lr(0), optimizer.lr(1), optimizer.momentum()};
  }
};

void expect_row(const Fixture& f, const std::vector<double>& want, const std::string& where) {
  golden_file::expect_step(f.row(), want, 1e-12, 1e-3, where);
}

template <class S, class... Arguments>
void add(std::map<std::string, Make>& all, const char* name, Arguments... arguments) {
  all[name] = [=](nn::Optimizer& o) { return std::make_unique<S>(o, arguments...); };
}

std::map<std::string, Make> schedules() {
  using namespace nn;
  std::map<std::string, Make> all;
  add<StepLR>(all, "StepLR", StepLROptions{.step_size = 3, .gamma = 0.5});
  add<MultiStepLR>(all, "MultiStepLR",
                   MultiStepLROptions{.milestones = {2, 5, 5, 11}, .gamma = 0.5});
  add<ConstantLR>(all, "ConstantLR", ConstantLROptions{.factor = 0.25, .total_iters = 4});
  add<LinearLR>(all, "LinearLR",
                LinearLROptions{.start_factor = 0.2, .end_factor = 0.8, .total_iters = 7});
  add<ExponentialLR>(all, "ExponentialLR", ExponentialLROptions{.gamma = 0.8});
  add<PolynomialLR>(all, "PolynomialLR", PolynomialLROptions{.total_iters = 12, .power = 2.0});
  add<CosineAnnealingLR>(all, "CosineAnnealingLR",
                         CosineAnnealingLROptions{.t_max = 8, .eta_min = 0.001});
  using Restarts = CosineAnnealingWarmRestartsOptions;
  add<CosineAnnealingWarmRestarts>(all, "CosineAnnealingWarmRestarts",
                                   Restarts{.t_0 = 3, .eta_min = 0.001});
  add<CosineAnnealingWarmRestarts>(all, "CosineAnnealingWarmRestarts,2",
                                   Restarts{.t_0 = 3, .t_mult = 2, .eta_min = 0.001});
  using One = OneCycleLROptions;
  add<OneCycleLR>(all, "OneCycleLR", One{.max_lr = 0.5, .total_steps = 20});
  add<OneCycleLR>(all, "OneCycleLR,linear",
                  One{.max_lr = 0.5,
                      .total_steps = 20,
                      .pct_start = 0.25,
                      .anneal_strategy = Anneal::linear,
                      .cycle_momentum = false,
                      .div_factor = 10,
                      .final_div_factor = 100});
  add<OneCycleLR>(all, "OneCycleLR,three phases",
                  One{.max_lr = 0.5, .total_steps = 22, .three_phase = true});
  add<LambdaLR>(all, "LambdaLR", [](std::int64_t t) { return 1.0 / static_cast<double>(1 + t); });
  add<WarmupCosineLR>(
      all, "WarmupCosineLR",
      WarmupCosineLROptions{.warmup_steps = 5, .total_steps = 21, .eta_min = 0.001});
  all["SequentialLR"] = [](Optimizer& o) {
    const std::vector<LRScheduler> parts = {LinearLR(o, {.start_factor = 0.1, .total_iters = 4}),
                                            ExponentialLR(o, {.gamma = 0.9}),
                                            StepLR(o, {.step_size = 2, .gamma = 0.5})};
    return std::make_unique<SequentialLR>(o, parts, std::vector<std::int64_t>{4, 11});
  };
  all["ChainedScheduler"] = [](Optimizer& o) {
    const std::vector<LRScheduler> parts = {ConstantLR(o, {.factor = 0.5, .total_iters = 4}),
                                            ExponentialLR(o, {.gamma = 0.9}),
                                            StepLR(o, {.step_size = 6, .gamma = 0.5})};
    return std::make_unique<ChainedScheduler>(o, parts);
  };
  return all;
}

TEST(Schedule, TwentyStepsAsPyTorch) {
  const auto want = golden_file::traces("schedule");
  EXPECT_EQ(want.size(), schedules().size() + 2);  // and two of ReduceLROnPlateau
  for (const auto& [name, make] : schedules()) {
    ASSERT_TRUE(want.count(name)) << name;
    Fixture f;
    const auto schedule = make(f.optimizer);
    for (std::size_t t = 0; t < 20; ++t) {
      expect_row(f, want.at(name)[t], name + ", step " + std::to_string(t));
      EXPECT_EQ(schedule->lr_at(static_cast<std::int64_t>(t), 1), f.optimizer.lr(1)) << name;
      schedule->step();
    }
    EXPECT_EQ(schedule->steps(), 20);
  }
}

TEST(Schedule, ResumesToTheSameBits) {
  for (const auto& [name, make] : schedules()) {
    Fixture f, g;
    const auto one = make(f.optimizer), two = make(g.optimizer);
    for (int t = 0; t < 7; ++t) one->step();
    two->load_state_dict(one->state_dict());
    for (int t = 7; t < 20; ++t) {
      EXPECT_EQ(f.row(), g.row()) << name << ", step " << t;
      one->step();
      two->step();
    }
  }
}

double metric(int t) { return 1 - 0.1 * std::min(t, 5) + (t == 8 || t == 9 ? 0.3 : 0); }

TEST(Schedule, ReduceOnPlateauAsPyTorch) {
  using O = nn::ReduceLROnPlateauOptions;
  const std::pair<std::string, O> cases[] = {
      {"ReduceLROnPlateau", {.factor = 0.5, .patience = 2, .cooldown = 2, .min_lr = 0.01}},
      {"ReduceLROnPlateau,max",
       {.mode = nn::PlateauMode::max,
        .factor = 0.3,
        .patience = 1,
        .threshold = 0.05,
        .threshold_mode = nn::PlateauThreshold::absolute}}};
  const auto want = golden_file::traces("schedule");
  for (const auto& [name, options] : cases) {
    Fixture f;
    nn::ReduceLROnPlateau schedule(f.optimizer, options);
    for (int t = 0; t < 20; ++t) {
      expect_row(f, want.at(name)[static_cast<std::size_t>(t)],
                 name + ", step " + std::to_string(t));
      nn::ReduceLROnPlateau resumed(f.optimizer, options);
      resumed.load_state_dict(schedule.state_dict());
      schedule = resumed;
      schedule.step(metric(t));
    }
  }
  Fixture f;
  nn::ReduceLROnPlateau schedule(f.optimizer, {.patience = 0});
  schedule.step(kNaN);
  EXPECT_NEAR(f.optimizer.lr(), 0.01, 1e-15);
  EXPECT_THROW(schedule.load_state_dict({}), ag::ValueError);
  nn::StateDict state = schedule.state_dict();
  state.erase("best");
  state.insert("best", ag::full({}, kNaN, ag::float64));
  expect_message<ag::ValueError>("ReduceLROnPlateau: best out of range: best is nan; need a number",
                                 [&] { schedule.load_state_dict(state); });
  state = schedule.state_dict();
  state.erase("num_bad_epochs");
  state.insert("num_bad_epochs", ag::tensor(std::vector<std::int64_t>{1}, ag::Shape{}));
  EXPECT_THROW(schedule.load_state_dict(state), ag::ValueError);
}

TEST(Schedule, OneCycleEnds) {
  Fixture f;
  nn::OneCycleLR schedule(f.optimizer, {.max_lr = 0.5, .total_steps = 3});
  for (int t = 0; t < 3; ++t) schedule.step();
  EXPECT_NEAR(f.optimizer.lr(), 0.5 / 25 / 1e4, 1e-18);
  expect_message<ag::ValueError>(
      "OneCycleLR.step: the schedule is over: it was stepped 3 times; need total_steps > 3",
      [&] { schedule.step(); });
  nn::SGD plain({ag::zeros({1}).set_requires_grad()});
  EXPECT_THROW(nn::OneCycleLR(plain, {.total_steps = 3}), ag::ValueError);
  nn::OneCycleLR one_step(plain, {.total_steps = 1, .cycle_momentum = false});
  EXPECT_TRUE(std::isfinite(plain.lr()));
}

TEST(Schedule, GroupsAddedLater) {
  Fixture f;
  nn::ExponentialLR schedule(f.optimizer, {.gamma = 0.5});
  f.optimizer.add_group({.parameters = {ag::zeros({1}).set_requires_grad()}, .lr = 0.4});
  schedule.step();
  EXPECT_EQ(f.optimizer.lr(0), 0.05);
  EXPECT_EQ(f.optimizer.lr(2), 0.2);
}

TEST(Schedule, BadOptionsAndStates) {
  Fixture f, other;
  nn::Optimizer& o = f.optimizer;
  expect_message<ag::ValueError>("StepLR: step_size out of range: step_size is 0; need at least 1",
                                 [&] { nn::StepLR(o, {.step_size = 0}); });
  EXPECT_THROW(nn::ExponentialLR(o, {.gamma = kNaN}), ag::ValueError);
  EXPECT_THROW(nn::LinearLR(o, {.total_iters = 0}), ag::ValueError);
  EXPECT_THROW(nn::CosineAnnealingLR(o, {.t_max = 0}), ag::ValueError);
  EXPECT_THROW(nn::CosineAnnealingWarmRestarts(o, {.t_0 = 1, .t_mult = 0}), ag::ValueError);
  EXPECT_THROW(nn::WarmupCosineLR(o, {.warmup_steps = 5, .total_steps = 5}), ag::ValueError);
  EXPECT_THROW(nn::OneCycleLR(o, {.total_steps = 0}), ag::ValueError);
  EXPECT_THROW(nn::LambdaLR(o, nullptr), ag::ValueError);
  EXPECT_THROW(nn::ReduceLROnPlateau(o, {.factor = 1.0}), ag::ValueError);
  const std::vector<nn::LRScheduler> parts = {nn::StepLR(o, {}), nn::StepLR(o, {})};
  EXPECT_THROW(nn::SequentialLR(o, parts, {}), ag::ValueError);
  EXPECT_THROW(nn::SequentialLR(o, parts, {0}), ag::ValueError);
  EXPECT_THROW(nn::SequentialLR(other.optimizer, parts, {3}), ag::ValueError);
  EXPECT_THROW(nn::ChainedScheduler(o, {}), ag::ValueError);

  nn::StepLR schedule(o, {.step_size = 2});
  EXPECT_THROW(schedule.load_state_dict({}), ag::ValueError);
  nn::StateDict state = schedule.state_dict();
  state.erase("base_lrs");
  state.insert("base_lrs", ag::tensor(std::vector<double>{0.1}));
  EXPECT_THROW(schedule.load_state_dict(state), ag::ValueError);
  EXPECT_THROW(schedule.lr_at(-1), ag::ValueError);
  EXPECT_EQ(schedule.steps(), 0);
}

}  // namespace
