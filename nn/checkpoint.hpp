// SPDX-License-Identifier: Apache-2.0
// Checkpoints of a training run: named tensors and words in a folder of safetensors files, each written
// atomically, of which the last few are kept; and a switch that an interrupt flips, so that a loop can
// save before it ends.
//
//   nn::Checkpoints checkpoints("run", {.keep = 3});
//   nn::InterruptGuard interrupt;
//   for (...) {
//     ... one step ...
//     if (step % 1000 == 0 || interrupt.requested()) checkpoints.save(step, state, words);
//     if (interrupt.requested()) break;
//   }
//
// (autograd::checkpoint is another thing: it recomputes a part of a recording.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "files/safetensors.hpp"
#include "state_dict.hpp"

namespace nn {

/// What a checkpoint holds: tensors of model and optimizer under names of your choice, and whatever else
/// as words ("epoch": "3").
struct Checkpoint {
  std::int64_t step = 0;
  StateDict state;
  Metadata words;
};

struct CheckpointsOptions {
  std::int64_t keep = 3;  ///< older ones are removed after a save; 0: none is
};

/// A folder of files "checkpoint-000000001000.safetensors". Not for several threads or processes that save
/// to one folder at a time.
class Checkpoints {
 public:
  /// Makes the folder where it is missing. Throws IoError when that fails, ValueError for keep < 0.
  explicit Checkpoints(std::string folder, CheckpointsOptions options = {});

  /// Writes, then removes what is too old; other files of the folder are never touched. Replaces a
  /// checkpoint of the same step. Returns the path. Throws as save_safetensors does, and then nothing is
  /// removed; ValueError for step < 0.
  std::string save(std::int64_t step, const StateDict& state, const Metadata& words = {});

  /// The steps that are there, rising.
  std::vector<std::int64_t> steps() const;
  /// Throws IoError for a step that is not there or a damaged file.
  Checkpoint load(std::int64_t step) const;
  /// The newest, or nothing where there is none yet. A damaged one throws IoError: whether to go back to
  /// an older one is for you to say, with load(steps()[...]).
  std::optional<Checkpoint> load_latest() const;
  std::string path(std::int64_t step) const;

 private:
  std::string folder_;
  CheckpointsOptions options_;
};

/// While one lives, the first SIGINT or SIGTERM only makes requested() true; a second one ends the program
/// as usual. Guards nest; the last to go restores what was there before.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard();
  bool requested() const { return signal() != 0; }
  /// The signal that came last, SIGINT (2) or SIGTERM (15), or 0: programs exit with 128 + signal().
  int signal() const;
};

}  // namespace nn
