// SPDX-License-Identifier: Apache-2.0
// Convolution, pooling and interpolation against PyTorch's values and gradients, by rows of options:
// tests/golden/spatial_reference.py. golden_network_test has those that are written one by one.
#include "golden.hpp"

namespace ops_test {
namespace {

using namespace autograd;

/// The words NAME=NUMBERS of a case.
class Words {
 public:
  explicit Words(const Arguments& words) : words_(words) {}

  std::string text(const std::string& name, const std::string& otherwise = "") const {
    for (const std::string& word : words_) {
      if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
    }
    return otherwise;
  }
  PerAxis per_axis(const std::string& name, PerAxis otherwise) const {
    const std::string numbers = text(name);
    if (numbers.empty()) return otherwise;
    const std::vector<std::int64_t> n = golden_file::integers(numbers);
    if (n.size() == 1) return n[0];
    return n.size() == 2 ? PerAxis{n[0], n[1]} : PerAxis{n[0], n[1], n[2]};
  }
  std::int64_t number(const std::string& name, std::int64_t otherwise) const {
    return std::stoll(text(name, std::to_string(otherwise)));
  }

 private:
  Arguments words_;
};

Tensor bias_of(const Inputs& x) { return x.size() > 2 ? x[2] : Tensor(); }

GoldenFunction convolution(decltype(&conv2d) f) {
  return [f](const Inputs& x, const Arguments& arguments) {
    const Words words(arguments);
    return f(x[0], x[1], bias_of(x),
             {.stride = words.per_axis("stride", 1),
              .padding = words.per_axis("padding", 0),
              .dilation = words.per_axis("dilation", 1),
              .groups = words.number("groups", 1)});
  };
}
GoldenFunction transposed(decltype(&conv_transpose2d) f) {
  return [f](const Inputs& x, const Arguments& arguments) {
    const Words words(arguments);
    return f(x[0], x[1], bias_of(x),
             {.stride = words.per_axis("stride", 1),
              .padding = words.per_axis("padding", 0),
              .output_padding = words.per_axis("output_padding", 0),
              .groups = words.number("groups", 1),
              .dilation = words.per_axis("dilation", 1)});
  };
}
GoldenFunction max_pool(decltype(&max_pool2d) f) {
  return [f](const Inputs& x, const Arguments& arguments) {
    const Words words(arguments);
    return f(x[0], words.per_axis("kernel", {}),
             {.stride = words.per_axis("stride", {}),
              .padding = words.per_axis("padding", 0),
              .dilation = words.per_axis("dilation", 1),
              .ceil_mode = words.number("ceil_mode", 0) != 0});
  };
}
GoldenFunction avg_pool(decltype(&avg_pool2d) f) {
  return [f](const Inputs& x, const Arguments& arguments) {
    const Words words(arguments);
    return f(x[0], words.per_axis("kernel", {}),
             {.stride = words.per_axis("stride", {}),
              .padding = words.per_axis("padding", 0),
              .ceil_mode = words.number("ceil_mode", 0) != 0,
              .count_include_pad = words.number("count_include_pad", 1) != 0,
              .divisor_override = words.number("divisor_override", 0)});
  };
}
GoldenFunction adaptive_pool(decltype(&adaptive_avg_pool2d) f) {
  return [f](const Inputs& x, const Arguments& arguments) {
    return f(x[0], Words(arguments).per_axis("size", {}));
  };
}

Tensor resampled(const Inputs& x, const Arguments& arguments) {
  static const std::map<std::string, Interpolation> modes = {
      {"nearest", Interpolation::nearest},  {"nearest-exact", Interpolation::nearest_exact},
      {"linear", Interpolation::linear},    {"bilinear", Interpolation::linear},
      {"trilinear", Interpolation::linear}, {"bicubic", Interpolation::cubic},
      {"area", Interpolation::area}};
  const Words words(arguments);
  std::vector<double> factors;
  std::istringstream items(words.text("factor"));
  for (std::string item; std::getline(items, item, ',');) factors.push_back(std::stod(item));
  return interpolate(x[0], {.size = words.per_axis("size", {}),
                            .scale_factor = factors,
                            .mode = modes.at(words.text("mode")),
                            .align_corners = words.number("corners", 0) != 0});
}

TEST(GoldenSpatial, AgreesWithPyTorch) {
  check_golden("spatial", {{"conv1d", convolution(conv1d)},
                           {"conv2d", convolution(conv2d)},
                           {"conv3d", convolution(conv3d)},
                           {"conv_transpose1d", transposed(conv_transpose1d)},
                           {"conv_transpose2d", transposed(conv_transpose2d)},
                           {"conv_transpose3d", transposed(conv_transpose3d)},
                           {"max_pool1d", max_pool(max_pool1d)},
                           {"max_pool2d", max_pool(max_pool2d)},
                           {"max_pool3d", max_pool(max_pool3d)},
                           {"avg_pool1d", avg_pool(avg_pool1d)},
                           {"avg_pool2d", avg_pool(avg_pool2d)},
                           {"avg_pool3d", avg_pool(avg_pool3d)},
                           {"adaptive_avg_pool1d", adaptive_pool(adaptive_avg_pool1d)},
                           {"adaptive_avg_pool2d", adaptive_pool(adaptive_avg_pool2d)},
                           {"adaptive_avg_pool3d", adaptive_pool(adaptive_avg_pool3d)},
                           {"adaptive_max_pool1d", adaptive_pool(adaptive_max_pool1d)},
                           {"adaptive_max_pool2d", adaptive_pool(adaptive_max_pool2d)},
                           {"adaptive_max_pool3d", adaptive_pool(adaptive_max_pool3d)},
                           {"interpolate", resampled}});
}

}  // namespace
}  // namespace ops_test
