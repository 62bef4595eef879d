// SPDX-License-Identifier: Apache-2.0
// The textbook's backpropagation formulas beside the gradients of the tape, for any list of layer sizes.
//
// Layer l computes z = W a' + b and a = sigmoid(z) from the layer before it; columns are vectors. With
// delta = dJ/dz the textbook has
//   last layer      delta = (y_hat - y) y_hat (1 - y_hat)   for J = 1/2 |y_hat - y|^2
//                   delta = y_hat - y                       for binary cross-entropy
//   layers before   delta = W_next^T delta_next * a (1 - a)
//   every layer     dJ/dW = delta a'^T,  dJ/db = delta
#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "support/command_line.hpp"

namespace ag = autograd;

enum class Loss { squared_error, cross_entropy };

struct Layer {
  ag::Tensor weight;  // [outputs, inputs]
  ag::Tensor bias;    // [outputs, 1]
};
/// The same two shapes, with the gradients in them.
using Gradients = std::vector<Layer>;

static std::vector<Layer> make_network(const std::vector<std::int64_t>& sizes,
                                       ag::Generator& generator) {
  std::vector<Layer> layers;
  for (std::size_t l = 1; l < sizes.size(); ++l) {
    // Uniform on (-r, r) with r^2 = 3 / inputs, which keeps z of order one at any width.
    const double r = std::sqrt(3.0 / static_cast<double>(sizes[l - 1]));
    const ag::Tensor weight = ag::rand({sizes[l], sizes[l - 1]}, generator, ag::float64);
    const ag::Tensor bias = ag::rand({sizes[l], 1}, generator, ag::float64);
    layers.push_back({r * (2.0 * weight - 1.0), r * (2.0 * bias - 1.0)});
  }
  return layers;
}

/// The activations of all layers, the input first.
static std::vector<ag::Tensor> forward(const std::vector<Layer>& layers, const ag::Tensor& x) {
  std::vector<ag::Tensor> a{x};
  for (const Layer& layer : layers) {
    a.push_back(ag::sigmoid(ag::matmul(layer.weight, a.back()) + layer.bias));
  }
  return a;
}

static Gradients by_hand(const std::vector<Layer>& layers, const ag::Tensor& x, const ag::Tensor& y,
                         Loss loss) {
  const std::vector<ag::Tensor> a = forward(layers, x);  // no tape in scope: plain arithmetic
  Gradients gradients(layers.size());
  ag::Tensor delta = a.back() - y;
  if (loss == Loss::squared_error) delta = delta * a.back() * (1.0 - a.back());
  for (std::size_t l = layers.size(); l-- > 0;) {
    gradients[l] = {ag::matmul(delta, ag::transpose(a[l])), delta};
    if (l > 0) delta = ag::matmul(ag::transpose(layers[l].weight), delta) * a[l] * (1.0 - a[l]);
  }
  return gradients;
}

static Gradients by_tape(const std::vector<Layer>& layers, const ag::Tensor& x, const ag::Tensor& y,
                         Loss loss) {
  ag::Tape tape;
  std::vector<Layer> inputs;
  for (const Layer& layer : layers)
    inputs.push_back({tape.input(layer.weight), tape.input(layer.bias)});
  const ag::Tensor y_hat = forward(inputs, x).back();
  tape.backward(loss == Loss::squared_error ? 0.5 * ag::sum(ag::square(y_hat - y))
                                            : ag::sum(ag::binary_cross_entropy(y_hat, y)));
  Gradients gradients;
  for (const Layer& layer : inputs) gradients.push_back({layer.weight.grad(), layer.bias.grad()});
  return gradients;
}

/// Prints one matrix of gradients element by element, or in one row if it has many, and returns the
/// largest difference.
static double compare(const std::string& name, const ag::Tensor& hand, const ag::Tensor& tape) {
  double largest = 0;
  for (std::int64_t i = 0; i < hand.size(0); ++i) {
    for (std::int64_t j = 0; j < hand.size(1); ++j) {
      const double difference = std::abs(hand.at({i, j}) - tape.at({i, j}));
      // fmax would drop a NaN.
      if (!(difference <= largest)) largest = difference;
      if (hand.numel() > 8) continue;
      const std::string element = name + "[" + std::to_string(i) + "," + std::to_string(j) + "]";
      std::printf("  %-24s %20.16f %20.16f %10.1e\n", element.c_str(), hand.at({i, j}),
                  tape.at({i, j}), difference);
    }
  }
  if (hand.numel() > 8) {
    std::printf("  %-24s %41s %10.1e\n", name.c_str(),
                (std::to_string(hand.numel()) + " elements").c_str(), largest);
  }
  return largest;
}

/// One network, one example, one loss: prints both gradients and returns the largest difference.
static double compare_network(const std::vector<std::int64_t>& sizes, Loss loss,
                              std::uint64_t seed) {
  ag::Generator generator(seed);
  const std::vector<Layer> layers = make_network(sizes, generator);
  const ag::Tensor x = ag::rand({sizes.front(), 1}, generator, ag::float64);
  const ag::Tensor y =
      ag::to(ag::rand({sizes.back(), 1}, generator) < 0.5, ag::float64);  // zeros and ones

  std::string title;
  for (const std::int64_t size : sizes) title += (title.empty() ? "" : "-") + std::to_string(size);
  title += loss == Loss::squared_error ? ", J = 1/2 (y_hat - y)^2" : ", J = binary cross-entropy";
  std::printf("%s\n  %-24s %20s %20s %10s\n", title.c_str(), "", "textbook", "tape", "difference");

  const Gradients hand = by_hand(layers, x, y, loss), tape = by_tape(layers, x, y, loss);
  double largest = 0;
  for (std::size_t l = layers.size(); l-- > 0;) {
    const std::string n = std::to_string(l + 1);
    for (const double difference :
         {compare("delta" + n + " = dJ/db" + n, hand[l].bias, tape[l].bias),
          compare("dJ/dW" + n, hand[l].weight, tape[l].weight)}) {
      if (!(difference <= largest)) largest = difference;
    }
  }
  std::printf("  largest difference: %.1e\n\n", largest);
  return largest;
}

/// Both losses with 2-2-1 and with the layers asked for; returns the exit status.
static int compare_networks(const std::vector<std::int64_t>& sizes, std::uint64_t seed) {
  double largest = 0;
  for (const std::vector<std::int64_t>& network : {std::vector<std::int64_t>{2, 2, 1}, sizes}) {
    for (const Loss loss : {Loss::squared_error, Loss::cross_entropy}) {
      const double difference = compare_network(network, loss, seed);
      if (!(difference <= largest)) largest = difference;
    }
  }
  const bool same = largest <= 1e-15;
  std::printf("%s: the largest difference of all is %.1e; at most 1e-15 is rounding\n",
              same ? "the same" : "NOT the same", largest);
  return same ? 0 : 1;
}

int main(int argc, char** argv) {
  std::vector<std::int64_t> sizes{2, 5, 3, 1};
  std::uint64_t seed = 1;
  CLI::App app("The textbook's backpropagation beside the tape's gradients, for sigmoid networks.",
               "backprop_by_hand");
  app.add_option("--layers", sizes, "layer sizes of the last network, the inputs first")
      ->expected(2, 32)
      ->delimiter(',')
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seed", seed, "seed of weights and example")
      ->check(support::check_seed)
      ->capture_default_str();
  return support::run(app, argc, argv, [&] { return compare_networks(sizes, seed); });
}
