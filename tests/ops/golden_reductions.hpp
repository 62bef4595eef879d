// SPDX-License-Identifier: Apache-2.0
// The reader's former name.
#pragma once
#include "golden.hpp"  // IWYU pragma: export
