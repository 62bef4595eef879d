// SPDX-License-Identifier: Apache-2.0
// What hot paths tell the compiler. The only macros of the library; all are internal.
#pragma once

// Expression nodes and rows are a few instructions each; GCC's own heuristics give up on deep
// expressions and then lose scalar replacement of the leaves (up to 2x on the scalar workloads).
#ifndef AUTOGRAD_INLINE
#define AUTOGRAD_INLINE inline __attribute__((always_inline))
#endif
#define AUTOGRAD_ALWAYS_INLINE __attribute__((always_inline))  // for lambdas
// For what is slow enough that a call costs nothing, and large enough that copies of it do.
#define AUTOGRAD_OUTLINE __attribute__((noinline))
#define AUTOGRAD_COLD __attribute__((noinline, cold))
// A condition that holds but for mistakes and rare cases. [[likely]] stands for 90 %: what follows ten of
// those is cold for GCC, which then optimizes it for size.
#define AUTOGRAD_EXPECT(condition) \
  __builtin_expect_with_probability(static_cast<bool>(condition), 1, 1.0)
