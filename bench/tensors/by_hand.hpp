// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tensors.hpp"

namespace bench {

/// Stands in oneDNN's column of the row of its name.
Job classifier_by_hand();

}  // namespace bench
