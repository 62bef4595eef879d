// SPDX-License-Identifier: Apache-2.0
// Reads tests/golden/layers.txt, whose format layers_reference.py describes.
#pragma once

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "layer_rows.hpp"

namespace nn_test {

struct LayerCase {
  std::string name;
  Tensors inputs;                        // float64 or int64, in order
  nn::NamedTensors parameters, buffers;  // what they are set to, in the order of state_dict()
  std::vector<std::string> keys;         // of both, in that order
  Tensors outputs, input_gradients;      // float64
  nn::NamedTensors gradients, after;
};

/// Element k is sin(12.9898 k + seed) rounded to 1/64: exact in float32.
inline ag::Tensor formula(const ag::Shape& shape, double seed) {
  std::vector<double> x(static_cast<std::size_t>(shape.numel()));
  for (std::size_t k = 0; k < x.size(); ++k) {
    x[k] = std::nearbyint(std::sin(12.9898 * static_cast<double>(k) + seed) * 64) / 64;
  }
  return ag::tensor(x, shape);
}
inline ag::Tensor cotangent(const ag::Tensor& y) {
  std::vector<double> dy(static_cast<std::size_t>(y.numel()));
  for (std::size_t k = 0; k < dy.size(); ++k) dy[k] = std::cos(0.7 * static_cast<double>(k) + 0.3);
  return ag::to(ag::tensor(dy, y.shape()), y.dtype());
}

class LayerReader {
 public:
  static std::vector<LayerCase> read() {
    const std::string path = std::string(AUTOGRAD_TESTS_DIR) + "/golden/layers.txt";
    std::ifstream file(path);
    EXPECT_TRUE(file.is_open()) << path;
    std::vector<LayerCase> all;
    for (std::string line; std::getline(file, line);) {
      LayerReader reader(line);
      std::string word;
      reader.line_ >> word;
      if (word == "layer") {
        reader.line_ >> all.emplace_back().name;
      } else {
        reader.add(word, all.back());
      }
    }
    return all;
  }

 private:
  explicit LayerReader(const std::string& line) : line_(line) {}

  void add(const std::string& word, LayerCase& c) {
    if (word == "i") {
      c.inputs.push_back(ag::to(values(shape()), ag::int64));
    } else if (word == "x") {
      c.inputs.push_back(drawn(""));
    } else if (word == "y") {
      c.outputs.push_back(values(shape()));
    } else if (word == "dx") {
      c.input_gradients.push_back(values(shape()));
    } else {
      std::string key;
      line_ >> key;
      if (word == "p" || word == "b") {
        c.keys.push_back(key);
        (word == "p" ? c.parameters : c.buffers).emplace_back(key, drawn(key));
      } else {
        (word == "dp" ? c.gradients : c.after).emplace_back(key, values(shape()));
      }
    }
  }
  ag::Shape shape() {
    std::string text;
    line_ >> text;
    ag::Shape shape;
    std::istringstream extents(text == "-" ? "" : text);
    for (std::string extent; std::getline(extents, extent, ',');) {
      shape.push_back(std::stoll(extent));
    }
    return shape;
  }
  ag::Tensor drawn(const std::string& key) {
    const ag::Shape extents = shape();
    double seed = 0;
    line_ >> seed;
    const ag::Tensor x = formula(extents, seed);
    return key.ends_with("running_var") ? x * 0.5 + 1.5 : x;
  }
  ag::Tensor values(const ag::Shape& extents) {
    std::vector<double> x;
    for (std::string word; line_ >> word;) x.push_back(std::stod(word));
    return ag::tensor(x, extents);
  }

  std::istringstream line_;
};

inline const std::vector<LayerCase>& layer_cases() {
  static const std::vector<LayerCase> cases = LayerReader::read();
  return cases;
}

}  // namespace nn_test
