// SPDX-License-Identifier: Apache-2.0
// Prints the figures the library is held to, each with its bound; exit status 1 when one is missed.
// bench/run.sh builds and runs it. The last column is for orientation: other programs, measured on
// another machine (a Zen 5 with AVX-512); `prototype` is an unchecked sketch of this design.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>

#include "figures/figures.hpp"

namespace bench {

namespace {

// Seconds that so many calls take.
double time_of(const std::function<void()>& job, int calls) {
  const double start = processor_time();
  for (int i = 0; i < calls; ++i) job();
  return processor_time() - start;
}

}  // namespace

std::vector<double> take_turns(const std::vector<std::function<void()>>& jobs, double seconds) {
  constexpr double kWindow = 2e-3;  // shorter than a scheduler's slice, long beside the clock
  std::vector<int> calls;
  for (const auto& job : jobs) {
    int n = 1;  // the first calls, which fill the caches, say little about the others
    while (time_of(job, n) < kWindow / 2) n *= 2;
    calls.push_back(n);
  }
  std::vector<double> best(jobs.size(), 1e9);
  const double end = now() + seconds;
  for (int round = 0; round < 5 || now() < end; ++round) {
    for (std::size_t k = 0; k < jobs.size(); ++k) {
      best[k] = std::min(best[k], time_of(jobs[k], calls[k]) / calls[k]);
    }
  }
  return best;
}

namespace {

// A Markdown table, so that it can be pasted into the README as it is. Returns how many are missed.
int print(const Figures& figures) {
  int missed = 0;
  const auto row = [](const std::string& what, const char* value, const char* bound,
                      const char* verdict, const char* reference) {
    std::printf("| %-58s | %10s | %7s | %-6s | %s |\n", what.c_str(), value, bound, verdict,
                reference);
  };
  row("figure", "measured", "at most", "", "elsewhere, on a Zen 5");
  std::printf("|---|---:|---:|---|---|\n");
  for (const Figure& f : figures) {
    char value[32], bound[32] = "";
    std::snprintf(value, sizeof value, "%.*f %s",
                  f.value < 10    ? 2
                  : f.value < 100 ? 1
                                  : 0,
                  f.value, f.unit);
    if (f.bound == 0) {
      row(f.what, value, "", "", f.reference);
      continue;
    }
    const bool met = f.value <= f.bound;  // false for NaN and for what could not be measured
    if (!met) ++missed;
    std::snprintf(bound, sizeof bound, "%.4g %s", f.bound, f.unit);
    row(f.what, value, bound, met ? "met" : "missed", f.reference);
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
