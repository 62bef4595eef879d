// SPDX-License-Identifier: Apache-2.0
// A training step written by hand over oneDNN's products: what a library's step can cost at best.
#include "by_hand.hpp"

#include <oneapi/dnnl/dnnl.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace bench {
namespace {

using Floats = std::vector<float>;

Floats zeros(std::int64_t n) { return Floats(static_cast<std::size_t>(n)); }

/// Fully connected layers with ReLU between them, softmax cross-entropy, gradient descent.
class Classifier {
 public:
  Classifier(std::vector<std::int64_t> widths, std::int64_t batch, float lr)
      : batch_(batch), lr_(lr), label_(labels(batch, widths.back())) {
    h_.push_back(numbers(batch * widths.front(), 1, 3));
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      const std::int64_t in = widths[i], out = widths[i + 1];
      const double seed = static_cast<double>(i);
      layers_.push_back({in, out, numbers(in * out, 0.03, seed), numbers(out, 0.03, seed + 0.5),
                         zeros(in * out), zeros(out)});
      h_.push_back(zeros(batch * out));
      dh_.push_back(zeros(batch * out));
    }
  }

  double step() {
    for (std::size_t i = 0; i < layers_.size(); ++i) forward(i);
    const double loss = softmax_cross_entropy();
    for (std::size_t i = layers_.size(); i-- > 0;) backward(i);
    for (Layer& layer : layers_) {
      descend(layer.w, layer.dw);
      descend(layer.b, layer.db);
    }
    return loss;
  }

 private:
  struct Layer {
    std::int64_t in, out;
    Floats w, b;  // [out, in], [out]
    Floats dw, db;
  };

  void forward(std::size_t i) {
    const Layer& l = layers_[i];
    dnnl_sgemm('N', 'T', batch_, l.out, l.in, 1, h_[i].data(), l.in, l.w.data(), l.in, 0,
               h_[i + 1].data(), l.out);
    const float low = i + 1 < layers_.size() ? 0 : -HUGE_VALF;
    const float* b = l.b.data();
    float* y = h_[i + 1].data();
    for (std::int64_t row = 0; row < batch_; ++row, y += l.out) {
      for (std::int64_t k = 0; k < l.out; ++k) y[k] = std::max(y[k] + b[k], low);
    }
  }

  double softmax_cross_entropy() {
    const std::int64_t c = layers_.back().out;
    double loss = 0;
    for (std::int64_t i = 0; i < batch_; ++i) {
      const float* x = h_.back().data() + i * c;
      float* dx = dh_.back().data() + i * c;
      const float top = *std::max_element(x, x + c);
      float total = 0;
      for (std::int64_t k = 0; k < c; ++k) total += dx[k] = std::exp(x[k] - top);
      for (std::int64_t k = 0; k < c; ++k) dx[k] /= total * static_cast<float>(batch_);
      const std::int64_t own = label_[static_cast<std::size_t>(i)];
      dx[own] -= 1 / static_cast<float>(batch_);
      loss += std::log(total) - (x[own] - top);
    }
    return loss / static_cast<double>(batch_);
  }

  void backward(std::size_t i) {
    Layer& l = layers_[i];
    const float* dy = dh_[i].data();
    dnnl_sgemm('T', 'N', l.out, l.in, batch_, 1, dy, l.out, h_[i].data(), l.in, 0, l.dw.data(),
               l.in);
    std::fill(l.db.begin(), l.db.end(), 0.0F);
    float* db = l.db.data();
    for (std::int64_t row = 0; row < batch_; ++row) {
      for (std::int64_t k = 0; k < l.out; ++k) db[k] += dy[row * l.out + k];
    }
    if (i == 0) return;
    dnnl_sgemm('N', 'N', batch_, l.in, l.out, 1, dy, l.out, l.w.data(), l.in, 0, dh_[i - 1].data(),
               l.in);
    const float* h = h_[i].data();
    float* dh = dh_[i - 1].data();
    for (std::int64_t k = 0; k < batch_ * l.in; ++k) dh[k] = h[k] > 0 ? dh[k] : 0;
  }

  void descend(Floats& p, const Floats& g) const {
    const float lr = lr_, *slope = g.data();
    float* x = p.data();
    for (std::size_t k = 0; k < p.size(); ++k) x[k] -= lr * slope[k];
  }

  std::int64_t batch_;
  float lr_;
  std::vector<std::int64_t> label_;
  std::vector<Layer> layers_;
  std::vector<Floats> h_,
      dh_;  // what goes into and comes out of the layers; dh_[i] is by h_[i + 1]
};

}  // namespace

Job classifier_by_hand() {
  const auto network =
      std::make_shared<Classifier>(std::vector<std::int64_t>{784, 512, 512, 10}, 128, 0.01F);
  return {"MLP 784-512-512-10, SGD", [network] { network->step(); },
          [network] {
            network->step();
            network->step();
            return network->step();
          }};
}

}  // namespace bench
