// SPDX-License-Identifier: Apache-2.0
// Hooks: functions that see, and may replace, the gradient of one tensor during a sweep. A tape without
// hooks pays nothing for them: the hook of a recorded tensor takes the place of its record's rule, and
// that of an input or parameter is found where its gradient is deposited.
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "tensor.hpp"

namespace autograd {

namespace detail {
struct Hook;
using GradientHook = std::function<Tensor(const Tensor&)>;  // undefined: no replacement
}  // namespace detail

/// What register_hook returns. Dropping it leaves the hook in place.
class HookHandle {
 public:
  HookHandle() = default;
  explicit HookHandle(std::shared_ptr<detail::Hook> hook) : hook_(std::move(hook)) {}
  /// The hook is not called any more; also from within a hook, during a sweep. Harmless when repeated.
  void remove();

 private:
  std::shared_ptr<detail::Hook> hook_;
};

namespace detail {
HookHandle register_hook(const Tensor& x, GradientHook hook);
}

/// From now on every sweep that reaches this tensor calls hook(dL/dx) once, when the gradient is complete:
/// for a recorded tensor before it goes on to what x was computed from; for an input or parameter before
/// it is deposited, with what this sweep brings. The tensor that the hook returns, of the same shape and
/// dtype, takes the gradient's place; an undefined one, or void, leaves it. Hooks run in the order of
/// registration, each with what the one before left. A hook of a recorded tensor lives as long as the
/// recording, on every tape that recorded it, that of an input or parameter as long as the tensor.
/// When an outer tape records the sweep, it records the hook. An exception of a hook leaves gradients as
/// they were. Throws TapeError for a tensor that needs no gradient, or that no tape in scope knows.
template <class F> HookHandle Tensor::register_hook(F hook) const {
  if constexpr (std::is_void_v<std::invoke_result_t<F&, const Tensor&>>) {
    return detail::register_hook(*this, [hook = std::move(hook)](const Tensor& gradient) mutable {
      hook(gradient);
      return Tensor();
    });
  } else {
    return detail::register_hook(*this, std::move(hook));
  }
}

}  // namespace autograd
