// SPDX-License-Identifier: Apache-2.0
// Tensor: a handle to a strided array of float32, float64, int64 or bool that a tape can differentiate
// through. Copying a handle shares the elements; views share them with the tensor they are taken of.
// Functions of tensors are in functions.hpp.
//
// Threads: any thread may copy, read and destroy handles. Changing elements, gradients or
// requires_grad while another thread uses the same tensor is the caller's to synchronize.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dtype.hpp"
#include "node.hpp"
#include "shape.hpp"

namespace autograd {

class HookHandle;

class Tensor {
 public:
  /// No tensor at all; defined() is false and everything else throws ValueError.
  Tensor() = default;
  Tensor(const Tensor& other) noexcept : node_(other.node_) {
    if (node_) detail::retain(node_);
  }
  Tensor(Tensor&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Tensor& operator=(Tensor other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Tensor() {
    if (node_) detail::release(node_);
  }

  bool defined() const { return node_ != nullptr; }
  const Shape& shape() const { return checked()->shape; }
  int dim() const { return checked()->shape.dim(); }
  std::int64_t numel() const { return checked()->numel; }
  DType dtype() const { return checked()->dtype; }
  /// Extent of one axis; negative axes count from the end.
  std::int64_t size(std::int64_t axis) const;
  /// Distance between neighbors along each axis, in elements.
  std::vector<std::int64_t> strides() const;
  bool is_contiguous() const { return checked()->contiguous; }

  /// The value of a tensor of one element; throws ValueError otherwise.
  double item() const;
  /// One element. Throws ValueError for a wrong number of indices or one out of range.
  double at(std::initializer_list<std::int64_t> index) const;
  /// Chosen elements: x(0), x(slice(1, 5), -1), x(ellipsis, newaxis), x(mask). See indexing.hpp.
  template <class... Places> Tensor operator()(const Places&... places) const;
  /// The elements of a contiguous tensor whose dtype is T's; throws otherwise. A view: valid while
  /// the tensor lives. Writing through it is not seen by the version check; prefer copy_.
  template <class T> std::span<const T> data() const {
    return {static_cast<const T*>(checked_data(dtype_of<T>)), static_cast<std::size_t>(numel())};
  }
  template <class T> std::span<T> mutable_data() {
    return {static_cast<T*>(writable_data(dtype_of<T>)), static_cast<std::size_t>(numel())};
  }

  /// True for parameters: they join every tape that uses them.
  bool requires_grad() const { return checked()->requires_grad; }
  /// Makes this tensor a parameter, or not. Throws TypeError for int64 and bool, TapeError for a
  /// tensor that a tape recorded.
  Tensor& set_requires_grad(bool on = true);
  /// What sweeps have deposited. Throws TapeError, saying why, when there is nothing.
  Tensor grad() const;
  bool has_grad() const { return checked()->grad != nullptr; }
  /// Replaces the gradient; an undefined tensor removes it. Shape and dtype must be this tensor's.
  void set_grad(const Tensor& gradient);
  /// Removes the gradient: none, which optimizers skip, and not zero.
  void zero_grad() { set_grad(Tensor()); }
  /// Calls hook(gradient) in every sweep that reaches this tensor; what it returns replaces the
  /// gradient. See hooks.hpp.
  template <class F> HookHandle register_hook(F hook) const;

  // Internal: handles made of nodes. adopt takes over the caller's reference.
  static Tensor adopt(detail::Node* node) {
    Tensor tensor;
    tensor.node_ = node;
    return tensor;
  }
  static Tensor share(detail::Node* node) {
    if (node) detail::retain(node);
    return adopt(node);
  }
  detail::Node* node() const { return node_; }
  detail::Node* release_node() { return std::exchange(node_, nullptr); }

 private:
  detail::Node* checked() const {
    if (!node_) [[unlikely]]
      throw_undefined();
    return node_;
  }
  [[noreturn]] static void throw_undefined();
  void* checked_data(DType dtype) const;
  void* writable_data(DType dtype);

  detail::Node* node_ = nullptr;
};

/// Nested brackets with commas, one row a line; more than 1,000 elements are abbreviated.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);
std::string to_string(const Tensor& tensor);

}  // namespace autograd
