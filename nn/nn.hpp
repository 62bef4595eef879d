// SPDX-License-Identifier: Apache-2.0
// All of nn: include this one header.
#pragma once

#include "checkpoint.hpp"
#include "clip.hpp"
#include "data/data.hpp"
#include "files/files.hpp"
#include "init.hpp"
#include "layers/activation.hpp"
#include "layers/linear.hpp"
#include "layers/sequential.hpp"
#include "loss.hpp"
#include "module.hpp"
#include "optim.hpp"
#include "state_dict.hpp"
