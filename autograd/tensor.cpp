// SPDX-License-Identifier: Apache-2.0
// The members of Tensor that are more than a load: element access, and the parameter's gradient.
#include "tensor.hpp"

#include "tape_inline.hpp"
#include "unrecorded.hpp"

namespace autograd {
constinit thread_local bool detail::rule_is_recorded = false;

namespace {

// Elements as plain numbers, in a backward rule that a tape records.
AUTOGRAD_COLD void check_constant(const detail::Node* node) {
  for (Tape* tape = detail::recorder->tape; tape; tape = tape->parent()) {
    if (!tape->find(const_cast<detail::Node*>(node))) continue;
    throw TapeError(
        "custom_function: backward reads elements of a tensor that an outer tape tracks: shape " +
        to_string(node->shape) +
        "; need functions of tensors, for derivatives of higher order (or detach(x), to say that "
        "it is a constant there)");
  }
}

double element(const detail::Node* node, std::int64_t offset) {
  if (detail::rule_is_recorded) check_constant(node);
  if (detail::is_batched(node)) detail::throw_batched();
  return dispatch(node->dtype, [&](auto tag) {
    return static_cast<double>(static_cast<const decltype(tag)*>(node->data)[offset]);
  });
}

// A node that owns its links gives them back as it does when it dies.
void forget_tapes(detail::Node* node) {
  node->generation = 0;
  while (detail::TrackLink* link = node->more) {
    node->more = link->next;
    detail::free_link(link);
  }
}

}  // namespace

void Tensor::throw_undefined() {
  throw ValueError(
      "Tensor: undefined: no tensor was assigned; need one (make it with tensor(...))");
}

std::int64_t Tensor::size(std::int64_t axis) const {
  return shape()[normalize_axis("size", axis, dim())];
}

std::vector<std::int64_t> Tensor::strides() const {
  const auto& strides = checked()->strides;
  return {strides.begin(), strides.begin() + dim()};
}

double Tensor::item() const {
  if (numel() != 1) {
    throw ValueError("item: not one element: shape " + to_string(shape()) +
                     "; need numel() == 1 (" + std::to_string(numel()) + " != 1)");
  }
  return element(node_, 0);
}

double Tensor::at(std::initializer_list<std::int64_t> index) const {
  const Shape& extents = shape();
  if (index.size() != static_cast<std::size_t>(dim())) {
    throw ValueError("at: wrong number of indices: " + std::to_string(index.size()) +
                     " for shape " + to_string(extents) + "; need one for each axis (" +
                     std::to_string(index.size()) + " != " + std::to_string(dim()) + ")");
  }
  std::int64_t offset = 0;
  int axis = 0;
  for (std::int64_t i : index) {
    const std::int64_t extent = extents[axis];
    if (i < -extent || i >= extent) {
      throw ValueError("at: index " + std::to_string(axis) + " out of range: " + std::to_string(i) +
                       " for shape " + to_string(extents) + "; need at least " +
                       std::to_string(-extent) + " and less than " + std::to_string(extent));
    }
    offset += (i < 0 ? i + extent : i) * node_->strides[static_cast<std::size_t>(axis++)];
  }
  return element(node_, offset);
}

void* Tensor::checked_data(DType dtype) const {
  const detail::Node* node = checked();
  if (detail::rule_is_recorded) check_constant(node);
  if (detail::is_batched(node)) detail::throw_batched();
  if (node->dtype != dtype) {
    throw TypeError(std::string("data: other dtype: the tensor holds ") + name(node->dtype) +
                    ", asked for " + name(dtype) + "; need the same (convert with to(x, dtype))");
  }
  if (!node->contiguous) {
    throw ValueError("data: not contiguous: a strided view of shape " + to_string(node->shape) +
                     "; need its elements side by side (make a copy with contiguous(x))");
  }
  return node->data;
}

void* Tensor::writable_data(DType dtype) {
  void* data = checked_data(dtype);
  detail::forget_rows(node_->base);
  return data;
}

Tensor& Tensor::set_requires_grad(bool on) {
  detail::Node* node = checked();
  if (on && !is_floating(node->dtype)) {
    throw TypeError(std::string("set_requires_grad: not differentiable: the tensor holds ") +
                    name(node->dtype) + "; need float32 or float64 (convert with to(x, float32))");
  }
  if (on) detail::forget_rows(node);
  if (on && !node->requires_grad && (node->generation != 0 || node->more)) {
    throw TapeError(
        "set_requires_grad: recorded by a tape: a tensor of shape " + to_string(node->shape) +
        " that a tape computed or took as input; need one that no tape knows (use detach(x))");
  }
  if (!on && node->requires_grad) forget_tapes(node);  // it may become a parameter again
  node->requires_grad = on;
  return *this;
}

Tensor Tensor::grad() const {
  const detail::Node* node = checked();
  if (!node->grad) {
    throw TapeError(
        "Tensor::grad: no sweep has reached this tensor: it has shape " + to_string(node->shape) +
        " and " + (node->requires_grad ? "is a parameter" : "is no parameter") +
        "; need tape.backward(...) of something computed from it, on a tape where it is an input "
        "(tape.input) or a parameter (requires_grad)");
  }
  return share(node->grad);
}

void Tensor::set_grad(const Tensor& gradient) {
  detail::Node* node = checked();
  if (gradient.defined()) {
    const detail::Node* grad = gradient.node();
    if (!(grad->shape == node->shape)) {
      throw ShapeError("set_grad: other shape: the gradient is " + to_string(grad->shape) +
                       ", the tensor " + to_string(node->shape) + "; need the same");
    }
    if (grad->dtype != node->dtype) {
      throw TypeError(std::string("set_grad: other dtype: the gradient holds ") +
                      name(grad->dtype) + ", the tensor " + name(node->dtype) + "; need the same");
    }
    if (grad->base == node) {  // the two would keep each other alive forever
      throw ValueError("set_grad: the gradient is a view of the tensor itself: shape " +
                       to_string(grad->shape) + "; need elements of its own (make a copy)");
    }
  }
  Tensor added = gradient;
  if (detail::Node* old = std::exchange(node->grad, added.release_node())) detail::release(old);
}

}  // namespace autograd
