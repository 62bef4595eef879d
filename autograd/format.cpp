// SPDX-License-Identifier: Apache-2.0
// Printing tensors: nested brackets with commas, one row a line, six significant digits as streams
// print doubles. More than 1,000 elements are abbreviated to three at either end of each axis.
#include <cmath>
#include <cstdio>
#include <ostream>

#include "tensor.hpp"

namespace autograd {
namespace {

constexpr std::int64_t kMostPrinted = 1000;
constexpr std::int64_t kEdge = 3;

std::string number(double value) {
  if (std::isnan(value)) return "nan";  // never -nan: the sign means nothing
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}
std::string number(float value) { return number(static_cast<double>(value)); }
std::string number(std::int64_t value) { return std::to_string(value); }
std::string number(bool value) { return value ? "true" : "false"; }

template <class T> struct Printer {
  const detail::Node* node;
  bool abbreviate;
  std::string text;

  void print(int axis, const T* data) {
    if (axis == node->shape.dim()) {
      text += number(*data);
      return;
    }
    const std::int64_t extent = node->shape[axis];
    const std::int64_t stride = node->strides[static_cast<std::size_t>(axis)];
    const bool last = axis + 1 == node->shape.dim();
    const std::string separator =
        last ? ", " : ",\n" + std::string(static_cast<std::size_t>(axis + 1), ' ');
    text += '[';
    for (std::int64_t i = 0; i < extent; ++i) {
      if (i > 0) text += separator;
      if (abbreviate && extent > 2 * kEdge && i == kEdge) {
        text += "..." + separator;
        i = extent - kEdge;
      }
      print(axis + 1, data + i * stride);
    }
    text += ']';
  }
};

}  // namespace

std::string to_string(const Tensor& tensor) {
  if (tensor.numel() == 0) return "[]";
  if (detail::is_batched(tensor.node())) detail::throw_batched();
  return dispatch(tensor.dtype(), [&](auto tag) {
    using T = decltype(tag);
    Printer<T> printer{tensor.node(), tensor.numel() > kMostPrinted, {}};
    printer.print(0, static_cast<const T*>(tensor.node()->data));
    return printer.text;
  });
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  return out << to_string(tensor);
}

}  // namespace autograd
