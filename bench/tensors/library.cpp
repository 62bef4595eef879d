// SPDX-License-Identifier: Apache-2.0
#include "library.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <thread>

#include "../timing.hpp"

namespace bench {

Library::Library(const Engine& engine, int threads) : engine_(engine), threads_(threads) {
  if (threads == 1) {
    make_jobs();
    for (const Job& job : own_) jobs_.push_back(job.name);
  } else {
    start_process();
  }
}

void Library::make_jobs() {
  engine_.set_threads(threads_);
  own_ = engine_.make();
}

void Library::start_process() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) throw std::runtime_error("no socket pair");
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("cannot start a process: fork failed");
  const bool inside = process_ == 0;
  socket_ = ends[inside];
  close(ends[!inside]);
  if (inside) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      serve();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", name(), error.what());
    }
    _exit(1);
  }
  std::uint64_t count = 0;
  receive(&count, sizeof count);
  while (jobs_.size() < count) {
    std::uint64_t length = 0;
    receive(&length, sizeof length);
    std::string job(length, ' ');
    receive(job.data(), length);
    jobs_.push_back(std::move(job));
  }
}

Library::~Library() {
  if (process_ < 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  close(socket_);
}

bool Library::has(const std::string& job) const {
  return std::find(jobs_.begin(), jobs_.end(), job) != jobs_.end();
}

double Library::value(const std::string& job) const { return ask(What::value, job, 0)[0]; }
double Library::seconds(const std::string& job, double sample) const {
  return ask(What::seconds, job, sample)[0];
}
std::vector<double> Library::single_steps(const std::string& job, double seconds) const {
  return ask(What::single_steps, job, seconds);
}

std::vector<double> Library::ask(What what, const std::string& job, double amount) const {
  const auto at = std::find(jobs_.begin(), jobs_.end(), job) - jobs_.begin();
  const Request request{what, static_cast<std::size_t>(at), amount};
  if (process_ < 0) return answer(request);
  send(&request, sizeof request);
  std::uint64_t count = 0;
  receive(&count, sizeof count);
  std::vector<double> numbers(count);
  receive(numbers.data(), count * sizeof(double));
  return numbers;
}

// --- Where the library runs.

void Library::serve() {
  make_jobs();
  std::uint64_t count = own_.size();
  send(&count, sizeof count);
  for (const Job& job : own_) {
    const std::uint64_t length = job.name.size();
    send(&length, sizeof length);
    send(job.name.data(), length);
  }
  while (true) {  // until the other process ends it
    Request request{};
    receive(&request, sizeof request);
    const std::vector<double> numbers = answer(request);
    count = numbers.size();
    send(&count, sizeof count);
    send(numbers.data(), count * sizeof(double));
  }
}

std::vector<double> Library::answer(const Request& request) const {
  const Job& job = own_.at(request.job);
  engine_.prepare();
  if (request.what == What::value) return {job.value()};
  // Threads of OpenMP keep their cores busy for some milliseconds after their last work.
  if (threads_ > 1) std::this_thread::sleep_for(std::chrono::milliseconds(30));
  job.step();
  double start = now();
  if (request.what == What::seconds) {
    job.step();
    const int steps = std::max(1, static_cast<int>(request.amount / (now() - start)));
    start = now();
    for (int i = 0; i < steps; ++i) job.step();
    return {(now() - start) / steps / job.repeats};
  }
  std::vector<double> times;
  for (const double end = start + request.amount; start < end;) {
    job.step();
    const double stop = now();
    times.push_back(stop - start);
    start = stop;
  }
  return times;
}

// --- Both ends.

void Library::send(const void* bytes, std::size_t n) const {
  for (const char* from = static_cast<const char*>(bytes); n > 0;) {
    const ssize_t sent = ::send(socket_, from, n, MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error(std::string(name()) + " has ended");
    from += sent;
    n -= static_cast<std::size_t>(sent);
  }
}

void Library::receive(void* bytes, std::size_t n) const {
  for (char* to = static_cast<char*>(bytes); n > 0;) {
    const ssize_t got = ::recv(socket_, to, n, 0);
    if (got <= 0) throw std::runtime_error(std::string(name()) + " has ended");
    to += got;
    n -= static_cast<std::size_t>(got);
  }
}

}  // namespace bench
