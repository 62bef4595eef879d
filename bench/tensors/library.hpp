// SPDX-License-Identifier: Apache-2.0
// A library at work: with one thread in this process, with more in one of its own. Beside others in one
// process its threads would find the cores taken: those of OpenMP spin, and two runtimes that each count
// on all cores took 100 ms for what takes 0.3 alone.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tensors.hpp"

namespace bench {

class Library {
 public:
  /// Before anything in this process has started threads.
  Library(const Engine& engine, int threads);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const char* name() const { return engine_.name; }
  /// The names of its jobs.
  const std::vector<std::string>& jobs() const { return jobs_; }
  bool has(const std::string& job) const;

  // All throw std::runtime_error when its process has ended.
  double value(const std::string& job) const;
  /// Seconds of one of what the job names, from as many steps as take about `sample` seconds.
  double seconds(const std::string& job, double sample) const;
  /// The time of each step for so many seconds.
  std::vector<double> single_steps(const std::string& job, double seconds) const;

 private:
  enum class What { value, seconds, single_steps };
  struct Request {
    What what;
    std::size_t job;
    double amount;
  };
  void start_process();
  void make_jobs();
  [[noreturn]] void serve();
  std::vector<double> answer(const Request& request) const;
  std::vector<double> ask(What what, const std::string& job, double amount) const;
  void send(const void* bytes, std::size_t n) const;
  void receive(void* bytes, std::size_t n) const;

  Engine engine_;
  int threads_;
  Jobs own_;  // of this process
  std::vector<std::string> jobs_;
  pid_t process_ = -1;
  int socket_ = -1;
};

}  // namespace bench
