// SPDX-License-Identifier: Apache-2.0
// Clocks, and a quiet place to read them: what every benchmark of ours uses.
#pragma once

#include <sched.h>
#include <time.h>

#include <chrono>
#include <fstream>
#include <string>

namespace bench {

/// Seconds of a clock that only goes forward; reading it takes some 20 ns.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds that this thread has run; reading it takes some 200 ns.
inline double processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// The compiler must assume that this is read.
template <class T> inline void keep(const T& value) { asm volatile("" : : "g"(&value) : "memory"); }

inline std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

/// Keeps this program on the core it is on, because a move costs its caches; -1 when it may not.
inline int pin() {
  const int core = sched_getcpu();
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) return -1;
  return core;
}

}  // namespace bench
