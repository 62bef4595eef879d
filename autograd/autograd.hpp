// SPDX-License-Identifier: Apache-2.0
// Everything: include this one header.
#pragma once

#include "create.hpp"
#include "dtype.hpp"
#include "error.hpp"
#include "functions.hpp"
#include "generator.hpp"
#include "grad.hpp"
#include "gradcheck.hpp"
#include "linalg.hpp"
#include "memory.hpp"
#include "scalar_functions.hpp"
#include "scalar_math.hpp"
#include "scalars_and_tensors.hpp"
#include "shape.hpp"
#include "tape.hpp"
#include "tensor.hpp"
#include "threads.hpp"
#include "var.hpp"
