// SPDX-License-Identifier: Apache-2.0
// Compiler attributes used on hot paths. The only macros of the library; both are internal.
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
