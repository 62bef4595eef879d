// SPDX-License-Identifier: Apache-2.0
#include "dropout.hpp"

#include <algorithm>
#include <array>

#include "../generator.hpp"
#include "../kernels/parallel.hpp"
#include "../kernels/random.hpp"
#include "../network.hpp"

namespace autograd::ops {

constexpr std::size_t kPiece = 1024;  // elements, a multiple of a block's words

Tensor Dropout::forward(const Tensor& x) const {
  const Dense source(x);
  Tensor y = make(x.shape(), x.dtype());
  const std::size_t n = count(y);
  if (p >= 1) {
    fill_(y, 0);
    return y;
  }
  const auto limit = static_cast<std::uint32_t>(p * 0x1p32);  // words below are dropped
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    const T* from = source.data<T>();
    T* to = data<T>(y);
    // In pieces whose words stay in the first-level cache.
    kernels::parallel_for((n + kPiece - 1) / kPiece, 16, [&](std::size_t begin, std::size_t end) {
      std::array<std::uint32_t, kPiece> words;
      for (std::size_t at = begin * kPiece; at < std::min(n, end * kPiece); at += kPiece) {
        const std::size_t m = std::min(kPiece, n - at);
        kernels::random_words(seed, first_block + at / 4, m, words.data());
        kernels::drop(from + at, words.data(), limit, static_cast<T>(1 / (1 - p)), to + at, m);
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
