// SPDX-License-Identifier: Apache-2.0
// Choice of the instruction set at run time. Each family of kernels has one table of function
// pointers per instruction set; a Dispatched<Table> picks the best one at its first use and keeps
// the pointer, so that a call costs one load, one predicted branch and one indirect jump.
// Threads: first uses may race; all of them choose the same table.
#pragma once

#include <atomic>
#include <cstdint>

#include "../inline.hpp"

namespace autograd::kernels {

/// The part of Dispatched that does not depend on the table: what forget_targets() walks.
class DispatchedBase {
 public:
  DispatchedBase(const DispatchedBase&) = delete;
  DispatchedBase& operator=(const DispatchedBase&) = delete;

 protected:
  using Choose = const void* (*)();
  constexpr explicit DispatchedBase(Choose choose) : choose_(choose) {}

  const void* get() const {
    const void* table = table_.load(std::memory_order_acquire);
    if (table != nullptr) [[likely]]
      return table;
    return resolve();
  }

 private:
  friend void forget_targets();
  AUTOGRAD_COLD const void* resolve() const;

  mutable std::atomic<const void*> table_{nullptr};
  mutable const DispatchedBase* next_ = nullptr;  // the list of those resolved at least once
  mutable bool listed_ = false;
  Choose choose_;
};

/// A table of kernels, chosen at first use.
template <class Table> class Dispatched : public DispatchedBase {
 public:
  constexpr explicit Dispatched(Choose choose) : DispatchedBase(choose) {}
  const Table* operator->() const { return static_cast<const Table*>(get()); }
};

/// The instruction sets of this processor that the kernels are compiled for, as Highway's bits.
std::int64_t available_targets();

/// Lets every table be chosen again, for tests that restrict the targets. No kernel may be running.
void forget_targets();

}  // namespace autograd::kernels
