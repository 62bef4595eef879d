// SPDX-License-Identifier: Apache-2.0
// parallel_for on oneTBB. An arena bounds how many threads take part; it is kept between calls and
// replaced when set_num_threads() changes the number (running calls keep the old one alive).
#include "parallel.hpp"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "../error.hpp"

#ifdef AUTOGRAD_TSAN
extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);
#endif

namespace autograd {
namespace {

// Tells the thread sanitizer, which cannot look into libtbb, what TBB hands from thread to thread.
#ifdef AUTOGRAD_TSAN
void hand_over(void* token) { __tsan_release(token); }
void take_over(void* token) { __tsan_acquire(token); }
#else
void hand_over(void*) {}
void take_over(void*) {}
#endif

// On every way out of a scope, also by an exception.
struct HandOver {
  explicit HandOver(void* t) : token(t) {}
  ~HandOver() { hand_over(token); }
  void* token;
};
struct TakeOver {
  explicit TakeOver(void* t) : token(t) {}
  ~TakeOver() { take_over(token); }
  void* token;
};

int available_cores() {
#ifdef __linux__
  // The affinity mask: inside containers and under taskset the machine has more cores than we may
  // use.
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) return std::max(1, CPU_COUNT(&cores));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::atomic<int>& thread_count() {
  static std::atomic<int> count{available_cores()};
  return count;
}

std::shared_ptr<tbb::task_arena> arena_of(int threads) {
  static std::mutex mutex;
  static std::shared_ptr<tbb::task_arena> arena;
  const std::lock_guard lock(mutex);
  if (arena == nullptr || arena->max_concurrency() != threads) {
    arena = std::make_shared<tbb::task_arena>(threads);
  }
  return arena;
}

}  // namespace

void set_num_threads(int threads) {
  if (threads < 1) {
    throw ValueError("set_num_threads: no thread left to work: threads is " +
                     std::to_string(threads) + "; need threads >= 1");
  }
  thread_count().store(threads, std::memory_order_relaxed);
}

int num_threads() { return thread_count().load(std::memory_order_relaxed); }

namespace kernels {

void parallel_for_threads(std::size_t n, std::size_t grain, RangeFunction f) {
  char start = 0, end = 0;  // tokens for the sanitizer
  hand_over(&start);
  const TakeOver joined(&end);
  const auto loop = [&] {
    // Isolated: while this thread waits for its pieces it must not start unrelated ones, which
    // would reuse its scratch memory in the middle of a kernel.
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(tbb::blocked_range<std::size_t>(0, n, std::max<std::size_t>(1, grain)),
                        [&](const tbb::blocked_range<std::size_t>& range) {
                          take_over(&start);
                          const HandOver done(&end);
                          f(range.begin(), range.end());
                        });
    });
  };
  thread_local bool inside = false;
  if (inside) return loop();  // nested: already in an arena of the right size
  struct Flag {
    Flag() { inside = true; }
    ~Flag() { inside = false; }
  };
  // More threads than cores would only make oneTBB complain.
  static const int cores = available_cores();
  arena_of(std::min(num_threads(), cores))->execute([&] {
    const Flag flag;
    loop();
  });
}

}  // namespace kernels
}  // namespace autograd
