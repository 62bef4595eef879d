// SPDX-License-Identifier: Apache-2.0
// Files: whole ones, safetensors, NPY and NPZ, pictures, sound.
#pragma once

#include "chart.hpp"
#include "file.hpp"
#include "gzip.hpp"
#include "image.hpp"
#include "logs.hpp"
#include "npy.hpp"
#include "onnx.hpp"
#include "safetensors.hpp"
#include "wav.hpp"
