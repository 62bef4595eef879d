// SPDX-License-Identifier: Apache-2.0
// A scope in which nothing records, whatever tapes surround it. Internal: users simply have no tape.
#pragma once

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

}  // namespace autograd::detail
