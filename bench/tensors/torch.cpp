// SPDX-License-Identifier: Apache-2.0
// libtorch, twice: as it comes, and with the best settings known to us: freed memory kept by the
// allocator, so that no step waits for the system to clear pages, and images with the channels last.
#include <malloc.h>
#include <torch/torch.h>

#include <memory>
#include <utility>

#include "tensors.hpp"

namespace bench {
namespace {

using torch::Tensor;
using Sizes = std::vector<std::int64_t>;

bool best = false;  // while the jobs are made

std::int64_t count(const Sizes& sizes) {
  std::int64_t n = 1;
  for (const std::int64_t size : sizes) n *= size;
  return n;
}
Tensor values(const Sizes& sizes, double scale, double seed) {
  std::vector<float> elements = numbers(count(sizes), scale, seed);
  Tensor t = torch::from_blob(elements.data(), sizes).clone();
  return best && sizes.size() == 4 ? t.contiguous(torch::MemoryFormat::ChannelsLast) : t;
}
Tensor parameter(const Sizes& sizes, double scale, double seed) {
  return values(sizes, scale, seed).set_requires_grad(true);
}
Tensor label_tensor(std::int64_t n, std::int64_t classes) {
  std::vector<std::int64_t> elements = labels(n, classes);
  return torch::from_blob(elements.data(), {n}, torch::kInt64).clone();
}
double fingerprint(const Tensor& x) {
  const Tensor elements = x.detach().to(torch::kFloat64).contiguous();
  return bench::fingerprint(elements.data_ptr<double>(),
                            static_cast<std::size_t>(elements.numel()));
}

template <class F> Job both_ways(const char* name, std::vector<Tensor> inputs, F f) {
  struct State {
    std::vector<Tensor> inputs;
    F f;
    Tensor seed;
    Tensor run() {
      Tensor y = f(inputs);
      if (!seed.defined()) seed = values(y.sizes().vec(), 1, 5).to(y.scalar_type());
      for (Tensor& x : inputs) x.mutable_grad() = Tensor();
      y.backward(seed);
      return y.detach();
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

template <class Optimizer, class Options, class F>
Job training(const char* name, std::vector<Tensor> parameters, Options options, F loss) {
  struct State {
    F loss;
    Optimizer optimizer;
    double run(bool read) {
      const Tensor l = loss();
      optimizer.zero_grad();
      l.backward();
      optimizer.step();
      return read ? l.item().toDouble() : 0;
    }
  };
  auto state = std::make_shared<State>(State{std::move(loss), Optimizer(parameters, options)});
  return {name, [state] { state->run(false); },
          [state] {
            state->run(false);
            state->run(false);
            return state->run(true);
          }};
}
template <class F> Job sgd(const char* name, const std::vector<Tensor>& p, double lr, F loss) {
  return training<torch::optim::SGD>(name, p, torch::optim::SGDOptions(lr), loss);
}
template <class F> Job adam(const char* name, const std::vector<Tensor>& p, double lr, F loss) {
  return training<torch::optim::Adam>(name, p, torch::optim::AdamOptions(lr), loss);
}

void add_tiny(Jobs& jobs) {
  const Tensor a = parameter({4}, 1, 1), b = parameter({4}, 1, 2);
  const auto forward = [=] { return fingerprint(a + b); };
  jobs.push_back({"add 4, forward",
                  [=] {
                    for (int i = 0; i < kAdds; ++i) const Tensor y = a + b;
                  },
                  forward, kAdds});
  jobs.push_back({"a tape and add 4, forward", [=] { const Tensor y = a + b; }, forward});
  jobs.push_back(
      both_ways("add 4, both", {a, b}, [](const std::vector<Tensor>& x) { return x[0] + x[1]; }));
  std::vector<Tensor> scalars;
  for (const float x : {0.7F, 1.3F, 0.2F, -0.4F}) {
    scalars.push_back(torch::tensor(x).set_requires_grad(true));
  }
  jobs.push_back(both_ways("20 operations on 0-d", scalars, [](const std::vector<Tensor>& x) {
    const Tensor &s = x[0], &t = x[1], &u = x[2], &v = x[3];
    const Tensor t1 = s * t, t3 = tanh(t1 + u), t5 = exp(t3 * v);
    const Tensor t8 = sin((t5 + s) * t), t12 = (t8 - u) * t3 / t5 + v;
    return u * sigmoid(s * log(t12 * t12 + t) - t8) + t1;
  }));
}

using Activation = Tensor (*)(const Tensor&);

struct Network {
  std::vector<Tensor> weights;
  Activation activation, last;

  Network(const Sizes& widths, double scale, Activation between, Activation end)
      : activation(between), last(end) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      weights.push_back(parameter({widths[i + 1], widths[i]}, scale, static_cast<double>(i)));
      weights.push_back(parameter({widths[i + 1]}, scale, static_cast<double>(i) + 0.5));
    }
  }
  Tensor operator()(const Tensor& x) const {
    Tensor y = x;
    for (std::size_t i = 0; i < weights.size(); i += 2) {
      y = torch::linear(y, weights[i], weights[i + 1]);
      y = i + 2 < weights.size() ? activation(y) : last(y);
    }
    return y;
  }
};
Tensor same(const Tensor& x) { return x; }

void add_xor(Jobs& jobs) {
  const Tensor x = torch::tensor({{0.F, 0.F}, {0.F, 1.F}, {1.F, 0.F}, {1.F, 1.F}});
  const Tensor y = torch::tensor({{0.F}, {1.F}, {1.F}, {0.F}});
  const Network small({2, 2, 1}, 0.7, torch::sigmoid, torch::sigmoid);
  const Network large({2, 8, 1}, 0.7, torch::sigmoid, torch::sigmoid);
  jobs.push_back(
      sgd("XOR 2-2-1, SGD", small.weights, 0.5, [=] { return torch::mse_loss(small(x), y); }));
  jobs.push_back(
      adam("XOR 2-8-1, Adam", large.weights, 0.01, [=] { return torch::mse_loss(large(x), y); }));
}

void add_classifiers(Jobs& jobs) {
  for (const auto& [widths, batch] :
       {std::pair{Sizes{784, 128, 10}, 64}, {Sizes{784, 512, 512, 10}, 128}}) {
    const std::string name = batch == 64 ? "MLP 784-128-10, " : "MLP 784-512-512-10, ";
    const Tensor x = values({batch, 784}, 1, 3), y = label_tensor(batch, 10);
    const auto loss = [=](const Network& network) {
      return [=] { return torch::nll_loss(torch::log_softmax(network(x), 1), y); };
    };
    const Network first(widths, 0.03, torch::relu, same), second(widths, 0.03, torch::relu, same);
    jobs.push_back(sgd((name + "SGD").c_str(), first.weights, 0.01, loss(first)));
    jobs.push_back(adam((name + "Adam").c_str(), second.weights, 1e-3, loss(second)));
  }
}

Job lenet() {
  std::vector<Tensor> p;
  for (const Extents& extents : kLenetParameters) {
    p.push_back(parameter(extents, 0.1, static_cast<double>(p.size())));
  }
  const Tensor x = values({64, 1, 28, 28}, 1, 3), y = label_tensor(64, 10);
  return sgd("LeNet, SGD", p, 0.01, [=] {
    Tensor h = torch::max_pool2d(torch::relu(torch::conv2d(x, p[0], p[1])), 2);
    h = torch::max_pool2d(torch::relu(torch::conv2d(h, p[2], p[3])), 2);
    h = torch::relu(torch::linear(h.reshape({64, 256}), p[4], p[5]));
    h = torch::relu(torch::linear(h, p[6], p[7]));
    return torch::nll_loss(torch::log_softmax(torch::linear(h, p[8], p[9]), 1), y);
  });
}

Job product(const ProductSize& s) {
  const auto dtype = s.wide ? torch::kFloat64 : torch::kFloat32;
  const Tensor a = values(s.a_turned ? Sizes{s.k, s.m} : Sizes{s.m, s.k}, 1, 1).to(dtype);
  const Tensor b = values(s.b_turned ? Sizes{s.n, s.k} : Sizes{s.k, s.n}, 1, 2).to(dtype);
  const auto step = [a = s.a_turned ? a.t() : a, b = s.b_turned ? b.t() : b] {
    return torch::mm(a, b);
  };
  return {s.name, [step] { step(); }, [step] { return fingerprint(step()); }};
}

Job convolution(const ConvolutionSize& s) {
  Tensor x = values({s.images, s.channels, s.size, s.size}, 1, 1);
  Tensor w = parameter({s.filters, s.channels, s.kernel, s.kernel}, 0.05, 2);
  if (s.to_image) x.set_requires_grad(true);
  const auto f = [s, x](const std::vector<Tensor>& in) {
    return torch::conv2d(in.size() == 2 ? in[1] : x, in[0], {}, s.stride, s.padding);
  };
  return both_ways(s.name, s.to_image ? std::vector{w, x} : std::vector{w}, f);
}

Job lstm() {
  using L = LstmSize;
  std::vector<Tensor> p{parameter({4 * L::hidden, L::input}, 0.1, 0),
                        parameter({4 * L::hidden, L::hidden}, 0.1, 1),
                        parameter({4 * L::hidden}, 0.1, 2), parameter({4 * L::hidden}, 0.1, 3)};
  const Tensor x = values({L::steps, L::batch, L::input}, 1, 3);
  return sgd("LSTM 128, SGD", p, 0.01, [=] {
    const Tensor zero = torch::zeros({1, L::batch, L::hidden});
    return std::get<0>(torch::lstm(x, {zero, zero}, p, true, 1, 0.0, true, false, false))
        .square()
        .mean();
  });
}

Job gru() {
  using L = LstmSize;
  std::vector<Tensor> p{parameter({3 * L::hidden, L::input}, 0.1, 0),
                        parameter({3 * L::hidden, L::hidden}, 0.1, 1),
                        parameter({3 * L::hidden}, 0.1, 2), parameter({3 * L::hidden}, 0.1, 3)};
  const Tensor x = values({L::steps, L::batch, L::input}, 1, 3);
  return sgd("GRU 128, SGD", p, 0.01, [=] {
    const Tensor zero = torch::zeros({1, L::batch, L::hidden});
    return std::get<0>(torch::gru(x, zero, p, true, 1, 0.0, true, false, false)).square().mean();
  });
}

Job transformer_layer() {
  using B = BlockSize;
  torch::nn::TransformerEncoderLayer layer(
      torch::nn::TransformerEncoderLayerOptions(B::width, B::heads)
          .dim_feedforward(B::inner)
          .dropout(0));
  std::vector<Tensor> inputs{parameter({B::tokens, B::batch, B::width}, 1, 3)};
  for (Tensor& p : layer->parameters()) {
    const Tensor elements = values(p.sizes().vec(), 0.05, static_cast<double>(inputs.size() - 1));
    p.data().copy_(elements);
    inputs.push_back(p);
  }
  return both_ways("transformer layer", inputs,
                   [layer](const std::vector<Tensor>& x) mutable { return layer->forward(x[0]); });
}

Job language_model() {
  using T = TextSize;
  const Tensor index = label_tensor(T::tokens, T::words), target = label_tensor(T::tokens, 4999);
  return both_ways("embedding, head, loss",
                   {parameter({T::words, T::width}, 1, 1), parameter({T::words, T::width}, 0.1, 2)},
                   [=](const std::vector<Tensor>& p) {
                     const Tensor logits = torch::matmul(torch::embedding(p[0], index), p[1].t());
                     return torch::nll_loss(torch::log_softmax(logits, 1), target);
                   });
}

void add_elementwise(Jobs& jobs) {
  const auto unary = [&](const char* name, const Sizes& sizes, Activation f) {
    jobs.push_back(both_ways(name, {parameter(sizes, 2, 1)},
                             [f](const std::vector<Tensor>& x) { return f(x[0]); }));
  };
  const Sizes flat{kElements}, square{kRows, kRows};
  unary("exp", flat, torch::exp);
  unary("tanh", flat, torch::tanh);
  unary("sigmoid", flat, torch::sigmoid);
  unary("relu", flat, torch::relu);
  jobs.push_back(both_ways("a * b + c",
                           {parameter(flat, 1, 1), parameter(flat, 1, 2), parameter(flat, 1, 3)},
                           [](const std::vector<Tensor>& x) { return x[0] * x[1] + x[2]; }));
  unary("softmax", square, [](const Tensor& x) { return torch::softmax(x, 1); });
  unary("log_softmax", square, [](const Tensor& x) { return torch::log_softmax(x, 1); });
  unary("layer_norm", square, [](const Tensor& x) { return torch::layer_norm(x, {bench::kRows}); });
  unary("sum", square, [](const Tensor& x) { return x.sum(); });
  unary("sum of rows", square, [](const Tensor& x) { return x.sum(1); });
  unary("sum of columns", square, [](const Tensor& x) { return x.sum(0); });
  const Tensor wide = values(flat, 2, 1).to(torch::kFloat64).set_requires_grad(true);
  jobs.push_back(both_ways("tanh, float64", {wide},
                           [](const std::vector<Tensor>& x) { return torch::tanh(x[0]); }));
}

template <bool kBest> Jobs make() {
  best = kBest;
  Jobs jobs;
  add_tiny(jobs);
  add_xor(jobs);
  add_classifiers(jobs);
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

// 128 KiB are the C library's own values.
template <bool kBest> void prepare() {
  constexpr int kKept = kBest ? 1 << 30 : 128 << 10;
  mallopt(M_MMAP_THRESHOLD, kKept);
  mallopt(M_TRIM_THRESHOLD, kKept);
}

void set_threads(int n) { at::set_num_threads(n); }

const RegisterPeer kBestSettings({"libtorch", make<true>, prepare<true>, set_threads});
const RegisterPeer kStock({"stock", make<false>, prepare<false>, set_threads});

}  // namespace
}  // namespace bench
