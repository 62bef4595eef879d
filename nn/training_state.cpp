// SPDX-License-Identifier: Apache-2.0
// Loading is all or nothing because what was there is saved first: parts check themselves, and when one
// refuses, those before it get their old state back.
#include "training_state.hpp"
#include "utf8.hpp"

#include <bit>
#include <cmath>

namespace nn {

using autograd::ValueError;

namespace {

Tensor copy_of(const Tensor& x) {
  Tensor copy = empty_like(x);
  copy_(copy, detach(x));
  return copy;
}

/// The single entry `value` of the state of a part: an int64 or float64 tensor of n elements.
Tensor only_entry(const std::string& part, const StateDict& state, autograd::DType dtype,
                  std::int64_t n) {
  if (state.size() == 1 && state.contains("value")) {
    const Tensor& x = state.at("value");
    if (x.defined() && x.dtype() == dtype && x.numel() == n) return contiguous(detach(x));
  }
  throw ValueError(
      "TrainingState.load_state_dict: the state does not fit: " + detail::quote(part + ".value") +
      " is missing or of another kind; need " + std::to_string(n) +
      (n == 1 ? " number, " : " numbers, ") + autograd::name(dtype));
}

StateDict single(Tensor value) {
  StateDict state;
  state.insert("value", std::move(value));
  return state;
}

StateDict place_of(const autograd::Generator& generator) {
  return single(autograd::tensor(
      std::vector<std::int64_t>{std::bit_cast<std::int64_t>(generator.seed()),
                                std::bit_cast<std::int64_t>(generator.position())}));
}

void move_to(const std::string& part, autograd::Generator& generator, const StateDict& state) {
  const Tensor x = only_entry(part, state, autograd::int64, 2);
  autograd::Generator fresh(std::bit_cast<std::uint64_t>(x.data<std::int64_t>()[0]));
  fresh.seek(std::bit_cast<std::uint64_t>(x.data<std::int64_t>()[1]));
  generator = fresh;
}

}  // namespace

TrainingState::TrainingState() {
  // Looked up at each call: every thread has its own.
  const std::string name = "default_generator";
  add(
      name, [] { return place_of(autograd::default_generator()); },
      [name](const StateDict& state) { move_to(name, autograd::default_generator(), state); });
}

void TrainingState::add(const std::string& name, Save save, Load load) {
  bool taken = false;
  for (const Part& part : parts_) taken = taken || part.name == name;
  if (name.empty() || taken || name.find('.') != std::string::npos) {
    throw ValueError("TrainingState.add: not a name for a part: " + detail::quote(name) +
                     "; need one that is not empty, has no dot and is not taken");
  }
  parts_.push_back({name, std::move(save), std::move(load)});
}

void TrainingState::add(const std::string& name, autograd::Generator& generator) {
  add(
      name, [&generator] { return place_of(generator); },
      [name, &generator](const StateDict& state) { move_to(name, generator, state); });
}

void TrainingState::add(const std::string& name, std::int64_t& counter) {
  add(
      name, [&counter] { return single(autograd::tensor(std::vector<std::int64_t>{counter}, {})); },
      [name, &counter](const StateDict& state) {
        counter = only_entry(name, state, autograd::int64, 1).data<std::int64_t>()[0];
      });
}

void TrainingState::add(const std::string& name, double& value) {
  add(
      name, [&value] { return single(autograd::full({}, value, autograd::float64)); },
      [name, &value](const StateDict& state) {
        value = only_entry(name, state, autograd::float64, 1).item();
      });
}

StateDict TrainingState::state_dict() const {
  StateDict all;
  for (const Part& part : parts_) {
    for (const auto& [name, tensor] : part.save()) {
      all.insert(part.name + "." + name, copy_of(tensor));
    }
  }
  return all;
}

void TrainingState::load_state_dict(const StateDict& state) {
  std::vector<StateDict> pieces(parts_.size());
  std::string unexpected;
  for (const auto& [name, tensor] : state) {
    const std::size_t dot = name.find('.');
    std::size_t k = 0;
    while (k < parts_.size() && (dot == name.npos || name.compare(0, dot, parts_[k].name) != 0))
      ++k;
    if (k == parts_.size()) {
      if (unexpected.size() < 200)
        unexpected += (unexpected.empty() ? "" : ", ") + detail::escaped(name, 100);
    } else {
      pieces[k].insert(name.substr(dot + 1), tensor);
    }
  }
  if (!unexpected.empty()) {
    throw ValueError("TrainingState.load_state_dict: unexpected names: " + unexpected +
                     "; need those of a run with the same parts");
  }
  std::vector<StateDict> before;
  for (const Part& part : parts_) {
    StateDict copy;
    for (const auto& [name, tensor] : part.save()) copy.insert(name, copy_of(tensor));
    before.push_back(std::move(copy));
  }
  std::size_t k = 0;
  try {
    for (; k < parts_.size(); ++k) parts_[k].load(pieces[k]);
  } catch (...) {
    for (++k; k-- > 0;) parts_[k].load(before[k]);  // the one that threw as well
    throw;
  }
}

}  // namespace nn
