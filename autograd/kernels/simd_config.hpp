// SPDX-License-Identifier: Apache-2.0
// Included before any Highway header: which instruction sets the kernels are compiled for.
// x86: the baseline, SSE4, AVX2 and AVX3 (AVX-512 as of Skylake). Each further set costs a fifth of size
// and build time: newer AVX-512 sets add nothing to floating point, and SSSE3 without SSE4 is in the
// processors of 2006 only.
// AUTOGRAD_FEW_TARGETS: the baseline and AVX2, for builds that look for what no set is special in.
// AArch64: NEON. SVE and RISC-V vectors have no compile-time size, which Vec needs to be a class.
#pragma once

#include <hwy/detect_compiler_arch.h>

#ifndef HWY_DISABLED_TARGETS
#if HWY_ARCH_X86 && defined(AUTOGRAD_FEW_TARGETS)
#define HWY_DISABLED_TARGETS ((HWY_AVX2 - 1) | HWY_SSE4 | HWY_SSSE3)
#elif HWY_ARCH_X86
// Highway orders x86 targets by bit, better ones lower: these are all that are better than AVX3.
#define HWY_DISABLED_TARGETS ((HWY_AVX3 - 1) | HWY_SSSE3)
#else
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#endif
