// expect: a data set of nn::DataLoader needs
// SPDX-License-Identifier: Apache-2.0
// A set whose members are not const, and one whose samples are no lists.
#include <nn/data/loader.hpp>

struct Set {
  std::int64_t size() const { return 2; }
  nn::Sample get(std::int64_t) const { return {autograd::ones({1})}; }
};
struct NotConst {
  std::int64_t size() { return 2; }
  nn::Sample get(std::int64_t) { return {autograd::ones({1})}; }
};
struct OneTensor {
  std::int64_t size() const { return 2; }
  autograd::Tensor get(std::int64_t) const { return autograd::ones({1}); }
};

void f() {
#ifdef MUST_NOT_COMPILE
  nn::DataLoader loader(NotConst{}, {.batch_size = 2});
  nn::DataLoader other{OneTensor{}};
#else
  nn::DataLoader loader(Set{}, {.batch_size = 2});
  nn::DataLoader other{Set{}};
#endif
}
