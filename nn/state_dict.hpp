// SPDX-License-Identifier: Apache-2.0
// The tensors of a module under their dotted names, in the module's order: what is saved and loaded.
// The names are PyTorch's ("hidden.weight"), so that weights travel both ways. An entry is a handle:
// one that came from Module::state_dict() shares its elements with the module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>

namespace nn {

using autograd::Tensor;

/// Names and tensors in the order in which they were added.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// An ordered map from names to tensors. Iterates over pairs (name, tensor).
class StateDict {
 public:
  StateDict() = default;

  bool contains(std::string_view name) const { return index_.find(name) != index_.end(); }
  /// The tensor of that name, shared. Throws ValueError when there is none.
  const Tensor& at(std::string_view name) const;
  /// Adds an entry at the end. Throws ValueError when the name is taken.
  void insert(std::string name, Tensor tensor);
  /// Removes an entry. Throws ValueError when there is none of that name.
  void erase(std::string_view name);

  /// The same names with elements of their own: what keeps weights as they are now.
  StateDict clone() const;

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  NamedTensors::const_iterator begin() const { return entries_.begin(); }
  NamedTensors::const_iterator end() const { return entries_.end(); }

 private:
  std::size_t position(const char* function, std::string_view name) const;

  NamedTensors entries_;
  std::map<std::string, std::size_t, std::less<>> index_;  // name -> position in entries_
};

namespace detail {
/// The largest counter that a state may hold: far from where counting on overflows.
inline constexpr std::int64_t kMostCounted = std::int64_t{1} << 53;
}  // namespace detail

}  // namespace nn
