// SPDX-License-Identifier: Apache-2.0
// Workloads on tensors, from an addition of four elements to a transformer's layer, beside libtorch, and
// products and convolutions beside oneDNN, where these are installed. bench/run.sh builds and runs it.
//
// The libraries' results are compared first: exit status 1 when one differs. They take turns, and a
// ratio is the median over the rounds: a slow spell of the machine hits all of them. --neighbor compares
// the times of single steps with those beside a process that keeps a core busy.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "tensors/tensors.hpp"
#include "timing.hpp"

namespace bench {

std::vector<Engine>& peers() {
  static std::vector<Engine> list;
  return list;
}

namespace {

/// Ours, then the peers.
const std::vector<Engine>& engines() {
  static const std::vector<Engine> list = [] {
    std::vector<Engine> all{our_engine()};
    all.insert(all.end(), peers().begin(), peers().end());
    return all;
  }();
  return list;
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
double goal_of(const std::string& name) {
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

/// Threads of OpenMP keep their cores busy for some ten milliseconds after their last work, which is
/// then taken from whose turn it is next.
void await_idle_threads(int threads) {
  if (threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(30));
}

Measured measure(const std::vector<Job*>& jobs, const std::vector<const Engine*>& by,
                 const Options& options) {
  std::vector<int> calls;
  for (std::size_t k = 0; k < jobs.size(); ++k) {
    by[k]->prepare();
    jobs[k]->step();
    const double start = now();
    jobs[k]->step();
    calls.push_back(std::max(1, static_cast<int>(4e-3 / (now() - start))));
  }
  std::vector<std::vector<double>> times(jobs.size()), ratios(jobs.size());
  const double end = now() + options.seconds;
  for (int round = 0; round < 5 || now() < end; ++round) {
    for (std::size_t k = 0; k < jobs.size(); ++k) {
      by[k]->prepare();
      await_idle_threads(options.threads);
      jobs[k]->step();
      const double start = now();
      for (int i = 0; i < calls[k]; ++i) jobs[k]->step();
      times[k].push_back((now() - start) / calls[k]);
      ratios[k].push_back(times[0].back() / times[k].back());
    }
  }
  Measured result;
  for (std::size_t k = 0; k < jobs.size(); ++k) {
    result.seconds.push_back(median(times[k]) / jobs[k]->repeats);
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
bool agree(const std::string& name, const std::vector<Job*>& jobs,
           const std::vector<const Engine*>& by) {
  bool right = true;
  double ours = 0;
  for (std::size_t k = 0; k < jobs.size(); ++k) {
    by[k]->prepare();
    const double value = jobs[k]->value();
    if (k == 0) ours = value;
    if (!(std::abs(value - ours) <= 2e-4 * std::max(1.0, std::abs(ours)))) {
      right = false;
      std::fprintf(stderr, "%s: %s has %.9g, %s %.9g\n", name.c_str(), by[0]->name, ours,
                   by[k]->name, value);
    }
  }
  return right;
}

struct Row {
  std::string name;
  double goal;
  std::vector<const Engine*> by;
  Measured measured;
};

void print_row(const Row& row) {
  std::printf("| %-26s | %10s |", row.name.c_str(),
              in_microseconds(row.measured.seconds[0]).c_str());
  for (std::size_t k = 1; k < engines().size(); ++k) {
    std::size_t at = 1;
    while (at < row.by.size() && row.by[at] != &engines()[k]) ++at;
    if (at == row.by.size()) {
      std::printf(" %10s | %6s |", "", "");
    } else {
      std::printf(" %10s | %6.3f |", in_microseconds(row.measured.seconds[at]).c_str(),
                  row.measured.ratio[at]);
    }
  }
  std::printf(" %5.2f |\n", row.goal);
  std::fflush(stdout);
}

void write_json(const std::string& path, const std::vector<Row>& rows, int threads) {
  std::ofstream file(path);
  file << "{\"processor\": \"" << processor() << "\", \"threads\": " << threads << ", \"rows\": [";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    file << (i ? ",\n  " : "\n  ") << "{\"name\": \"" << rows[i].name
         << "\", \"goal\": " << rows[i].goal << ", \"microseconds\": {";
    for (std::size_t k = 0; k < rows[i].by.size(); ++k) {
      file << (k ? ", " : "") << '"' << rows[i].by[k]->name
           << "\": " << rows[i].measured.seconds[k] * 1e6;
    }
    file << "}}";
  }
  file << "\n]}\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

/// Whether a row was asked for.
bool wanted(const Options& options, const std::string& name) {
  return options.wanted.empty() ||
         std::any_of(options.wanted.begin(), options.wanted.end(),
                     [&](const std::string& text) { return name.find(text) != std::string::npos; });
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

/// Appends the times of single steps.
void time_steps(const Job& job, double seconds, std::vector<double>& times) {
  const double end = now() + seconds;
  for (double start = now(); start < end;) {
    job.step();
    const double stop = now();
    times.push_back(stop - start);
    start = stop;
  }
}
double percentile_95(std::vector<double> times) {
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 95 / 100);
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

/// The jobs of each engine, with as many threads as were asked for.
std::vector<Jobs> make_jobs(const Options& options) {
  std::vector<Jobs> jobs;
  for (const Engine& engine : engines()) {
    engine.set_threads(options.threads);
    jobs.push_back(engine.make());
  }
  return jobs;
}

/// The 95th percentile of the steps' times, in turns by ourselves and beside a neighbor.
int run_beside_neighbor(const Options& options) {
  std::printf("%s, threads: %d; 95th percentile of a step, microseconds\n\n", processor().c_str(),
              options.threads);
  std::printf("| %-26s | %10s | %10s | %10s | %6s | %5s |\n|---|---|---:|---:|---:|---:|\n",
              "workload", "by", "quiet", "neighbor", "ratio", "goal");
  const std::vector<Jobs> jobs = make_jobs(options);
  for (const Job& row : jobs[0]) {
    if (!wanted(options, row.name)) continue;
    for (std::size_t k = 0; k < jobs.size(); ++k) {
      for (const Job& job : jobs[k]) {
        if (job.name != row.name || std::strcmp(engines()[k].name, "stock") == 0) continue;
        engines()[k].prepare();
        std::vector<double> quiet, beside;
        time_steps(job, options.seconds / 10, quiet);
        quiet.clear();
        for (int round = 0; round < 5; ++round) {
          time_steps(job, options.seconds / 5, quiet);
          const Neighbor neighbor;
          time_steps(job, options.seconds / 5, beside);
        }
        const double a = percentile_95(quiet), b = percentile_95(beside);
        std::printf("| %-26s | %10s | %10s | %10s | %6.3f | %5.2f |\n", row.name.c_str(),
                    engines()[k].name, in_microseconds(a).c_str(), in_microseconds(b).c_str(),
                    b / a, 1.5);
        std::fflush(stdout);
      }
    }
  }
  return 0;
}

int run(const Options& options) {
  if (options.threads == 1) pin();
  std::vector<Jobs> jobs = make_jobs(options);
  std::printf(
      "%s, threads: %d; microseconds of one step; ratio: ours over theirs\n\n| %-26s | %10s |",
      processor().c_str(), options.threads, "workload", engines()[0].name);
  for (std::size_t k = 1; k < engines().size(); ++k) {
    std::printf(" %10s | %6s |", engines()[k].name, "ratio");
  }
  std::printf(" %5s |\n|---|---:|", "goal");
  for (std::size_t k = 1; k < engines().size(); ++k) std::printf("---:|---:|");
  std::printf("---:|\n");
  bool right = true;
  std::vector<Row> rows;
  for (Job& ours : jobs[0]) {
    if (!wanted(options, ours.name)) continue;
    Row row{ours.name, goal_of(ours.name), {}, {}};
    std::vector<Job*> same;
    for (std::size_t k = 0; k < jobs.size(); ++k) {
      for (Job& job : jobs[k]) {
        if (job.name != ours.name) continue;
        same.push_back(&job);
        row.by.push_back(&engines()[k]);
      }
    }
    right &= agree(ours.name, same, row.by);
    row.measured = measure(same, row.by, options);
    print_row(row);
    rows.push_back(std::move(row));
  }
  if (!options.json.empty()) write_json(options.json, rows, options.threads);
  return right ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool more = i + 1 < argc;
    if (argument == "--threads" && more) {
      options.threads = std::atoi(argv[++i]);
    } else if (argument == "--neighbor") {
      options.neighbor = true;
    } else if (argument == "--json" && more) {
      options.json = argv[++i];
    } else if (argument == "--seconds" && more) {
      options.seconds = std::atof(argv[++i]);
    } else if (argument[0] != '-') {
      options.wanted.push_back(argument);
    } else {
      options.threads = 0;
    }
  }
  if (options.threads < 1 || !(options.seconds > 0)) {
    std::fprintf(
        stderr,
        "usage: bench_tensors [--threads N] [--seconds OF_EACH] [--neighbor] [--json FILE] "
        "[NAME...]\n"
        "NAME: rows whose name contains it (default: all)\n");
    return 2;
  }
  try {
    return options.neighbor ? bench::run_beside_neighbor(options) : bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_tensors: %s\n", error.what());
    return 1;
  }
}
