// SPDX-License-Identifier: Apache-2.0
// Element types of tensors, and the map between them and C++ types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <type_traits>

#include "error.hpp"
#include "inline.hpp"

namespace autograd {

/// Element type of a tensor.
enum class DType : std::uint8_t { float32, float64, int64, boolean };

inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;
inline constexpr DType int64 = DType::int64;
inline constexpr DType boolean = DType::boolean;

/// Bytes of one element.
constexpr std::size_t item_size(DType dtype) {
  constexpr std::size_t kSizes[] = {4, 8, 8, 1};
  return kSizes[static_cast<int>(dtype)];
}

/// "float32", "float64", "int64" or "bool".
constexpr const char* name(DType dtype) {
  constexpr const char* kNames[] = {"float32", "float64", "int64", "bool"};
  return kNames[static_cast<int>(dtype)];
}

/// Prints the name.
std::ostream& operator<<(std::ostream& out, DType dtype);

constexpr bool is_floating(DType dtype) { return dtype <= DType::float64; }

/// The dtype of elements stored as T (float, double, std::int64_t or bool).
template <class T>
  requires(std::is_same_v<T, float> || std::is_same_v<T, double> ||
           std::is_same_v<T, std::int64_t> || std::is_same_v<T, bool>)
inline constexpr DType dtype_of = DType::float32;
template <> inline constexpr DType dtype_of<double> = DType::float64;
template <> inline constexpr DType dtype_of<std::int64_t> = DType::int64;
template <> inline constexpr DType dtype_of<bool> = DType::boolean;

/// Calls f with a value of the C++ type of `dtype`: f(float{}), f(double{}), ...
template <class F> decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32: return f(float{});
    case DType::float64: return f(double{});
    case DType::int64: return f(std::int64_t{});
    default: return f(bool{});
  }
}

[[noreturn]] AUTOGRAD_COLD void throw_not_floating(const char* function, DType dtype);

/// The same over float32 and float64 only; anything else throws TypeError naming `function`.
template <class F>
AUTOGRAD_INLINE decltype(auto) dispatch_floating(const char* function, DType dtype, F&& f) {
  if (dtype == DType::float32) [[likely]]
    return f(float{});
  if (dtype == DType::float64) [[likely]]
    return f(double{});
  throw_not_floating(function, dtype);
}

/// The larger of bool < int64 < float32 < float64.
constexpr DType promote(DType a, DType b) {
  constexpr int kRank[] = {2, 3, 1, 0};
  return kRank[static_cast<int>(a)] >= kRank[static_cast<int>(b)] ? a : b;
}

}  // namespace autograd
