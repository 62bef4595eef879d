// SPDX-License-Identifier: Apache-2.0
// The pictures of MNIST, and telling the digits of others: whatever the network is.
#pragma once

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace support {

inline const std::string kMnistData =
    "Data: MNIST (LeCun, Cortes, Burges), for example from\n"
    "https://ossci-datasets.s3.amazonaws.com/mnist/ ; put its four files, from\n"
    "train-images-idx3-ubyte.gz to t10k-labels-idx1-ubyte.gz, gzipped (.gz) or not, into one\n"
    "folder: --data FOLDER";

/// A file as it is, or gzipped.
inline autograd::Tensor read_digit_file(const std::string& path, const nn::IdxOptions& options) {
  return nn::read_idx(std::filesystem::exists(path) ? path : path + ".gz", options);
}

/// One of the sets, "train" or "t10k": pictures [n, 1, 28, 28] from 0 to 1, labels [n].
inline nn::TensorDataset read_digits(const std::string& folder, const std::string& set) {
  namespace ag = autograd;
  const std::string path = folder + "/" + set;
  const ag::Tensor pixels = read_digit_file(path + "-images-idx3-ubyte", {.dtype = ag::float32});
  const ag::Tensor labels = read_digit_file(path + "-labels-idx1-ubyte", {});
  const std::int64_t n = pixels.dim() == 3 ? pixels.size(0) : 0;
  if (n == 0 || pixels.shape() != ag::Shape{n, 28, 28} || labels.shape() != ag::Shape{n}) {
    throw std::runtime_error(path + ": not MNIST: pictures " + to_string(pixels.shape()) +
                             ", labels " + to_string(labels.shape()) + "; need [n, 28, 28], [n]");
  }
  return nn::TensorDataset({ag::reshape(pixels, {n, 1, 28, 28}) / 255.0, labels});
}

struct Digits {
  nn::TensorDataset training, test;

  /// With a hold-out the last so many training pictures are the test, and the test set is not read.
  static Digits read(const std::string& folder, std::int64_t holdout) {
    const nn::TensorDataset all = read_digits(folder, "train");
    const std::int64_t n = all.size() - holdout;
    const auto part = [&](std::int64_t begin, std::int64_t length) {
      return nn::TensorDataset({autograd::narrow(all.tensors()[0], 0, begin, length),
                                autograd::narrow(all.tensors()[1], 0, begin, length)});
    };
    if (holdout == 0) return {all, read_digits(folder, "t10k")};
    return {part(0, n), part(n, holdout)};
  }
};

/// Prints what the model takes each picture for.
inline void print_digits(nn::Sequential& model, const std::vector<std::string>& files) {
  namespace ag = autograd;
  model.eval();
  for (const std::string& file : files) {
    ag::Tensor x = nn::read_image(file, {.channels = 1});  // [1, h, w]
    if (x.shape() != ag::Shape{1, 28, 28}) {
      throw std::runtime_error(file + ": need 28 x 28 pixels: it is " + to_string(x.shape()));
    }
    if (ag::mean(x).item() > 0.5) x = 1.0 - x;  // ink on paper; MNIST's is light on dark
    const ag::Tensor p = ag::softmax(model(ag::reshape(x, {1, 1, 28, 28})), 1);
    const std::int64_t digit = ag::to_vector<std::int64_t>(ag::argmax(p, 1))[0];
    std::printf("%s: %d (%.1f %%)\n", file.c_str(), int(digit), 100 * p.at({0, digit}));
  }
}

}  // namespace support
