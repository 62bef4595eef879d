// SPDX-License-Identifier: Apache-2.0
// Data: sets, the loader, readers, text, transforms.
#pragma once

#include "bpe.hpp"
#include "csv.hpp"
#include "dataset.hpp"
#include "idx.hpp"
#include "loader.hpp"
#include "mel.hpp"
#include "sequences.hpp"
#include "synthetic.hpp"
#include "text.hpp"
#include "transforms.hpp"
#include "vocabulary.hpp"
