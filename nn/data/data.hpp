// SPDX-License-Identifier: Apache-2.0
// Data: sets, loaders, readers, text, transforms.
#pragma once

#include "dataset.hpp"
#include "loader.hpp"
#include "synthetic.hpp"
