// SPDX-License-Identifier: Apache-2.0
// libtorch, with freed memory kept by the allocator.
#include <malloc.h>
#include <torch/torch.h>

#include <memory>

#include "../tensors/tensors.hpp"
#include "operations.hpp"

namespace bench {
namespace {

using torch::Tensor;
using Sizes = std::vector<std::int64_t>;

Tensor values(const Sizes& sizes, std::uint64_t seed) {
  std::int64_t n = 1;
  for (const std::int64_t size : sizes) n *= size;
  std::vector<float> elements = drawn(n, seed);
  return torch::from_blob(elements.data(), sizes).clone();
}
double fingerprint(const Tensor& x) {
  const Tensor elements = x.detach().to(torch::kFloat64).contiguous();
  return bench::fingerprint(elements.data_ptr<double>(),
                            static_cast<std::size_t>(elements.numel()));
}

template <class F> Operation plain(const char* name, F f) {
  const auto forward = [f] {
    const torch::NoGradGuard guard;
    return f();
  };
  return {name, [forward] { forward(); }, {}, [forward] { return fingerprint(forward()); }};
}

template <class F>
Operation differentiated(const char* name, const std::vector<Tensor>& inputs, F f) {
  struct State {
    std::vector<Tensor> inputs;
    F f;
    Tensor seed;
    Tensor run() {
      for (Tensor& x : inputs) x.mutable_grad() = Tensor();
      Tensor y = f();
      if (!seed.defined()) seed = values(y.sizes().vec(), 0).to(y.scalar_type());
      y.backward(seed);
      return y.detach();
    }
  };
  auto state = std::make_shared<State>(State{inputs, f, {}});
  return {name,
          [f] {
            const torch::NoGradGuard guard;
            f();
          },
          [state] { state->run(); },
          [state] {
            double sum = fingerprint(state->run());
            for (const Tensor& x : state->inputs) {
              if (x.grad().defined()) sum += fingerprint(x.grad());
            }
            return sum;
          }};
}

Operations make() {
  at::set_num_threads(1);
  constexpr int kKept = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kKept);
  mallopt(M_TRIM_THRESHOLD, kKept);
  Operations list;
  std::vector<Tensor> inputs;
  std::uint64_t seed = 0;
#define TENSOR(name, ...)                                                                  \
  const Tensor name = values(Sizes{__VA_ARGS__}, ++seed).detach().set_requires_grad(true); \
  inputs.push_back(name);
#define INDICES(name, n, limit, ...) \
  const Tensor name = torch::tensor(labels(n, limit)).reshape(Sizes{__VA_ARGS__});
#define MASK(name, x) const Tensor name = x.detach() > 0.5;
#define DIFFERENTIATED(name, ours, theirs) \
  list.push_back(differentiated(name, inputs, [=] { return theirs; }));
#define PLAIN(name, ours, theirs) list.push_back(plain(name, [=] { return theirs; }));
#include "operations.inc"
  return list;
}

const bool registered = (their_operations() = make, true);

}  // namespace
}  // namespace bench
