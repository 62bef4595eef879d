// SPDX-License-Identifier: Apache-2.0
// Files: safetensors, NPY and NPZ, pictures, audio, logs.
#pragma once

#include "file.hpp"
#include "safetensors.hpp"
