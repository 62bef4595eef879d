// SPDX-License-Identifier: Apache-2.0
#include "driver_call.hpp"

#include <string>

#include "create.hpp"
#include "error.hpp"

namespace autograd::detail {

void check_length(const char* driver, const char* what, std::size_t n, const char* other,
                  std::size_t m) {
  if (n == m) return;
  const std::string have = std::to_string(n), want = std::to_string(m);
  throw ShapeError(std::string(driver) + ": lengths differ: " + what + " has " + have +
                   " elements, " + other + " has " + want + "; need equal lengths (" + have +
                   " != " + want + ")");
}

Matrix::Matrix(std::size_t rows, std::size_t columns)
    : tensor_(
          zeros({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, float64)),
      data_(tensor_.mutable_data<double>().data()),
      columns_(columns) {}

}  // namespace autograd::detail
