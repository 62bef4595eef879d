// SPDX-License-Identifier: Apache-2.0
// The slow path of dispatch.hpp: choosing a table, and forgetting all choices.
#include "dispatch.hpp"

#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/targets.h>

#include <mutex>

namespace autograd::kernels {
namespace {

constinit std::mutex list_mutex;
constinit const DispatchedBase* first_resolved = nullptr;

// What this processor has, of the sets that simd_config.hpp leaves in. Asked of the compiler's run-time
// library: the one that belongs to Highway measures a timer for 4 ms when a program starts.
std::int64_t detect() {
  std::int64_t targets = HWY_STATIC_TARGET;
#if HWY_ARCH_X86 && !defined(HWY_COMPILE_ONLY_STATIC)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("ssse3") || !__builtin_cpu_supports("sse4.2") ||
      !__builtin_cpu_supports("pclmul"))
    return targets;
  targets |= HWY_SSE4;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2")) {
    return targets;
  }
  targets |= HWY_AVX2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd")) {
    targets |= HWY_AVX3;
  }
#endif
  return targets;
}

}  // namespace

std::int64_t available_targets() {
  static const std::int64_t targets = detect();
  return targets;
}

hwy::ChosenTarget& chosen_target() {
  static hwy::ChosenTarget chosen;
  static const bool once = (chosen.Update(available_targets()), true);
  (void)once;
  return chosen;
}

const void* DispatchedBase::resolve() const {
  const std::lock_guard lock(list_mutex);
  if (!listed_) {
    listed_ = true;
    next_ = first_resolved;
    first_resolved = this;
  }
  const void* table = choose_();
  table_.store(table, std::memory_order_release);
  return table;
}

void forget_targets() {
  const std::lock_guard lock(list_mutex);
  for (const DispatchedBase* each = first_resolved; each != nullptr; each = each->next_) {
    each->table_.store(nullptr, std::memory_order_release);
  }
}

}  // namespace autograd::kernels
