// SPDX-License-Identifier: Apache-2.0
#include "tensors.hpp"

#include <autograd/autograd.hpp>
#include <autograd/threads.hpp>
#include <nn/nn.hpp>

#include <memory>
#include <utility>

namespace bench {
namespace {

namespace ag = autograd;
using ag::Shape;
using ag::Tensor;

Tensor values(const Shape& shape, double scale, double seed) {
  return ag::tensor(numbers(shape.numel(), scale, seed), shape);
}
Tensor parameter(const Shape& shape, double scale, double seed) {
  Tensor t = values(shape, scale, seed);
  t.set_requires_grad();
  return t;
}
double fingerprint(const Tensor& x) {
  const auto elements = ag::to_vector<double>(ag::to(ag::contiguous(x), ag::float64));
  return bench::fingerprint(elements.data(), elements.size());
}

/// f(inputs) forward and backward; the value is of the result and of the gradients.
template <class F> Job both_ways(const char* name, std::vector<Tensor> inputs, F f) {
  struct State {
    std::vector<Tensor> inputs;
    F f;
    Tensor seed;
    Tensor run() {
      ag::Tape tape;
      Tensor y = f(inputs);
      if (!seed.defined()) seed = ag::to(values(y.shape(), 1, 5), y.dtype());
      for (Tensor& x : inputs) x.zero_grad();
      tape.backward(y, {.seed = seed});
      return ag::detach(y);
    }
  };
  auto state = std::make_shared<State>(State{std::move(inputs), std::move(f), {}});
  return {name, [state] { state->run(); },
          [state] {
            double sum = fingerprint(state->run());
            for (const Tensor& x : state->inputs) sum += fingerprint(x.grad());
            return sum;
          }};
}

/// Steps of an optimizer; the value is the loss after two steps.
template <class Optimizer, class F>
Job training(const char* name, std::vector<Tensor> parameters, double lr, F loss) {
  struct State {
    F loss;
    Optimizer optimizer;
    double run(bool read) {
      ag::Tape tape;
      const Tensor l = loss();
      optimizer.zero_grad();
      tape.backward(l);
      optimizer.step();
      return read ? l.item() : 0;
    }
  };
  auto state =
      std::make_shared<State>(State{std::move(loss), Optimizer(std::move(parameters), {.lr = lr})});
  return {name, [state] { state->run(false); },
          [state] {
            state->run(false);
            state->run(false);
            return state->run(true);
          }};
}

void add_tiny(Jobs& jobs) {
  auto a = std::make_shared<Tensor>(parameter({4}, 1, 1)),
       b = std::make_shared<Tensor>(parameter({4}, 1, 2));
  const auto forward = [a, b] {
    ag::Tape tape;
    return fingerprint(ag::detach(*a + *b));
  };
  jobs.push_back({"add 4, forward",
                  [a, b] {
                    ag::Tape tape;
                    for (int i = 0; i < kAdds; ++i) const Tensor y = *a + *b;
                  },
                  forward, kAdds});
  jobs.push_back({"a tape and add 4, forward",
                  [a, b] {
                    ag::Tape tape;
                    const Tensor y = *a + *b;
                  },
                  forward});
  jobs.push_back(
      both_ways("add 4, both", {*a, *b}, [](const std::vector<Tensor>& x) { return x[0] + x[1]; }));
  std::vector<Tensor> scalars;
  for (const double x : {0.7, 1.3, 0.2, -0.4}) {
    scalars.push_back(ag::tensor(x));
    scalars.back().set_requires_grad();
  }
  jobs.push_back(both_ways("20 operations on 0-d", scalars, [](const std::vector<Tensor>& x) {
    const Tensor &s = x[0], &t = x[1], &u = x[2], &v = x[3];
    const Tensor t1 = s * t, t3 = ag::tanh(t1 + u), t5 = ag::exp(t3 * v);
    const Tensor t8 = ag::sin((t5 + s) * t), t12 = (t8 - u) * t3 / t5 + v;
    return u * ag::sigmoid(s * ag::log(t12 * t12 + t) - t8) + t1;
  }));
}

/// Fully connected layers with an activation between them, and one at the end if `last`.
struct Network {
  std::vector<Tensor> weights;
  ag::Activation activation, last;

  Network(const std::vector<std::int64_t>& widths, double scale, ag::Activation between,
          ag::Activation end)
      : activation(between), last(end) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      weights.push_back(parameter({widths[i + 1], widths[i]}, scale, static_cast<double>(i)));
      weights.push_back(parameter({widths[i + 1]}, scale, static_cast<double>(i) + 0.5));
    }
  }
  Tensor operator()(const Tensor& x) const {
    Tensor y = x;
    for (std::size_t i = 0; i < weights.size(); i += 2) {
      y = ag::linear(y, weights[i], weights[i + 1], i + 2 < weights.size() ? activation : last);
    }
    return y;
  }
};

template <class Optimizer> Job xor_step(const char* name, std::int64_t hidden, double lr) {
  using enum ag::Activation;
  const Network network({2, hidden, 1}, 0.7, sigmoid, sigmoid);
  const Tensor x = ag::tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  const Tensor y = ag::tensor({{0}, {1}, {1}, {0}});
  return training<Optimizer>(name, network.weights, lr,
                             [=] { return nn::mse_loss(network(x), y); });
}

template <class Optimizer>
Job classifier(const char* name, const std::vector<std::int64_t>& widths, std::int64_t batch,
               double lr) {
  using enum ag::Activation;
  const Network network(widths, 0.03, relu, none);
  const Tensor x = values({batch, widths.front()}, 1, 3);
  const Tensor y = ag::tensor(labels(batch, widths.back()), {batch});
  return training<Optimizer>(name, network.weights, lr,
                             [=] { return nn::cross_entropy_loss(network(x), y); });
}

Job lenet() {
  std::vector<Tensor> p;
  for (const Extents& extents : kLenetParameters) {
    p.push_back(parameter(Shape(extents), 0.1, static_cast<double>(p.size())));
  }
  const Tensor x = values({64, 1, 28, 28}, 1, 3), y = ag::tensor(labels(64, 10), {64});
  return training<nn::SGD>("LeNet, SGD", p, 0.01, [=] {
    using enum ag::Activation;
    Tensor h = ag::max_pool2d(ag::relu(ag::conv2d(x, p[0], p[1])), 2);
    h = ag::max_pool2d(ag::relu(ag::conv2d(h, p[2], p[3])), 2);
    h = ag::linear(ag::reshape(h, {64, 256}), p[4], p[5], relu);
    h = ag::linear(h, p[6], p[7], relu);
    return nn::cross_entropy_loss(ag::linear(h, p[8], p[9]), y);
  });
}

Job product(const ProductSize& s) {
  const ag::DType dtype = s.wide ? ag::float64 : ag::float32;
  const Tensor a = ag::to(values(s.a_turned ? Shape{s.k, s.m} : Shape{s.m, s.k}, 1, 1), dtype);
  const Tensor b = ag::to(values(s.b_turned ? Shape{s.n, s.k} : Shape{s.k, s.n}, 1, 2), dtype);
  const auto step = [a = s.a_turned ? ag::transpose(a) : a, b = s.b_turned ? ag::transpose(b) : b] {
    return ag::matmul(a, b);
  };
  return {s.name, [step] { step(); }, [step] { return fingerprint(step()); }};
}

Job convolution(const ConvolutionSize& s) {
  Tensor x = values({s.images, s.channels, s.size, s.size}, 1, 1);
  Tensor w = parameter({s.filters, s.channels, s.kernel, s.kernel}, 0.05, 2);
  if (s.to_image) x.set_requires_grad();
  const ag::ConvOptions options{.stride = s.stride, .padding = s.padding};
  const auto f = [options, x](const std::vector<Tensor>& in) {
    return ag::conv2d(in.size() == 2 ? in[1] : x, in[0], {}, options);
  };
  return both_ways(s.name, s.to_image ? std::vector{w, x} : std::vector{w}, f);
}

Job lstm() {
  using L = LstmSize;
  std::vector<Tensor> p{parameter({4 * L::hidden, L::input}, 0.1, 0),
                        parameter({4 * L::hidden, L::hidden}, 0.1, 1),
                        parameter({4 * L::hidden}, 0.1, 2), parameter({4 * L::hidden}, 0.1, 3)};
  const Tensor x = values({L::steps, L::batch, L::input}, 1, 3);
  return training<nn::SGD>("LSTM 128, SGD", p, 0.01, [=] {
    Tensor h = ag::zeros({L::batch, L::hidden}), c = h;
    const Tensor inputs = ag::linear(x, p[0], p[2]);
    std::vector<Tensor> outputs;
    for (const Tensor& input : ag::unbind(inputs)) {
      const std::vector<Tensor> gates = ag::chunk(input + ag::linear(h, p[1], p[3]), 4, 1);
      c = ag::sigmoid(gates[1]) * c + ag::sigmoid(gates[0]) * ag::tanh(gates[2]);
      h = ag::sigmoid(gates[3]) * ag::tanh(c);
      outputs.push_back(h);
    }
    return ag::mean(ag::square(ag::stack(outputs)));
  });
}

Job gru() {
  using L = LstmSize;
  std::vector<Tensor> p{parameter({3 * L::hidden, L::input}, 0.1, 0),
                        parameter({3 * L::hidden, L::hidden}, 0.1, 1),
                        parameter({3 * L::hidden}, 0.1, 2), parameter({3 * L::hidden}, 0.1, 3)};
  const Tensor x = values({L::steps, L::batch, L::input}, 1, 3);
  return training<nn::SGD>("GRU 128, SGD", p, 0.01, [=] {
    Tensor h = ag::zeros({L::batch, L::hidden});
    std::vector<Tensor> outputs;
    for (const Tensor& input : ag::unbind(ag::linear(x, p[0], p[2]))) {
      const std::vector<Tensor> a = ag::chunk(input, 3, 1);
      const std::vector<Tensor> b = ag::chunk(ag::linear(h, p[1], p[3]), 3, 1);
      const Tensor r = ag::sigmoid(a[0] + b[0]), z = ag::sigmoid(a[1] + b[1]);
      const Tensor n = ag::tanh(a[2] + r * b[2]);
      h = n + z * (h - n);
      outputs.push_back(h);
    }
    return ag::mean(ag::square(ag::stack(outputs)));
  });
}

Job transformer_layer() {
  using B = BlockSize;
  const std::int64_t w = B::width;
  std::vector<Tensor> inputs{values({B::tokens, B::batch, w}, 1, 3)};
  inputs[0].set_requires_grad();
  for (const Shape& shape : {Shape{3 * w, w},
                             {3 * w},
                             {w, w},
                             {w},
                             {B::inner, w},
                             {B::inner},
                             {w, B::inner},
                             {w},
                             {w},
                             {w},
                             {w},
                             {w}}) {
    inputs.push_back(parameter(shape, 0.05, static_cast<double>(inputs.size() - 1)));
  }
  return both_ways("transformer layer", inputs, [](const std::vector<Tensor>& p) {
    const std::int64_t rows = B::batch * B::heads, head = B::width / B::heads;
    const Tensor& x = p[0];
    std::vector<Tensor> qkv;
    for (const Tensor& part : ag::chunk(ag::linear(x, p[1], p[2]), 3, 2)) {
      qkv.push_back(ag::transpose(ag::reshape(part, {B::tokens, rows, head}), 0, 1));
    }
    Tensor a = ag::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
    a = ag::reshape(ag::transpose(a, 0, 1), {B::tokens, B::batch, B::width});
    const Tensor y = ag::layer_norm(x + ag::linear(a, p[3], p[4]), {B::width}, p[9], p[10]);
    const Tensor inner = ag::linear(y, p[5], p[6], ag::Activation::relu);
    return ag::layer_norm(y + ag::linear(inner, p[7], p[8]), {B::width}, p[11], p[12]);
  });
}

Job language_model() {
  using T = TextSize;
  const Tensor index = ag::tensor(labels(T::tokens, T::words), {T::tokens});
  const Tensor target = ag::tensor(labels(T::tokens, 4999), {T::tokens});
  return both_ways("embedding, head, loss",
                   {parameter({T::words, T::width}, 1, 1), parameter({T::words, T::width}, 0.1, 2)},
                   [=](const std::vector<Tensor>& p) {
                     return nn::cross_entropy_loss(
                         ag::matmul(ag::embedding(index, p[0]), ag::transpose(p[1])), target);
                   });
}

using Function = Tensor (*)(const Tensor&);
void add_elementwise(Jobs& jobs) {
  const auto unary = [&](const char* name, const Shape& shape, Function f) {
    jobs.push_back(both_ways(name, {parameter(shape, 2, 1)},
                             [f](const std::vector<Tensor>& x) { return f(x[0]); }));
  };
  const Shape flat{kElements}, square{kRows, kRows};
  unary("exp", flat, [](const Tensor& x) { return ag::exp(x); });
  unary("tanh", flat, [](const Tensor& x) { return ag::tanh(x); });
  unary("sigmoid", flat, [](const Tensor& x) { return ag::sigmoid(x); });
  unary("relu", flat, [](const Tensor& x) { return ag::relu(x); });
  jobs.push_back(both_ways("a * b + c",
                           {parameter(flat, 1, 1), parameter(flat, 1, 2), parameter(flat, 1, 3)},
                           [](const std::vector<Tensor>& x) { return x[0] * x[1] + x[2]; }));
  unary("softmax", square, [](const Tensor& x) { return ag::softmax(x, 1); });
  unary("log_softmax", square, [](const Tensor& x) { return ag::log_softmax(x, 1); });
  unary("layer_norm", square, [](const Tensor& x) { return ag::layer_norm(x, {kRows}); });
  unary("sum", square, [](const Tensor& x) { return ag::sum(x); });
  unary("sum of rows", square, [](const Tensor& x) { return ag::sum(x, {1}); });
  unary("sum of columns", square, [](const Tensor& x) { return ag::sum(x, {0}); });
  Tensor wide = ag::to(values(flat, 2, 1), ag::float64);
  wide.set_requires_grad();
  jobs.push_back(both_ways("tanh, float64", {wide},
                           [](const std::vector<Tensor>& x) { return ag::tanh(x[0]); }));
}

Jobs make() {
  Jobs jobs;
  add_tiny(jobs);
  jobs.push_back(xor_step<nn::SGD>("XOR 2-2-1, SGD", 2, 0.5));
  jobs.push_back(xor_step<nn::Adam>("XOR 2-8-1, Adam", 8, 0.01));
  jobs.push_back(classifier<nn::SGD>("MLP 784-128-10, SGD", {784, 128, 10}, 64, 0.01));
  jobs.push_back(classifier<nn::Adam>("MLP 784-128-10, Adam", {784, 128, 10}, 64, 1e-3));
  jobs.push_back(classifier<nn::SGD>("MLP 784-512-512-10, SGD", {784, 512, 512, 10}, 128, 0.01));
  jobs.push_back(classifier<nn::Adam>("MLP 784-512-512-10, Adam", {784, 512, 512, 10}, 128, 1e-3));
  jobs.push_back(lenet());
  for (const ConvolutionSize& size : kConvolutions) jobs.push_back(convolution(size));
  jobs.push_back(lstm());
  jobs.push_back(gru());
  jobs.push_back(transformer_layer());
  jobs.push_back(language_model());
  add_elementwise(jobs);
  for (const ProductSize& size : kProducts) jobs.push_back(product(size));
  return jobs;
}

}  // namespace

Engine our_engine() {
  return {"ours", make, [] {}, [](int n) { ag::set_num_threads(n); }};
}

}  // namespace bench
