// SPDX-License-Identifier: Apache-2.0
// Training loops: accumulation, fit, early stopping, history, the bar, and runs that are stopped at any
// batch and resumed from the map of their state, which end with the bits of the uninterrupted one.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::expect_values;

std::string scratch(const std::string& name) {
  return (std::filesystem::temp_directory_path() / ("autograd_train_test_" + name)).string();
}
std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

/// A network with dropout from three generators on noisy data, an optimizer with groups, a schedule, an
/// average, counters: a run with everything in it that has a state.
struct Session {
  ag::Generator weights{7}, noise{11}, data{13};
  nn::Sequential model{nn::Linear(4, 8, weights), nn::Tanh(), nn::Dropout(0.2, weights),
                       nn::Dropout(0.1), nn::Linear(8, 3, weights)};
  std::vector<ag::Tensor> parameters = model.parameters();
  nn::AdamW optimizer{{parameters[0], parameters[2]}, {.lr = 0.02}};
  nn::OneCycleLR schedule = make_schedule();
  nn::ExponentialMovingAverage average{parameters, {.decay = 0.9}};
  nn::EarlyStopping stopping{{.patience = 100}};
  nn::Trainer trainer{
      optimizer, {.clip_norm = 0.5, .schedule = &schedule, .average = &average, .progress = false}};
  std::int64_t seen = 0;
  double total = 0;
  nn::TrainingState state;

  nn::OneCycleLR make_schedule() {
    optimizer.add_group({.parameters = {parameters[1], parameters[3]}, .weight_decay = 0.0});
    return {optimizer, {.max_lr = 0.05, .total_steps = kEpochs * kBatches}};
  }
  Session() {
    ag::manual_seed(17);
    state.add("model", model);
    state.add("optimizer", optimizer);
    state.add("schedule", schedule);
    state.add("average", average);
    state.add("stopping", stopping);
    state.add("trainer", trainer);
    state.add("noise", noise);
    state.add("data", data);
    state.add("seen", seen);
    state.add("total", total);
  }
  static constexpr std::int64_t kEpochs = 3, kBatches = 5;

  /// Goes on from wherever the trainer is, until the end or until `stop` batches have been seen.
  void go_on(std::int64_t stop) {
    while (trainer.epoch() < kEpochs) {
      trainer.begin_epoch(kBatches);
      while (trainer.batch() < kBatches) {
        if (seen == stop) return;
        const ag::Tensor x = ag::randn({6, 4}, data);
        const ag::Tensor y = ag::randint(0, 3, {6}, data);
        ag::Tape tape;
        const ag::Tensor h = ag::dropout(model(x), noise, {.p = 0.2});
        total += trainer.step(tape, nn::cross_entropy_loss(h, y), 6.0);
        ++seen;
      }
      if (seen == stop) return;  // the end of the epoch comes after the resume
      stopping.update(trainer.end_epoch()[1].second);
    }
  }
  /// All that two runs can be compared by; seconds differ.
  std::map<std::string, std::vector<double>> bits() const {
    std::map<std::string, std::vector<double>> all;
    for (const auto& [name, x] : state.state_dict()) {
      if (name != "trainer.history.seconds") all[name] = nn_test::values(x);
    }
    return all;
  }
};

TEST(Resume, AtAnyBatchEndsWithTheSameBits) {
  Session straight;
  straight.go_on(-1);
  ASSERT_EQ(straight.seen, Session::kEpochs * Session::kBatches);
  for (std::int64_t stop = 0; stop <= straight.seen; ++stop) {
    nn::StateDict saved;
    {
      Session first;
      first.go_on(stop);
      saved = first.state.state_dict();
      first.go_on(-1);  // a copy: what was saved does not change
    }
    Session second;
    second.go_on(2);  // whatever it did before is gone
    second.state.load_state_dict(saved);
    second.go_on(-1);
    EXPECT_EQ(second.bits(), straight.bits()) << "stopped after batch " << stop;
  }
}

TEST(Resume, AllOrNothing) {
  Session run, other;
  run.go_on(3);
  other.go_on(7);
  const nn::StateDict good = other.state.state_dict();
  const auto before = run.bits();
  for (const auto& [name, tensor] : good) {
    nn::StateDict missing = good, misshapen = good;
    missing.erase(name);
    misshapen.erase(name);
    misshapen.insert(name, ag::zeros({2, 7, 3}));
    EXPECT_THROW(run.state.load_state_dict(misshapen), ag::ValueError) << name;
    // A column of the history, or its last one, may be missing: then there is no such column.
    if (name.rfind("trainer.history", 0) != 0) {
      EXPECT_THROW(run.state.load_state_dict(missing), ag::ValueError) << name;
    }
    ASSERT_EQ(run.bits(), before) << name;
  }
  nn::StateDict more = good;
  more.insert("stranger.x", ag::zeros({1}));
  expect_message<ag::ValueError>(
      "TrainingState.load_state_dict: unexpected names: stranger.x; need those of a run with the "
      "same parts",
      [&] { run.state.load_state_dict(more); });
  EXPECT_EQ(run.bits(), before);
  for (const std::int64_t counter : {std::int64_t{-1}, (std::int64_t{1} << 53) + 1}) {
    nn::StateDict late = good;
    late.erase("trainer.counters");
    late.insert("trainer.counters", ag::tensor(std::vector<std::int64_t>{counter, 0, 0}));
    EXPECT_THROW(run.state.load_state_dict(late), ag::ValueError) << counter;
    EXPECT_EQ(run.bits(), before);
  }
  EXPECT_THROW(run.state.add("model", run.seen), ag::ValueError);
  EXPECT_THROW(run.state.add("a.b", run.seen), ag::ValueError);
  EXPECT_THROW(run.state.add("default_generator", run.seen), ag::ValueError);
}

TEST(Resume, StreamsOfDropoutBelongToTheModel) {
  const Session run;
  const nn::StateDict saved = run.state.state_dict();
  EXPECT_TRUE(saved.contains("model.2.generator"));
  EXPECT_TRUE(saved.contains("default_generator.value"));
  nn::Linear plain(2, 2);
  nn::TrainingState other;
  other.add("model", plain);
  nn::StateDict more = other.state_dict();
  more.insert("model.generator", ag::tensor({1, 2}, ag::int64));
  EXPECT_THROW(other.load_state_dict(more), ag::ValueError) << "a stream that nobody has";
}

TEST(Accumulation, FourQuartersMakeABatch) {
  ag::Generator data(5);
  const ag::Tensor x = ag::randn({8, 3}, data, ag::float64),
                   y = ag::randn({8, 1}, data, ag::float64);
  const auto train = [&](std::int64_t parts) {
    ag::Tensor w = ag::zeros({1, 3}, ag::float64).set_requires_grad();
    nn::SGD optimizer({w}, {.lr = 0.1, .momentum = 0.9});
    nn::Trainer trainer(optimizer, {.accumulate = parts, .progress = false});
    const std::int64_t size = 8 / parts;
    for (int update = 0; update < 5; ++update) {
      for (std::int64_t i = 0; i < parts; ++i) {
        ag::Tape tape;
        const ag::Tensor h = ag::linear(ag::narrow(x, 0, i * size, size), w, {});
        trainer.step(tape, nn::mse_loss(h, ag::narrow(y, 0, i * size, size)));
      }
    }
    EXPECT_EQ(trainer.updates(), 5);
    return nn_test::values(w);
  };
  const std::vector<double> whole = train(1), quarters = train(4);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(whole[i], quarters[i], 1e-14);
}

TEST(Accumulation, WhatIsLeftCountsAtTheEndOfTheEpoch) {
  ag::Tensor w = ag::zeros({1}).set_requires_grad();
  nn::SGD optimizer({w}, {.lr = 1.0});
  nn::Trainer trainer(optimizer, {.accumulate = 2, .progress = false});
  trainer.begin_epoch();
  for (int i = 0; i < 3; ++i) {
    ag::Tape tape;
    trainer.step(tape, ag::sum(w));
  }
  EXPECT_THROW(trainer.state_dict(), ag::ValueError);
  trainer.end_epoch();
  EXPECT_EQ(trainer.updates(), 2);
  EXPECT_EQ(w.at({0}), -1.5);
}

/// Fits y = 2 x by one weight.
struct Line {
  ag::Tensor w = ag::zeros({1}, ag::float64).set_requires_grad();
  nn::SGD optimizer{{w}, {.lr = 0.1}};
  std::vector<double> batches = {1.0, 2.0, 0.5};
  ag::Tensor loss(double x) const { return ag::square(ag::sum(w) * x - 2 * x); }
};

TEST(Fit, LearnsAndTells) {
  Line line;
  std::string shown;
  nn::Trainer trainer(line.optimizer, {.write = [&](const std::string& text) { shown += text; }});
  const std::string csv = scratch("history.csv");
  int saves = 0;
  EXPECT_TRUE(nn::fit(trainer, line.batches, [&](double x) { return line.loss(x); },
                      {.epochs = 8,
                       .validate =
                           [&] {
                             return nn::Scalars{{"error", 2 - line.w.at({0})}};
                           },
                       .save = [&](bool) { ++saves; },
                       .csv = csv}));
  EXPECT_NEAR(line.w.at({0}), 2.0, 1e-2);
  EXPECT_EQ(trainer.epoch(), 8);
  EXPECT_EQ(saves, 8);
  EXPECT_EQ(trainer.history().columns(),
            (std::vector<std::string>{"epoch", "loss", "error", "lr", "seconds"}));
  EXPECT_LT(trainer.history().column("loss")[7], trainer.history().column("loss")[0]);
  EXPECT_NE(shown.find("epoch 8 ["), std::string::npos) << shown;
  EXPECT_NE(shown.find("3/3"), std::string::npos) << shown;
  EXPECT_NE(shown.find("error"), std::string::npos) << shown;
  const std::string text = text_of(csv);
  EXPECT_EQ(text.substr(0, text.find('\n')), "epoch,loss,error,lr,seconds");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 9);
  std::filesystem::remove(csv);
}

TEST(Fit, RefusesAnEpochWithoutBatches) {
  Line line;
  nn::SGD sgd({line.w}, {.lr = 0.1});
  nn::Trainer trainer(sgd, {.progress = false});
  nn::DataLoader loader(nn::TensorDataset({ag::ones({2, 1})}),
                        {.batch_size = 5, .drop_last = true});
  const auto loss = [&](const nn::Batch&) { return line.loss(1); };
  expect_message<ag::ValueError>(
      "fit: no batches: epoch 1 had none to learn from; need a loader of at least one: batch_size "
      "<= its samples, or drop_last = false",
      [&] { nn::fit(trainer, loader, loss); });
  EXPECT_EQ(trainer.epoch(), 0);
  EXPECT_EQ(trainer.history().size(), 0u);
  expect_message<ag::ValueError>("fit: epochs out of range: epochs is -2; need epochs >= 0",
                                 [&] { nn::fit(trainer, loader, loss, {.epochs = -2}); });
  EXPECT_TRUE(nn::fit(trainer, loader, loss, {.epochs = 0}));
}

TEST(Fit, StopsEarlyOrWhenAsked) {
  Line line;
  nn::Trainer trainer(line.optimizer, {.progress = false});
  nn::EarlyStopping stopping({.patience = 2, .min_delta = 1e9});
  nn::fit(trainer, line.batches, [&](double x) { return line.loss(x); },
          {.epochs = 100, .early_stopping = &stopping});
  EXPECT_EQ(trainer.epoch(), 3);  // the first is the best, two are not better

  Line other;
  nn::Trainer stopped(other.optimizer, {.progress = false});
  EXPECT_FALSE(nn::fit(stopped, other.batches, [&](double x) { return other.loss(x); },
                       {.epochs = 100, .interrupted = [&] { return stopped.updates() == 4; }}));
  EXPECT_EQ(stopped.epoch(), 1);
  EXPECT_EQ(stopped.batch(), 1);
  // It stays stopped, also in a run that is resumed.
  EXPECT_TRUE(nn::fit(trainer, line.batches, [&](double x) { return line.loss(x); },
                      {.epochs = 100, .early_stopping = &stopping}));
  EXPECT_EQ(trainer.epoch(), 3);
  stopping = nn::EarlyStopping();
  expect_message<ag::ValueError>(
      "fit: nothing to monitor: there is no 'accuracy'; need \"loss\" or the name of a metric of "
      "validate()",
      [&] {
        nn::fit(trainer, line.batches, [&](double x) { return line.loss(x); },
                {.epochs = 100, .monitor = "accuracy", .early_stopping = &stopping});
      });
}

TEST(Fit, MetricsHaveNamesOfTheirOwn) {
  for (const nn::Scalars& metrics : {nn::Scalars{{"loss", 1.0}},
                                     {{"epoch", 1.0}},
                                     {{"lr", 1.0}},
                                     {{"error", 1.0}, {"error", 2.0}}}) {
    Line line;
    nn::Trainer trainer(line.optimizer, {.progress = false});
    expect_message<ag::ValueError>(
        "Trainer.end_epoch: a second column of one name: a metric is named '" +
            metrics.back().first +
            "'; need names of their own, and not \"epoch\", \"loss\" (of the training), \"lr\", "
            "\"seconds\"",
        [&] {
          nn::fit(trainer, line.batches, [&](double x) { return line.loss(x); },
                  {.validate = [&] { return metrics; }});
        });
    EXPECT_EQ(trainer.epoch(), 0);
    EXPECT_EQ(trainer.history().size(), 0u);
  }
}

// A last batch of one sample counts a fourth of one of four.
TEST(Fit, TheLossOfAnEpochIsTheMeanOverSamples) {
  Line line;
  nn::SGD sgd({line.w}, {.lr = 0.0});
  nn::Trainer trainer(sgd, {.progress = false});
  const ag::Tensor y = ag::tensor({0.0, 0.0, 0.0, 0.0, 100.0});
  nn::DataLoader loader(nn::TensorDataset({ag::ones({5, 2}), y}), {.batch_size = 4});
  nn::fit(trainer, loader, [&](const nn::Batch& batch) {
    return ag::mean(ag::to(batch[1], ag::float64)) + ag::sum(line.w);
  });
  EXPECT_EQ(trainer.history().column("loss")[0], 20.0);
}

TEST(Fit, InterruptedAnywhereAndResumedEndsWithTheSameBits) {
  struct Run {
    ag::Generator weights{7};
    nn::Sequential model{nn::Linear(2, 3, weights)};
    nn::DataLoader loader{
        nn::TensorDataset({ag::randn({10, 2}, weights), ag::randint(0, 3, {10}, weights)}),
        {.batch_size = 4, .shuffle = true, .seed = 5}};
    nn::Adam adam{model.parameters()};
    nn::Trainer trainer{adam, {.progress = false}};
    nn::TrainingState state;
    Run() {
      state.add("model", model);
      state.add("loader", loader);
      state.add("adam", adam);
      state.add("trainer", trainer);
    }
    bool go_on(std::int64_t stop) {
      return nn::fit(
          trainer, loader,
          [&](const nn::Batch& b) { return nn::cross_entropy_loss(model(b[0]), b[1]); },
          {.epochs = 3, .interrupted = [this, stop] { return trainer.updates() == stop; }});
    }
  };
  Run whole;
  EXPECT_TRUE(whole.go_on(-1));
  EXPECT_EQ(whole.trainer.updates(), 9);  // 3 batches an epoch
  for (std::int64_t stop = 1; stop <= 9; ++stop) {
    Run first, second;
    EXPECT_EQ(first.go_on(stop), stop == 9)
        << "after the last update there is nothing to go on with";
    EXPECT_EQ(first.trainer.updates(), stop);
    second.state.load_state_dict(first.state.state_dict());
    EXPECT_TRUE(second.go_on(-1));
    EXPECT_EQ(second.trainer.updates(), 9) << stop;
    for (const char* name : {"0.weight", "0.bias"}) {
      EXPECT_EQ(nn_test::values(second.model.state_dict().at(name)),
                nn_test::values(whole.model.state_dict().at(name)))
          << stop;
    }
  }
}

// An update of several batches is not cut in two: its gradients are in no checkpoint.
TEST(Fit, InterruptedWhileGradientsAccumulate) {
  struct Run {
    ag::Generator weights{7};
    nn::Sequential model{nn::Linear(2, 3, weights)};
    nn::DataLoader loader{
        nn::TensorDataset({ag::randn({14, 2}, weights), ag::randint(0, 3, {14}, weights)}),
        {.batch_size = 2, .shuffle = true, .seed = 5}};  // 7 batches an epoch
    nn::Adam adam{model.parameters()};
    nn::Trainer trainer{adam, {.accumulate = 3, .progress = false}};
    nn::TrainingState state;
    std::int64_t batches = 0;
    Run() {
      state.add("model", model);
      state.add("loader", loader);
      state.add("adam", adam);
      state.add("trainer", trainer);
    }
    bool go_on(std::int64_t stop) {
      return nn::fit(trainer, loader,
                     [&](const nn::Batch& b) {
                       ++batches;
                       return nn::cross_entropy_loss(model(b[0]), b[1]);
                     },
                     {.epochs = 2, .interrupted = [this, stop] { return batches >= stop; }});
    }
  };
  Run whole;
  EXPECT_TRUE(whole.go_on(1000));
  EXPECT_EQ(whole.trainer.updates(), 6);  // of 3, 3 and 1 batches, twice
  for (std::int64_t stop = 1; stop < 14; ++stop) {
    Run first, second;
    EXPECT_FALSE(first.go_on(stop)) << stop;
    second.state.load_state_dict(first.state.state_dict());
    EXPECT_TRUE(second.go_on(1000));
    EXPECT_EQ(nn_test::values(second.model.state_dict().at("0.weight")),
              nn_test::values(whole.model.state_dict().at("0.weight")))
        << stop;
  }
}

TEST(Trainer, LossThatIsNotFinite) {
  Line line;
  nn::Trainer trainer(line.optimizer, {.progress = false});
  ag::Tape tape;
  expect_message<ag::ValueError>(
      "Trainer.step: the loss is not finite: it is inf at batch 0 of epoch 1; need a smaller lr, "
      "clip_norm, or cleaner data",
      [&] { trainer.step(tape, ag::sum(line.w) + HUGE_VAL); });
  EXPECT_EQ(line.w.at({0}), 0.0);
  EXPECT_EQ(trainer.batch(), 0);
  EXPECT_THROW(nn::Trainer(line.optimizer, {.accumulate = 0}), ag::ValueError);
}

TEST(EarlyStopping, ModesAndNan) {
  nn::EarlyStopping stopping({.mode = nn::PlateauMode::max, .patience = 2});
  EXPECT_TRUE(stopping.update(0.5));
  EXPECT_FALSE(stopping.update(0.5));
  EXPECT_TRUE(stopping.update(0.6));
  EXPECT_FALSE(stopping.update(NAN));
  EXPECT_FALSE(stopping.should_stop());
  nn::EarlyStopping resumed({.mode = nn::PlateauMode::max, .patience = 2});
  resumed.load_state_dict(stopping.state_dict());
  EXPECT_FALSE(resumed.update(0.1));
  EXPECT_TRUE(resumed.should_stop());
  EXPECT_EQ(resumed.best(), 0.6);
  const auto refuses = [&](double best, std::int64_t bad, const std::string& values) {
    nn::StateDict state;
    state.insert("best", ag::full({}, best, ag::float64));
    state.insert("bad", ag::tensor(std::vector<std::int64_t>{bad}, {}));
    expect_message<ag::ValueError>("EarlyStopping.load_state_dict: out of range: " + values +
                                       "; need a best that is not NaN, bad >= 0",
                                   [&] { resumed.load_state_dict(state); });
  };
  refuses(NAN, 0, "best is nan, bad is 0");
  refuses(0.7, -5, "best is 0.700000, bad is -5");
  EXPECT_EQ(resumed.best(), 0.6);
  EXPECT_THROW(resumed.load_state_dict({}), ag::ValueError);
  EXPECT_THROW(nn::EarlyStopping({.patience = 0}), ag::ValueError);
}

TEST(History, ColumnsThatComeLater) {
  nn::History history;
  history.add({{"loss", 0.5}});
  history.add({{"loss", 0.25}, {"accuracy", 0.9}});
  EXPECT_TRUE(std::isnan(history.column("accuracy")[0]));
  EXPECT_EQ(history.column("accuracy")[1], 0.9);
  EXPECT_THROW(history.column("f1"), ag::ValueError);
  EXPECT_THROW(history.add({{"a,b", 1.0}}), ag::ValueError);
  EXPECT_EQ(history.size(), 2u);
  nn::History other;
  other.load_state_dict(history.state_dict());
  EXPECT_EQ(other.columns(), history.columns());
  const std::string path = scratch("columns.csv");
  other.write_csv(path);
  EXPECT_EQ(text_of(path), "loss,accuracy\n0.5,nan\n0.25,0.90000000000000002\n");
  std::filesystem::remove(path);
}

// tests/nn/file_test.cpp has all that can happen to a file.
TEST(History, FileThatCannotBeWritten) {
  nn::History history;
  history.add({{"loss", 0.5}});
  EXPECT_THROW(history.write_csv(scratch("no_such_folder") + "/x.csv"), ag::IoError);
  const std::string folder = scratch("folder");
  std::filesystem::create_directory(folder);
  EXPECT_THROW(history.write_csv(folder), ag::IoError);  // a folder of that name
  std::filesystem::remove(folder);
}

TEST(Progress, Line) {
  EXPECT_EQ(nn::progress_line("epoch 3", 120, 240, 60.0, {{"loss", 0.3125}}),
            "epoch 3 [############............]  50 %  120/240  2.00/s  1:00 left  loss 0.3125");
  EXPECT_EQ(nn::progress_line("all", 5000, 0, 2.0, {}), "all  5000  2.5k/s  0:02");
  EXPECT_EQ(nn::progress_line("all", 7, 7, 7300.0, {}),
            "all [########################] 100 %  7/7  0.00/s  2:01:40");
  EXPECT_EQ(nn::progress_line("all", 0, 7, 0.0, {}),
            "all [........................]   0 %  0/7  0:00");
}

TEST(Progress, SilentWithoutATerminal) {
  testing::internal::CaptureStderr();
  {
    nn::ProgressBar bar("epoch", 10);
    EXPECT_FALSE(bar.due());
    bar.update(5, {{"loss", 1.0}});
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
