// SPDX-License-Identifier: Apache-2.0
// How many threads the library may use. No result depends on it.
#pragma once

namespace autograd {

/// At most n threads from now on, for the whole process; throws ValueError for n < 1.
void set_num_threads(int n);
/// Default: the cores this process may run on.
int num_threads();

}  // namespace autograd
