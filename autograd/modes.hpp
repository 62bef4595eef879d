// SPDX-License-Identifier: Apache-2.0
// What a thread does besides recording: anomaly mode and vmap. One word says which modes are on; apply()
// tests it once per operation, and all that a mode needs happens behind that test, out of line.
// Internal.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inline.hpp"

namespace autograd {

class Tape;
class Tensor;

namespace detail {

struct Node;
struct Record;

enum Mode : std::uint32_t { kNoMode = 0, kAnomaly = 1, kVmap = 2 };

/// The modes that are on in this thread, or'ed.
extern constinit thread_local std::uint32_t modes __attribute__((tls_model("initial-exec")));

/// Throws AnomalyError when y is the first tensor that is not finite: made by `op`, of these operands.
/// `deliberate`: infinities in y were asked for.
void check_forward(const char* op, const Node* const* in, std::size_t n, const Node* y,
                   bool deliberate);
/// Runs the backward rule of the record and checks what it adds to each operand.
void sweep_checked(Record& record, Tape& tape, Tensor& dy);

/// The gradient after the hooks of an input or parameter.
Tensor run_hooks(const Node* leaf, Tensor gradient);

}  // namespace detail
}  // namespace autograd
