// SPDX-License-Identifier: Apache-2.0
// Prints the figures the library is held to, each with its bound; exit status 1 when one is missed.
// bench/run.sh builds and runs it. The last column is for orientation: other programs, measured on
// another machine (a Zen 5 with AVX-512), so only the ratios compare.
#include <sched.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "figures/figures.hpp"

namespace bench {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<double> take_turns(const std::vector<std::function<void()>>& jobs, double seconds) {
  constexpr double kWindow = 2e-3;  // shorter than a scheduler's slice, long beside the clock
  std::vector<int> calls;
  for (const auto& job : jobs) {
    job();
    const double start = now();
    job();
    calls.push_back(std::max(1, static_cast<int>(kWindow / (now() - start))));
  }
  std::vector<double> best(jobs.size(), 1e9);
  const double end = now() + seconds;
  for (int round = 0; round < 5 || now() < end; ++round) {
    for (std::size_t k = 0; k < jobs.size(); ++k) {
      const double start = now();
      for (int i = 0; i < calls[k]; ++i) jobs[k]();
      best[k] = std::min(best[k], (now() - start) / calls[k]);
    }
  }
  return best;
}

namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

/// Keeps this program on the core it is on: a move costs its caches.
int pin() {
  const int core = sched_getcpu();
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) return -1;
  return core;
}

int print(const Figures& figures) {
  int missed = 0;
  std::printf("%-74s %11s %11s          %s\n", "figure", "measured", "at most", "elsewhere");
  for (const Figure& f : figures) {
    const bool met = f.value <= f.bound;  // false for NaN and for what could not be measured
    const char* verdict = f.bound == 0 ? "" : met ? "met" : "missed";
    if (f.bound != 0 && !met) ++missed;
    char bound[32] = "";
    if (f.bound != 0) std::snprintf(bound, sizeof bound, "%.4g %s", f.bound, f.unit);
    std::printf("%-74s %8.*f %-2s %11s %-8s %s\n", f.what.c_str(), f.value < 100 ? 2 : 0, f.value,
                f.unit, bound, verdict, f.reference);
  }
  return missed;
}

int run(double seconds) {
  char name[] = "/tmp/bench_figures_XXXXXX";
  if (!mkdtemp(name)) throw std::runtime_error("cannot make a folder in /tmp");
  const std::string folder = name;
  Figures figures;
  // First, while this program is small and may use every core, as other programs do.
  footprint_figures(figures, folder);
  std::filesystem::remove_all(folder);
  const int core = pin();
  tensor_figures(figures, seconds);
  scalar_figures(figures, seconds);
  chain_figures(figures);

  std::printf("%s, core %d, compiled by %s\n\n", processor().c_str(), core, BENCH_COMPILER_NAME);
  const int missed = print(figures);
  std::printf("\n%d figure%s missed\n", missed, missed == 1 ? "" : "s");
  return missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  double seconds = 6;  // for each group of times
  if (argc > 1) seconds = std::atof(argv[1]);
  if (argc > 2 || !(seconds > 0)) {
    std::fprintf(stderr, "usage: bench_figures [SECONDS of each measurement, default 6]\n");
    return 2;
  }
  try {
    return bench::run(seconds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_figures: %s\n", error.what());
    return 1;
  }
}
