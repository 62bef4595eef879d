// SPDX-License-Identifier: Apache-2.0
// Workloads on tensors, from an addition of four elements to a transformer's layer, beside libtorch, and
// products and convolutions beside oneDNN, where these are installed. bench/run.sh builds and runs it.
//
// The libraries' results are compared first: exit status 1 when one differs. They take turns, with several
// threads each in a process of its own, and a ratio is the median over the rounds: a slow spell of the
// machine hits all of them. --neighbor compares the times of single steps with those beside a process that
// keeps a core busy.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <list>
#include <stdexcept>
#include <string>
#include <thread>

#include "tensors/library.hpp"
#include "tensors/tensors.hpp"
#include "timing.hpp"

namespace bench {

std::vector<Engine>& peers() {
  static std::vector<Engine> list;
  return list;
}

namespace {

using Libraries = std::list<Library>;

/// Ours, then the peers.
Libraries start_libraries(int threads) {
  Libraries libraries;
  libraries.emplace_back(our_engine(), threads);
  for (const Engine& peer : peers()) libraries.emplace_back(peer, threads);
  return libraries;
}

struct Options {
  double seconds = 2;
  int threads = 1;
  bool neighbor = false;
  std::string json;
  std::vector<std::string> wanted;
};

// Our time over libtorch's with its best settings, at most.
struct Goal {
  const char* name;
  double ratio;
};
constexpr Goal kGoals[] = {
    {"add 4, forward", 0.02},
    {"add 4, both", 0.02},
    {"20 operations on 0-d", 0.02},
    {"XOR 2-2-1, SGD", 0.01},
    {"XOR 2-8-1, Adam", 0.01},
    {"MLP 784-128-10, SGD", 0.75},
    {"MLP 784-128-10, Adam", 0.65},
    {"MLP 784-512-512-10, SGD", 0.95},
    {"MLP 784-512-512-10, Adam", 0.85},
    {"LeNet, SGD", 0.5},
    {"convolution 3x3, 64 to 64", 0.95},
    {"LSTM 128, SGD", 0.75},
    {"GRU 128, SGD", 0.75},
    {"transformer layer", 0.8},
    {"embedding, head, loss", 0.85},
};
constexpr Goal kGoalsOfThreads[] = {{"MLP 784-512-512-10, SGD", 0.55}, {"transformer layer", 0.7}};
double goal_of(const std::string& name, int threads) {
  if (name.ends_with("float64") && name.starts_with("product")) {
    // Of the rate of fused multiply-adds.
    return name.find("512") != std::string::npos ? 1 / 0.8 : 1 / 0.85;
  }
  if (threads > 1) {
    for (const Goal& goal : kGoalsOfThreads) {
      if (name == goal.name) return goal.ratio;
    }
    if (name.starts_with("product")) return 1 / 0.9;
  }
  for (const Goal& goal : kGoals) {
    if (name == goal.name) return goal.ratio;
  }
  // oneDNN's speed, of ours at least 0.95 for convolutions, 0.93 for large and 0.97 for other products.
  if (name.starts_with("convolution")) return 1 / 0.95;
  if (name.starts_with("product"))
    return name.ends_with("1024") || name.ends_with("2048") ? 1 / 0.93 : 1 / 0.97;
  return 0.8;  // elementwise, softmax, norm and reduction
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Per engine: seconds of one step, and its ratio to ours, which is engine 0.
struct Measured {
  std::vector<double> seconds, ratio;
};

Measured measure(const std::string& job, const std::vector<const Library*>& by,
                 const Options& options) {
  constexpr double kSample = 4e-3;
  std::vector<std::vector<double>> times(by.size()), ratios(by.size());
  const double end = now() + options.seconds;
  for (int round = 0; round < 5 || now() < end; ++round) {
    for (std::size_t k = 0; k < by.size(); ++k) {
      times[k].push_back(by[k]->seconds(job, kSample));
      ratios[k].push_back(times[0].back() / times[k].back());
    }
  }
  Measured result;
  for (std::size_t k = 0; k < by.size(); ++k) {
    result.seconds.push_back(median(times[k]));
    result.ratio.push_back(median(ratios[k]));
  }
  return result;
}

std::string in_microseconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, seconds < 1e-5 ? "%.3f" : "%.1f", seconds * 1e6);
  return text;
}

/// The results of a first step agree, up to the rounding of float32.
bool agree(const std::string& job, const std::vector<const Library*>& by) {
  bool right = true;
  double ours = 0;
  for (std::size_t k = 0; k < by.size(); ++k) {
    const double value = by[k]->value(job);
    if (k == 0) ours = value;
    if (!(std::abs(value - ours) <= 2e-4 * std::max(1.0, std::abs(ours)))) {
      right = false;
      std::fprintf(stderr, "%s: %s has %.9g, %s %.9g\n", job.c_str(), by[0]->name(), ours,
                   by[k]->name(), value);
    }
  }
  return right;
}

struct Row {
  std::string name;
  double goal;
  std::vector<const Library*> by;
  Measured measured;
};

void print_row(const Row& row, const Libraries& libraries) {
  std::printf("| %-26s | %10s |", row.name.c_str(),
              in_microseconds(row.measured.seconds[0]).c_str());
  for (auto library = std::next(libraries.begin()); library != libraries.end(); ++library) {
    const auto at = std::find(row.by.begin(), row.by.end(), &*library);
    if (at == row.by.end()) {
      std::printf(" %10s | %6s |", "", "");
    } else {
      const auto k = static_cast<std::size_t>(at - row.by.begin());
      std::printf(" %10s | %6.3f |", in_microseconds(row.measured.seconds[k]).c_str(),
                  row.measured.ratio[k]);
    }
  }
  std::printf(" %5.2f |\n", row.goal);
  std::fflush(stdout);
}

void write_json(std::ofstream& file, const std::vector<Row>& rows, int threads) {
  file << "{\"processor\": \"" << processor() << "\", \"threads\": " << threads << ", \"rows\": [";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    file << (i ? ",\n  " : "\n  ") << "{\"name\": \"" << rows[i].name
         << "\", \"goal\": " << rows[i].goal << ", \"microseconds\": {";
    for (std::size_t k = 0; k < rows[i].by.size(); ++k) {
      file << (k ? ", " : "") << '"' << rows[i].by[k]->name()
           << "\": " << rows[i].measured.seconds[k] * 1e6;
    }
    file << "}}";
  }
  file << "\n]}\n";
  if (!file.flush()) throw std::runtime_error("--json: the file cannot be written");
}

/// Whether a row was asked for.
bool wanted(const Options& options, const std::string& name) {
  return options.wanted.empty() ||
         std::any_of(options.wanted.begin(), options.wanted.end(),
                     [&](const std::string& text) { return name.find(text) != std::string::npos; });
}

/// The names of the rows that were asked for; throws std::runtime_error when there are none.
std::vector<std::string> wanted_jobs(const Options& options, const Libraries& libraries) {
  std::vector<std::string> names;
  std::string all;
  for (const std::string& job : libraries.front().jobs()) {
    if (wanted(options, job)) names.push_back(job);
    all += "\n  " + job;
  }
  if (names.empty()) throw std::runtime_error("no row's name contains NAME; the rows are:" + all);
  return names;
}

/// A process that keeps one of our cores busy while this lives.
class Neighbor {
 public:
  Neighbor() : process_(fork()) {
    if (process_ < 0) throw std::runtime_error("cannot start a neighbor: fork failed");
    if (process_ > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin();
    while (true) keep(0);
  }
  ~Neighbor() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  Neighbor(const Neighbor&) = delete;
  Neighbor& operator=(const Neighbor&) = delete;

 private:
  pid_t process_;
};

double percentile_95(std::vector<double> times) {
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 95 / 100);
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

/// The 95th percentile of the steps' times, in turns by ourselves and beside a neighbor.
int run_beside_neighbor(const Options& options) {
  const Libraries libraries = start_libraries(options.threads);
  const std::vector<std::string> jobs = wanted_jobs(options, libraries);
  std::printf("%s, threads: %d; 95th percentile of a step, microseconds\n\n", processor().c_str(),
              options.threads);
  std::printf("| %-26s | %10s | %10s | %10s | %6s | %5s |\n|---|---|---:|---:|---:|---:|\n",
              "workload", "by", "quiet", "neighbor", "ratio", "goal");
  const auto append = [](std::vector<double>& all, const std::vector<double>& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  for (const std::string& job : jobs) {
    for (const Library& library : libraries) {
      if (!library.has(job) || std::strcmp(library.name(), "stock") == 0) continue;
      library.single_steps(job, options.seconds / 10);
      std::vector<double> quiet, beside;
      for (int round = 0; round < 5; ++round) {
        append(quiet, library.single_steps(job, options.seconds / 5));
        const Neighbor neighbor;
        append(beside, library.single_steps(job, options.seconds / 5));
      }
      const double a = percentile_95(quiet), b = percentile_95(beside);
      std::printf("| %-26s | %10s | %10s | %10s | %6.3f | %5.2f |\n", job.c_str(), library.name(),
                  in_microseconds(a).c_str(), in_microseconds(b).c_str(), b / a, 1.5);
      std::fflush(stdout);
    }
  }
  return 0;
}

int run(const Options& options) {
  if (options.threads == 1) pin();
  const Libraries libraries = start_libraries(options.threads);
  const std::vector<std::string> jobs = wanted_jobs(options, libraries);
  std::ofstream json;
  if (!options.json.empty()) {
    json.open(options.json);
    if (!json) throw std::runtime_error("--json: cannot write " + options.json);
  }
  std::printf(
      "%s, threads: %d; microseconds of one step; ratio: ours over theirs\n\n| %-26s | %10s |",
      processor().c_str(), options.threads, "workload", libraries.front().name());
  const std::size_t others = libraries.size() - 1;
  for (auto library = std::next(libraries.begin()); library != libraries.end(); ++library) {
    std::printf(" %10s | %6s |", library->name(), "ratio");
  }
  std::printf(" %5s |\n|---|---:|", "goal");
  for (std::size_t k = 0; k < others; ++k) std::printf("---:|---:|");
  std::printf("---:|\n");
  bool right = true;
  std::vector<Row> rows;
  for (const std::string& job : jobs) {
    Row row{job, goal_of(job, options.threads), {}, {}};
    for (const Library& library : libraries) {
      if (library.has(job)) row.by.push_back(&library);
    }
    right &= agree(job, row.by);
    row.measured = measure(job, row.by, options);
    print_row(row, libraries);
    rows.push_back(std::move(row));
  }
  if (!options.json.empty()) write_json(json, rows, options.threads);
  return right ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Options options;
  CLI::App app("Workloads on tensors beside libtorch and oneDNN.", "bench_tensors");
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  app.add_option("--threads", options.threads, "of each library (oneDNN's: OMP_NUM_THREADS)")
      ->check(CLI::Range(1U, cores))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "for each row; below 1 a busy machine decides")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_flag("--neighbor", options.neighbor,
               "times of single steps, quiet and beside a process that keeps a core busy");
  app.add_option("--json", options.json, "a file for the table");
  app.add_option("NAME", options.wanted, "rows whose name contains it (default: all)");
  try {
    app.parse(argc, argv);
    return options.neighbor ? bench::run_beside_neighbor(options) : bench::run(options);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::fprintf(stderr, "bench_tensors: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_tensors: %s\n", error.what());
    return 1;
  }
}
