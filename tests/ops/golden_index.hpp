// SPDX-License-Identifier: Apache-2.0
// Golden values: what a reference computed, read from tests/golden/*.txt and compared without it. The
// script beside each file says how it was written; see index_reference.py for the format.
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "support.hpp"

namespace ops_test {

struct GoldenCase {
  std::string name;
  autograd::DType dtype = autograd::float32;
  std::vector<autograd::Shape> inputs;
  std::vector<double> seeds;
  autograd::Shape y_shape;
  Doubles y;
  std::vector<Doubles> dx;
};

inline autograd::Shape golden_shape(const std::string& text) {
  autograd::Shape shape;
  std::istringstream in(text);
  for (std::string extent; text != "-" && std::getline(in, extent, ',');) {
    shape.push_back(std::stoll(extent));
  }
  return shape;
}

/// The cases of tests/golden/<family>.txt.
inline std::vector<GoldenCase> read_golden(const std::string& family) {
  std::ifstream file(std::string(AUTOGRAD_TESTS_DIR) + "/golden/" + family + ".txt");
  std::vector<GoldenCase> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream in(line);
    std::string word, shape;
    in >> word >> shape;
    if (word == "case") {
      cases.emplace_back();
      cases.back().dtype = shape == "float64" ? autograd::float64 : autograd::float32;
      std::getline(in >> std::ws, cases.back().name);
      continue;
    }
    Doubles numbers;
    for (std::string number; in >> number;) numbers.push_back(std::stod(number));
    GoldenCase& c = cases.back();
    if (word == "x") {
      c.inputs.push_back(golden_shape(shape));
      c.seeds.push_back(numbers.at(0));
    } else if (word == "y") {
      c.y_shape = golden_shape(shape);
      c.y = numbers;
    } else {
      c.dx.push_back(numbers);
    }
  }
  return cases;
}

/// f(i) for element i, in the dtype.
template <class F>
Tensor golden_tensor(const autograd::Shape& shape, autograd::DType dtype, F&& f) {
  Doubles elements(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = f(static_cast<double>(i));
  return autograd::to(autograd::tensor(elements, shape), dtype);
}

/// Values and gradients of every case of the file agree with those of the function of its name: to 1e-5
/// of the larger of 1 and the value for float32, to 1e-12 for float64. Every function has a case.
inline void expect_golden(const std::string& family,
                          const std::map<std::string, autograd::TensorFunction>& functions) {
  std::map<std::string, int> seen;
  for (const GoldenCase& c : read_golden(family)) {
    SCOPED_TRACE(c.name + ", " + autograd::name(c.dtype));
    ++seen[c.name];
    const auto f = functions.find(c.name);
    if (f == functions.end()) {
      ADD_FAILURE() << "no function for this case";
      continue;
    }
    const double tolerance = c.dtype == autograd::float32 ? 1e-5 : 1e-12;
    Inputs inputs;
    for (std::size_t k = 0; k < c.inputs.size(); ++k) {
      inputs.push_back(golden_tensor(c.inputs[k], c.dtype, [&](double i) {
        return 2 * std::sin(12.9898 * (i + 1) + c.seeds[k]);
      }));
    }
    const Tensor dy =
        golden_tensor(c.y_shape, c.dtype, [](double i) { return std::cos(0.7 * i + 0.3); });
    const auto [y, dx] = autograd::vjp(f->second, inputs, dy);
    EXPECT_EQ(y.shape(), c.y_shape);
    EXPECT_EQ(y.dtype(), c.dtype);
    expect_values(y, c.y, tolerance);
    ASSERT_EQ(dx.size(), c.dx.size());
    for (std::size_t k = 0; k < dx.size(); ++k) {
      EXPECT_EQ(dx[k].shape(), c.inputs[k]);
      expect_values(dx[k], c.dx[k], tolerance);
    }
  }
  for (const auto& [name, f] : functions) EXPECT_EQ(seen[name], 2) << name;
}

}  // namespace ops_test
