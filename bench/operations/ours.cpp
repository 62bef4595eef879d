// SPDX-License-Identifier: Apache-2.0
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <memory>

#include "../tensors/tensors.hpp"
#include "operations.hpp"

namespace bench {
namespace {

namespace ag = autograd;
using ag::Tensor;

Tensor values(const ag::Shape& shape, std::uint64_t seed) {
  return ag::tensor(drawn(shape.numel(), seed), shape);
}
double fingerprint(const Tensor& x) {
  const auto elements = ag::to_vector<double>(ag::to(ag::contiguous(x), ag::float64));
  return bench::fingerprint(elements.data(), elements.size());
}

template <class F> Operation plain(const char* name, F f) {
  return {name, [f] { f(); }, {}, [f] { return fingerprint(f()); }};
}

/// f of some of the inputs, which it holds.
template <class F>
Operation differentiated(const char* name, const std::vector<Tensor>& inputs, F f) {
  struct State {
    std::vector<Tensor> inputs;
    F f;
    Tensor seed;
    Tensor run() {
      for (Tensor& x : inputs) {
        if (x.has_grad()) x.zero_grad();
      }
      ag::Tape tape;
      Tensor y = f();
      if (!seed.defined()) seed = ag::to(values(y.shape(), 0), y.dtype());
      tape.backward(y, {.seed = seed});
      return ag::detach(y);
    }
  };
  auto state = std::make_shared<State>(State{inputs, f, {}});
  return {name, [f] { f(); }, [state] { state->run(); },
          [state] {
            double sum = fingerprint(state->run());
            for (const Tensor& x : state->inputs) {
              if (x.has_grad()) sum += fingerprint(x.grad());
            }
            return sum;
          }};
}

}  // namespace

Operations our_operations() {
  Operations list;
  std::vector<Tensor> inputs;
  std::uint64_t seed = 0;
#define TENSOR(name, ...)                     \
  const Tensor name = [&] {                   \
    Tensor t = values({__VA_ARGS__}, ++seed); \
    t.set_requires_grad();                    \
    inputs.push_back(t);                      \
    return t;                                 \
  }();
#define INDICES(name, n, limit, ...) \
  const Tensor name = ag::tensor(labels(n, limit), {__VA_ARGS__});
#define MASK(name, x) const Tensor name = ag::detach(x) > 0.5;
#define DIFFERENTIATED(name, ours, theirs) \
  list.push_back(differentiated(name, inputs, [=] { return ours; }));
#define PLAIN(name, ours, theirs) list.push_back(plain(name, [=] { return ours; }));
#include "operations.inc"
  return list;
}

}  // namespace bench
