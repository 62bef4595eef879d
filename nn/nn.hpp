// SPDX-License-Identifier: Apache-2.0
// All of nn: include this one header.
#pragma once

#include "clip.hpp"
#include "ema.hpp"
#include "init.hpp"
#include "layers/layers.hpp"
#include "lbfgs.hpp"
#include "loss.hpp"
#include "margin_loss.hpp"
#include "metrics.hpp"
#include "module.hpp"
#include "optim.hpp"
#include "optim_adaptive.hpp"
#include "progress.hpp"
#include "schedule.hpp"
#include "state_dict.hpp"
#include "summary.hpp"
#include "train.hpp"
#include "training_state.hpp"
