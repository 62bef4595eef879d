// SPDX-License-Identifier: Apache-2.0
// Operations one by one on tensors of a quarter of a million elements, one thread, beside libtorch where it
// is installed: forward, and with the backward pass. bench/run.sh builds and runs it. The results and
// gradients are compared first: exit status 1 when one differs. The libraries take turns; a ratio is the
// median over the rounds.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <autograd/threads.hpp>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "operations/operations.hpp"
#include "timing.hpp"

namespace bench {

Operations (*&their_operations())() {
  static Operations (*make)() = nullptr;
  return make;
}

namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double seconds_of(const std::function<void()>& f) {
  const double start = now();
  f();
  return now() - start;
}

struct Timed {
  double ours = 0, theirs = 0, ratio = 0;
};

/// In turns for `seconds`; `theirs` may be empty.
Timed measure(const std::function<void()>& ours, const std::function<void()>& theirs,
              double seconds) {
  std::vector<double> a, b, ratio;
  const double end = now() + seconds;
  for (int round = 0; round < 7 || now() < end; ++round) {
    a.push_back(seconds_of(ours));
    if (!theirs) continue;
    b.push_back(seconds_of(theirs));
    ratio.push_back(a.back() / b.back());
  }
  Timed result;
  result.ours = median(a);
  if (!theirs) return result;
  result.theirs = median(b);
  result.ratio = median(ratio);
  return result;
}

void print(const Timed& t) {
  if (t.ours == 0) return void(std::printf(" %9s | %9s | %6s |", "", "", ""));
  std::printf(" %9.1f |", t.ours * 1e6);
  t.theirs > 0 ? std::printf(" %9.1f | %6.2f |", t.theirs * 1e6, t.ratio)
               : std::printf(" %9s | %6s |", "", "");
}

/// The ratios of one column.
struct Summary {
  std::vector<double> ratios;
  void add(const Timed& t) {
    if (t.ratio > 0) ratios.push_back(t.ratio);
  }
  void print(const char* column) const {
    if (ratios.empty()) return;
    double sum = 0;
    for (const double r : ratios) sum += std::log(r);
    std::printf("%s: geometric mean of %zu ratios %.2f; above 1: %td, above 1.1: %td\n", column,
                ratios.size(), std::exp(sum / static_cast<double>(ratios.size())),
                std::count_if(ratios.begin(), ratios.end(), [](double r) { return r > 1; }),
                std::count_if(ratios.begin(), ratios.end(), [](double r) { return r > 1.1; }));
  }
};

int run(const std::vector<std::string>& wanted, double seconds) {
  pin();
  autograd::set_num_threads(1);
  const Operations ours = our_operations();
  std::vector<std::size_t> chosen;
  std::string names;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const auto in_name = [&](const std::string& text) {
      return ours[i].name.find(text) != std::string::npos;
    };
    if (wanted.empty() || std::any_of(wanted.begin(), wanted.end(), in_name)) chosen.push_back(i);
    names += "\n  " + ours[i].name;
  }
  if (chosen.empty()) throw std::runtime_error("no operation's name contains NAME:" + names);
  const Operations theirs = their_operations() ? their_operations()() : Operations();
  std::printf("%s, one thread; microseconds; ratio: ours over libtorch's\n\n", processor().c_str());
  std::printf(
      "| %-24s | %9s | %9s | %6s | %9s | %9s | %6s |\n|---|---:|---:|---:|---:|---:|---:|\n",
      "operation", "forward", "libtorch", "ratio", "both", "libtorch", "ratio");
  bool right = true;
  Summary forward, both;
  for (const std::size_t i : chosen) {
    const Operation& a = ours[i];
    const Operation b = i < theirs.size() ? theirs[i] : Operation();
    if (b.value) {
      const double x = a.value(), y = b.value();
      if (!(std::abs(x - y) <= 2e-4 * std::max(1.0, std::abs(x)))) {
        std::fprintf(stderr, "%s: ours %.9g, libtorch %.9g\n", a.name.c_str(), x, y);
        right = false;
      }
    }
    const Timed first = measure(a.forward, b.forward, seconds);
    const Timed second = a.both ? measure(a.both, b.both, seconds) : Timed();
    std::printf("| %-24s |", a.name.c_str());
    print(first);
    print(second);
    std::printf("\n");
    std::fflush(stdout);
    forward.add(first);
    both.add(second);
  }
  std::printf("\n");
  forward.print("forward");
  both.print("forward and backward");
  return right ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  std::vector<std::string> wanted;
  double seconds = 0.1;
  CLI::App app("Operations on tensors, one by one, beside libtorch.", "bench_operations");
  app.add_option("--seconds", seconds, "for each figure")
      ->check(CLI::Range(0.001, 60.0))
      ->capture_default_str();
  app.add_option("NAME", wanted, "operations whose name contains it (default: all)");
  try {
    app.parse(argc, argv);
    return bench::run(wanted, seconds);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::fprintf(stderr, "bench_operations: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_operations: %s\n", error.what());
    return 1;
  }
}
