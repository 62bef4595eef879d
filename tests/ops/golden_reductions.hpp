// SPDX-License-Identifier: Apache-2.0
// Reads tests/golden/*.txt: values and gradients that another library gave, beside the inputs' formula.
// The format is described in the scripts *_reference.py that write them.
#pragma once

#include <fstream>
#include <map>
#include <sstream>

#include "support.hpp"

namespace ops_test {

struct GoldenCase {
  std::string name;
  autograd::DType dtype = autograd::float32;
  std::vector<std::string> arguments;
  Tensor x;  // as stored
  bool strided = false;
  std::map<std::string, Tensor> results;  // by their tag; float64

  std::string label() const {
    std::string text = name + " " + autograd::name(dtype);
    for (const std::string& argument : arguments) text += " " + argument;
    return text + ", x " + to_string(x.shape()) + (strided ? " strided" : "");
  }
  /// What f is given.
  Tensor given(const Tensor& stored) const {
    return strided ? autograd::transpose(stored) : stored;
  }
};

/// Numbers with a separator between them; none for "-".
inline std::vector<std::int64_t> golden_integers(const std::string& text, char separator = ',') {
  std::vector<std::int64_t> list;
  std::istringstream items(text);
  for (std::string item; text != "-" && std::getline(items, item, separator);) {
    list.push_back(std::stoll(item));
  }
  return list;
}

/// sin(12.9898 i + seed), rounded to multiples of 1 / levels unless that is 0.
inline Tensor golden_input(const autograd::Shape& shape, double seed, double levels,
                           autograd::DType dtype) {
  Doubles elements;
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    const double x = std::sin(12.9898 * static_cast<double>(i) + seed);
    elements.push_back(levels > 0 ? std::nearbyint(x * levels) / levels : x);
  }
  return autograd::to(autograd::tensor(elements, shape), dtype);
}
/// cos(0.7 i + 0.3).
inline Tensor golden_cotangent(const autograd::Shape& shape, autograd::DType dtype) {
  Doubles elements;
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    elements.push_back(std::cos(0.7 * static_cast<double>(i) + 0.3));
  }
  return autograd::to(autograd::tensor(elements, shape), dtype);
}

inline std::vector<GoldenCase> golden_cases(const std::string& file) {
  std::vector<GoldenCase> cases;
  std::ifstream in(std::string(AUTOGRAD_TESTS_DIR) + "/golden/" + file);
  for (std::string text; std::getline(in, text);) {
    std::istringstream words(text);
    std::string tag, word;
    words >> tag >> word;
    if (tag == "case") {
      cases.push_back({});
      GoldenCase& added = cases.back();
      added.name = word;
      words >> word;
      added.dtype = word == "float64" ? autograd::float64 : autograd::float32;
      while (words >> word) added.arguments.push_back(word);
      continue;
    }
    GoldenCase& current = cases.at(cases.size() - 1);
    const autograd::Shape shape(golden_integers(word));
    if (tag == "x") {
      double seed = 0, levels = 0;
      words >> seed >> levels >> word;
      current.strided = word == "strided";
      current.x = golden_input(shape, seed, levels, current.dtype);
      continue;
    }
    Doubles elements;
    while (words >> word) elements.push_back(std::stod(word));  // reads nan and inf too
    current.results[tag] = autograd::tensor(elements, shape);
  }
  return cases;
}

}  // namespace ops_test
