// SPDX-License-Identifier: Apache-2.0
// Loops over several cores, on oneTBB (which this header keeps out of its users). Kernels split
// only what is independent, never a reduction, and so give the same bits for any number of threads.
// Threads: everything here may be called from any thread, also inside a parallel_for.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace autograd {

/// Threads that one operation may use, counting the calling one; never more than the cores on which this
/// process may run. Throws ValueError below 1.
void set_num_threads(int threads);
/// Default: the cores on which this process may run.
int num_threads();

namespace kernels {

/// A call of any f(begin, end), without owning f.
class RangeFunction {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, RangeFunction>)
  RangeFunction(F&& f)
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, std::size_t begin, std::size_t end) {
          (*static_cast<std::remove_reference_t<F>*>(object))(begin, end);
        }) {}
  void operator()(std::size_t begin, std::size_t end) const { call_(object_, begin, end); }

 private:
  void* object_;
  void (*call_)(void*, std::size_t, std::size_t);
};

void parallel_for_threads(std::size_t n, std::size_t grain, RangeFunction f);

/// Calls f(begin, end) for pieces that cover [0, n), each of `grain` or more where n allows it;
/// all of it at once on this thread when n <= grain or one thread is allowed. Rethrows what f
/// throws.
template <class F> void parallel_for(std::size_t n, std::size_t grain, F&& f) {
  if (n <= grain || num_threads() == 1) {
    if (n > 0) f(std::size_t{0}, n);
    return;
  }
  parallel_for_threads(n, grain, f);
}

}  // namespace kernels
}  // namespace autograd
