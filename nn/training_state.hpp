// SPDX-License-Identifier: Apache-2.0
// Everything that a training run needs to go on, as one flat map of named tensors: the model, the
// optimizer, schedules, averages, generators, the loader's position, counters. A file format saves the
// map (save_safetensors(path, state.state_dict())); a run that was stopped and resumed from it ends with
// the bits of one that was not. One thread at a time.
//
//   nn::TrainingState state;
//   state.add("model", model);
//   state.add("optimizer", optimizer);
//   state.add("generator", generator);
//   state.add("epoch", epoch);
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>

#include "state_dict.hpp"

namespace nn {

/// Holds references: the parts must outlive it and stay where they are.
class TrainingState {
 public:
  using Save = std::function<StateDict()>;
  using Load = std::function<void(const StateDict&)>;

  /// A part under a name without dots; throws ValueError for one that is empty, taken or has a dot.
  /// `load` must throw, and change nothing, when the state does not fit.
  void add(const std::string& name, Save save, Load load);
  /// Anything with state_dict() and load_state_dict(): modules, optimizers, schedules, loaders.
  template <class Part>
    requires requires(Part& part, StateDict state) {
      state = part.state_dict();
      part.load_state_dict(state);
    }
  void add(const std::string& name, Part& part) {
    add(
        name, [&part] { return part.state_dict(); },
        [&part](const StateDict& state) { part.load_state_dict(state); });
  }
  void add(const std::string& name, autograd::Generator& generator);  ///< seed and position
  void add(const std::string& name, std::int64_t& counter);
  void add(const std::string& name, double& value);

  /// "model.hidden.weight", "optimizer.state.0.step", ...: copies of all elements.
  StateDict state_dict() const;
  /// Restores every part or none: when a part does not fit, or names are missing or unexpected, throws
  /// and everything is as it was.
  void load_state_dict(const StateDict& state);

 private:
  struct Part {
    std::string name;
    Save save;
    Load load;
  };
  std::vector<Part> parts_;
};

}  // namespace nn
