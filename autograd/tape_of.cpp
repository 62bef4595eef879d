// SPDX-License-Identifier: Apache-2.0
#include "tape_of.hpp"

namespace autograd::detail {

void throw_foreign_value() {
  throw TapeError(
      "BasicVar: a value cannot be used here: it belongs to another driver's recording, or to one "
      "that has ended; need a value computed from the arguments of the function being "
      "differentiated (or its value(), a constant)");
}

}  // namespace autograd::detail
