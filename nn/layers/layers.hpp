// SPDX-License-Identifier: Apache-2.0
// All layers.
#pragma once

#include "activation.hpp"
#include "activation_modules.hpp"
#include "attention.hpp"
#include "bilinear.hpp"
#include "containers.hpp"
#include "conv.hpp"
#include "dropout.hpp"
#include "embedding.hpp"
#include "layer.hpp"
#include "linear.hpp"
#include "norm.hpp"
#include "pool.hpp"
#include "positional.hpp"
#include "recurrent.hpp"
#include "reshape.hpp"
#include "sequential.hpp"
#include "transformer.hpp"
