// SPDX-License-Identifier: Apache-2.0
// How many threads the library may use (set_num_threads, num_threads), and loops over them for code of your
// own. No result of the library depends on their number.
#pragma once

#include "kernels/parallel.hpp"

namespace autograd {

/// parallel_for(n, grain, f) calls f(begin, end) for pieces of at least `grain` that cover [0, n), several at a
/// time; all of it here when n <= grain. Rethrows what f throws.
using kernels::parallel_for;

}  // namespace autograd
