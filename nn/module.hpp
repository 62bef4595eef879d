// SPDX-License-Identifier: Apache-2.0
// Module: what a network is built of. A module is a plain struct that derives from Module, keeps its
// parameters and other modules as members, registers them under their names in its constructor, and has
// an operator().
//
// Names, flag and handles live in a state that all copies of a module share, and a parent holds the
// states of its members, never their addresses: copies and moves cannot dangle, and model.eval()
// reaches every copy. To add a layer, see layers/linear.hpp.
// Threads: any number may call a module at a time; registering, train() and loading are for one.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>

#include "observer.hpp"
#include "random_stream.hpp"
#include "state_dict.hpp"

namespace nn {

using autograd::Generator;

/// A tensor that requires gradients, as a member of a module. Assigning a plain Tensor to it does not
/// compile, because what was registered (and is being optimized) would stay behind: change the
/// elements instead, `copy_(layer.weight, values)`.
class Parameter : public Tensor {
 public:
  Parameter() = default;
  explicit Parameter(Tensor values) : Tensor(std::move(values)) { set_requires_grad(); }
};

/// Base of all modules. Copying one shares its parameters, buffers and train/eval flag. For a copy
/// with elements of its own, build a second module and load the state_dict() of the first into it.
class Module {
 public:
  Module();
  // No moves: what was moved from stays usable.
  Module(const Module&) = default;
  Module& operator=(const Module&) = default;
  ~Module() = default;

  /// Makes `member` part of this module; its names get `name` and a dot in front. Dots in `name` are
  /// fine: "layers.0" for the first of a vector. A module registered with several parents is shared by
  /// them. Throws ValueError for a name that is empty or taken, and for a module inside itself.
  void register_module(const std::string& name, Module& member);
  /// A layer without parameters, buffers or modes, such as ReLU, is no Module: nothing is to be done.
  template <class Layer>
    requires(!std::derived_from<Layer, Module> && std::invocable<const Layer&, const Tensor&>)
  void register_module(const std::string&, Layer&) {}
  /// Makes `parameter` one of this module's and sets requires_grad. Shares the elements: change them
  /// in place, as optimizers do. Throws ValueError for a name that is empty, taken or has a dot,
  /// TypeError unless the dtype is float32 or float64.
  void register_parameter(const std::string& name, Tensor parameter);
  /// Makes `buffer`, of any dtype, part of the state that is saved but not optimized; shares the
  /// elements. Throws as register_parameter does.
  void register_buffer(const std::string& name, Tensor buffer);

  /// Makes `stream` part of what generator_state() saves, if it is a stream of its own. Throws as
  /// register_parameter does.
  void register_generator(const std::string& name, std::shared_ptr<RandomStream> stream);
  /// Makes `mine`, a registered parameter of this very module, the same tensor as `other` (tied
  /// weights): parameters() has it once, state_dict() under each name. Copies of this module that were
  /// made before keep what they had. Throws ValueError for one that is not registered here, ShapeError
  /// and TypeError unless both have one shape and dtype.
  void share_parameter(Parameter& mine, const Parameter& other);

  /// Every parameter, own ones first, then the members' in the order of registration; each once, also
  /// when it has several names.
  std::vector<Tensor> parameters() const;
  NamedTensors named_parameters() const;
  NamedTensors named_buffers() const;

  /// Switches this module and all its members between training and evaluation.
  void train(bool on = true);
  void eval() { train(false); }
  /// False also while summary() watches.
  bool is_training() const;

  /// All parameters and buffers under all their names. The elements are shared, not copied, so that
  /// training goes on changing them, and no tape tracks them. To keep the best weights:
  /// `best = model.state_dict().clone();`, and later `model.load_state_dict(best);`.
  StateDict state_dict() const;
  /// Copies the elements of `state` into this module's parameters and buffers, converting between
  /// float32 and float64. Throws one ValueError that lists all missing, unexpected and misshapen
  /// entries (of each the first 100), and then changes nothing.
  void load_state_dict(const StateDict& state);
  /// Where the random streams of dropout layers are: int64 {seed, position} under each one's name.
  /// Not part of state_dict(), whose names are PyTorch's; a TrainingState saves both. Layers without a
  /// stream of their own draw from default_generator() and are not listed.
  StateDict generator_state() const;
  /// Continues them from there. Throws ValueError unless names, shapes and dtypes are those of
  /// generator_state(), and then changes nothing.
  void load_generator_state(const StateDict& state);
  /// Removes the gradients of all parameters.
  void zero_grad();

  /// Where this module sits in the one that it was last registered with: "encoder.fc2", or "".
  std::string path() const;
  /// How messages call it: "Linear 'encoder.fc2'", or "Linear" where it has no path.
  std::string describe(const char* type) const;

 protected:
  /// For catch blocks: throws the Error being handled again, of its own type, with describe(type) in
  /// front of its message. Layers check nothing before they compute, so that checks cost nothing.
  [[noreturn]] void rethrow(const char* type) const;
  /// f(), what a layer of that type computes, with its errors rethrown and its result shown to who
  /// watches.
  template <class F> Tensor guard(const char* type, F&& f) const {
    try {
      Tensor y = f();
      observe(type, y);
      return y;
    } catch (const autograd::Error&) {
      rethrow(type);
    }
  }
  void observe(const char* type, const Tensor& y) const {
    if (detail::observer != nullptr) [[unlikely]]
      detail::observer->saw(path(), type, y);
  }

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace nn
