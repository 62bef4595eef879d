// SPDX-License-Identifier: Apache-2.0
// Reads a file of values from another library (tests/golden/<family>.txt, written by the script beside
// it, which also describes the format) and compares functions of this library with it: the result and
// the gradients, float32 to 1e-5 and float64 to 1e-12 relative to the largest element.
#pragma once

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "support.hpp"

namespace ops_test {

using GoldenFunctions = std::map<std::string, autograd::TensorFunction>;

struct GoldenArray {
  autograd::Shape shape;
  Doubles values;
};
struct GoldenCase {
  std::string name;
  autograd::DType dtype = autograd::float64;
  Inputs inputs;
  GoldenArray y;
  std::vector<GoldenArray> dx;
};

/// "2,3"; "-" is the shape of a scalar.
inline autograd::Shape golden_shape(const std::string& text) {
  autograd::Shape shape;
  std::istringstream in(text == "-" ? "" : text);
  for (std::string extent; std::getline(in, extent, ',');) shape.push_back(std::stoll(extent));
  return shape;
}

inline Tensor golden_input(const autograd::Shape& shape, double seed, autograd::DType dtype) {
  Doubles values;
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    values.push_back(std::sin(12.9898 * static_cast<double>(i) + seed));
  }
  return autograd::to(autograd::tensor(values, shape), dtype);
}
inline Tensor golden_cotangent(const autograd::Shape& shape, autograd::DType dtype) {
  Doubles values;
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    values.push_back(std::cos(7.13 * static_cast<double>(i) + 0.3));
  }
  return autograd::to(autograd::tensor(values, shape), dtype);
}

inline std::vector<GoldenCase> read_golden(const std::string& family) {
  std::ifstream file(std::string(AUTOGRAD_TESTS_DIR) + "/golden/" + family + ".txt");
  EXPECT_TRUE(file.good()) << "no golden values for " << family;
  std::vector<GoldenCase> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream in(line);
    std::string key, first;
    in >> key >> first;
    if (key == "case") {
      std::string dtype;
      in >> dtype;
      cases.emplace_back();
      cases.back().name = first;
      cases.back().dtype = dtype == "float32" ? autograd::float32 : autograd::float64;
      continue;
    }
    GoldenArray array{golden_shape(first), {}};
    for (std::string value; in >> value;) array.values.push_back(std::stod(value));
    GoldenCase& c = cases.back();
    if (key == "x") c.inputs.push_back(golden_input(array.shape, array.values.at(0), c.dtype));
    if (key == "y") c.y = array;
    if (key == "dx") c.dx.push_back(array);
  }
  return cases;
}

inline void expect_golden(const Tensor& got, const GoldenArray& want, autograd::DType dtype) {
  EXPECT_EQ(got.dtype(), dtype);
  ASSERT_EQ(got.shape(), want.shape);
  const Doubles have = values(got);
  double largest = 0;
  for (double v : want.values) largest = std::max(largest, std::abs(v));
  const double tolerance = (dtype == autograd::float32 ? 1e-5 : 1e-12) * std::max(largest, 1e-3);
  for (std::size_t i = 0; i < have.size(); ++i) {
    EXPECT_TRUE(std::abs(have[i] - want.values[i]) <= tolerance)
        << "element " << i << ": " << have[i] << ", want " << want.values[i];
  }
}

/// Every case has a function and every function a case; all agree.
inline void check_golden(const std::string& family, const GoldenFunctions& functions) {
  std::map<std::string, int> seen;
  for (const GoldenCase& c : read_golden(family)) {
    SCOPED_TRACE(c.name + " " + autograd::name(c.dtype));
    const auto f = functions.find(c.name);
    if (f == functions.end()) {
      ADD_FAILURE() << "no function of this name";
      continue;
    }
    ++seen[c.name];
    if (c.dx.empty()) {
      expect_golden(f->second(c.inputs), c.y, c.dtype);
      continue;
    }
    const auto [y, dx] = autograd::vjp(f->second, c.inputs, golden_cotangent(c.y.shape, c.dtype));
    expect_golden(y, c.y, c.dtype);
    ASSERT_EQ(dx.size(), c.dx.size());
    for (std::size_t k = 0; k < dx.size(); ++k) {
      SCOPED_TRACE("gradient " + std::to_string(k));
      expect_golden(dx[k], c.dx[k], c.dtype);
    }
  }
  for (const auto& [name, f] : functions) EXPECT_EQ(seen[name], 2) << name;
}

}  // namespace ops_test
