// SPDX-License-Identifier: Apache-2.0
// A scope in which nothing records, whatever tapes surround it. Internal: users simply have no tape.
#pragma once

#include "functions.hpp"
#include "recorder.hpp"

namespace autograd::detail {

class Unrecorded {
 public:
  Unrecorded() : saved_(recorder) { set(&no_tape); }
  ~Unrecorded() { set(saved_); }
  Unrecorded(const Unrecorded&) = delete;
  Unrecorded& operator=(const Unrecorded&) = delete;

 private:
  static void set(Recorder* to) {
    recorder = to;
    fusable = 0;
  }
  Recorder* saved_;
};

/// custom_function; not strict: backward computes with tensors, and may branch on their elements.
TensorFunction custom_function(TensorFunction forward, BackwardFunction backward, bool strict);

/// True while a user's backward rule runs that a tape records: numbers that it read from a tensor of that
/// tape would silently be constants in the second derivative, so reading them throws.
extern constinit thread_local bool rule_is_recorded;

}  // namespace autograd::detail
