// SPDX-License-Identifier: Apache-2.0
// Ten scalar workloads: the time of the full gradient over the time of the plain function on double,
// beside the other libraries that are installed. bench/run.sh builds and runs it.
//
// Every gradient is checked against forward mode first: exit status 1 when one is wrong. The plain
// function, ours and the peers take turns, and a ratio is the median over the rounds: a slow spell of
// the machine hits all of them.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#include "scalars/scalars.hpp"
#include "timing.hpp"

namespace bench {

std::vector<Engine>& peers() {
  static std::vector<Engine> list;
  return list;
}

namespace {

#ifdef BENCH_NATIVE
constexpr const char* kFlags = "-O3 -march=native";
#else
constexpr const char* kFlags = "-O3";
#endif

struct Row {
  const char* name;
  double goal;  // gradient over plain function, for -O3 -march=native
};
constexpr Row kRow[kRows] = {
    {Heston::kName, 1.9},       {Libor::kName, 3.9},        {Sabr::kName, 3.9},
    {Gmm::kName, 13},           {Ba::kName, 9.2},           {Rosenbrock::kName, 23.5},
    {Speelpenning::kName, 5.4}, {LogSumExp::kName, 1.65},   {Lorenz96::kName, 9.3},
    {Mlp::kName, 2.6},          {"gmm, term by term", 8.5},
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The largest distance of two gradients, relative to the element, or to 1e-3 of the largest one where
/// the element is less: sums that cancel are exact to that only.
double distance(const std::vector<double>& got, const std::vector<double>& want) {
  double largest = 0, worst = 0;
  for (const double w : want) largest = std::max(largest, std::abs(w));
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double off = std::abs(got[i] - want[i]) / std::max(std::abs(want[i]), 1e-3 * largest);
    if (!(off <= worst)) worst = off;  // NaN, too
  }
  return worst;
}

struct Measured {
  std::vector<double> seconds, ratio;  // per engine; the plain function is engine 0
};

/// Medians over rounds in which each job has a window of at least 2 ms.
Measured measure(std::vector<Gradient*> jobs, std::vector<double>& dx, double seconds) {
  std::vector<int> calls;
  for (Gradient* job : jobs) {
    const double start = processor_time();
    keep((*job)(dx));
    calls.push_back(std::max(1, static_cast<int>(2e-3 / (processor_time() - start))));
  }
  std::vector<std::vector<double>> times(jobs.size()), ratios(jobs.size());
  const double end = now() + seconds;
  for (int round = 0; round < 5 || now() < end; ++round) {
    for (std::size_t k = 0; k < jobs.size(); ++k) {
      const double start = processor_time();
      for (int i = 0; i < calls[k]; ++i) keep((*jobs[k])(dx));
      times[k].push_back((processor_time() - start) / calls[k]);
      ratios[k].push_back(times[k].back() / times[0].back());
    }
  }
  Measured result;
  for (std::size_t k = 0; k < jobs.size(); ++k) {
    result.seconds.push_back(median(times[k]));
    result.ratio.push_back(median(ratios[k]));
  }
  return result;
}

std::string format(const char* pattern, double value) {
  char text[32];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

std::string ratio_text(double ratio) { return format(ratio < 100 ? "%.2f" : "%.0f", ratio); }

void print_head() {
  std::printf("| %-17s | %11s | %9s | %6s | %12s | %7s |", "workload", "function", "gradient",
              "goal", "ns/statement", "B/stmt.");
  for (const Engine& peer : peers()) std::printf(" %9s |", peer.name);
  std::printf(" %7s |\n|---|---:|---:|---:|---:|---:|", "error");
  for (std::size_t k = 0; k < peers().size(); ++k) std::printf("---:|");
  std::printf("---:|\n");
}

int run(double seconds, const std::vector<std::string>& wanted) {
  const int core = pin();
  const Workloads workloads;
  std::vector<Gradients> engines{plain_functions(workloads), our_gradients(workloads)};
  for (const Engine& peer : peers()) engines.push_back(peer.make(workloads));
  const Gradients forward = forward_gradients(workloads);
  const std::vector<TapeSize> sizes = tape_sizes(workloads);
  std::vector<std::size_t> inputs;
  workloads.for_each([&](const auto& w) { inputs.push_back(w.point().size()); });
  inputs.push_back(inputs[3]);

  std::printf("%s, core %d, %s\n\n", processor().c_str(), core, kFlags);
  print_head();
  bool right = true;
  for (std::size_t row = 0; row < kRows; ++row) {
    const auto& [name, goal] = kRow[row];
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    std::vector<double> dx(inputs[row]), want(inputs[row]);
    const double value = forward[row](want);
    double error = 0;
    std::vector<Gradient*> jobs;
    std::vector<std::size_t> job_of(engines.size(), 0);
    for (std::size_t k = 0; k < engines.size(); ++k) {
      Gradient& job = engines[k][row];
      if (!job) continue;
      job_of[k] = jobs.size();
      jobs.push_back(&job);
      const double got = job(dx);
      const double off =
          std::max(k == 0 ? 0.0 : distance(dx, want), std::abs(got - value) / std::abs(value));
      if (!(off <= 1e-10)) {
        right = false;
        std::fprintf(stderr, "%s: engine %zu is off by %g\n", name, k, off);
      }
      if (k <= 1 && !(off <= error)) error = off;
    }
    const Measured measured = measure(jobs, dx, seconds);
    std::printf("| %-17s | %8.1f us | %9s | %6.4g | %12.2f | %7.1f |", name,
                measured.seconds[0] * 1e6, ratio_text(measured.ratio[1]).c_str(), goal,
                measured.seconds[1] * 1e9 / sizes[row].statements,
                sizes[row].bytes / sizes[row].statements);
    for (std::size_t k = 2; k < engines.size(); ++k) {
      std::printf(" %9s |", job_of[k] ? ratio_text(measured.ratio[job_of[k]]).c_str() : "");
    }
    std::printf(" %7.0e |\n", error);
    std::fflush(stdout);
  }
  return right ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  double seconds = 3;
  if (argc > 1) seconds = std::atof(argv[1]);
  if (!(seconds > 0)) {
    std::fprintf(stderr, "usage: bench_scalars [SECONDS of each workload, default 3 [NAME...]]\n");
    return 2;
  }
  try {
    return bench::run(seconds, std::vector<std::string>(argv + std::min(argc, 2), argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_scalars: %s\n", error.what());
    return 1;
  }
}
