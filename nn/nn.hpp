// SPDX-License-Identifier: Apache-2.0
// All of nn: include this one header.
#pragma once

#include "checkpoint.hpp"
#include "clip.hpp"
#include "data/data.hpp"
#include "ema.hpp"
#include "files/files.hpp"
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
