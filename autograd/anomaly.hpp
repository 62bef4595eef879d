// SPDX-License-Identifier: Apache-2.0
// Anomaly mode: finds the operation where a NaN or an infinity was born. Costs nothing measurable while
// it is off: one test of a thread's word per tensor operation, none per scalar statement.
//
// Blamed is the operation, forward or backward, that made
//   a NaN        of operands (backward: dy and what was saved) without one, or
//   an infinity  of operands that are all finite.
// So what came in from outside, in inputs or parameters, is nobody's fault, and neither is a mask: -inf
// that a constant, where, masked_fill or pad put into a tensor passes, and so does what softmax and its
// kind make of it. A NaN on the side that where does not take is reported all the same: compute it
// with an argument that is safe (where twice).
//
// Scalars: a Var's value is not looked at, that would cost every statement. The sweep checks partial
// derivatives and adjoints, so that a statement is reported when the gradient would go through it. It is
// named by its number, which tape.size() counts, not by what it computes. Drivers of higher order over
// scalars (hessian, hvp of Vars) are not checked; nor are changes in place.
#pragma once

#include <string>

#include "tensor.hpp"

namespace autograd {

struct AnomalyOptions {
  bool allow_infinity = false;  ///< look for NaN alone
};

/// While one is in scope, on its thread, an operation that makes a NaN or an infinity throws AnomalyError,
/// which names it, the direction, shapes, and the path of the nn module whose parameter it reads (or, after
/// the word `after`, of the last one that ran before it). Nothing is recorded then, and gradients are
/// as they were. Scopes nest; the innermost one's options count.
class AnomalyMode {
 public:
  explicit AnomalyMode(AnomalyOptions options = {});
  ~AnomalyMode();
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

  /// Internal: the innermost scope of this thread, null where there is none.
  static AnomalyMode* innermost();
  const AnomalyOptions& options() const { return options_; }
  Tensor last_parameter;              ///< internal: the one that a forward operation read last
  const char* backward_of = nullptr;  ///< internal: whose backward rule is running

 private:
  AnomalyOptions options_;
  AnomalyMode* outer_;
};

namespace detail {
/// Who knows in which module a parameter is registered: returns its path, "" for none.
using ModuleLookup = std::string (*)(const Tensor& parameter);
void set_module_lookup(ModuleLookup lookup);
}  // namespace detail

}  // namespace autograd
