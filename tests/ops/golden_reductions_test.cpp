// SPDX-License-Identifier: Apache-2.0
// Reductions, scans and orders beside what PyTorch gives for them: tests/golden/reductions.txt.
#include "golden.hpp"

namespace ops_test {
namespace {

using namespace autograd;

Axes axes_of(const std::string& text) {
  return text == "all" ? Axes{} : golden_file::integers(text);
}
std::int64_t number(const std::string& text) { return std::stoll(text); }

template <class F> GoldenFunction over_axes(F f) {
  return [f](const Inputs& in, const Arguments& a) { return f(in[0], axes_of(a.back()), a); };
}
template <class F> GoldenFunction along(F f) {
  return [f](const Inputs& in, const Arguments& a) { return f(in[0], number(a.back())); };
}
template <class F> GoldenFunction with_indices(F f) {
  return [f](const Inputs& in, const Arguments& a) -> ValuesAndIndices { return f(in[0], a); };
}
template <class F> GoldenFunction of_multiple(F f) {
  return [f](const Inputs& in, const Arguments& a) {
    return f(in[0] * ::std::stod(a[1]), number(a[0]));
  };
}

GoldenFunctions functions() {
  return {
      {"prod", over_axes([](auto& x, auto axes, auto&) { return prod(x, axes); })},
      {"amax", over_axes([](auto& x, auto axes, auto&) { return amax(x, axes); })},
      {"amin", over_axes([](auto& x, auto axes, auto&) { return amin(x, axes); })},
      {"sum", over_axes([](auto& x, auto axes, auto&) { return sum(x, axes); })},
      {"mean", over_axes([](auto& x, auto axes, auto&) { return mean(x, axes); })},
      {"max", with_indices([](auto& x, auto& a) {
         return a[0] == "all" ? ValuesAndIndices{max(x), Tensor()} : max(x, number(a[0]));
       })},
      {"min", with_indices([](auto& x, auto& a) {
         return a[0] == "all" ? ValuesAndIndices{min(x), Tensor()} : min(x, number(a[0]));
       })},
      {"logsumexp", of_multiple([](const Tensor& x, auto axis) { return logsumexp(x, axis); })},
      {"softmax", of_multiple([](const Tensor& x, auto axis) { return softmax(x, axis); })},
      {"log_softmax", of_multiple([](const Tensor& x, auto axis) { return log_softmax(x, axis); })},
      {"argsort",
       [](const Inputs& in, const Arguments& a) {
         return argsort(in[0], number(a[0]), {.descending = a[1] == "down"});
       }},
      {"argmax", over_axes([](auto& x, auto axes, auto&) {
         return axes.empty() ? argmax(x) : argmax(x, axes[0]);
       })},
      {"argmin", over_axes([](auto& x, auto axes, auto&) {
         return axes.empty() ? argmin(x) : argmin(x, axes[0]);
       })},
      {"any", over_axes([](auto& x, auto axes, auto&) { return any(x, axes); })},
      {"all", over_axes([](auto& x, auto axes, auto&) { return all(x, axes); })},
      {"count_nonzero",
       over_axes([](auto& x, auto axes, auto&) { return count_nonzero(x, axes); })},
      {"nansum", over_axes([](auto& x, auto axes, auto&) { return nansum(log(x), axes); })},
      {"nanmean", over_axes([](auto& x, auto axes, auto&) { return nanmean(log(x), axes); })},
      {"var", over_axes([](auto& x, auto axes, auto& a) {
         return var(x, axes, {.correction = number(a[0])});
       })},
      {"std", over_axes([](auto& x, auto axes, auto& a) {
         return autograd::std(x, axes, {.correction = number(a[0])});
       })},
      {"norm",
       over_axes([](auto& x, auto axes, auto& a) { return norm(x, ::std::stod(a[0]), axes); })},
      {"cumsum", along([](auto& x, auto axis) { return cumsum(x, axis); })},
      {"cumprod", along([](auto& x, auto axis) { return cumprod(x, axis); })},
      {"logcumsumexp", along([](auto& x, auto axis) { return logcumsumexp(x, axis); })},
      {"sort", with_indices([](auto& x, auto& a) {
         return sort(x, number(a[0]), {.descending = a[1] == "down"});
       })},
      {"topk", with_indices([](auto& x, auto& a) {
         return topk(x, number(a[0]), number(a[1]), {.largest = a[2] == "down"});
       })},
      {"kthvalue",
       with_indices([](auto& x, auto& a) { return kthvalue(x, number(a[0]), number(a[1])); })},
      {"median", with_indices([](auto& x, auto& a) {
         return a[0] == "all" ? ValuesAndIndices{median(x), Tensor()} : median(x, number(a[0]));
       })},
  };
}

TEST(GoldenReductions, AgreesWithPyTorch) { check_golden("reductions", functions(), 4); }

}  // namespace
}  // namespace ops_test
