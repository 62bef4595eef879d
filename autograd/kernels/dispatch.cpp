// SPDX-License-Identifier: Apache-2.0
// The slow path of dispatch.hpp: choosing a table, and forgetting all choices.
#include "dispatch.hpp"

#include <mutex>

namespace autograd::kernels {
namespace {

constinit std::mutex list_mutex;
constinit const DispatchedBase* first_resolved = nullptr;

}  // namespace

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
