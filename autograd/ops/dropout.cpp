// SPDX-License-Identifier: Apache-2.0
#include "dropout.hpp"

#include <algorithm>

#include "../generator.hpp"
#include "../kernels/parallel.hpp"
#include "../network.hpp"

namespace autograd::ops {

Tensor Dropout::forward(const Tensor& x) const {
  const Dense source(x);
  Tensor y = make(x.shape(), x.dtype());
  const std::size_t n = count(y);
  const auto limit = static_cast<std::uint64_t>(p * 0x1p32);  // words below are dropped
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    const T factor = p < 1 ? static_cast<T>(1 / (1 - p)) : T(0);
    const T* from = source.data<T>();
    T* to = data<T>(y);
    kernels::parallel_for((n + 3) / 4, 5000, [&](std::size_t begin, std::size_t end) {
      for (std::size_t b = begin; b < end; ++b) {
        const auto words = Generator::block(seed, first_block + b);
        for (std::size_t i = 4 * b; i < std::min(n, 4 * b + 4); ++i) {
          to[i] = words[i - 4 * b] < limit ? T(0) : from[i] * factor;
        }
      }
    });
  });
  return y;
}
void Dropout::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, drop(dy, p, seed, first_block));
}
std::vector<OpCase> Dropout::cases() {
  const auto f = [](double share) {
    return [share](const std::vector<Tensor>& in) {
      Generator generator(3);
      return autograd::dropout(in[0], generator, {.p = share});
    };
  };
  return {{"half", {{3, 5}}, f(0.5)},
          {"few", {{7}}, f(0.2)},
          {"all", {{4}}, f(1)},
          {"none, strided", {{3, 4}}, [](const std::vector<Tensor>& in) {
             Generator generator(4);
             return autograd::dropout(transpose(in[0]), generator, {.p = 0.4});
           }}};
}

}  // namespace autograd::ops
