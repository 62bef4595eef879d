// SPDX-License-Identifier: Apache-2.0
// Everything that a training run needs to go on, as one flat map of named tensors: the model, the
// optimizer, schedules, averages, generators, the loader's position, counters. A file format saves the
// map (save_safetensors(path, state.state_dict())); a run that was stopped and resumed from it ends with
// the bits of one that was not. One thread at a time: that which trains.
//
//   nn::TrainingState state;
//   state.add("model", model);  // with the streams of its dropout layers
//   state.add("optimizer", optimizer);
//   state.add("generator", generator);
//   state.add("epoch", epoch);
//
// default_generator() of the calling thread is a part from the start, under that name: layers and functions
// that are not given a generator draw from it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>

#include "state_dict.hpp"

namespace nn {

namespace detail {

/// A module's state_dict() and generator_state() in one map; no two of their names are the same.
template <class M> StateDict with_streams(const M& module) {
  StateDict all = module.state_dict();
  for (const auto& [name, place] : module.generator_state()) all.insert(name, place);
  return all;
}

template <class M> void load_with_streams(M& module, const StateDict& state) {
  const StateDict streams = module.generator_state();
  StateDict places, others;
  for (const auto& [name, tensor] : state) {
    (streams.contains(name) ? places : others).insert(name, tensor);
  }
  module.load_state_dict(others);
  module.load_generator_state(places);
}

}  // namespace detail

/// Holds references: the parts must outlive it and stay where they are.
class TrainingState {
 public:
  using Save = std::function<StateDict()>;
  using Load = std::function<void(const StateDict&)>;

  TrainingState();

  /// A part under a name without dots; throws ValueError for one that is empty, taken or has a dot.
  /// `load` must throw, and change nothing, when the state does not fit.
  void add(const std::string& name, Save save, Load load);
  /// Anything with state_dict() and load_state_dict(): modules, optimizers, schedules, loaders. Of
  /// modules also generator_state(), so that a resumed run drops what the whole one drops.
  template <class Part>
    requires requires(Part& part, StateDict state) {
      state = part.state_dict();
      part.load_state_dict(state);
    }
  void add(const std::string& name, Part& part) {
    if constexpr (requires(const StateDict& state) { part.load_generator_state(state); }) {
      add(
          name, [&part] { return detail::with_streams(part); },
          [&part](const StateDict& state) { detail::load_with_streams(part, state); });
    } else {
      add(
          name, [&part] { return part.state_dict(); },
          [&part](const StateDict& state) { part.load_state_dict(state); });
    }
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
