// SPDX-License-Identifier: Apache-2.0
// All of nn: include this one header.
#pragma once

#include "clip.hpp"
#include "init.hpp"
#include "layers/layers.hpp"
#include "loss.hpp"
#include "module.hpp"
#include "optim.hpp"
#include "state_dict.hpp"
#include "summary.hpp"
