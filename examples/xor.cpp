// SPDX-License-Identifier: Apache-2.0
// Trains a small network on XOR: progress, loss curve, decision boundary, restarts from bad seeds.
#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "support/command_line.hpp"
#include "support/picture.hpp"
#include "support/plot.hpp"

namespace ag = autograd;

constexpr double kSharp = 0.02;   // what a learned prediction may be away from its target
constexpr double kTarget = 0.01;  // training goes on until all are this close
constexpr int kMaxAttempts = 50;  // a 2-2-1 relu network learns from one seed in six
constexpr std::array<support::Marker, 4> kPoints{
    {{0, 0, false}, {0, 1, true}, {1, 0, true}, {1, 1, false}}};

struct Options {
  std::vector<std::int64_t> hidden{2};
  std::string activation = "sigmoid", loss = "mse", optimizer = "sgd";
  double lr = 0;  // 0: what suits the optimizer
  int epochs = 5000;
  std::uint64_t seed = 1;
  std::string output = "xor.png";
  bool no_restart = false;
};

enum class Outcome { learned, stuck, diverged, out_of_epochs };

/// One training run from one seed.
struct Attempt {
  nn::Sequential model;  // from the inputs to the logit of the prediction
  std::vector<double> losses;
  double worst = 1;  // largest distance of a prediction from its target
  Outcome outcome = Outcome::out_of_epochs;
};

static const ag::Tensor& inputs() {
  static const ag::Tensor x = ag::tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}});  // [4, 2]
  return x;
}

static const ag::Tensor& targets() {
  static const ag::Tensor y = ag::tensor({{0}, {1}, {1}, {0}});  // [4, 1]
  return y;
}

static nn::Sequential make_model(const Options& options, ag::Generator& generator) {
  nn::Sequential model;
  std::int64_t inputs = 2;
  for (const std::int64_t width : options.hidden) {
    model.append(nn::Linear(inputs, width, generator));
    if (options.activation == "sigmoid") model.append(nn::Sigmoid());
    if (options.activation == "tanh") model.append(nn::Tanh());
    if (options.activation == "relu") model.append(nn::ReLU());
    inputs = width;
  }
  model.append(nn::Linear(inputs, 1, generator));
  return model;
}

static std::unique_ptr<nn::Optimizer> make_optimizer(const Options& options,
                                                     const nn::Sequential& model) {
  const std::vector<ag::Tensor> parameters = model.parameters();
  const auto lr = [&](double usual) { return options.lr > 0 ? options.lr : usual; };
  if (options.optimizer == "adam") {
    return std::make_unique<nn::Adam>(parameters, nn::AdamOptions{.lr = lr(0.05)});
  }
  if (options.optimizer == "adamw") {
    return std::make_unique<nn::AdamW>(parameters,
                                       nn::AdamWOptions{.lr = lr(0.05), .weight_decay = 1e-3});
  }
  if (options.optimizer == "rmsprop") {
    return std::make_unique<nn::RMSprop>(parameters, nn::RMSpropOptions{.lr = lr(0.02)});
  }
  return std::make_unique<nn::SGD>(parameters, nn::SGDOptions{.lr = lr(2.0), .momentum = 0.9});
}

/// The largest distance of a prediction from its target; NaN when a prediction is.
static double worst_error(const ag::Tensor& p, const ag::Tensor& y) {
  double worst = 0;
  for (int i = 0; i < 4; ++i) {
    const double error = std::abs(p.at({i, 0}) - y.at({i, 0}));
    if (!(error <= worst)) worst = error;  // std::max would drop a NaN
  }
  return worst;
}

/// Trains until every prediction is within kTarget, or until there is a reason to give up: the loss is
/// not a number, has not fallen by 1 % for a long while, or the epochs are used up.
static Attempt train(const Options& options, std::uint64_t seed) {
  ag::Generator generator(seed);
  Attempt attempt{make_model(options, generator), {}, 1, Outcome::out_of_epochs};
  const std::unique_ptr<nn::Optimizer> optimizer = make_optimizer(options, attempt.model);

  // Of 165 seeds that learned with the defaults, none waited longer than 560 epochs for its 1 %.
  const int patience = std::max(1000, options.epochs / 4);
  double best = INFINITY;
  int best_epoch = 0;
  nn::ProgressBar bar("seed " + std::to_string(seed), options.epochs);
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    ag::Tape tape;
    const ag::Tensor logits = attempt.model(inputs());
    const ag::Tensor p = ag::sigmoid(logits);
    const ag::Tensor loss = options.loss == "mse" ? nn::mse_loss(p, targets())
                                                  : nn::bce_with_logits_loss(logits, targets());
    const double now = loss.item();
    attempt.losses.push_back(now);
    bar.update(epoch, {{"loss", now}});
    if (worst_error(p, targets()) <= kTarget) break;
    if (now < 0.99 * best) {
      best = now;
      best_epoch = epoch;
    }
    if (!std::isfinite(now)) attempt.outcome = Outcome::diverged;
    if (epoch - best_epoch >= patience) attempt.outcome = Outcome::stuck;
    if (attempt.outcome != Outcome::out_of_epochs) break;

    optimizer->zero_grad();
    tape.backward(loss);
    optimizer->step();
  }
  attempt.worst = worst_error(ag::sigmoid(attempt.model(inputs())), targets());
  if (attempt.worst <= kSharp) attempt.outcome = Outcome::learned;
  return attempt;
}

/// Says how an attempt that did not learn ended.
static void report_failure(const Attempt& attempt, std::uint64_t seed) {
  const std::size_t epochs = attempt.losses.size();
  const auto number = static_cast<unsigned long long>(seed);
  if (attempt.outcome == Outcome::stuck) {
    std::printf(
        "seed %llu got stuck: the loss stays at %.4f after %zu epochs, and a prediction is %.2f "
        "off\n",
        number, attempt.losses.back(), epochs, attempt.worst);
  } else if (attempt.outcome == Outcome::diverged) {
    std::printf("seed %llu diverged: the loss is not finite after %zu epochs; try a smaller --lr\n",
                number, epochs);
  } else {
    std::printf(
        "seed %llu ran out of epochs: after %zu a prediction is %.3f off; try more --epochs or "
        "a larger --lr\n",
        number, epochs, attempt.worst);
  }
}

/// The predictions over [-0.25, 1.25]^2, one row of the grid at a time, so that memory stays small.
static support::Grid decision_grid(const nn::Sequential& model, int width, int height) {
  support::Grid grid{.width = width, .height = height, .low = -0.25, .high = 1.25, .values = {}};
  for (int r = 0; r < height; ++r) {
    std::vector<float> row;  // [width, 2]
    for (int c = 0; c < width; ++c) {
      row.push_back(static_cast<float>(grid.x1(c)));
      row.push_back(static_cast<float>(grid.x2(r)));
    }
    const ag::Tensor p = ag::sigmoid(model(ag::tensor(row, {width, 2})));
    const std::vector<float> values = ag::to_vector<float>(p);
    grid.values.insert(grid.values.end(), values.begin(), values.end());
  }
  return grid;
}

/// The charts in the terminal, the picture file, and the predictions. Returns the exit status.
static int report(const Attempt& attempt, const Options& options) {
  std::printf("\nloss\n%s", support::line_chart(attempt.losses, 60, 8, "epochs").c_str());
  std::printf(
      "\nprediction over x1 (right) and x2 (up), from 0 (blank) to 1 (solid); the inputs' "
      "targets: O 0, X 1\n%s\n",
      support::heat_map(decision_grid(attempt.model, 60, 24), kPoints).c_str());
  int status = attempt.outcome == Outcome::learned ? 0 : 1;
  const std::string path = support::image_path(options.output);
  try {
    const support::Grid grid = decision_grid(attempt.model, support::kPanel, support::kPanel);
    support::write_image(support::training_picture(attempt.losses, grid, kPoints), path);
    std::printf("picture: %s%s\n", path.c_str(),
                path == options.output ? "" : " (PPM: this was built without libpng)");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "xor: %s\n", error.what());
    status = 1;
  }
  const ag::Tensor p = ag::sigmoid(attempt.model(inputs()));
  for (int i = 0; i < 4; ++i) {
    std::printf("%g xor %g -> %.4f\n", inputs().at({i, 0}), inputs().at({i, 1}), p.at({i, 0}));
  }
  return status;
}

/// Trains from one seed after another; returns the exit status.
static int learn(const Options& options) {
  try {
    support::require_writable(support::image_path(options.output));
  } catch (const std::exception& error) {
    throw CLI::ValidationError("--output", error.what());
  }
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t seed = options.seed;
  Attempt attempt = train(options, seed);
  for (int n = 1; attempt.outcome != Outcome::learned; ++n) {
    report_failure(attempt, seed);
    // Another seed does not help where the epochs were too few.
    if (attempt.outcome == Outcome::out_of_epochs || options.no_restart || n == kMaxAttempts) break;
    std::printf("restarting from seed %llu\n", static_cast<unsigned long long>(++seed));
    attempt = train(options, seed);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%s: seed %llu, %zu epochs, loss %.6f, %.3f s\n",
              attempt.outcome == Outcome::learned ? "learned" : "not learned",
              static_cast<unsigned long long>(seed), attempt.losses.size(),
              std::abs(attempt.losses.back()), seconds.count());  // abs: no "-nan"
  return report(attempt, options);
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Trains a network with sigmoid output on XOR and draws what it learns.", "xor");
  app.add_option("--hidden", options.hidden, "sizes of the hidden layers, as in --hidden 4 4")
      ->expected(1, 8)
      ->delimiter(',')
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--activation", options.activation, "of the hidden layers")
      ->check(CLI::IsMember({"sigmoid", "tanh", "relu"}))
      ->capture_default_str();
  app.add_option("--loss", options.loss, "mean squared error or binary cross-entropy")
      ->check(CLI::IsMember({"mse", "bce"}))
      ->capture_default_str();
  app.add_option("--optimizer", options.optimizer, "sgd has momentum 0.9, adamw decay 0.001")
      ->check(CLI::IsMember({"sgd", "adam", "adamw", "rmsprop"}))
      ->capture_default_str();
  app.add_option("--lr", options.lr, "learning rate [sgd 2, adam and adamw 0.05, rmsprop 0.02]")
      ->check(support::check_positive);
  app.add_option("--epochs", options.epochs, "at most so many for each seed")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the first weights")
      ->check(support::check_seed)
      ->capture_default_str();
  app.add_option("--output", options.output, "where the picture goes")->capture_default_str();
  app.add_flag("--no-restart", options.no_restart, "give up where the first seed got stuck");
  return support::run(app, argc, argv, [&] { return learn(options); });
}
