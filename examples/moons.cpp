// SPDX-License-Identifier: Apache-2.0
// Tells two interleaving half moons apart: no data needed, a map of what was learned, every point right.
//
// A straight line cannot part them; two hidden layers of 16 tanh units can, and tanh gives the border
// a smooth bend. Half a cosine takes the rate to zero: at the end the border no longer trembles. The
// training loop is written by hand here; the example mnist_mlp leaves it to nn::fit.
#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "support/plot.hpp"
#include "support/training.hpp"

namespace ag = autograd;

struct Options : support::Training {
  std::vector<double> predict;  // pairs
  std::int64_t points = 500;
  double noise = 0.05;
  Options() { epochs = 100, batch = 50, lr = 0.01, threads = 1; }  // a step: microseconds
};

static nn::Sequential make_model(ag::Generator& generator) {
  return nn::Sequential{nn::Linear(2, 16, generator), nn::Tanh(), nn::Linear(16, 16, generator),
                        nn::Tanh(), nn::Linear(16, 2, generator)};
}

static double evaluate(const nn::Sequential& model, const nn::LabeledPoints& points) {
  nn::Accuracy accuracy;
  accuracy.update(model(points.x), points.y);
  return accuracy.value();
}

/// The probability of the second moon over the plane, and every 11th point: classes come in turn.
static std::string draw(const nn::Sequential& model, const nn::LabeledPoints& points) {
  support::Grid grid{.width = 60, .height = 24, .low = -1.5, .high = 2.5, .values = {}};
  for (int r = 0; r < grid.height; ++r) {
    std::vector<float> row;  // [width, 2]
    for (int c = 0; c < grid.width; ++c) {
      row.insert(row.end(), {static_cast<float>(grid.x1(c)), static_cast<float>(grid.x2(r))});
    }
    const ag::Tensor p = ag::softmax(model(ag::tensor(row, {grid.width, 2})), 1);
    for (int c = 0; c < grid.width; ++c) grid.values.push_back(static_cast<float>(p.at({c, 1})));
  }
  std::vector<support::Marker> markers;
  for (std::int64_t i = 0; i < points.y.size(0); i += 11) {
    markers.push_back({points.x.at({i, 0}), points.x.at({i, 1}), points.y.at({i}) == 1});
  }
  return support::heat_map(grid, markers);
}

static int train(const Options& options) {
  ag::Generator generator(options.seed);
  const nn::LabeledPoints training = nn::make_moons(options.points, {options.noise}, generator);
  const nn::LabeledPoints test = nn::make_moons(options.points, {options.noise}, generator);
  const nn::Sequential model = make_model(generator);
  nn::DataLoader loader(nn::TensorDataset({training.x, training.y}),
                        {.batch_size = options.batch, .shuffle = true, .seed = options.seed});
  nn::AdamW adam(model.parameters(), {.lr = options.lr});
  const std::int64_t steps = options.epochs * loader.size();
  nn::CosineAnnealingLR schedule(adam, {.t_max = steps});

  const nn::InterruptGuard interrupt;
  const double start = nn::steady_seconds();
  nn::ProgressBar bar("moons", steps);
  std::int64_t done = 0;
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    for (const nn::Batch& batch : loader) {
      if (interrupt.requested()) return support::interrupted(options, interrupt);
      ag::Tape tape;
      const ag::Tensor loss = nn::cross_entropy_loss(model(batch[0]), batch[1]);
      tape.backward(loss);
      adam.step();
      schedule.step();
      adam.zero_grad();
      ++done;
      if (bar.due()) {
        bar.update(done, {{"loss", loss.item()}, {"accuracy", evaluate(model, training)}});
      }
    }
  }
  const double seconds = nn::steady_seconds() - start;

  nn::save_safetensors(options.save, model.state_dict());
  std::printf("the moons O and X, and the probability of X from 0 (blank) to 1 (solid)\n%s\n",
              draw(model, test).c_str());
  std::printf("%d epochs in %.2f s, %.0f steps/s, training accuracy %.2f %%; weights: %s\n",
              int(options.epochs), seconds, double(steps) / seconds,
              100 * evaluate(model, training), options.save.c_str());
  std::printf("test accuracy %.2f %%\n", 100 * evaluate(model, test));
  return 0;
}

/// Prints which moon the saved weights give each point to.
static int predict(const Options& options) {
  if (options.predict.size() % 2 != 0) {
    throw CLI::ValidationError("--predict has an odd number of values; need pairs");
  }
  ag::Generator generator(0);
  nn::Sequential model = make_model(generator);
  model.load_state_dict(nn::load_safetensors(options.save));
  const auto n = static_cast<std::int64_t>(options.predict.size() / 2);
  const ag::Tensor x = ag::to(ag::reshape(ag::tensor(options.predict), {n, 2}), ag::float32);
  const ag::Tensor p = ag::softmax(model(x), 1);
  for (std::int64_t i = 0; i < n; ++i) {
    const int moon = p.at({i, 1}) > p.at({i, 0});
    std::printf("(%g, %g): %d (%.1f %%)\n", x.at({i, 0}), x.at({i, 1}), moon,
                100 * p.at({i, moon}));
  }
  return 0;
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Tells two interleaving half moons apart. The points are made up: no data needed.",
               "moons");
  support::add_flags(app, options,
                     {.predict = "points as pairs, as in 0 1 1 -0.5", .epochs = "over the points"});
  app.add_option("--points", options.points, "to learn from, and as many new ones to test with")
      ->check(CLI::Range(2, 1000000));
  app.add_option("--noise", options.noise, "standard deviation of the points from their moon")
      ->check(CLI::Range(0.0, 10.0));
  return support::run(app, argc, argv, options, train, predict);
}
