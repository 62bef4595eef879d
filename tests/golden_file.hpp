// SPDX-License-Identifier: Apache-2.0
// What the readers of tests/golden/*.txt share: words, inputs by the formula of golden/common.py, and
// traces. Those of functions are ops/golden.hpp's, those of layers nn/layer_golden.hpp's.
#pragma once

#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <istream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace golden_file {

using autograd::Tensor;

/// tests/golden/<family>.txt, which has to be there.
inline std::ifstream open(const std::string& family) {
  const std::string path = std::string(AUTOGRAD_TESTS_DIR) + "/golden/" + family + ".txt";
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  return file;
}

/// "2,3"; "-" is no numbers at all, the shape of a scalar.
inline std::vector<std::int64_t> integers(const std::string& text) {
  std::vector<std::int64_t> list;
  std::istringstream items(text == "-" ? "" : text);
  for (std::string item; std::getline(items, item, ',');) list.push_back(std::stoll(item));
  return list;
}

/// The numbers that are left of a line; nan and inf are some.
inline std::vector<double> numbers(std::istream& words) {
  std::vector<double> all;
  for (std::string word; words >> word;) all.push_back(std::stod(word));
  return all;
}

/// f(i) for element i, in the dtype.
template <class F> Tensor tensor(const autograd::Shape& shape, autograd::DType dtype, F&& f) {
  std::vector<double> elements(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = f(static_cast<double>(i));
  return autograd::to(autograd::tensor(elements, shape), dtype);
}
/// sin(12.9898 i + seed), rounded to multiples of 1 / levels unless that is 0.
inline Tensor input(const autograd::Shape& shape, double seed, double levels,
                    autograd::DType dtype) {
  return tensor(shape, dtype, [&](double i) {
    const double x = std::sin(12.9898 * i + seed);
    return levels > 0 ? std::nearbyint(x * levels) / levels : x;
  });
}
inline Tensor cotangent(const autograd::Shape& shape, autograd::DType dtype) {
  return tensor(shape, dtype, [](double i) { return std::cos(0.7 * i + 0.3); });
}

/// What changed step by step: "case NAME", then a line of numbers for each step.
using Trace = std::vector<std::vector<double>>;
inline std::map<std::string, Trace> traces(const std::string& family) {
  std::ifstream file = open(family);
  std::map<std::string, Trace> cases;
  Trace* steps = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("case ")) {
      steps = &cases[line.substr(5)];
      continue;
    }
    std::istringstream words(line);
    steps->push_back(numbers(words));
  }
  return cases;
}

/// |got - want| <= tolerance max(floor, |want|) for each number of a step; NaN fails.
inline void expect_step(const std::vector<double>& got, const std::vector<double>& want,
                        double tolerance, double floor, const std::string& where) {
  ASSERT_EQ(got.size(), want.size()) << where;
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_TRUE(std::abs(got[i] - want[i]) <= tolerance * std::max(floor, std::abs(want[i])))
        << where << ", number " << i << ": " << got[i] << ", want " << want[i];
  }
}

}  // namespace golden_file
