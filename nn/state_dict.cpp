// SPDX-License-Identifier: Apache-2.0
// Entries in order, and an index from names to positions so that hostile files with a million names
// load in n log n.
#include "state_dict.hpp"
#include "utf8.hpp"

namespace nn {

std::size_t StateDict::position(const char* function, std::string_view name) const {
  const auto found = index_.find(name);
  if (found != index_.end()) return found->second;
  throw autograd::ValueError(std::string(function) + ": no such name: " + detail::quote(name) +
                             "; need one of the " + std::to_string(size()) + " names it holds");
}

const Tensor& StateDict::at(std::string_view name) const {
  return entries_[position("StateDict.at", name)].second;
}

void StateDict::insert(std::string name, Tensor tensor) {
  if (!index_.emplace(name, entries_.size()).second) {
    throw autograd::ValueError("StateDict.insert: the name is taken: " + detail::quote(name) +
                               "; need a name that contains() does not know");
  }
  entries_.emplace_back(std::move(name), std::move(tensor));
}

StateDict StateDict::clone() const {
  StateDict copy;
  for (const auto& [name, tensor] : entries_) {
    Tensor own;
    if (tensor.defined()) {
      own = autograd::empty(tensor.shape(), tensor.dtype());
      autograd::copy_(own, autograd::detach(tensor));
    }
    copy.insert(name, own);
  }
  return copy;
}

void StateDict::erase(std::string_view name) {
  const std::size_t gone = position("StateDict.erase", name);
  index_.erase(index_.find(name));
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(gone));
  for (auto& entry : index_) {
    if (entry.second > gone) --entry.second;
  }
}

}  // namespace nn
