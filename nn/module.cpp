// SPDX-License-Identifier: Apache-2.0
// The shared state behind Module and the walks over it. A state owns the states of its members; upwards
// it only has a weak pointer, for paths in messages, so there are no cycles to leak.
#include "module.hpp"
#include "utf8.hpp"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

namespace nn {

constinit thread_local detail::Observer* detail::observer = nullptr;

using autograd::ValueError;

namespace {

/// Where the parameters of this process are registered, for the messages of anomaly mode. Recursive,
/// because what is looked up may be the last to hold a state that then leaves the registry.
struct Registry {
  std::recursive_mutex mutex;
  std::unordered_map<const void*, void*> states;  // of each parameter's node, a Module::State

  static Registry& instance() {
    static Registry& registry = *new Registry;  // outlives every module
    return registry;
  }
};

}  // namespace

struct Module::State {
  State() = default;
  ~State() {
    for (const auto& entry : parameters) leave(entry.second);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void enter(const Tensor& parameter) {
    Registry& registry = Registry::instance();
    const std::lock_guard lock(registry.mutex);
    registry.states[parameter.node()] = this;
    autograd::detail::set_module_lookup(&module_of);
  }
  void leave(const Tensor& parameter) {
    Registry& registry = Registry::instance();
    const std::lock_guard lock(registry.mutex);
    const auto found = registry.states.find(parameter.node());
    if (found != registry.states.end() && found->second == this) registry.states.erase(found);
  }
  static std::string module_of(const Tensor& parameter) {
    Registry& registry = Registry::instance();
    const std::lock_guard lock(registry.mutex);
    const auto found = registry.states.find(parameter.node());
    return found == registry.states.end() ? "" : static_cast<State*>(found->second)->path();
  }

  struct Child {
    std::string name;
    std::shared_ptr<State> state;
  };

  NamedTensors parameters, buffers;
  std::vector<std::pair<std::string, std::shared_ptr<RandomStream>>> generators;
  std::vector<Child> children;
  bool training = true;
  // Where it was registered last; only for messages.
  std::weak_ptr<State> parent;
  std::string name;

  bool reaches(const State* other) const {
    return this == other || std::any_of(children.begin(), children.end(), [&](const Child& child) {
             return child.state->reaches(other);
           });
  }

  std::string path() const {
    const std::shared_ptr<State> above = parent.lock();
    const std::string front = above ? above->path() : "";
    return front.empty() ? name : front + "." + name;
  }

  void check_name(const char* function, const std::string& wanted, bool dots) const;
  void check_present(const Child& child) const;

  /// Calls f(prefix, state) for this state, then for those below, in order.
  template <class F> void visit(const std::string& prefix, F&& f) {
    f(prefix, *this);
    for (const Child& child : children) {
      check_present(child);
      child.state->visit(prefix + child.name + ".", f);
    }
  }

  /// The tensors of one kind under their dotted names, each once.
  NamedTensors collect(NamedTensors State::*kind) {
    NamedTensors all;
    std::unordered_set<const void*> seen;
    visit("", [&](const std::string& prefix, State& state) {
      for (const auto& [key, tensor] : state.*kind) {
        if (seen.insert(tensor.node()).second) all.emplace_back(prefix + key, tensor);
      }
    });
    return all;
  }
};

void Module::State::check_name(const char* function, const std::string& wanted, bool dots) const {
  const auto fail = [&](const std::string& what, const std::string& need) {
    throw ValueError(std::string(function) + ": " + what + ": " + detail::quote(wanted) +
                     "; need " + need);
  };
  if (wanted.empty()) fail("the name is empty", "at least one character");
  if (!dots && wanted.find('.') != std::string::npos) {
    fail("the name has a dot", "a name without one (dots separate modules)");
  }
  const auto same = [&](const auto& entry) { return entry.first == wanted; };
  const bool taken = std::any_of(parameters.begin(), parameters.end(), same) ||
                     std::any_of(buffers.begin(), buffers.end(), same) ||
                     std::any_of(generators.begin(), generators.end(), same) ||
                     std::any_of(children.begin(), children.end(),
                                 [&](const Child& child) { return child.name == wanted; });
  if (taken) fail("the name is taken", "one name for each parameter, buffer and module");
}

// Nobody but the parent holds the state any more: the member was assigned another module. Its
// parameters would be missed by the optimizer without a word.
void Module::State::check_present(const Child& child) const {
  if (child.state.use_count() > 1) return;
  const std::string full = child.state->path();
  throw ValueError("Module: a member was replaced after it was registered: " + detail::quote(full) +
                   "; need register_module(\"" + detail::escaped(child.name, 100) +
                   "\", ...) after the assignment");
}

Module::Module() : state_(std::make_shared<State>()) {}

void Module::register_module(const std::string& name, Module& member) {
  auto& children = state_->children;
  const auto replaced = std::find_if(children.begin(), children.end(), [&](const auto& child) {
    return child.name == name && child.state.use_count() == 1;
  });
  if (replaced == children.end()) state_->check_name("register_module", name, true);
  if (member.state_->reaches(state_.get())) {
    throw ValueError("register_module: a module cannot contain itself: " + detail::quote(name) +
                     "; need another module");
  }
  if (replaced == children.end()) {
    children.push_back({name, member.state_});
  } else {
    replaced->state = member.state_;
  }
  member.state_->parent = state_;
  member.state_->name = name;
}

void Module::register_parameter(const std::string& name, Tensor parameter) {
  state_->check_name("register_parameter", name, false);
  parameter.set_requires_grad();
  state_->parameters.emplace_back(name, parameter);
  state_->enter(parameter);
}

void Module::register_buffer(const std::string& name, Tensor buffer) {
  state_->check_name("register_buffer", name, false);
  if (!buffer.defined()) {
    throw ValueError("register_buffer: undefined tensor: " + detail::quote(name) +
                     "; need a tensor");
  }
  state_->buffers.emplace_back(name, std::move(buffer));
}

void Module::register_generator(const std::string& name, std::shared_ptr<RandomStream> stream) {
  state_->check_name("register_generator", name, false);
  state_->generators.emplace_back(name, std::move(stream));
}

void Module::share_parameter(Parameter& mine, const Parameter& other) {
  const auto found =
      std::find_if(state_->parameters.begin(), state_->parameters.end(),
                   [&](const auto& entry) { return entry.second.node() == mine.node(); });
  if (!mine.defined() || !other.defined() || found == state_->parameters.end()) {
    throw ValueError("share_parameter: not a parameter of this module: " + detail::quote(path()) +
                     "; need one that register_parameter was given, and another to share");
  }
  if (!(mine.shape() == other.shape())) {
    throw autograd::ShapeError("share_parameter: shapes differ: " + detail::quote(found->first) +
                               " is " + to_string(mine.shape()) + ", the other is " +
                               to_string(other.shape()) + "; need one shape");
  }
  if (mine.dtype() != other.dtype()) {
    throw autograd::TypeError("share_parameter: dtypes differ: " + detail::quote(found->first) +
                              " is " + autograd::name(mine.dtype()) + ", the other is " +
                              autograd::name(other.dtype()) + "; need one dtype");
  }
  state_->leave(mine);
  found->second = other;
  mine = other;
}

NamedTensors Module::named_parameters() const { return state_->collect(&State::parameters); }

NamedTensors Module::named_buffers() const { return state_->collect(&State::buffers); }

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> all;
  for (auto& entry : named_parameters()) all.push_back(std::move(entry.second));
  return all;
}

void Module::train(bool on) {
  state_->visit("", [&](const std::string&, State& state) { state.training = on; });
}

bool Module::is_training() const { return state_->training && detail::observer == nullptr; }

StateDict Module::state_dict() const {
  StateDict all;
  state_->visit("", [&](const std::string& prefix, State& state) {
    for (const auto* kind : {&state.parameters, &state.buffers}) {
      for (const auto& [key, tensor] : *kind) all.insert(prefix + key, autograd::detach(tensor));
    }
  });
  return all;
}

namespace {

/// Names and what they need, separated by commas, and how many; the first 100 are shown.
struct List {
  std::string text;
  int count = 0;
  void add(const std::string& name, const std::string& what = "") {
    if (++count > 100) return;
    text += (count > 1 ? ", " : "") + detail::escaped(name, 100) + what;
  }
};

/// Whether an entry `given` can be copied into `own`: same shape, and the same dtype or both floating.
bool fits(const Tensor& given, const Tensor& own) {
  if (!given.defined() || given.shape() != own.shape()) return false;
  return given.dtype() == own.dtype() ||
         (autograd::is_floating(given.dtype()) && autograd::is_floating(own.dtype()));
}

std::string kind_of(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  return std::string(autograd::name(tensor.dtype())) + " " + autograd::to_string(tensor.shape());
}

}  // namespace

void Module::load_state_dict(const StateDict& state) {
  const StateDict own = state_dict();
  List missing, unexpected, misfits;
  for (const auto& [key, tensor] : own) {
    if (!state.contains(key)) {
      missing.add(key);
    } else if (const Tensor& given = state.at(key); !fits(given, tensor)) {
      misfits.add(key, " is " + kind_of(given) + " and not " + kind_of(tensor));
    }
  }
  for (const auto& [key, tensor] : state) {
    if (!own.contains(key)) unexpected.add(key);
  }
  if (missing.count + unexpected.count + misfits.count > 0) {
    std::string what;
    const auto part = [&](const char* title, const List& list) {
      if (list.count > 0) what += (what.empty() ? "" : "; ") + std::string(title) + list.text;
      if (list.count > 100) what += ", and " + std::to_string(list.count - 100) + " more";
    };
    part("missing ", missing);
    part("unexpected ", unexpected);
    part("misshapen ", misfits);
    throw ValueError("load_state_dict: the state does not fit the module: " + what +
                     "; need the names, shapes and dtypes of state_dict() (" +
                     std::to_string(missing.count) + " missing, " +
                     std::to_string(unexpected.count) + " unexpected, " +
                     std::to_string(misfits.count) + " misshapen)");
  }
  for (const auto& [key, tensor] : own) autograd::copy_(autograd::detach(tensor), state.at(key));
}

StateDict Module::generator_state() const {
  StateDict all;
  state_->visit("", [&](const std::string& prefix, State& state) {
    for (const auto& [key, stream] : state.generators) {
      if (!stream->own()) continue;
      const auto [seed, position] = stream->state();
      all.insert(prefix + key,
                 autograd::tensor(std::vector<std::int64_t>{static_cast<std::int64_t>(seed),
                                                            static_cast<std::int64_t>(position)}));
    }
  });
  return all;
}

void Module::load_generator_state(const StateDict& given) {
  const StateDict own = generator_state();
  std::string wrong;
  for (const auto& [key, tensor] : own) {
    if (!given.contains(key) || kind_of(given.at(key)) != kind_of(tensor)) wrong = key;
  }
  for (const auto& [key, tensor] : given) {
    if (!own.contains(key)) wrong = key;
  }
  if (!wrong.empty()) {
    throw ValueError(
        "load_generator_state: the state does not fit the module: at " + detail::quote(wrong) +
        "; need the names of generator_state(), int64 [2] each (" + std::to_string(given.size()) +
        " given, " + std::to_string(own.size()) + " there)");
  }
  state_->visit("", [&](const std::string& prefix, State& state) {
    for (const auto& [key, stream] : state.generators) {
      if (!stream->own()) continue;
      const auto words = autograd::to_vector<std::int64_t>(given.at(prefix + key));
      stream->restore(static_cast<std::uint64_t>(words[0]), static_cast<std::uint64_t>(words[1]));
    }
  });
}

void Module::zero_grad() {
  for (Tensor& parameter : parameters()) parameter.zero_grad();
}

std::string Module::path() const { return state_->path(); }

std::string Module::describe(const char* type) const {
  const std::string where = path();
  return where.empty() ? type : std::string(type) + " " + detail::quote(where);
}

void Module::rethrow(const char* type) const {
  const std::string front = describe(type) + ": ";
  try {
    throw;
  } catch (const autograd::ShapeError& error) {
    throw autograd::ShapeError(front + error.what());
  } catch (const autograd::ValueError& error) {
    throw autograd::ValueError(front + error.what());
  } catch (const autograd::TypeError& error) {
    throw autograd::TypeError(front + error.what());
  } catch (const autograd::TapeError& error) {
    throw autograd::TapeError(front + error.what());
  } catch (const autograd::BranchError& error) {
    throw autograd::BranchError(front + error.what());
  } catch (const autograd::AnomalyError&) {
    throw;  // it names the module of the operation, which may be another
  } catch (const autograd::IoError& error) {
    throw autograd::IoError(front + error.what());
  }
}

}  // namespace nn
