// SPDX-License-Identifier: Apache-2.0
// Prices a book of options on three assets and all its sensitivities by Monte Carlo, on all cores.
#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <future>
#include <vector>

#include "support/command_line.hpp"

namespace ag = autograd;

constexpr int kAssets = 3, kMonths = 12;
constexpr int kBlock = 512;  // paths that one thread computes in one go
constexpr double kDt = 1.0 / kMonths;

// What the book depends on.
enum Input { kSpot = 0, kVolatility = kAssets, kRate = 2 * kAssets, kCorrelation, kInputs };
constexpr const char* kNames[kInputs] = {"spot 1",       "spot 2",       "spot 3", "volatility 1",
                                         "volatility 2", "volatility 3", "rate",   "correlation"};
constexpr double kMarket[kInputs] = {100, 80, 120, 0.2, 0.3, 0.25, 0.03, 0.4};
using Market = std::array<ag::Var, kInputs>;

struct Options {
  int paths = 100000;
  int threads = ag::num_threads();
  std::uint64_t seed = 1;
};

/// Sums over the paths of a block: the price, its square, the derivatives.
using Sums = std::array<double, kInputs + 2>;

/// What all paths of a block share, recorded before the mark.
struct Model {
  std::array<ag::Var, kAssets> drift, volatility;  // of a month
  ag::Var common, own;                             // weights of the two shocks
  ag::Var discount;

  explicit Model(const Market& x) {
    for (int a = 0; a < kAssets; ++a) {
      const ag::Var& v = x[kVolatility + a];
      drift[a] = (x[kRate] - 0.5 * v * v) * kDt;
      volatility[a] = v * std::sqrt(kDt);
    }
    common = sqrt(x[kCorrelation]);
    own = sqrt(1.0 - x[kCorrelation]);
    discount = exp(-x[kRate]);
  }
};

/// The discounted payoff of the book on one path: a call on the average of each asset, struck at
/// today's price, and a call on the best performance of the three.
static ag::Var payoff(const Market& x, const Model& model, ag::Generator& generator) {
  std::array<ag::Var, kAssets> log_performance, sum;
  for (int month = 0; month < kMonths; ++month) {
    const double shock = generator.normal();
    for (int a = 0; a < kAssets; ++a) {
      log_performance[a] += model.drift[a] + model.volatility[a] * (model.common * shock +
                                                                    model.own * generator.normal());
      sum[a] += x[kSpot + a] * exp(log_performance[a]);
    }
  }
  ag::Var total = 0.0, best = log_performance[0];
  for (int a = 0; a < kAssets; ++a) {
    total += max(sum[a] * (1.0 / kMonths) - kMarket[kSpot + a], 0.0);
    best = max(best, log_performance[a]);
  }
  total += 100.0 * max(exp(best) - 1.1, 0.0);
  return total * model.discount;
}

/// The paths of one block, on the thread's own tape: the same numbers whichever thread it is. Each path
/// is recorded, swept down to the mark and forgotten, so that the tape stays in the cache.
static Sums price_block(ag::Tape& tape, const Market& x, const Options& options, int block) {
  ag::Generator generator(options.seed);
  generator.seek(static_cast<std::uint64_t>(block) << 32);  // far apart: no two blocks share a draw
  tape.zero_grad();
  const Model model(x);
  const ag::Tape::Mark mark = tape.mark();
  Sums sums{};
  const int end = std::min(options.paths, (block + 1) * kBlock);
  for (int path = block * kBlock; path < end; ++path) {
    const ag::Var value = payoff(x, model, generator);
    sums[0] += value.value();
    sums[1] += value.value() * value.value();
    tape.backward_to(value, mark);
  }
  tape.backward_from(mark);
  for (int i = 0; i < kInputs; ++i) sums[2 + i] = x[i].grad();
  return sums;
}

/// All blocks, which the threads take as they come; then their sum over a fixed tree.
static Sums price_book(const Options& options) {
  std::vector<Sums> blocks(static_cast<std::size_t>((options.paths - 1) / kBlock + 1));
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    ag::Tape tape;
    Market x;
    for (int i = 0; i < kInputs; ++i) x[i] = tape.input(kMarket[i]);
    for (std::size_t b = next++; b < blocks.size(); b = next++) {
      blocks[b] = price_block(tape, x, options, static_cast<int>(b));
    }
  };
  std::vector<std::future<void>> workers;
  for (int t = 1; t < options.threads; ++t) workers.push_back(std::async(std::launch::async, work));
  work();
  for (std::future<void>& worker : workers) worker.get();
  for (std::size_t width = 1; width < blocks.size(); width *= 2) {
    for (std::size_t b = 0; b + width < blocks.size(); b += 2 * width) {
      for (std::size_t i = 0; i < blocks[b].size(); ++i) blocks[b][i] += blocks[b + width][i];
    }
  }
  return blocks[0];
}

/// Prints the price and its sensitivities; returns the exit status.
static int report(const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  const Sums sums = price_book(options);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  const double n = options.paths, price = sums[0] / n;
  const double error = std::sqrt((sums[1] / n - price * price) / (n - 1));
  std::printf("%d paths, price %.6f +- %.6f\n", options.paths, price, error);
  std::uint64_t bits = std::bit_cast<std::uint64_t>(price);
  for (int i = 0; i < kInputs; ++i) {
    const double slope = sums[2 + i] / n;
    std::printf("  d price / d %-13s %15.9f\n", kNames[i], slope);
    bits = std::rotl(bits, 7) ^ std::bit_cast<std::uint64_t>(slope);
  }
  std::printf("all bits together: %016llx\n", static_cast<unsigned long long>(bits));
  std::fprintf(stderr, "%d threads, %.3f s\n", options.threads, seconds.count());
  return 0;
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Prices a book of options by Monte Carlo, with all its sensitivities.",
               "monte_carlo");
  app.add_option("--paths", options.paths)->check(CLI::Range(2, 1000000000))->capture_default_str();
  app.add_option("--threads", options.threads, "no digit of the result depends on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--seed", options.seed)->check(support::check_seed)->capture_default_str();
  return support::run(app, argc, argv, [&] { return report(options); });
}
