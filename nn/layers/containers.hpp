// SPDX-License-Identifier: Apache-2.0
// ModuleList and ModuleDict: members whose number or names are known at run time, registered with the
// module that holds them ("layers.0.weight", "heads.left.weight"). They hold modules of one type, or
// layers of any: ModuleList<Linear>, ModuleList<Layer>. Copies share the members, also later ones.
#pragma once

#include <concepts>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../module.hpp"
#include "../utf8.hpp"
#include "layer.hpp"

namespace nn {

namespace detail {
[[noreturn]] void throw_no_member(const char* container, const std::string& which,
                                  std::size_t size);
}  // namespace detail

template <class M>
concept Member = std::same_as<M, Layer> ||
    (std::derived_from<M, Module>&& std::copy_constructible<M>);

/// Members by position. It computes nothing by itself: loop over it.
template <Member M> class ModuleList : public Module {
 public:
  ModuleList() : members_(std::make_shared<std::deque<M>>()) {}
  /// From members in braces, which are shared with the caller's.
  template <class First, class... Rest>
    requires(!std::same_as<std::decay_t<First>, ModuleList> && std::constructible_from<M, First> &&
             (std::constructible_from<M, Rest> && ...))
  explicit ModuleList(First&& first, Rest&&... rest) : ModuleList() {
    append(M(std::forward<First>(first)));
    (append(M(std::forward<Rest>(rest))), ...);
  }

  ModuleList& append(M member) {
    members_->push_back(std::move(member));
    M& kept = members_->back();
    try {
      if constexpr (std::same_as<M, Layer>) {
        if (kept.module() != nullptr) register_module(std::to_string(size() - 1), *kept.module());
      } else {
        register_module(std::to_string(size() - 1), kept);
      }
    } catch (...) {
      members_->pop_back();
      throw;
    }
    return *this;
  }
  /// Builds a member from the arguments at the end.
  template <class... Args> ModuleList& emplace(Args&&... args) {
    return append(M(std::forward<Args>(args)...));
  }

  std::size_t size() const { return members_->size(); }
  bool empty() const { return members_->empty(); }
  /// Stays valid while members are appended. Throws ValueError unless i < size().
  M& operator[](std::size_t i) const {
    if (i >= size()) detail::throw_no_member("ModuleList", "index " + std::to_string(i), size());
    return (*members_)[i];
  }
  auto begin() const { return members_->begin(); }
  auto end() const { return members_->end(); }

 private:
  std::shared_ptr<std::deque<M>> members_;
};

namespace detail {
template <class T> inline constexpr bool is_module_list = false;
template <class M> inline constexpr bool is_module_list<ModuleList<M>> = true;
}  // namespace detail

ModuleList()->ModuleList<Layer>;
template <class First, class... Rest>
  requires(sizeof...(Rest) > 0 || !detail::is_module_list<std::decay_t<First>>)
ModuleList(First&&, Rest&&...)
->ModuleList<std::conditional_t<std::derived_from<std::decay_t<First>, Module> &&
                                    (std::same_as<std::decay_t<First>, std::decay_t<Rest>> && ...),
                                std::decay_t<First>, Layer>>;

/// Members by name, in the order in which they were added.
template <Member M> class ModuleDict : public Module {
 public:
  ModuleDict() : members_(std::make_shared<std::deque<std::pair<std::string, M>>>()) {}

  /// Adds a member, which is shared with the caller's. Throws ValueError for a name that is empty or
  /// taken.
  template <class L>
  requires std::constructible_from<M, L> ModuleDict& insert(const std::string& name, L&& member) {
    if (contains(name) || name.empty()) {
      throw autograd::ValueError("ModuleDict: not a name for a member: " + detail::quote(name) +
                                 "; need one that is not empty and not taken");
    }
    members_->emplace_back(name, M(std::forward<L>(member)));
    M& kept = members_->back().second;
    try {
      if constexpr (std::same_as<M, Layer>) {
        if (kept.module() != nullptr) register_module(name, *kept.module());
      } else {
        register_module(name, kept);
      }
    } catch (...) {
      members_->pop_back();
      throw;
    }
    return *this;
  }

  std::size_t size() const { return members_->size(); }
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// Throws ValueError when there is none of that name.
  M& at(std::string_view name) const {
    M* found = find(name);
    if (!found) detail::throw_no_member("ModuleDict", detail::quote(name), size());
    return *found;
  }
  M& operator[](std::string_view name) const { return at(name); }
  /// Pairs of name and member.
  auto begin() const { return members_->begin(); }
  auto end() const { return members_->end(); }

 private:
  M* find(std::string_view name) const {
    for (auto& [key, member] : *members_) {
      if (key == name) return &member;
    }
    return nullptr;
  }

  std::shared_ptr<std::deque<std::pair<std::string, M>>> members_;
};

}  // namespace nn
