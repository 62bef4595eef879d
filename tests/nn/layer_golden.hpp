// SPDX-License-Identifier: Apache-2.0
// Reads tests/golden/layers.txt, whose format layers_reference.py describes.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../golden_file.hpp"
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

class LayerReader {
 public:
  static std::vector<LayerCase> read() {
    std::ifstream file = golden_file::open("layers");
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
    return ag::Shape(golden_file::integers(text));
  }
  ag::Tensor drawn(const std::string& key) {
    const ag::Shape extents = shape();
    double seed = 0;
    line_ >> seed;
    const ag::Tensor x = golden_file::input(extents, seed, 64, ag::float64);
    return key.ends_with("running_var") ? x * 0.5 + 1.5 : x;
  }
  ag::Tensor values(const ag::Shape& extents) {
    return ag::tensor(golden_file::numbers(line_), extents);
  }

  std::istringstream line_;
};

inline const std::vector<LayerCase>& layer_cases() {
  static const std::vector<LayerCase> cases = LayerReader::read();
  return cases;
}

}  // namespace nn_test
