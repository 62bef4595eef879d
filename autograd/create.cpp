// SPDX-License-Identifier: Apache-2.0
// Making tensors. Everything here fills a fresh contiguous node; nothing is recorded.
//
// Random tensors take whole Philox blocks, and element i depends on its block and place alone: one
// block makes four float32 or two float64 elements.
#include "create.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "checked_cast.hpp"
#include "kernels/arrays.hpp"

namespace autograd {
namespace {

template <class T> T* elements(const Tensor& x) {
  if (detail::is_batched(x.node())) detail::throw_batched();
  return static_cast<T*>(x.node()->data);
}

// --- nested lists -------------------------------------------------------------------------------

Shape shape_of(const NestedList& values) {
  Shape shape;
  for (const NestedList* v = &values; v->kind() == NestedList::Kind::list;) {
    shape.push_back(static_cast<std::int64_t>(v->items().size()));
    if (v->items().empty()) break;
    v = &v->items().front();
  }
  return shape;
}

// Checks one level against the shape that the first items suggest, appending elements at the last.
template <class T> void flatten(const NestedList& values, const Shape& shape, int axis, T*& to) {
  const bool is_list = values.kind() == NestedList::Kind::list;
  if (is_list != (axis < shape.dim())) {
    throw ShapeError("tensor: ragged list: a number beside a list at depth " +
                     std::to_string(axis) + "; need numbers at the same depth everywhere (" +
                     std::to_string(shape.dim()) + ")");
  }
  if (!is_list) {
    const bool integer = values.kind() == NestedList::Kind::integer;
    *to++ = integer && std::is_same_v<T, std::int64_t> ? static_cast<T>(values.integer())
                                                       : checked_cast<T>("tensor", values.real());
    return;
  }
  const auto size = static_cast<std::int64_t>(values.items().size());
  if (size != shape[axis]) {
    throw ShapeError("tensor: ragged list: lists of " + std::to_string(shape[axis]) + " and of " +
                     std::to_string(size) + " items at depth " + std::to_string(axis) +
                     "; need equal lengths (" + std::to_string(shape[axis]) +
                     " != " + std::to_string(size) + ")");
  }
  for (const NestedList& item : values.items()) flatten(item, shape, axis + 1, to);
}

// --- random numbers -----------------------------------------------------------------------------

double bits53(std::uint32_t low, std::uint32_t high) {
  return static_cast<double>((std::uint64_t{high} << 32 | low) >> 11) * 0x1p-53;
}

// Calls f(words, first element, how many) for each block of `per_block` elements of x.
template <class F>
void for_each_block(const Tensor& x, Generator& generator, std::int64_t per_block, F&& f) {
  const std::int64_t n = x.numel(), blocks = n / per_block + (n % per_block != 0);
  const std::uint64_t first = generator.reserve(static_cast<std::uint64_t>(blocks));
  for (std::int64_t b = 0; b < blocks; ++b) {
    const auto words = Generator::block(generator.seed(), first + static_cast<std::uint64_t>(b));
    f(words, b * per_block, std::min(per_block, n - b * per_block));
  }
}

// u in (0, 1], v in [0, 1): two standard normals (Box and Muller, 1958).
void box_muller(double u, double v, double* pair) {
  const double radius = std::sqrt(-2.0 * std::log(u)), angle = 2.0 * std::numbers::pi * v;
  pair[0] = radius * std::cos(angle);
  pair[1] = radius * std::sin(angle);
}

template <class T> void fill_uniform(const Tensor& x, Generator& generator) {
  T* y = elements<T>(x);
  constexpr bool kSingle = std::is_same_v<T, float>;
  for_each_block(x, generator, kSingle ? 4 : 2, [&](auto words, std::int64_t at, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const auto w = static_cast<std::size_t>(i);
      y[at + i] = kSingle ? static_cast<T>(words[w] >> 8) * static_cast<T>(0x1p-24)
                          : static_cast<T>(bits53(words[2 * w], words[2 * w + 1]));
    }
  });
}

template <class T> void fill_normal(const Tensor& x, Generator& generator) {
  T* y = elements<T>(x);
  constexpr bool kSingle = std::is_same_v<T, float>;
  for_each_block(x, generator, kSingle ? 4 : 2, [&](auto words, std::int64_t at, std::int64_t n) {
    double normals[4];
    if constexpr (kSingle) {
      box_muller((words[0] + 1.0) * 0x1p-32, words[1] * 0x1p-32, normals);
      box_muller((words[2] + 1.0) * 0x1p-32, words[3] * 0x1p-32, normals + 2);
    } else {
      box_muller(1.0 - bits53(words[0], words[1]), bits53(words[2], words[3]), normals);
    }
    for (std::int64_t i = 0; i < n; ++i) y[at + i] = static_cast<T>(normals[i]);
  });
}

}  // namespace

Tensor tensor(const NestedList& values, DType dtype) {
  const Shape shape = shape_of(values);
  Tensor y = empty(shape, dtype);
  dispatch(dtype, [&](auto tag) {
    auto* to = elements<decltype(tag)>(y);
    flatten(values, shape, 0, to);
  });
  return y;
}

template <class T> Tensor tensor(const std::vector<T>& values, const Shape& shape) {
  using Element = std::conditional_t<std::is_same_v<T, int>, std::int64_t, T>;
  if (shape.numel() != static_cast<std::int64_t>(values.size())) {
    throw ShapeError("tensor: other number of elements: " + std::to_string(values.size()) +
                     " values for shape " + to_string(shape) + "; need as many (" +
                     std::to_string(values.size()) + " != " + std::to_string(shape.numel()) + ")");
  }
  Tensor y = empty(shape, dtype_of<Element>);
  std::copy(values.begin(), values.end(), elements<Element>(y));
  return y;
}

template <class T> Tensor tensor(const std::vector<T>& values) {
  return tensor(values, Shape{static_cast<std::int64_t>(values.size())});
}

Tensor empty(const Shape& shape, DType dtype) {
  return Tensor::adopt(detail::make_node(shape, dtype));
}

Tensor full(const Shape& shape, double value, DType dtype) {
  Tensor y = empty(shape, dtype);
  dispatch(dtype, [&](auto tag) {
    using T = decltype(tag);
    kernels::fill(elements<T>(y), checked_cast<T>("full", value),
                  static_cast<std::size_t>(y.numel()));
  });
  return y;
}

Tensor zeros(const Shape& shape, DType dtype) { return full(shape, 0, dtype); }
Tensor ones(const Shape& shape, DType dtype) { return full(shape, 1, dtype); }
Tensor empty_like(const Tensor& x) { return empty(x.shape(), x.dtype()); }
Tensor full_like(const Tensor& x, double value) { return full(x.shape(), value, x.dtype()); }
Tensor zeros_like(const Tensor& x) { return full(x.shape(), 0, x.dtype()); }
Tensor ones_like(const Tensor& x) { return full(x.shape(), 1, x.dtype()); }

Tensor arange(std::int64_t n, DType dtype) {
  if (n < 0) {
    throw ValueError("arange: negative length: " + std::to_string(n) + "; need n >= 0 (" +
                     std::to_string(n) + " < 0)");
  }
  Tensor y = empty({n}, dtype);
  dispatch(dtype, [&](auto tag) {
    using T = decltype(tag);
    for (std::int64_t i = 0; i < n; ++i) elements<T>(y)[i] = static_cast<T>(i);
  });
  return y;
}

Tensor rand(const Shape& shape, Generator& generator, DType dtype) {
  return dispatch_floating("rand", dtype, [&](auto tag) {
    Tensor y = empty(shape, dtype);
    fill_uniform<decltype(tag)>(y, generator);
    return y;
  });
}

Tensor randn(const Shape& shape, Generator& generator, DType dtype) {
  return dispatch_floating("randn", dtype, [&](auto tag) {
    Tensor y = empty(shape, dtype);
    fill_normal<decltype(tag)>(y, generator);
    return y;
  });
}

Tensor rand(const Shape& shape, DType dtype) { return rand(shape, default_generator(), dtype); }
Tensor randn(const Shape& shape, DType dtype) { return randn(shape, default_generator(), dtype); }

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& generator) {
  if (low >= high) {
    throw ValueError("randint: empty range: low is " + std::to_string(low) + ", high is " +
                     std::to_string(high) + "; need low < high (" + std::to_string(low) +
                     " >= " + std::to_string(high) + ")");
  }
  Tensor y = empty(shape, int64);
  const std::uint64_t base = static_cast<std::uint64_t>(low);
  const std::uint64_t range = static_cast<std::uint64_t>(high) - base;
  // The high half of word * range: off from uniform by at most range / 2^64 of a value's share.
  __extension__ using Wide = unsigned __int128;
  for_each_block(y, generator, 2, [&](auto words, std::int64_t at, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const auto w = static_cast<std::size_t>(2 * i);
      const std::uint64_t word = std::uint64_t{words[w + 1]} << 32 | words[w];
      const auto offset = static_cast<std::uint64_t>((Wide{word} * range) >> 64);
      elements<std::int64_t>(y)[at + i] = static_cast<std::int64_t>(base + offset);
    }
  });
  return y;
}

template <class T> std::vector<T> to_vector(const Tensor& x) {
  if (x.dtype() != dtype_of<T>) {
    throw TypeError(std::string("to_vector: other dtype: the tensor holds ") + name(x.dtype()) +
                    ", asked for " + name(dtype_of<T>) +
                    "; need the same (convert with to(x, dtype))");
  }
  std::vector<T> y(static_cast<std::size_t>(x.numel()));
  const auto& strides = x.node()->strides;
  const int dim = x.dim();
  std::array<std::int64_t, kMaxDim> index{};
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = elements<const T>(x)[offset];
    for (int axis = dim - 1; axis >= 0; --axis) {  // the next index, as an odometer counts
      const auto a = static_cast<std::size_t>(axis);
      offset += strides[a];
      if (++index[a] < x.shape()[axis]) break;
      offset -= strides[a] * index[a];
      index[a] = 0;
    }
  }
  return y;
}

template Tensor tensor(const std::vector<float>&);
template Tensor tensor(const std::vector<double>&);
template Tensor tensor(const std::vector<std::int64_t>&);
template Tensor tensor(const std::vector<int>&);
template Tensor tensor(const std::vector<bool>&);
template Tensor tensor(const std::vector<float>&, const Shape&);
template Tensor tensor(const std::vector<double>&, const Shape&);
template Tensor tensor(const std::vector<std::int64_t>&, const Shape&);
template Tensor tensor(const std::vector<int>&, const Shape&);
template Tensor tensor(const std::vector<bool>&, const Shape&);
template std::vector<float> to_vector(const Tensor&);
template std::vector<double> to_vector(const Tensor&);
template std::vector<std::int64_t> to_vector(const Tensor&);
template std::vector<bool> to_vector(const Tensor&);

}  // namespace autograd
